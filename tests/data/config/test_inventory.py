from __future__ import annotations

import csv
import io
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.config.exporting import csv_text
from data.config.home import Home
from data.config.load import load
from data.config.starter import write_starter
from data.config.table import is_name
from data.config.urls import url_fault
from data.errors import ConfigError

HEAD = "site,url,team,tier,geo,interval,status,slow,paused\n"
GOOD = "a,https://a.example/,aurora,,,,,,\n"
BAD_ROWS = [
    ("b,https://b.example/", "row has 2 cells, the header 9"),
    ("b,https://b.example/,aurora,,,,,,,,", "row has 11 cells, the header 9"),
    ('"b,https://b.example/,aurora,,,,,,', "a quote is never closed"),
    ('"b"x,https://b.example/,aurora,,,,,,', "row cannot be read"),
    (",https://b.example/,aurora,,,,,,", "site is not a usable name"),
    ("b c,https://b.example/,aurora,,,,,,", "site is not a usable name (got 'b c'"),
    ("a,https://b.example/,aurora,,,,,,", "site stands already in line 2 (got 'a')"),
    ("b,https://b.example/,,,,,,,", "team is empty"),
    ("b,https://b.example/,aurorra,,,,,,", "no team of that name (got 'aurorra'; allowed: aurora, cedar; did you mean 'aurora'?)"),
    ("b,,aurora,,,,,,", "url is empty"),
    ("b,b.example,aurora,,,,,,", "url does not start with http:// or https:// (got 'b.example')"),
    ("b,javascript:alert(1),aurora,,,,,,", "url does not start with http://"),
    ("b,http://,aurora,,,,,,", "url is not a URL with a valid host and port"),
    ("b,http://b.example:99999/,aurora,,,,,,", "url is not a URL with a valid host and port"),
    ("b,http://[::1/,aurora,,,,,,", "url is not a URL with a valid host and port"),
    ("b,http://b..example/,aurora,,,,,,", "url is not a URL with a valid host and port"),
    ("b,http://b .example/,aurora,,,,,,", "url contains a space"),
    ("b,http://b.example/\x1b[31m,aurora,,,,,,", "url contains a space or another character that no URL has"),
    ("b,http://me:word@b.example/,aurora,,,,,,", "belong in the keyring"),
    ("b,https://b.example/,aurora,4,,,,,", "tier is not a tier (got '4'; allowed: 1, 2 or 3)"),
    ("b,https://b.example/,aurora,,Germany,,,,", "geo is not a country code (got 'Germany'"),
    ("b,https://b.example/,aurora,,,5,,,", "interval is not a duration of at least 1s (got '5'"),
    ("b,https://b.example/,aurora,,,10ms,,,", "interval is not a duration of at least 1s"),
    ("b,https://b.example/,aurora,,,,2oo,,", "status is not a list of HTTP statuses (got '2oo'"),
    ("b,https://b.example/,aurora,,,,99;200,,", "status is not a list of HTTP statuses"),
    ("b,https://b.example/,aurora,,,,,fast,", "slow is not a duration (got 'fast'"),
    ("b,https://b.example/,aurora,,,,,,maybe", "paused is neither yes nor no (got 'maybe'"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "words"), BAD_ROWS, ids=[str(index) for index in range(len(BAD_ROWS))])
def test_a_bad_row_is_named_by_its_line_and_nothing_else_is(company, row, words):
    company.csv("sites.csv", f"{HEAD}{GOOD}# a comment\n\n{row}\nz,https://z.example/,cedar,,,,,,\n")
    (complaint,) = company.complaints()
    assert complaint.startswith("inventory/sites.csv:5: ")
    assert words in complaint


