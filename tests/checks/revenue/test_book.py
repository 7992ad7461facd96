from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from checks.incidents.lifecycle import advance
from checks.revenue.alarm import Alarm, observation, slice_of, slice_target
from checks.revenue.belief import Prior
from checks.revenue.book import Explained, RevenueBook
from data.model.codec import from_json, to_json
from data.model.observation import TargetState
from data.model.state import State
from data.model.target import TargetKind

DAY = 24


def book_of(world, until=None, **options):
    book = RevenueBook(**options)
    facts, receipts = world.facts(), world.receipts()
    if until is not None:
        facts = facts.filter(pl.col("seen_at") <= world.at(until))
        receipts = receipts.filter(pl.col("seen_at") <= world.at(until))
    book.add(facts)
    book.add_receipts(receipts)
    return book


def watch(book, world, since, until):
    """Ids in order of detection -> their last word, over hourly ticks."""
    said = {}
    for hour in range(since, until + 1):
        for alarm in book.tick(world.at(hour), with_slices=False).alarms:
            said[alarm.id] = alarm
    return said


def test_a_calm_week_raises_nothing(world):
    calm = world(days=35)
    assert watch(book_of(calm), calm, 28 * DAY, 35 * DAY) == {}


@pytest.mark.parametrize(
    ("where", "promised_h"),
    [
        ({"partner": "P07"}, 0.35),
        ({"partner": "P01"}, 0.77),
        ({"partner": "P02"}, 1.1),
        ({"partner": "P09"}, 3.1),
    ],
)
def test_silence_is_found_as_fast_as_registrations_can_speak(world, where, promised_h):
    """`promised_h` is when 6.9 registrations were due on an average day; 13 nats and a dimension need 14."""
    silent, start = world(days=32, seed=3), 30 * DAY + 9
    lost = silent.thin(start, silent.hours, 0.0, **where)
    book = book_of(silent)
    said = watch(book, silent, start - 12, start + 20)
    (alarm,) = said.values()
    waited_h = (alarm.detected_at - silent.at(start)).total_seconds() / 3600
    assert waited_h <= 2.5 * promised_h * 14 / 6.9 + 2
    assert alarm.slice == where
    assert alarm.cause == "revenue.silence"
    assert abs((alarm.start - silent.at(start)).total_seconds()) <= 3 * 3600
    assert lost > 0


def test_a_country_that_stops_is_named_with_its_partner(world):
    silent, start = world(days=32, seed=4), 30 * DAY + 6
    silent.thin(start, silent.hours, 0.0, partner="P02", geo="DE")
    (alarm,) = watch(book_of(silent), silent, start, start + 40).values()
    assert alarm.slice == {"partner": "P02", "geo": "DE"}
    assert alarm.team == "aurora"


def test_commission_paid_in_cents_is_a_matter_of_value(world):
    cheap, start = world(days=32, seed=5), 30 * DAY + 6
    cells = np.ix_(cheap.inside(partner="P03"), np.arange(start, cheap.hours))
    true_loss = cheap.revenue[cells][:, :20].sum() * 0.99
    cheap.revenue[cells] /= 100
    (alarm,) = watch(book_of(cheap), cheap, start, start + 20).values()
    assert (alarm.cause, alarm.slice) == ("revenue.value", {"partner": "P03"})
    assert float(alarm.loss.lost) == pytest.approx(true_loss, rel=0.4)


def test_a_recovered_slice_closes_after_a_quiet_day_and_keeps_its_id(world):
    brief, start = world(days=34, seed=26), 30 * DAY + 8
    brief.thin(start, start + 12, 0.0, partner="P07")
    (alarm,) = watch(book_of(brief), brief, start, start + 60).values()
    assert alarm.status == "closed"
    assert abs((alarm.end - brief.at(start + 12)).total_seconds()) <= 3 * 3600
    assert alarm.updated_at - alarm.end <= timedelta(hours=30)


def test_an_alarm_is_withdrawn_when_the_data_fill_in(world):
    late, start = world(days=33, seed=8), 30 * DAY + 10
    late.lag[np.ix_(late.inside(partner="P07"), np.arange(start, start + 10))] = 14
    (alarm,) = watch(book_of(late), late, start, start + 40).values()
    assert alarm.status == "withdrawn"
    assert alarm.loss.lost == 0


