"""A page is taken apart once, and again as soon as anything that its reading depends on is different."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.sites.exchange import Exchange, Fault
from checks.sites.reading import Readings, read
from checks.sites.url import Url
from data.model.cause import cause
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind

URL = Url("http", "casino.example", 80, "/", literal=False)
HTML = (("content-type", "text/html"),)
PAGE = b"<title>Casino</title><p>An honest review of the games.</p>" * 9
GOOD = Exchange(URL, status=200, headers=HTML, body=PAGE)
CHECK = Check(TargetId("site:a"), TeamId("aurora"), TargetKind.SITE, URL.text, 5.0, Expect(text=("honest",)))


def test_an_unchanged_page_is_not_read_again():
    readings = Readings()
    assert readings.of(replace(GOOD), CHECK) is readings.of(replace(GOOD), CHECK)


@pytest.mark.parametrize(
    ("exchange", "check"),
    [
        (replace(GOOD, body=b"<title>Parked</title><p>This domain is for sale.</p>"), CHECK),
        (replace(GOOD, status=404), CHECK),
        (replace(GOOD, headers=(("content-type", "text/plain"),)), CHECK),
        (GOOD, replace(CHECK, kind=TargetKind.LINK)),
        (GOOD, replace(CHECK, expect=Expect(text=("bonus",)))),
        (GOOD, replace(CHECK, expect=Expect(forbid=("honest",)))),
        (GOOD, replace(CHECK, target=TargetId("site:b"))),
    ],
)
def test_whatever_a_reading_depends_on_makes_a_new_one(exchange, check):
    readings = Readings()
    first = readings.of(GOOD, CHECK)
    second = readings.of(exchange, check)
    assert second is not first
    assert second == read(exchange, check)


BODIES = st.sampled_from([PAGE, b"", b"<p>This domain is for sale.</p>", b"<p>honest</p>", b"bonus"])
EXPECTS = st.builds(
    Expect, text=st.sampled_from([(), ("honest",), ("bonus",)]), forbid=st.sampled_from([(), ("sale",), ("",)])
)


@settings(deadline=None)
@given(st.lists(st.tuples(BODIES, st.sampled_from([200, 404, 503]), EXPECTS), min_size=1, max_size=8))
def test_a_remembered_reading_says_what_a_new_one_would(looks):
    readings = Readings()
    for body, status, expect in looks:
        exchange, check = replace(GOOD, body=body, status=status), replace(CHECK, expect=expect)
        assert readings.of(exchange, check) == read(exchange, check)


def test_a_fault_without_a_body_leaves_nothing_to_read():
    assert Readings().of(replace(GOOD, body=b"", fault=Fault(cause("tcp.reset"), "gone")), CHECK) is None


def test_a_title_beyond_all_measure_is_read_but_not_remembered():
    readings, huge = Readings(), replace(GOOD, body=b"<title>" + b"x" * 9_000 + b"</title><p>honest</p>")
    assert readings.of(huge, CHECK) is not readings.of(huge, CHECK)
    assert readings.of(huge, CHECK) == read(huge, CHECK)
