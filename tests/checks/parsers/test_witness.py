from __future__ import annotations

import pytest

from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.witness import unwrap, url_key, witness


def test_the_witness_sees_results_without_any_selector(search_page, redesign):
    for item in ({}, {"item": redesign}):
        seen = witness(read_page(search_page(9, "slots", **item), url="https://search.example/?q=slots"))
        assert [result.title for result in seen.results] == [f"Result {n} about slots and its rules" for n in range(9)]


def test_links_of_the_page_itself_are_no_results():
    links = "".join(f"<li><a href='/page/{n}'>An own page number {n}</a>" for n in range(20))
    far = "".join(f"<li><a href='https://www.search.example/{n}'>Another own page {n}</a>" for n in range(20))
    assert witness(read_page((links + far).encode(), url="https://search.example/")).results == ()


def test_agreement_follows_the_group_the_parser_reads(spec, search_page):
    videos = "".join(
        f"<div class=v><a href='https://video{n}.example/'>A much longer title of video {n} here</a></div>"
        for n in range(30)
    )
    body = search_page(8).replace(b"</main>", f"</main>{videos}".encode())
    page = read_page(body, url="https://search.example/")
    agreed = witness(page).agreed(extract(spec, page))
    assert len(witness(page).results) == 30
    assert (len(agreed.results), agreed.overlap) == (8, 1.0)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/url?q=https://a.example/x&sa=U", "https://a.example/x"),
        ("https://search.example/url?sa=t&url=https%3A%2F%2Fa.example%2Fx", "https://a.example/x"),
        ("https://a.example/x?q=word", "https://a.example/x?q=word"),
        ("http://[broken?q=1", "http://[broken?q=1"),
    ],
)
def test_redirect_links_are_unwrapped(url, target):
    assert unwrap(url) == target


def test_two_spellings_of_one_address_share_a_key():
    assert url_key("https://www.A.example/x/#top") == url_key("http://a.example/x")
    assert url_key("https://a.example/x?id=1") != url_key("https://a.example/x?id=2")