def test_a_holiday_with_flat_ratios_is_silent(world):
    holiday, start = world(days=33, seed=9), 30 * DAY
    holiday.scale(start, start + DAY, clicks=0.65, events=0.65, geo="NO")
    assert watch(book_of(holiday), holiday, start, start + 30) == {}


def test_a_day_on_which_everybody_buys_less_is_silent(world):
    holiday, start = world(days=33, seed=10), 30 * DAY
    holiday.scale(start, start + DAY, clicks=0.6, events=0.45)
    assert watch(book_of(holiday), holiday, start, start + 30) == {}


def test_junk_clicks_earn_no_expectation(world):
    flood, start = world(days=33, seed=11), 30 * DAY + 5
    flood.scale(start, start + 12, clicks=6, partner="P03", geo="PL")
    assert watch(book_of(flood), flood, start, start + 30) == {}


def test_a_late_report_is_waited_for_and_not_alarmed(world):
    late, start = world(days=33, seed=32), 30 * DAY + 6
    late.told["P04"][start : start + 12] = np.arange(18, 6, -1)
    book = book_of(late)
    assert watch(book, late, start, start + 12) == {}
    assert book.tick(late.at(start + 14)).waiting == (f"waiting for P04 since {late.at(start):%m-%d %H:%MZ}",)
    assert watch(book, late, start + 15, start + 40) == {}
    assert book.tick(late.at(start + 41)).waiting == ()


def test_with_less_than_a_week_nothing_is_raised(world):
    young = world(days=6, seed=13)
    young.thin(5 * DAY, 6 * DAY, 0.0, partner="P07")
    book = book_of(young)
    assert watch(book, young, 4 * DAY, 6 * DAY) == {}
    assert not any(view.known for view in book.tick(young.at(6 * DAY)).slices)


def test_facts_of_the_future_change_nothing(world):
    future, start, now = world(days=33, seed=14), 30 * DAY + 6, 31 * DAY
    future.thin(start, future.hours, 0.0, partner="P02")
    whole, cut = book_of(future), book_of(future, until=now)
    for hour in range(start, now + 1):
        assert whole.tick(future.at(hour)) == cut.tick(future.at(hour))
    where = {"partner": "P02"}
    assert whole.loss(where, future.at(start), future.at(now)) == cut.loss(where, future.at(start), future.at(now))


def test_the_order_and_size_of_deliveries_do_not_matter(world):
    plain, start = world(days=31, seed=15), 30 * DAY
    at_once, in_pieces = book_of(plain), RevenueBook()
    in_pieces.add_receipts(plain.receipts())
    for piece in plain.facts().iter_slices(7001):
        in_pieces.add(piece)
    assert at_once.tick(plain.at(start)) == in_pieces.tick(plain.at(start))


def test_facts_fed_hour_by_hour_tell_the_same_story_as_all_at_once(world):
    told, start = world(days=31, seed=3), 29 * DAY + 9
    told.thin(start, start + 10, 0.0, partner="P07")
    told.lag[np.ix_(told.inside(partner="P01"), np.arange(start, start + 4))] = 9
    at_once, fed = book_of(told), RevenueBook()
    facts, receipts = told.facts(), told.receipts()
    before, raised = told.at(0), set()
    for hour in range(start - 3, start + 40):
        now = told.at(hour)
        fed.add_receipts(receipts.filter(pl.col("seen_at").is_between(before, now, closed="right")))
        fed.add(facts.filter(pl.col("seen_at").is_between(before, now, closed="right")))
        before, tick = now, fed.tick(now, with_slices=False)
        assert tick == at_once.tick(now, with_slices=False)
        raised |= {alarm.id for alarm in tick.alarms}
    assert raised


def test_history_that_comes_after_today_is_learned_from_all_the_same(world):
    calm, now = world(days=30), 29 * DAY
    facts, receipts = calm.facts(), calm.receipts()
    yesterday = pl.col("hour") >= calm.at(now - DAY)
    book = RevenueBook()
    book.add_receipts(receipts.filter(yesterday))
    book.add(facts.filter(yesterday))
    book.tick(calm.at(now))
    book.add_receipts(receipts.filter(~yesterday))
    book.add(facts.filter(~yesterday))
    late = book.tick(calm.at(now + 1))
    at_once = book_of(calm).tick(calm.at(now + 1))
    assert [view.known for view in late.slices] == [view.known for view in at_once.slices]
    assert any(view.known for view in late.slices)
    expected = [view.expected_per_hour for view in at_once.slices]
    assert [view.expected_per_hour for view in late.slices] == pytest.approx(expected, rel=0.05, abs=0.5)


