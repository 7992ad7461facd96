"""Rows of parsers.csv that stand for many searches."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.config.rows import Row
from data.config.searches import MOST, Searches
from data.config.table import is_name
from data.config.watch import stamps

HEAD = "parser,team,url,spec,geo,query,canary,interval,outside\n"
SPEC = '[parser]\nname = "serp"\n[parser.fields.url]\ncss = "a"\nattr = "href"\ntype = "url"\n'
URL = "https://s.example/search?q={query}&gl={geo}"


@pytest.fixture
def parsers(company):
    """`parsers(row)` loads one row beside its head; the parsers by name."""
    (company.home.config / "serp.toml").write_text(SPEC)

    def loaded(row):
        company.csv("parsers.csv", HEAD + row)
        return {one.name: one for one in company.load().targets if one.kind == "parser"}

    return loaded


def complaint(company, row):
    (company.home.config / "serp.toml").write_text(SPEC)
    company.csv("parsers.csv", HEAD + row)
    return [words.partition(": ")[2] for words in company.complaints()]


def test_each_query_in_each_country_is_a_parser_of_its_own(parsers):
    found = parsers(f"serp,aurora,{URL},serp.toml,DE|at,online casino|wetten,,15m,\n")
    assert list(found) == [
        "serp-de-online-casino", "serp-de-wetten", "serp-at-online-casino", "serp-at-wetten",
    ]  # fmt: skip
    one = found["serp-at-online-casino"]
    assert (one.url, one.geo, one.query) == ("https://s.example/search?q=online%20casino&gl=at", "AT", "online casino")
    assert {each.interval_s for each in found.values()} == {900.0}


def test_canaries_of_a_row_are_further_queries(parsers):
    found = parsers(f"serp,aurora,{URL},serp.toml,DE,wetten,wetter|nachrichten,,\n")
    assert {name: one.canary for name, one in found.items()} == {
        "serp-de-wetten": False, "serp-de-wetter": True, "serp-de-nachrichten": True,
    }  # fmt: skip


def test_one_page_keeps_its_name_and_its_flag(parsers):
    (found,) = parsers("serp,aurora,https://s.example/?q=a,serp.toml,DE,wetten,yes,,\n").values()
    assert (found.name, found.canary, found.query) == ("serp", True, "wetten")


def test_a_second_query_renames_nothing(parsers):
    one = parsers(f"serp,aurora,{URL},serp.toml,DE,wetten,,,\n")
    two = parsers(f"serp,aurora,{URL},serp.toml,DE,wetten|lotto,,,\n")
    assert one["serp-de-wetten"] == two["serp-de-wetten"]


def test_one_address_can_be_looked_at_from_several_countries(parsers):
    found = parsers("serp,aurora,https://s.example/?q=x,serp.toml,DE|AT,x,,,\n")
    assert [(name, one.url) for name, one in found.items()] == [
        ("serp-de", "https://s.example/?q=x"), ("serp-at", "https://s.example/?q=x"),
    ]  # fmt: skip


def test_queries_may_stand_in_a_file_that_is_watched(company, parsers):
    (company.home.inventory / "queries.txt").write_text("wetten\n\n казино онлайн \n#1 casino\n")
    found = parsers(f"serp,aurora,{URL},serp.toml,DE,@queries.txt,,,\n")
    assert [one.query for one in found.values()] == ["wetten", "казино онлайн", "#1 casino"]
    assert all(map(is_name, found))
    before = stamps(company.home)
    (company.home.inventory / "queries.txt").write_text("wetten\n")
    assert stamps(company.home) != before


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("s,aurora,https://s.example/?q={query},serp.toml,DE,,,,", "url holds {query} and query names none"),
        ("s,aurora,https://s.example/?q={query}&g={geo},serp.toml,,x,,,", "url holds {geo} and geo names no country"),
        ("s,aurora,https://s.example/,serp.toml,DE,x|y,,,", "several queries need {query} in the url"),
        ("s,aurora,https://s.example/?q={qeury},serp.toml,DE,x,,,", "url has no place of that name"),
        (f"s,aurora,{URL},serp.toml,DE|de,x,,,", "geo names a country twice"),
        (f"s,aurora,{URL},serp.toml,DE,x|X,,,", "query names a search twice"),
        (f"s,aurora,{URL},serp.toml,DE|Germany,x,,,", "geo is not a country code"),
        ("s,aurora,https://s.example/,serp.toml,DE,x,maybe,,", "canary is neither yes nor no"),
        (f"s,aurora,{URL},serp.toml,DE,@none.txt,,,", "query: none.txt cannot be read"),
        (f"s,aurora,{URL},serp.toml,DE,@../losswatch.toml,,,", "query names no file beside parsers.csv"),
        ("s,aurora,,,DE,x|y,,1h,yes", "a parser that others run has one query"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(company, row, words):
    told = complaint(company, row + "\n")
    assert told[0].startswith(words), told


def test_a_place_that_is_misspelt_is_told_the_nearest(company):
    (told,) = complaint(company, "s,aurora,https://s.example/?q={qeury},serp.toml,DE,x,,,\n")
    assert "{query}" in told


def test_a_file_of_too_many_queries_is_refused_and_one_that_is_no_text_too(company):
    file = company.home.inventory / "q.txt"
    file.write_text("\n".join(f"query {n}" for n in range(MOST + 1)))
    assert complaint(company, f"s,aurora,{URL},serp.toml,DE,@q.txt,,,\n")[0].startswith("5,001 searches in one row")
    file.write_bytes(b"ok\n\xff\xfe")
    assert complaint(company, f"s,aurora,{URL},serp.toml,DE,@q.txt,,,\n")[0].startswith(
        "query: q.txt line 2 is not UTF-8"
    )


words = st.text(
    st.characters(codec="utf-8", exclude_characters="|@{}", exclude_categories=("C", "Z")), min_size=1, max_size=200
)


@given(st.lists(words, min_size=1, max_size=6, unique_by=str.lower))
def test_names_are_usable_and_tell_queries_apart_and_the_address_holds_the_query(tmp_path_factory, queries):
    cells = {"parser": "serp", "url": URL, "geo": "DE", "query": "|".join(queries), "canary": "", "outside": ""}
    told = []
    found = Searches(tmp_path_factory.getbasetemp()).of(Row(2, cells), lambda *words, **_: told.append(words))
    assert not told
    assert len({row.cells["parser"] for row in found}) == len(queries)
    assert all(is_name(row.cells["parser"]) for row in found)
    asked = [unquote(row.cells["url"].partition("q=")[2].partition("&")[0]) for row in found]
    assert asked == [query.strip() for query in queries]
