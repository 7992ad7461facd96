"""A day that players won: a line for finance, told once, and nobody's alarm."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from checks.feeds.canonical import Row
from checks.feeds.notes import notes
from checks.feeds.preset import load
from data.model.fact import PartnerStat
from data.model.ids import PartnerId, TeamId

PRESET = load("cellxpert")
MONDAY = date(2026, 11, 16)
AT = datetime(2026, 11, 17, 6, tzinfo=UTC)


def known(days=8, **more):
    figures = {MONDAY - timedelta(days=back): 6_500 + back for back in range(1, days + 1)} | more.get("also", {})
    return [
        PartnerStat(
            "dra",
            TeamId("aurora"),
            PartnerId("P05"),
            day,
            {},
            {"ngr": Decimal(ngr), "ftd_count": Decimal(35)},
            "EUR",
            AT,
        )
        for day, ngr in figures.items()
    ]


def rows(ngr, players=34):
    half = Decimal(ngr) / 2
    measures = [{"ngr": half, "ftd_count": Decimal(players)}, {"ngr": half, "ftd_count": Decimal(0)}]
    return [Row(MONDAY, {"tracker": str(n)}, one, "EUR", {}) for n, one in enumerate(measures)]


def test_a_jackpot_is_a_note_with_its_counts_beside_it():
    (note,) = notes(known(), rows(-33_400), PRESET)
    assert (note.kind, note.severity, note.path) == ("net-revenue-negative", "harmless", "PL")
    assert note.now == "-33,400.00 on 2026-11-16, 34 first deposits where 35 are usual"


def test_it_is_told_once():
    assert notes(known(also={MONDAY: -33_400}), rows(-33_400), PRESET) == ()


def test_an_ordinary_bad_day_is_no_news():
    assert notes(known(), rows(-3_000), PRESET) == ()
    assert notes(known(), rows(9_000), PRESET) == ()


def test_nothing_is_usual_before_five_days_are_known():
    assert notes(known(days=4), rows(-33_400), PRESET) == ()


def test_the_first_delivery_of_all_tells_what_is_usual_and_what_is_not():
    usual = [Row(stat.day, {}, stat.measures, "EUR", {}) for stat in known(days=7)]
    (note,) = notes([], [*usual, *rows(-33_400)], PRESET)
    assert note.now == "-33,400.00 on 2026-11-16, 34 first deposits where 35 are usual"
    assert notes([], [*usual[:4], *rows(-33_400)], PRESET) == ()