def test_an_unknown_slice_has_no_expectation_and_no_loss(world):
    calm = world(days=8)
    book = book_of(calm)
    now = calm.at(8 * DAY)
    assert book.loss({"partner": "P99"}, now - timedelta(hours=3), now).lost == 0
    book.tick(now)
    assert book.loss({"partner": "P99"}, now - timedelta(hours=3), now).lost == 0
    assert book.expected_per_hour({"partner": "P99"}, now) == 0.0
    assert book.series({"partner": "P99"}, now - timedelta(hours=3), now) == ()
    assert book.fires_after_h({"partner": "P99"}, now) is None


def test_an_empty_book_ticks():
    book = RevenueBook()
    assert book.tick(datetime(2026, 11, 17, tzinfo=UTC)).alarms == ()


def test_what_an_incident_explains_raises_no_alarm(world):
    silent, start = world(days=31), 29 * DAY
    silent.thin(start, start + 12, 0.0, partner="P01")
    book = book_of(silent)
    span = Explained(({"partner": "P01"},), silent.at(start), silent.at(start + 13))
    book.explain([span])
    assert not watch(book, silent, start, start + 30)
    told = book_of(silent)
    assert watch(told, silent, start, start + 30)


def test_views_tell_what_comes_and_what_should(world):
    calm = world(days=30, seed=23)
    book = book_of(calm, epc={"P01": 2.77})
    now = calm.at(30 * DAY)
    views = {view.target: view for view in book.tick(now).slices}
    assert "slice:partner=P02,geo=DE" in views
    assert "slice:partner=P07" in views
    total = sum(views[f"slice:partner={name}"].expected_per_hour for name in ("P01", "P02", "P03", "P07"))
    seen = sum(views[f"slice:partner={name}"].revenue_per_hour for name in ("P01", "P02", "P03", "P07"))
    assert seen == pytest.approx(total, rel=0.3)
    assert len(views["slice:partner=P02"].trend) == 24
    assert views["slice:partner=P02"].known
    daily = sum(book.expected_per_hour({"partner": "P01"}, now + timedelta(hours=h)) for h in range(24))
    assert daily == pytest.approx(2400 * 0.09 * 0.28 * 110, rel=0.1)


def test_the_band_covers_what_came_and_leaves_the_future_open(world):
    calm = world(days=30, seed=24)
    book = book_of(calm)
    now = calm.at(29 * DAY)
    book.tick(now)
    points = book.series({"partner": "P01"}, now - timedelta(hours=48), now + timedelta(hours=6))
    told = [point for point in points if point.actual is not None]
    assert 46 <= len(told) <= 48
    assert len(points) == 54
    assert 0.6 <= np.mean([point.lo <= point.actual <= point.hi for point in told]) <= 1.0


def test_a_small_slice_says_how_long_it_must_stay_deaf(world):
    calm = world(days=30, seed=25)
    book = book_of(calm)
    now = calm.at(30 * DAY)
    book.tick(now)
    fast, slow = (book.fires_after_h(where, now) for where in ({"partner": "P07"}, {"partner": "P09", "geo": "CA"}))
    assert fast is not None
    assert slow is not None
    assert 0.5 < fast < slow


def test_an_alarm_opens_its_slice_and_its_end_closes_it(world):
    brief, start = world(days=34, seed=26), 30 * DAY + 8
    brief.thin(start, start + 12, 0.0, partner="P07")
    book, state, steps = book_of(brief), None, []
    for hour in range(start, start + 60):
        for alarm in book.tick(brief.at(hour), with_slices=False).alarms:
            seen = observation(alarm, brief.at(hour))
            state = state or TargetState(seen.target, seen.team, TargetKind.SLICE)
            step = advance(state, seen)
            state = step.state
            steps.append(step)
    assert steps[0].opened.cause == "revenue.silence"
    assert steps[0].opened.opened_at <= brief.at(start + 2)
    assert steps[0].opened.fingerprint["partner"] == "P07"
    assert steps[-1].closed.finding == steps[0].opened.id
    assert state.state is State.OK


