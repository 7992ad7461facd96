from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.ownsites import OwnSites
from data.model.target import Target, TargetKind, target_id


def site(name, url, *, kind=TargetKind.SITE, paused=False):
    return Target(target_id(kind, name), kind, "aurora", name, url, paused=paused)


SITES = OwnSites.of(
    [
        site("kiel", "https://www.kiel.example/"),
        site("kiel-at", "https://kiel.example/at/"),
        site("lima", "http://lima.example:8080/start"),
        site("rest", "https://rest.example/", paused=True),
        site("go", "https://go.example/", kind=TargetKind.LINK),
        site("broken", "http://[::1/"),
    ]
)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://kiel.example/casino", "kiel"),
        ("http://WWW.KIEL.EXAMPLE", "kiel"),
        ("//kiel.example", "kiel"),
        ("https://kiel.example/at", "kiel-at"),
        ("https://kiel.example/at/bonus?x=1#y", "kiel-at"),
        ("https://kiel.example/atlas", "kiel"),
        ("//lima.example", "lima"),
        ("https://lima.example/else", None),
        ("https://notkiel.example/", None),
        ("https://rest.example/", "rest"),
        ("https://go.example/", None),
        ("http://[::1/", None),
        ("", None),
        ("/search?q=x", None),
    ],
)
def test_an_address_belongs_to_the_site_whose_path_leads_furthest(address, name):
    assert SITES.site(address) == (name and f"site:{name}")


def test_the_best_position_counts_and_links_through_the_engine_are_followed():
    ranked = [(1, "https://rival.example/"), (2, "/url?q=https://kiel.example/a&sa=U"), (5, "https://kiel.example/b")]
    assert SITES.places(ranked) == {"site:kiel": 2}


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_none(text):
    assert SITES.site(text) is None or SITES.site(text) in {"site:kiel", "site:kiel-at", "site:lima"}