BAD_FILES = [
    (b"", ":1: is empty (allowed: a header line: site,url,team"),
    (b"\n\n", ":1: is empty"),
    (b"\xef\xbb\xbf", ":1: is empty"),
    (b"site,url\n", ":1: column 'team' is missing"),
    (b"site,url,team,teir\n", ":1: unknown column (got 'teir'; allowed: site, url, team, tier"),
    (b"site,url,team,team\n", ":1: column stands twice (got 'team')"),
    (b"site;url;team\na;b;c\n", ":1: columns are not separated by commas"),
    (b"site,url,team\ncaf\xe9,https://a.example,aurora\n", ":2: is not UTF-8 (byte 0xe9) (allowed: save the file as UTF-8)"),
    (b"site,url,team\na,https://a.example\0,aurora\n", ":2: holds a NUL byte"),
    ("site,url,team\n".encode("utf-16"), ":1: is UTF-16"),
    (b"site,url,team\n" + b"a" * 10_000_000 + b"\n", ":2: line is too long: 10,000,000 characters"),
    (b"site,url,team\ra,https://a.example,aurora\r", ":1: row cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "words"), BAD_FILES, ids=[str(index) for index in range(len(BAD_FILES))])
def test_a_file_that_is_no_inventory_is_a_sentence(company, raw, words):
    company.csv("sites.csv", raw)
    complaint = company.complaints()[0]
    assert complaint.startswith("inventory/sites.csv" + words)


def test_a_directory_or_a_pipe_in_place_of_a_file_is_a_sentence(company):
    (company.home.inventory / "sites.csv").mkdir()
    os.mkfifo(company.home.inventory / "links.csv")
    assert company.complaints() == [
        "inventory/links.csv: is not a regular file",
        "inventory/sites.csv: is a directory",
    ]


def test_a_file_nobody_reads_is_reported(company):
    company.csv("site.csv", HEAD)
    (complaint,) = company.complaints()
    assert complaint.startswith("inventory/site.csv: unknown inventory file")
    assert "did you mean 'sites.csv'?" in complaint


def test_a_link_must_name_a_partner_and_a_site_that_exist(company):
    company.csv("sites.csv", "site,url,team\nnordic-1,https://n.example/,aurora\n")
    company.csv(
        "links.csv",
        "link,url,team,site,partner,offer\n"
        "l,https://l.example/,aurora,nordic-2,P01,\n"
        "m,https://m.example/,aurora,nordic-1,P1,\n"
        'n,https://n.example/,aurora,nordic-1,P01,"a,b"\n',
    )
    first, second, third = company.complaints()
    assert "links.csv:2: no site of that name (got 'nordic-2'; allowed: nordic-1; did you mean 'nordic-1'?)" in first
    assert "links.csv:3: no partner of that name (got 'P1'; allowed: P01; did you mean 'P01'?)" in second
    assert "links.csv:4: offer may hold neither comma nor = (got 'a,b')" in third


def test_without_a_list_of_sites_a_link_may_name_any(company):
    company.csv("links.csv", "link,url,team,site\nl,https://l.example/,aurora,elsewhere\n")
    assert company.load().targets[0].site == "elsewhere"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("", "spec is empty"),
        ("absent.toml", "spec names no file"),
        ("../outside.toml", "spec leads out of the home folder"),
        ("/etc/passwd", "spec leads out of the home folder"),
        ("x" * 1000, "spec is not the name of a file"),
    ],
)
def test_the_spec_of_a_parser_is_a_file_of_this_home(company, spec, words):
    (company.home.config.parent / "outside.toml").write_text("")
    company.csv("parsers.csv", f"parser,url,team,spec\np,https://p.example/,aurora,{spec}\n")
    (complaint,) = company.complaints()
    assert words in complaint


def test_what_a_file_holds_cannot_reach_the_terminal_as_it_is(company):
    company.csv("sites.csv", "site,url,team\n\x1b]52;c;x\x07,https://a.example/,\u202eevil\n")
    text = "\n".join(company.complaints())
    assert text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_a_secret_in_a_bad_url_is_not_repeated(company):
    company.csv("sites.csv", "site,url,team\na,ftp://a.example/?api_key=hunter2hunter2,aurora\n")
    (complaint,) = company.complaints()
    assert "hunter2" not in complaint


def test_one_bad_row_among_ten_thousand_is_the_only_one_named(company):
    rows = [f"s{index},https://s{index}.example/,aurora\n" for index in range(10_000)]
    rows[7_654] = "s7654,htps://s7654.example/,aurora\n"
    company.csv("sites.csv", "site,url,team\n" + "".join(rows))
    (complaint,) = company.complaints()
    assert complaint.startswith("inventory/sites.csv:7656: url does not start with http://")


def test_a_hundred_thousand_rows_load_and_as_many_mistakes_are_counted(company):
    rows = "".join(f"s{index},https://s{index}.example/,aurora\n" for index in range(100_000))
    company.csv("sites.csv", "site,url,team\n" + rows)
    assert len(company.load().targets) == 100_000
    company.csv("sites.csv", "site,url,team\n" + rows.replace("aurora", "arora"))
    complaints = company.complaints()
    assert len(complaints) == 21
    assert complaints[-1] == "... and 99,980 more"


NAMES = st.text(min_size=1, max_size=40).filter(is_name)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Mn", "Me"]), max_size=20).map(
    lambda text: " ".join(text.replace(";", "").split())
)


