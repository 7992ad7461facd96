from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from data.errors import ConfigError, UsageError
from tui.cli import check_page
from tui.cli.main import Parser
from tui.cli.page_values import load_values


@pytest.fixture
def check(capsys, spec_file):
    """Run the command; gives the exit code and one object a line."""

    def run(*words):
        parser = Parser(prog="check page")
        check_page.add_arguments(parser)
        code = check_page.run(parser.parse_args(["--parser", str(spec_file), *map(str, words)]))
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def pages(tmp_path, search_page, redesign):
    """Files: a folder of good pages, a good one, one with dead titles, one redesigned, packed."""
    (tmp_path / "good").mkdir()
    for n in range(4):
        (tmp_path / "good" / f"{n}.html").write_bytes(search_page(10 + n, f"q{n}"))
    (tmp_path / "fine.html").write_bytes(search_page(30))
    (tmp_path / "dead.html").write_bytes(search_page(32, title=""))
    (tmp_path / "new.html.gz").write_bytes(gzip.compress(search_page(10, item=redesign)))
    return tmp_path


def test_one_object_a_page_and_the_worst_state_as_exit_code(check, pages):
    code, (fine, dead, new) = check(
        "--baseline", pages / "good", "--", pages / "fine.html", pages / "dead.html", pages / "new.html.gz"
    )
    assert code == 2
    assert set(fine) == {"page", "state", "cause", "detail", "items", "fields", "layout", "witness", "repairs"}
    assert (fine["page"], fine["state"], fine["cause"], fine["items"]) == (str(pages / "fine.html"), "ok", "", 30)
    assert fine["fields"]["title"] == {"n": 30, "fill": 1.0, "state": "ok"}
    assert fine["layout"]["family"]
    assert fine["witness"] == {"items": 30, "overlap": 1.0}
    assert (dead["cause"], dead["fields"]["title"]["state"]) == ("parser.field_dead", "dead")
    assert new["cause"] == "parser.selector_dead"
    assert new["layout"]["loss"] > 0.2


def test_good_pages_exit_zero(check, pages):
    assert check("--baseline", pages / "good", "--", pages / "fine.html")[0] == 0


def test_without_a_separator_each_baseline_takes_one(check, pages):
    code, found = check("--baseline", pages / "good", pages / "fine.html", pages / "dead.html")
    assert (code, len(found)) == (2, 2)
    code, found = check("--baseline", pages / "good", "--baseline", pages / "good" / "0.html", pages / "fine.html")
    assert (code, len(found)) == (0, 1)


@pytest.mark.parametrize("key", ["new.html.gz", "path"])
def test_repairs_are_proposed_from_last_good_values(check, pages, key):
    values = {
        "title": [f"Result {n} about casino and its rules" for n in range(10)],
        "snippet": "Some words on casino no 3.",
    }
    name = str(pages / "new.html.gz") if key == "path" else key
    (pages / "values.json").write_text(json.dumps({name: values}))
    _, (new,) = check("--baseline", pages / "good", "--values", pages / "values.json", pages / "new.html.gz")
    found = {repair["field"]: repair for repair in new["repairs"]}
    assert found["items"]["matches"] == 10
    assert (found["title"]["matches"], found["title"]["verified"]) == (10, True)
    assert found["title"]["selector"]


def test_without_values_other_sources_propose_and_say_who_they_are(check, pages):
    _, (dead, new) = check("--baseline", pages / "good", "--", pages / "dead.html", pages / "new.html.gz")
    assert dead["repairs"] == []
    assert [(one["field"], one["matches"], one["verified"], one["source"]) for one in new["repairs"]] == [
        ("items", 10, True, "cluster"),
        ("title", 10, True, "cluster"),
        ("url", 10, True, "cluster"),
        ("snippet", 10, False, "similarity"),
    ]


def test_a_repair_is_tried_on_all_pages_of_its_layout_and_on_no_other(check, pages, search_page, redesign):
    third = "<article><u>site{n}.example</u><a href='https://site{n}.example/{n}'><b>{title}</b></a><q>{snippet}</q></article>"
    for n in range(3):
        (pages / f"new{n}.html").write_bytes(search_page(9 + n, f"n{n}", item=redesign))
    (pages / "third.html").write_bytes(search_page(10, item=third).replace(b"class='", b"class='z"))
    paths = [pages / f"new{n}.html" for n in range(3)]
    _, (*new, other) = check("--baseline", pages / "good", "--", *paths, pages / "third.html")
    titles = [next(one for one in page["repairs"] if one["field"] == "title") for page in (*new, other)]
    assert [(one["matches"], one["pages"], one["verified"]) for one in titles] == [
        (9, 3, True), (10, 3, True), (11, 3, True), (10, 1, True),
    ]  # fmt: skip
    assert len({one["selector"] for one in titles[:3]}) == 1


