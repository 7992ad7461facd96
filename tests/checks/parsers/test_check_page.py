from __future__ import annotations

import gzip
import json

import pytest

from data.errors import ConfigError, UsageError
from tui.cli import check_page
from tui.cli.main import Parser


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
    assert (new["cause"], new["repairs"]) == ("parser.selector_dead", [])
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


def test_a_damaged_pack_is_a_sentence(check, pages):
    (pages / "cut.html.gz").write_bytes((pages / "new.html.gz").read_bytes()[:60])
    with pytest.raises(UsageError, match=r"cut\.html\.gz"):
        check("--baseline", pages / "good", "--", pages / "cut.html.gz")


@pytest.mark.parametrize(
    "words",
    [("--baseline", "good"), ("--baseline", "empty", "--", "fine.html"), ("--baseline", "none", "--", "fine.html")],
)
def test_missing_pages_are_usage_errors(check, pages, monkeypatch, words):
    monkeypatch.chdir(pages)
    (pages / "empty").mkdir()
    with pytest.raises(UsageError):
        check(*words)


@pytest.mark.parametrize("raw", ["{", "[]", '{"a": []}', "\udc00"])
def test_broken_values_are_usage_errors(check, pages, raw):
    (pages / "values.json").write_text(raw, errors="surrogatepass")
    with pytest.raises(UsageError, match="--values"):
        check("--baseline", pages / "good", "--values", pages / "values.json", pages / "fine.html")


def test_a_bad_spec_is_a_config_error(check, pages):
    (pages / "bad.toml").write_text("[parser]\n")
    with pytest.raises(ConfigError):
        check("--parser", pages / "bad.toml", "--baseline", pages / "good", "--", pages / "fine.html")
