"""A slice as its screen shows it, for readers with different rights, in a hub that has looked at an outage."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from checks.hub import slice_detail
from checks.hub.fusion import Blind
from data.errors import UsageError
from data.model.calendar import CalendarEvent, EventKind
from data.model.delivery import RestatedAs, Restatement
from data.model.ids import TargetId
from data.model.money import cents
from data.model.principal import EVERYTHING, MoneyRight, Principal, Scope
from data.model.revenue_view import Watched
from data.model.snapshot import BandPoint
from data.model.state import State
from tests.checks.hub.revenue_house import BEGAN, House, silent_world

NOW = BEGAN + 8
ADMIN = Principal("root", 0, "admin", EVERYTHING)
CEDAR = Principal("ida", 1, "lead", Scope(frozenset({"cedar"}), MoneyRight.FULL))
AURORA = Principal("bo", 2, "lead", Scope(frozenset({"aurora"}), MoneyRight.FULL))
NO_MONEY = Principal("jo", 3, "junior", Scope(frozenset({"cedar"}), MoneyRight.NONE, (("House of P07", "Partner 7"),)))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        made = House(tmp_path_factory.mktemp("house"), silent_world(), patch)
        made.look(NOW)
        yield made
        made.close()


def shown(house, name, who=ADMIN, window="24h"):
    return asyncio.run(house.hub.details.target(who, f"slice:{name}", window))


def why(house, name, hour, who=ADMIN):
    return asyncio.run(house.hub.details.why(who, name, house.world.at(hour)))


# ── what can be asked for ────────────────────────────────────────────────────────────────────────────────────────────


def test_dimensions_may_come_in_any_order_and_the_slice_has_one_name():
    assert (
        slice_detail.wanted("slice:geo=DE,partner=P02")
        == slice_detail.wanted(" partner = P02, geo=DE")
        == "slice:partner=P02,geo=DE"
    )
    assert slice_detail.wanted("slice:") == "slice:"
    assert slice_detail.wanted("site=a=b") == "slice:site=a=b"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("prtner=P02", "Did you mean 'partner'?"),
        ("partner", "is not DIMENSION=VALUE"),
        ("partner=", "is not DIMENSION=VALUE"),
        ("geo=DE,geo=AT", "each dimension once"),
        ("=", "there are partner, offer, geo, site, team"),
        ("\x1b[2J", "no dimension"),
    ],
)
def test_what_is_no_slice_is_named_with_what_there_is(asked, words):
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        slice_detail.wanted(asked)


def test_a_window_that_there_is_not_is_named():
    with pytest.raises(UsageError, match="there are 6h, 24h, 7d, 28d"):
        slice_detail.hours_asked("2 weeks")


@pytest.mark.parametrize(
    ("nats", "words"),
    [
        (-3.0, ""),
        (0.9, ""),
        (1.0, "3 to 1"),
        (4.8, "120 to 1"),
        (10.0, "22,000 to 1"),
        (13.8, "980,000 to 1"),
        (13.9, "over a million to 1"),
        (700.0, "over a million to 1"),
    ],
)
def test_odds_have_two_figures_and_an_end(nats, words):
    assert slice_detail.odds(nats) == words


def test_a_series_in_shares_hides_the_money_and_keeps_the_shape():
    point = BandPoint(datetime(2026, 1, 1, tzinfo=UTC), 50.0, 25.0, 100.0, 10.0)
    assert slice_detail.as_share(point) == BandPoint(point.at, 1.0, 0.5, 2.0, 0.2)
    assert slice_detail.as_share(replace(point, actual=None)).actual is None
    assert slice_detail.as_share(replace(point, expected=0.0, hi=3.0)) == BandPoint(point.at, 0.0, 0.0, 0.0, None)


# ── the alarm ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_slice_of_an_alarm_shows_its_evidence_hour_by_hour_and_what_it_costs(house):
    detail = shown(house, "partner=P07")
    view, (alarm,) = detail.revenue, house.hub.revenue.alarmed.values()
    assert (detail.row.state, view.cause, view.loss) == (State.FAILING, alarm.cause, alarm.loss)
    assert view.odds == "over a million to 1"
    assert (view.since, view.until) == (alarm.start, house.clock.at)
    assert view.fires_after_h is None
    assert [row.at for row in view.evidence] == sorted({row.at for row in view.evidence}, reverse=True)
    assert [row.nats for row in view.evidence] == sorted((row.nats for row in view.evidence), reverse=True)
    assert {mark.kind for mark in view.marks} == {"alarm", "incident"}
    (mark,) = [one for one in view.marks if one.kind == "alarm"]
    assert (mark.at, mark.until, mark.text) == (alarm.start, None, "silence P07")
    assert {(row.dim, row.share) for row in view.parts if row.dim == "offer"} == {("offer", 0.0)}
    assert sum(row.lost for row in view.parts if row.dim == "geo") == pytest.approx(
        sum(row.lost for row in view.parts if row.dim == "offer"), abs=cents(0.05)
    )


def test_the_step_that_moved_is_told_and_commission_is_a_share_without_the_right_to_money(house):
    found = shown(house, "partner=P07").revenue.funnel
    steps = {step.name: step for step in found.steps}
    assert (found.step, steps["registrations"].seen, steps["own clicks"].moved) == ("registrations", 0.0, False)
    assert found.likely
    quiet, hidden = (shown(house, "partner=P06", who).revenue.funnel.steps[-1] for who in (ADMIN, NO_MONEY))
    assert (hidden.name, hidden.expected) == ("commission", 1.0)
    assert hidden.seen == pytest.approx(quiet.seen / quiet.expected, abs=0.001)
    assert hidden.lo <= 1 <= hidden.hi


def test_a_part_of_an_alarm_says_whose_part_it_is_and_its_parents_are_quiet(house):
    part, parent = shown(house, "partner=P07,geo=BR"), shown(house, "team=cedar")
    assert part.row.detail.endswith("part of the alarm on P07")
    assert (part.revenue.cause, part.revenue.loss) == ("revenue.silence", None)
    assert part.revenue.evidence == shown(house, "partner=P07").revenue.evidence
    assert parent.row.state is State.OK
    assert parent.revenue.cause == ""
    assert parent.revenue.nats < 10
    (silent,) = [row for row in parent.revenue.parts if row.value == "P07"]
    assert silent.target == "slice:partner=P07,team=cedar"


# ── any slice ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "",
        "team=aurora",
        "geo=FI",
        "offer=casino",
        "site=aurora-000,geo=NO",
        "partner=P01,offer=sports,geo=DE,site=aurora-000,team=aurora",
    ],
)
def test_any_slice_with_facts_can_be_opened(house, name):
    detail = shown(house, name)
    view = detail.revenue
    assert detail.row.target == f"slice:{name}" or set(name.split(",")) == set(detail.row.target[6:].split(","))
    assert detail.row.state is State.OK
    assert (len(detail.band), detail.band_unit) == (24, "EUR")
    assert view.reports
    assert all(not row.waiting for row in view.reports)
    assert {row.dim for row in view.parts}.isdisjoint(view.slice)
    assert view.evidence or view.nats == 0


def test_a_slice_nobody_has_facts_of_is_not_there(house):
    assert shown(house, "partner=P99") is None
    assert shown(house, "team=aurora,partner=P07") is None
    assert why(house, "partner=P99", NOW) is None


def test_the_series_covers_the_window_asked_for(house):
    for window, hours in (("6h", 6), ("24h", 24), ("7d", 168)):
        band = shown(house, "partner=P06", window=window).band
        assert (len(band), band[-1].at) == (hours, house.world.at(NOW - 1))


def test_the_parts_of_each_dimension_are_few_and_the_worst_come_first(house, monkeypatch):
    monkeypatch.setattr(slice_detail, "PARTS_OF_EACH", 3)
    rows = shown(house, "").revenue.parts
    assert {dim: sum(row.dim == dim for row in rows) for dim in ("partner", "offer", "geo", "site", "team")} == {
        "partner": 3, "offer": 2, "geo": 3, "site": 3, "team": 3,
    }  # fmt: skip
    partners = [row for row in rows if row.dim == "partner"]
    assert "P07" in {row.value for row in partners}
    assert [row.lost for row in partners] == sorted((row.lost for row in partners), reverse=True)


# ── rights ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_team_sees_its_own_part_of_a_slice_and_nothing_of_others(house):
    whole, mine = shown(house, "offer=casino"), shown(house, "offer=casino", CEDAR)
    assert {row.value for row in mine.revenue.parts if row.dim == "partner"} == {"P06", "P07", "P09"}
    assert {row.value for row in whole.revenue.parts if row.dim == "partner"} > {"P06", "P07", "P09"}
    assert mine.row.team == "cedar"
    assert sum(point.expected for point in mine.band) < sum(point.expected for point in whole.band)
    assert shown(house, "partner=P07", AURORA) is None
    assert why(house, "partner=P07", NOW, AURORA) is None
    assert shown(house, "geo=FI", AURORA).revenue.marks == ()


def test_without_the_right_to_money_there_are_shares_and_no_amounts(house):
    detail = shown(house, "partner=P07", NO_MONEY)
    view = detail.revenue
    assert (detail.row.value, detail.row.expected, detail.row.trend, detail.row.loss_per_hour) == (None, None, (), None)
    assert detail.band_unit == "share"
    assert {point.expected for point in detail.band} <= {0.0, 1.0}
    assert view.loss is None
    assert {(row.seen, row.expected, row.lost) for row in view.parts} == {(None, None, None)}
    assert any(row.share is not None for row in view.parts)
    assert view.odds == "over a million to 1"
    assert why(house, "partner=P07", NOW, NO_MONEY).loss is None


# ── marks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_holidays_and_figures_that_were_taken_back_are_marked_for_the_slices_they_concern(house):
    at = house.world.at(NOW - 3)
    final = CalendarEvent(at, at + timedelta(hours=2), EventKind.SPORT, "Final of House of P07", "BR", "P07")
    settings = house.hub.settings
    calendar = replace(settings.calendar, dated=(final,), with_holidays=False)
    taken = Restatement(
        "p07", "cedar", "P07", date(2026, 10, 20), "EUR", "commission_total", cents(5), cents(4), 1,
        RestatedAs.CLAW_BACK, 5, at, "", "",
    )  # fmt: skip
    house.store.write(
        [taken, replace(taken, day=date(2026, 10, 21)), replace(taken, partner="P06", feed="p06")]
    ).result()
    house.hub.settings = replace(settings, calendar=calendar)
    try:
        told = {(one.kind, one.text) for one in shown(house, "partner=P07,geo=BR").revenue.marks}
        assert {("sport", "Final of House of P07"), ("restated", "P07 changed 2 figures of 20 Oct to 21 Oct")} <= told
        hidden = {(one.kind, one.text) for one in shown(house, "partner=P07,geo=BR", NO_MONEY).revenue.marks}
        assert ("sport", "Final of Partner 7") in hidden
        assert not {one.kind for one in shown(house, "partner=P06,geo=MX").revenue.marks} & {"sport"}
    finally:
        house.hub.settings = settings


# ── the past, the watch list, the word ───────────────────────────────────────────────────────────────────────────────


def test_why_at_a_past_hour_is_what_was_known_then(house):
    (alarm,) = house.hub.revenue.alarmed.values()
    before, after = why(house, "partner=P07", BEGAN), why(house, "partner=P07", NOW - 1)
    assert (before.cause, before.loss) == ("", None)
    assert before.nats < 8
    assert after.cause == alarm.cause
    assert all(row.at <= house.world.at(NOW - 1) for row in after.evidence)
    assert after.nats < shown(house, "partner=P07").revenue.nats
    assert after.loss.lost < alarm.loss.lost
    quiet = why(house, "geo=FI,partner=P01", NOW - 1)
    assert (quiet.cause, quiet.loss) == ("", None)
    assert all(row.expected > 0 and row.nats < 10 for row in quiet.evidence)


def test_a_time_to_come_is_asked_about_as_now(house):
    assert why(house, "partner=P07", NOW + 500).until == house.clock.at


def test_the_watch_list_is_of_the_readers_teams_and_costs_nothing_without_the_right(house):
    suspects = tuple(
        Watched(TargetId(f"slice:{name}"), dict([name.split("=")]), "ftd", 9.0, 1.0, 12.0, house.clock.at, cents(20))
        for name in ("partner=P06", "partner=P01", "offer=casino")
    )
    house.hub.revenue.watching = suspects
    details = house.hub.details
    assert asyncio.run(details.watchlist(ADMIN)) == suspects
    assert asyncio.run(details.watchlist(AURORA)) == (suspects[1],)
    assert asyncio.run(details.watchlist(NO_MONEY)) == (replace(suspects[0], per_hour=None),)


def test_calibration_counts_alarms_and_ordinary_days_of_the_readers_teams(house):
    every, mine, hidden = (asyncio.run(house.hub.details.calibration(who)) for who in (ADMIN, AURORA, NO_MONEY))
    (row,) = every.alarms
    assert (every.raised, every.withdrawn, row.target, row.status) == (1, 0, "slice:partner=P07", "open")
    assert row.first_lo <= row.first <= row.first_hi
    assert every.intervals.of == 0
    assert [one.name for one in every.bands] == [*sorted(f"P0{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9)), "all together"]
    assert all(0 <= one.held <= one.of <= 14 and one.aim == 0.8 for one in every.bands)
    assert sum(one.held for one in every.bands) > 0.6 * sum(one.of for one in every.bands)
    assert (mine.raised, mine.alarms, {one.name for one in mine.bands}) == (0, (), {"P01", "P02", "all together"})
    assert (hidden.alarms[0].first, hidden.alarms[0].last) == (None, None)


def test_a_slice_whose_figures_do_not_reach_us_is_unknown_and_says_why(house):
    house.hub.fusion.blinds = (Blind({"partner": "P06"}, house.world.at(NOW - 4), "p06-api", "token refused"),)
    try:
        detail = shown(house, "partner=P06,geo=BR,offer=casino")
    finally:
        house.hub.fusion.blinds = ()
    assert (detail.row.state, detail.row.cause) == (State.UNKNOWN, "revenue.blind")
    assert "p06-api: token refused" in detail.row.detail
    assert (detail.row.fires_after_h, detail.revenue.fires_after_h) == (None, None)
    assert (detail.revenue.cause, detail.revenue.loss.lost) == ("revenue.blind", 0)
    assert float(detail.revenue.loss.unseen) == pytest.approx(4 * float(detail.revenue.loss.unseen_per_hour), rel=0.1)
    assert detail.revenue.loss.unseen_per_hour > 0
