from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.config.merging import merge
from data.config.problems import ConfigErrors
from data.model.target import TargetKind

SITE = TargetKind.SITE
FILE = "# ours\nsite,url,team,tier\na,https://a.example/,aurora,1\n\n# the north\nb,https://b.example/,cedar,\n"


def row(name: str, **cells: str) -> dict[str, str]:
    return {"site": name, "url": f"https://{name}.example/", **cells}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "sites.csv").write_text(FILE)
    return tmp_path / "sites.csv"


def test_a_file_that_is_not_there_is_begun(tmp_path):
    merged = merge(tmp_path / "sites.csv", SITE, [row("a", team="aurora")])
    assert merged.text == "site,url,team\na,https://a.example/,aurora\n"
    assert (merged.added, merged.changed) == (1, 0)


def test_new_rows_come_last_and_what_people_wrote_stays(path):
    merged = merge(path, SITE, [row("c", team="aurora")])
    assert merged.text == FILE + "c,https://c.example/,aurora,\n"


def test_a_known_name_takes_what_the_source_says_and_keeps_the_rest(path):
    merged = merge(path, SITE, [row("a", interval="5m"), row("b", team="cedar")])
    assert merged.text.splitlines()[1:3] == ["site,url,team,tier,interval", "a,https://a.example/,aurora,1,5m"]
    assert merged.text.splitlines()[-1] == "b,https://b.example/,cedar,,"
    assert (merged.added, merged.changed) == (0, 1)


def test_a_known_url_under_another_name_is_left_alone_and_told(path):
    merged = merge(path, SITE, [{"site": "other", "url": "https://a.example/", "team": "aurora"}])
    assert (merged.text, merged.known) == (FILE, ("other",))


def test_a_file_that_cannot_be_read_is_told_as_always(path):
    path.write_text("site,url,team\na,https://a.example/\n")
    with pytest.raises(ConfigErrors, match="row has 2 cells"):
        merge(path, SITE, [row("c", team="aurora")])


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_merging_twice_is_merging_once(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("m") / "sites.csv"
    for names in (first, second):
        path.write_text(merge(path, SITE, [row(name, team="t", project=names[0]) for name in names]).text)
    again = merge(path, SITE, [row(name, team="t", project=second[0]) for name in second])
    assert again.text == path.read_text()
    assert (again.added, again.changed) == (0, 0)