@pytest.mark.parametrize(
    ("where", "target"),
    [
        ({"geo": "DE", "partner": "P02"}, "slice:partner=P02,geo=DE"),
        ({"team": "aurora"}, "slice:team=aurora"),
        ({"site": "a,b=c%2C", "geo": ""}, "slice:geo=,site=a%2Cb=c%252C"),
        ({}, "slice:"),
    ],
)
def test_a_slices_id_names_what_is_fixed_in_a_constant_order(where, target):
    assert slice_target(where) == target
    assert slice_of(target) == where


def test_a_restarted_book_takes_up_its_open_alarms_under_their_ids(world):
    silent, start = world(days=32, seed=3), 30 * DAY + 9
    silent.thin(start, silent.hours, 0.0, partner="P02")
    before = book_of(silent)
    said = watch(before, silent, start, start + 10)
    restarted = book_of(silent)
    restarted.resume(from_json(to_json(alarm), Alarm) for alarm in said.values())
    after = restarted.tick(silent.at(start + 11), with_slices=False).alarms
    assert [(alarm.id, alarm.slice, alarm.start) for alarm in after] == [
        (alarm.id, alarm.slice, alarm.start) for alarm in said.values()
    ]


def test_the_line_is_drawn_by_quiet_days_and_the_same_after_a_day_of_failure(world):
    calm, start = world(days=36, seed=40), 34 * DAY
    silent = world(days=36, seed=40)
    silent.thin(33 * DAY, silent.hours, 0.0, partner="P07")
    lines = []
    for told in (calm, silent):
        book = book_of(told)
        watch(book, told, start, start + 3)
        lines.append(book.page_nats)
    assert 7.5 <= lines[0] < 13
    assert lines[1] == pytest.approx(lines[0], abs=0.7)


def test_a_given_line_stays_and_a_young_company_has_the_highest(world):
    calm = world(days=20, seed=41)
    given, young = RevenueBook(page_nats=9.0), book_of(calm)
    given.add(calm.facts())
    for book in (given, young):
        book.tick(calm.at(19 * DAY), with_slices=False)
    assert (given.page_nats, young.page_nats) == (9.0, 13.0)
    assert young.line_of({"partner": "P01", "geo": "DE"}) == 14.0


def test_what_is_suspected_is_watched_once_a_cause_and_paged_when_a_check_agrees(world):
    weak, start = world(days=31, seed=42), 30 * DAY + 6
    weak.thin(start, weak.hours, 0.0, partner="P09", geo="CA")
    where = {"partner": "P09", "geo": "CA"}
    alone, told = book_of(weak), book_of(weak)
    prior = Prior(where, 6.0, weak.at(start - 1), "3 of 3 links of P09 CA: gone")
    suspected, paged = {}, {}
    for hour in range(start - 2, start + 30):
        tick = alone.tick(weak.at(hour), with_slices=False)
        suspected |= {one.target: one for one in tick.watching if one.slice == where}
        told.believe([prior] if hour > start else [])
        for alarm in told.tick(weak.at(hour), with_slices=False).alarms:
            paged.setdefault(alarm.id, alarm)
        if paged and suspected:
            break
    (seen,) = suspected.values()
    (alarm,) = paged.values()
    assert alone.page_nats - 3 <= seen.nats - 0.5 * 2 < alone.page_nats
    assert seen.seen < 0.2 * seen.expected
    assert seen.per_hour > 0
    assert alarm.slice == where
    assert alarm.prior_nats == pytest.approx(told.page_nats / 2, abs=0.3), "never more than half of the line"
    assert prior.why in alarm.why
    assert 3 <= alarm.nats - alarm.prior_nats < told.line_of(where)
    assert not [one for one in tick.watching if set(one.slice.items()) > set(where.items())]


def test_what_others_believe_raises_nothing_while_the_counts_are_well(world):
    calm, start = world(days=31, seed=43), 30 * DAY
    book = book_of(calm)
    book.believe([Prior({"partner": "P07"}, 10.0, calm.at(start - 1), "links")])
    assert watch(book, calm, start, start + 20) == {}
