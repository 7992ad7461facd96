from __future__ import annotations

import pytest

from checks.parsers.block import block_of
from checks.parsers.page import read_page

STAND_INS = {
    "consent by where we ended": ("https://consent.search.example/m?continue=x", "<p>before you go on", "page.consent"),
    "consent by its form": ("", "<form action='https://consent.search.example/save'>", "page.consent"),
    "consent by a path": ("https://search.example/x", "<form action='/consent/collect'>", "page.consent"),
    "consent by a deeper path": ("", "<form action='/v2/collectConsent?session=1'>", "page.consent"),
    "captcha by where we ended": ("https://search.example/sorry/index?q=x", "", "page.blocked"),
    "captcha by its form": ("", "<form action='/errors/validateCaptcha'>", "page.blocked"),
    "captcha by its frame": ("", "<iframe src='https://geo.captcha-delivery.example/c'>", "page.blocked"),
    "captcha by its answer field": ("", "<form action=/x><textarea name=g-recaptcha-response>", "page.blocked"),
}


@pytest.mark.parametrize(("url", "html", "cause"), STAND_INS.values(), ids=STAND_INS.keys())
def test_what_stands_in_for_the_content_is_named(url, html, cause):
    block = block_of(read_page(html.encode(), url="https://search.example/", final_url=url))
    assert block is not None
    assert block.cause == cause


HEALTHY = {
    "words": "<p>captcha consent.search.example sorry, unusual traffic</p>",
    "links": "<a href='https://consent.search.example/x'>Privacy</a><a href=/captcha>c</a>",
    "scripts": "<script src='https://captcha.example/api.js'></script>",
    "a search for it": "<form action='/search?q=captcha/consent'>",
    "a consent frame beside the content": "<iframe src='https://consent.cookies.example/x'>",
}


@pytest.mark.parametrize("html", HEALTHY.values(), ids=HEALTHY.keys())
def test_a_word_is_no_evidence(html):
    assert block_of(read_page(html.encode(), url="https://search.example/?q=captcha")) is None


def test_the_reason_shows_no_secret_and_no_query():
    page = read_page(b"", url="https://u:pw@search.example/sorry/index?token=abc")
    block = block_of(page)
    assert block is not None
    assert "pw" not in block.why
    assert "abc" not in block.why
