"""Our postbacks beside what the partner's API counts on the same days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from checks.feeds import reconcile
from data.model.delivery import Postback
from data.model.fact import PartnerStat

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
ATHENS = ZoneInfo("Europe/Athens")
FIRST = date(2026, 11, 7)


def stats(counts, measure="registrations"):
    return [
        PartnerStat("f", "baltic", "P03", FIRST + timedelta(days=n), {}, {measure: None if count is None else Decimal(count)}, "EUR", NOW)
        for n, count in enumerate(counts)
    ]  # fmt: skip


def ours(counts, event="registration"):
    return {event: {FIRST + timedelta(days=n): count for n, count in enumerate(counts)}}


def matched(mine, theirs, lag=timedelta(hours=6), since=FIRST):
    found = reconcile.matched(ours(mine), stats(theirs), ATHENS, NOW, lag, since)
    return found[0] if found else None


def test_counts_that_agree_fit_and_are_shown():
    match = matched([40] * 10, [41] * 10)
    assert match.fits
    assert match.change is None
    assert (match.row.ours, match.row.theirs) == (40.0, 41.0)
    assert match.row.what == "registrations by postback"
    assert match.row.usual


def test_an_api_that_counts_more_than_came_is_told_once_the_day_is_over():
    match = matched([40] * 9 + [22], [40] * 10)
    assert not match.fits
    assert (match.change.kind, match.change.path) == ("postbacks-unmatched", "registrations")
    assert "22 of the 40" in match.change.now
    assert matched([40] * 9 + [22], [40] * 10, lag=timedelta(hours=40)).fits, "yesterday may still come"


def test_a_partner_that_never_calls_for_everybody_is_usual():
    assert matched([30] * 9 + [29], [40] * 10).fits
    assert not matched([30] * 9 + [12], [40] * 10).fits


def test_more_calls_than_the_api_counts_and_days_it_never_delivered_raise_nothing():
    assert matched([60] * 10, [40] * 10).fits
    assert matched([60] * 10, [None] * 10) is None
    assert matched([], []) is None


def test_few_events_are_no_evidence():
    assert matched([3] * 9 + [0], [3] * 10).fits


def test_days_are_the_partners_and_by_the_time_of_the_event():
    def call(received, at=None):
        return Postback("f", "baltic", "P03", received, at, "ftd", "c", "", None, "")

    late = datetime(2026, 11, 16, 22, 30, tzinfo=UTC)
    by_day = reconcile.postbacks_by_day([call(late), call(NOW, late - timedelta(hours=2))], ATHENS)
    assert dict(by_day["ftd"]) == {date(2026, 11, 17): 1, date(2026, 11, 16): 1}
