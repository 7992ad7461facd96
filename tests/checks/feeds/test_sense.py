"""Whether a delivery makes sense beside its own days, its deal and the other partners."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from checks.feeds.canonical import Row
from checks.feeds.change import Change
from checks.feeds.preset import load
from checks.feeds.sense import beside_others, beside_our_clicks, day_totals, senses
from data.config.settings import Feed
from data.model.fact import PartnerStat

TODAY = date(2026, 11, 17)
PRESET = load("smartico")
DEAL = Feed("p01", "aurora", "P01", "affilka", cpa=Decimal(110), revshare=0.4)


def row(back=1, tracker="a", **measures):
    figures = {name: Decimal(str(value)) for name, value in measures.items()}
    return Row(TODAY - timedelta(days=back), {"tracker": tracker}, figures, "EUR", {})


def stat(back, **measures):
    figures = {name: Decimal(str(value)) for name, value in measures.items()}
    return PartnerStat("p01", "aurora", "P01", TODAY - timedelta(days=back), {"tracker": "a"}, figures, "EUR", None)


def kinds(found):
    return {(change.kind, change.path) for change in found}


def test_delivered_days_take_the_place_of_known_ones_and_today_is_left_out():
    days = day_totals(
        [stat(1, clicks=5), stat(2, clicks=7)], [row(1, clicks=6), row(1, "b", clicks=1), row(0, clicks=9)], TODAY
    )
    assert days == {TODAY - timedelta(days=2): {"clicks": 7}, TODAY - timedelta(days=1): {"clicks": 7}}


def test_what_was_delivered_empty_stays_unknown_beside_figures():
    empty = Row(TODAY - timedelta(days=1), {}, {"ngr": None}, "EUR", {})
    assert day_totals([], [empty], TODAY) == {TODAY - timedelta(days=1): {"ngr": None}}
    assert day_totals([], [empty, row(1, ngr=3)], TODAY) == {TODAY - timedelta(days=1): {"ngr": 3}}


def test_a_commission_that_is_no_multiple_of_the_deal_is_told():
    good = [row(commission_cpa=330, qftd_count=3)]
    assert senses(DEAL, PRESET, good, {}, {}) == []
    lowered = [row(commission_cpa=285, qftd_count=3)]
    assert kinds(senses(DEAL, PRESET, lowered, {}, {})) == {("deal-changed", "commission_cpa")}


def test_a_share_that_is_not_the_agreed_one_is_told():
    assert kinds(senses(DEAL, PRESET, [row(commission_revshare=350, ngr=1000)], {}, {})) == {
        ("deal-changed", "commission_revshare")
    }
    assert senses(DEAL, PRESET, [row(commission_revshare=400, ngr=1000)], {}, {}) == []


def test_rows_that_do_not_add_up_to_the_reports_own_totals_are_told_and_money_is_held_back():
    rows = [row(ngr=5, ftd_count=2, clicks=5), row(tracker="b", ngr=6, ftd_count=1, clicks=6)]
    assert senses(DEAL, PRESET, rows, {"ngr": Decimal(11), "ftd_count": Decimal(3)}, {}) == []
    (told,) = senses(DEAL, PRESET, rows, {"ngr": Decimal(14), "ftd_count": Decimal(3)}, {})
    assert (told.kind, told.path, told.severity) == ("totals-mismatched", "net_pl", "breaking")
    (told,) = senses(DEAL, PRESET, rows, {"ftd_count": Decimal(4)}, {})
    assert (told.path, told.severity) == ("ftd_count", "risky")
    assert senses(DEAL, PRESET, rows, {"clicks": Decimal(9)}, {}) == [], "visitors are counted once over all rows"


def test_more_players_than_clicks_cannot_be():
    days = day_totals([], [row(clicks=10, registrations=40)], TODAY)
    assert kinds(senses(DEAL, PRESET, [], {}, days)) == {("funnel-impossible", "registrations")}


STEPPED = Change("ratio-shifted", "commission_total", "risky", "1", "2", 20, 2)
SCALED = Change("scale-changed", "commission_total", "breaking", "1", "× 100", 20, 2)


def others(own, rest):
    days = [TODAY - timedelta(days=back) for back in range(15, 0, -1)]
    made = {f"P{n:02}": dict.fromkeys(days, 100.0) for n in range(1, 6)}
    for name, by_day in made.items():
        by_day[days[-1]] = own if name == "P01" else rest
    return made


def test_what_everybody_did_is_no_partners_fault():
    assert beside_others([STEPPED], "P01", others(300.0, 290.0)) == ()
    assert beside_others([STEPPED], "P01", {}) == (STEPPED,)


def test_a_unit_says_that_only_this_partner_moved():
    (told,) = beside_others([SCALED], "P01", others(10_000.0, 101.0))
    assert "only this one moved" in told.now


def test_a_day_on_which_the_partner_counts_another_share_of_our_clicks_is_noted():
    days = {TODAY - timedelta(days=back): {"clicks": Decimal(900 + back)} for back in range(12, 0, -1)}
    own = dict.fromkeys(days, 1000)
    assert beside_our_clicks(own, days) == []
    days[TODAY - timedelta(days=1)] = {"clicks": Decimal(300)}
    (told,) = beside_our_clicks(own, days)
    assert (told.kind, told.severity) == ("clicks-unmatched", "harmless")
    assert beside_our_clicks({}, days) == []
    assert beside_our_clicks(own, {day: {"clicks": None} for day in days}) == []
