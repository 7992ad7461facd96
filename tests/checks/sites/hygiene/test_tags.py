from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.sites.hygiene.tags import read_tags
from checks.sites.url import parse

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
URL = parse("https://site.example/slots/")


def tags(head="", body="<p>hello", html="<html>", headers=()):
    page = f"<!doctype html>{html}<head>{head}</head><body>{body}"
    return read_tags(URL, (("content-type", "text/html; charset=utf-8"), *headers), page.encode(), NOW)


@pytest.mark.parametrize(
    ("head", "who"),
    [
        ('<meta name="robots" content="noindex">', "meta robots"),
        ('<META NAME="ROBOTS" CONTENT="NoIndex, Follow">', "meta robots"),
        ("<meta name=googlebot content=none>", "meta googlebot"),
        ('<meta name="bingbot" content="nofollow,noindex">', "meta bingbot"),
        ('<meta name="robots" content="unavailable_after: 25 Jun 2010 15:00:00 PST">', "meta robots"),
        ('<meta name="robots" content="noarchive, unavailable_after: 2026-11-17T11:59:00Z">', "meta robots"),
    ],
)
def test_a_page_that_forbids_indexing_says_who_does(head, who):
    assert tags(head).noindex == who


@pytest.mark.parametrize(
    "head",
    [
        '<meta name="robots" content="index, follow">',
        '<meta name="robots" content="nofollow, noarchive">',
        '<meta name="otherbot" content="noindex">',
        '<meta name="googlebot-news" content="noindex">',
        '<meta name="description" content="noindex">',
        '<!-- <meta name="robots" content="noindex"> -->',
        '<script>var x = \'<meta name="robots" content="noindex">\'</script>',
        '<noscript></noscript><meta property="og:title" content="robots noindex">',
        '<meta name="robots" content="unavailable_after: 2099-01-01">',
        '<meta name="robots" content="unavailable_after: whenever">',
        '<meta name="robots">',
    ],
)
def test_what_only_looks_like_a_noindex_is_none(head):
    assert tags(head).noindex == ""


@pytest.mark.parametrize(
    ("value", "who"),
    [
        ("noindex", "X-Robots-Tag"),
        ("NOINDEX, nofollow", "X-Robots-Tag"),
        ("googlebot: noindex", "X-Robots-Tag for googlebot"),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", "X-Robots-Tag"),
        ("otherbot: noindex", ""),
        ("max-snippet: 20", ""),
        ("all", ""),
    ],
)
def test_the_header_speaks_for_all_or_for_one_engine(value, who):
    assert tags(headers=(("x-robots-tag", value),)).noindex == who


def test_every_robots_header_counts():
    headers = (("x-robots-tag", "otherbot: noindex"), ("x-robots-tag", "noarchive"), ("x-robots-tag", "noindex"))
    assert tags(headers=headers).noindex == "X-Robots-Tag"


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("https://site.example/slots/", "self"),
        ("https://site.example/slots", "self"),
        ("/slots", "self"),
        ("https://site.example:443/slots/#top", "self"),
        ("https://other.example/slots", "https://other.example/slots"),
        ("http://site.example/slots", "http://site.example/slots"),
        ("/slots?page=2", "https://site.example/slots?page=2"),
        ("", ""),
        ("javascript:void(0)", "javascript:void(0)"),
    ],
)
def test_a_canonical_is_the_page_itself_or_a_url(href, canonical):
    assert tags(f'<link rel="canonical" href="{href}">').canonical == canonical


def test_a_canonical_in_the_header_counts_where_the_page_has_none():
    link = (("link", '<https://a.example/x>; rel="canonical", <https://b.example/>; rel="preload"'),)
    assert tags(headers=link).canonical == "https://a.example/x"


def test_a_long_canonical_is_short_enough_for_evidence_and_still_tells_its_tail():
    one, two = (tags(f'<link rel=canonical href="https://o.example/{"x" * 400}{end}">').canonical for end in "ab")
    assert one != two
    assert max(len(one), len(two)) < 190


def test_hreflang_comes_from_tags_and_headers_in_any_order():
    first = tags(
        '<link rel=alternate hreflang=de href=/de/><link rel="alternate" hreflang="x-default" href="/">',
        headers=(("link", '<https://site.example/en/>; rel="alternate"; hreflang="en"'),),
    )
    second = tags(
        '<link rel="alternate" hreflang="x-default" href="/"><link rel=alternate hreflang=EN href=/en>'
        "<link rel=alternate hreflang=de href=/de>"
    )
    assert first.hreflang == second.hreflang
    assert [word.partition(":")[0] for word in first.hreflang.split()] == ["de", "en", "x-default"]


def test_forty_languages_fit_into_evidence_and_any_change_shows():
    links = [f"<link rel=alternate hreflang=l{n:02} href=/{n}>" for n in range(40)]
    one, two = tags("".join(links)).hreflang, tags("".join([*links[:-1], links[-1].replace("/39", "/38")])).hreflang
    assert one.startswith("40 languages")
    assert one != two


def test_the_language_of_the_page_is_lower_case():
    assert tags(html='<html lang="de-AT">').lang == "de-at"


@settings(deadline=None)
@given(st.binary(max_size=400), st.text(max_size=80))
def test_whatever_a_page_and_its_headers_hold_every_text_stays_short(body, value):
    found = read_tags(URL, (("x-robots-tag", value), ("link", value)), b"<link rel=canonical href=" + body, NOW)
    assert max(map(len, (found.noindex, found.canonical, found.hreflang, found.lang))) < 190


@pytest.mark.parametrize(
    "piece", ["<", "<a>;", "<a>; rel=", ";a=", '<a>; x="', "<!--", "<link rel=canonical ", "<meta name=robots "]
)
def test_a_header_or_head_made_to_be_slow_is_read_like_any_other(piece):
    many = piece * (100_000 // len(piece))
    found = tags(head=many, headers=(("link", many), ("x-robots-tag", many)))
    assert found.canonical == ""