@pytest.mark.parametrize(
    ("cut", "cause", "words"),
    [
        (lambda raw: raw[:60], "proto.truncated", "cut short"),
        (lambda raw: raw[:30] + b"x" * 400, "proto.decode", "cannot be unpacked"),
        (lambda raw: raw[:-8] + b"\0" * 8, "proto.decode", "cannot be unpacked"),
    ],
)
def test_a_damaged_pack_is_a_failing_page_and_the_others_go_on(check, pages, cut, cause, words):
    (pages / "cut.html.gz").write_bytes(cut((pages / "new.html.gz").read_bytes()))
    code, (damaged, fine) = check("--baseline", pages / "good", "--", pages / "cut.html.gz", pages / "fine.html")
    assert (code, damaged["state"], damaged["cause"], damaged["repairs"]) == (2, "failing", cause, [])
    assert words in damaged["detail"]
    assert fine["state"] == "ok"


def test_a_folder_of_pages_is_all_its_pages(check, pages):
    code, found = check("--baseline", pages / "good", "--", pages / "good")
    assert (code, [one["state"] for one in found]) == (0, ["ok"] * 4)


def test_a_baseline_that_is_not_good_leaves_everything_unknown(check, pages):
    (pages / "none.html").write_bytes(b"<p>nothing here")
    code, (page,) = check("--baseline", pages / "none.html", "--", pages / "none.html")
    assert (code, page["state"], page["cause"]) == (3, "unknown", "page.no_results")


def test_a_name_with_control_characters_reaches_no_terminal(check, pages, search_page):
    (pages / "a\u009b\u202e.html").write_bytes(search_page(10))
    _, (page,) = check("--baseline", pages / "good", "--", pages / "a\u009b\u202e.html")
    assert page["page"].endswith("a\ufffd\ufffd.html")


@pytest.mark.parametrize(
    "words",
    [
        ("--baseline", "good"),
        ("--baseline", "empty", "--", "fine.html"),
        ("--baseline", "none", "--", "fine.html"),
        ("--baseline", "good", "--", "fine.html", "gone.html"),
        ("--baseline", "good", "--", "fine.html", "empty"),
    ],
)
def test_missing_pages_are_usage_errors(check, pages, monkeypatch, words):
    monkeypatch.chdir(pages)
    (pages / "empty").mkdir()
    with pytest.raises(UsageError):
        check(*words)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("{", "property name"),
        ("[]", "not a list"),
        ("null", "not null"),
        ('"fine.html"', "not a text"),
        ('{"a": []}', "'a': expected"),
        ('{"a": {"title": {"b": 1}}}', "'a', field 'title': .* not an object in it"),
        ('{"a": {"title": [["b"]]}}', "'a', field 'title': .* not a list in it"),
        ("[" * 100_000, "nested too deeply"),
        ("\udc00", "codec"),
    ],
)
def test_broken_values_are_usage_errors_that_say_where(check, pages, raw, words):
    (pages / "values.json").write_text(raw, errors="surrogatepass")
    with pytest.raises(UsageError, match=f"--values .*{words}"):
        check("--baseline", pages / "good", "--values", pages / "values.json", pages / "fine.html")


def test_missing_values_are_a_usage_error(check, pages):
    with pytest.raises(UsageError, match="No such file"):
        check("--baseline", pages / "good", "--values", pages / "gone.json", pages / "fine.html")


def test_values_are_found_by_path_and_by_the_end_of_it(tmp_path):
    known = {"/data/a/p.html": {"t": "1"}, "b/p.html": {"t": ["2", None, 3]}, "p.html": {"t": None}}
    (tmp_path / "values.json").write_text(json.dumps(known))
    values = load_values(tmp_path / "values.json")
    paths = ("/data/a/p.html", "/data/b/p.html", "/data/c/p.html", "/data/c/q.html")
    assert [values.of(Path(path)) for path in paths] == [{"t": ("1",)}, {"t": ("2", "3")}, {"t": ()}, {}]
    assert values.unused([Path("q.html")])
    assert not values.unused([Path("p.html")])


def test_a_bad_spec_is_a_config_error(check, pages):
    (pages / "bad.toml").write_text("[parser]\n")
    with pytest.raises(ConfigError):
        check("--parser", pages / "bad.toml", "--baseline", pages / "good", "--", pages / "fine.html")