@given(st.dictionaries(NAMES, st.tuples(st.sampled_from(["", "1", "2", "3"]), TEXTS), min_size=1, max_size=8))
def test_written_sites_are_read_back_as_they_were(tmp_path_factory, sites):
    home = Home.find(str(tmp_path_factory.mktemp("home")))
    rows = [
        {"site": name, "url": f"https://host-{index}.example/", "tier": tier, "expect": expect}
        for index, (name, (tier, expect)) in enumerate(sites.items())
    ]
    write_starter(home, rows, company='Quotes "and" \\ slashes', team="Team Nord")
    settings = load(home)
    assert settings.company.name == 'Quotes "and" \\ slashes'
    assert [(team.id, team.name) for team in settings.teams] == [("team-nord", "Team Nord")]
    read = {target.name: (str(target.tier), ";".join(target.expect.text)) for target in settings.targets}
    assert read == {name: (tier or "3", expect) for name, (tier, expect) in sites.items()}


@given(st.binary(max_size=300))
def test_no_bytes_in_a_file_end_in_anything_but_targets_or_a_sentence(tmp_path_factory, raw):
    home = Home.find(str(tmp_path_factory.mktemp("home")))
    home.inventory.mkdir()
    home.toml.write_text('[[teams]]\nid = "t"\n')
    (home.inventory / "sites.csv").write_bytes(b"site,url,team\n" + raw)
    said = ""
    try:
        load(home)
    except ConfigError as problem:
        said = str(problem)
    assert all(line.isprintable() for line in said.splitlines())


@given(st.lists(st.tuples(NAMES, TEXTS), min_size=1, max_size=5))
def test_a_csv_is_what_the_csv_module_reads(rows):
    text = csv_text(
        [{"site": name, "url": "https://a.example/", "team": "t", "project": project} for name, project in rows],
        ("site", "url", "team", "project"),
        ("site", "url", "team"),
    )
    read = list(csv.DictReader(io.StringIO(text)))
    assert [(row["site"], row.get("project", "")) for row in read] == rows


def test_a_parser_that_others_run_needs_neither_a_page_nor_a_spec(company):
    company.csv(
        "parsers.csv",
        "parser,team,interval,outside,canary,query\nprices,aurora,1h,yes,,\nserp,aurora,15m,yes,yes,best casino\n",
    )
    prices, serp = (target for target in company.load().targets if target.kind == "parser")
    assert (prices.outside, prices.url, prices.spec, prices.canary) == (True, "", "", False)
    assert (serp.canary, serp.query) == (True, "best casino")


def test_a_parser_that_we_run_needs_both(company):
    company.csv("parsers.csv", "parser,team,outside\nprices,aurora,no\n")
    assert [words.partition(": ")[2] for words in company.complaints()] == ["url is empty", "spec is empty"]


def test_a_row_like_one_before_becomes_what_it_would_become_alone(company):
    links = "link,url,team,site,geo,partner,keep,paused\n"
    row = "https://t.example/?a=1,cedar,a,de,P01,a;b,yes\n"
    company.csv("sites.csv", f"{HEAD}{GOOD}b,https://b.example/,aurora,,,,,,\n")
    company.csv("links.csv", f"{links}one,{row}two,{row}")
    first, second, one, two = company.load().targets
    assert second == replace(first, id="site:b", name="b", site="b", url="https://b.example/")
    assert (two, one.site) == (replace(one, id="link:two", name="two"), "a")


def test_a_row_like_one_before_with_a_url_that_is_wrong_is_told(company):
    company.csv("sites.csv", f"{HEAD}{GOOD}b,https://b .example/,aurora,,,,,,\n")
    (complaint,) = company.complaints()
    assert complaint.startswith("inventory/sites.csv:3: url contains a space")


PARTS = st.sampled_from(["http", "https", "://", "a", "B", "é", "-", "_", ".", ":", "0", "80", "65536", "/", "?", "#", "@", "%", "[", "]", "^", " ", '"'])  # fmt: skip


@given(st.lists(PARTS, max_size=9).map("".join))
def test_what_is_plainly_a_url_has_no_fault_by_the_long_way_either(text):
    """Another tuple of schemes takes the long way."""
    for url in (text, f"http://{text}", f"https://a.example{text}", f"https://{'a' * 240}.{text}"):
        assert url_fault(url) == url_fault(url, ("http", "https", "https"))


@pytest.mark.parametrize("cell", ["a b", " a ", "a  b", "a\x1bb", "ä\u200bö", ""])
def test_a_line_means_the_same_with_and_without_quotes(company, cell):
    company.csv(
        "sites.csv",
        f'site,url,team,project\na,https://a.example/,aurora,{cell}\nb,https://a.example/,aurora,"{cell}"\n',
    )
    plain, quoted = company.load().targets
    assert plain.project == quoted.project
