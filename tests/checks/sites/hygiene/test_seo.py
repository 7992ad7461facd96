from __future__ import annotations

import pytest

from checks.sites.hygiene.seo import Page, compare, page_of, settle

GOOD = Page("index", "self", "de:1a2b en:3c4d", "de", "allowed")
NOINDEX = "noindex by X-Robots-Tag"


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        ({"indexing": NOINDEX}, "seo.noindex", "X-Robots-Tag"),
        ({"robots": "forbidden"}, "seo.robots", "Googlebot"),
        ({"canonical": "https://other.example/"}, "seo.canonical", "was the page itself, is https://other.example/"),
        ({"canonical": ""}, "seo.canonical", "is none"),
        ({"hreflang": "de:1a2b"}, "seo.hreflang", "en is gone"),
        ({"hreflang": "de:ffff en:3c4d"}, "seo.hreflang", "de leads elsewhere"),
        ({"hreflang": ""}, "seo.hreflang", "no other languages"),
        ({"lang": "en"}, "seo.hreflang", "in en, it was in de"),
        ({"indexing": NOINDEX, "canonical": ""}, "seo.noindex", "forbids"),
    ],
)
def test_what_got_worse_is_named(change, cause, words):
    found = compare(GOOD, GOOD._replace(**change))
    assert found.cause == cause
    assert words in found.detail


@pytest.mark.parametrize(
    ("kept", "seen"),
    [
        (GOOD, GOOD),
        (GOOD._replace(indexing=NOINDEX), GOOD._replace(indexing="noindex by meta robots")),
        (GOOD._replace(indexing=NOINDEX), GOOD),
        (GOOD, GOOD._replace(hreflang="de:1a2b en:3c4d fr:0000")),
        (GOOD._replace(canonical=""), GOOD),
        (GOOD._replace(hreflang="", lang=""), GOOD),
        (GOOD, GOOD._replace(lang="de-at")),
        (GOOD, GOOD._replace(robots="unreachable")),
        (GOOD, GOOD._replace(robots="")),
        (GOOD._replace(robots="forbidden"), GOOD._replace(robots="forbidden")),
        (GOOD._replace(robots=""), GOOD._replace(robots="forbidden")),
    ],
)
def test_what_always_was_so_or_got_better_is_no_change(kept, seen):
    assert compare(kept, seen) is None


def test_a_silent_robots_txt_does_not_forget_that_it_once_allowed():
    kept = settle(settle(GOOD, GOOD._replace(robots="unreachable")), GOOD._replace(robots=""))
    assert compare(kept, GOOD._replace(robots="forbidden")).cause == "seo.robots"


def test_an_observation_that_looked_at_no_page_has_none():
    assert page_of({"ip": "127.0.0.1", "canonical": "self"}) is None
    assert page_of({"seo": "index"}) == Page("index")
