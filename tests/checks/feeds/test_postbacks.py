"""Calls about one player's step: read, told from those before, and judged together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import heartbeat, postbacks, preset
from checks.feeds.adapt import adapt
from checks.feeds.postbacks import Tally
from data.errors import ConfigError
from data.model.delivery import Postback
from data.model.state import State

from .conftest import CALM, feed

NOW = datetime(2026, 11, 17, 14, 20, tzinfo=UTC)
SALT = b"a key of this home"
HOUR = timedelta(hours=1)
FEED = feed(preset="postback")


def names(**options):
    return adapt(preset.load("postback"), options).postback


def parsed(given_, **options):
    return postbacks.parse(given_, names(**options), FEED, NOW, SALT)


@pytest.mark.parametrize(
    ("dialect", "given_", "event"),
    [
        ("keitaro", {"subid": "a", "status": "lead", "tid": "1"}, "registration"),
        ("keitaro", {"subid": "a", "status": "sale", "payout": "77.5"}, "ftd"),
        ("keitaro", {"subid": "a"}, "ftd"),
        ("keitaro", {"SUBID": "a", "Status": "Rejected"}, "rejected"),
        ("everflow", {"sub1": "a", "transaction_id": "x", "event_name": "First Deposit"}, "ftd"),
        ("affise", {"clickid": "a", "goal": "2", "status": "1"}, "ftd"),
        ("affise", {"clickid": "a", "goal": "reg", "status": "declined"}, "rejected"),
        ("smartico", {"afp": "a", "registration_id": "9", "event": "QFTD"}, "qftd"),
    ],
)
def test_each_kind_of_sender_is_understood_in_its_own_words(dialect, given_, event):
    one = parsed(given_, dialect=dialect)
    assert (one.event, one.fault) == (event, "")
    assert len(one.click) == 32


def test_an_account_has_its_own_names_and_words():
    one = parsed({"cid": "a", "what": "FD"}, **{"param.click": "cid", "param.event": "what", "event.fd": "ftd"})
    assert (one.event, one.fault) == ("ftd", "")
    with pytest.raises(ConfigError, match="keitaro"):
        names(dialect="keitarro")
    with pytest.raises(ConfigError, match="no such param"):
        names(**{"param.clik": "cid"})


@pytest.mark.parametrize(
    "macro",
    ["{clickid}", "{{afp}}", "%7Bclickid%7D", "%257Bclickid%257D", "[[sub1]]", "[sub1]", "${click_id}", "<clickid>", "#clickid#", "{ subid }"],
)  # fmt: skip
def test_a_placeholder_in_place_of_its_value_is_a_macro(macro):
    assert parsed({"click_id": macro, "event": "ftd"}).fault == "macro"
    assert parsed({"click_id": "a", "tid": macro, "event": "ftd"}).fault == "macro"


@pytest.mark.parametrize("nothing", ["", "null", "None", "0", "-", " "])
def test_a_call_that_names_no_click_is_empty(nothing):
    assert parsed({"click_id": nothing, "event": "ftd"}).fault == "empty"


@given(st.text(max_size=80))
@CALM
def test_no_id_is_kept_as_it_came_and_equal_ids_stay_equal(text):
    one, again = (parsed({"click_id": text, "tid": text, "event": "ftd"}) for _ in range(2))
    assert one == again
    assert set(one.click) <= set("0123456789abcdef")
    assert len(one.click) in {0, 32}
    other = postbacks.hashed(text, b"another home")
    assert not one.click or one.click != other


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=8))
@CALM
def test_whatever_comes_is_read_without_an_error(given_):
    known = {"click_id": "c", "event": "ftd"}
    for one in (given_, known | given_):
        found = parsed(one)
        assert found.amount is None or found.amount.is_finite()
        assert "\x1b" not in found.event + found.currency


@pytest.mark.parametrize(
    ("text", "amount", "fault"),
    [("77,50", "77.5", ""), ("1e400", None, "unreadable"), ("NaN", None, ""), ("abc", None, "unreadable"), ("{payout}", None, ""), ("-12", "-12", "")],
)  # fmt: skip
def test_amounts_are_finite_or_none(text, amount, fault):
    one = parsed({"click_id": "c", "event": "ftd", "payout": text})
    assert (one.amount, one.fault) == (amount and Decimal(amount), fault)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-17T14:00:00Z", NOW - timedelta(minutes=20)),
        ("1794924000", NOW - timedelta(minutes=20)),
        ("1794924000000", NOW - timedelta(minutes=20)),
        ("2031-01-01", None),
        ("yesterday", None),
        ("999999999999999", None),
    ],
)
def test_the_time_of_an_event_is_believed_where_it_can_be(text, at):
    assert parsed({"click_id": "c", "event": "ftd", "ts": text}).at == at


def test_the_same_call_again_is_a_duplicate_and_deposits_without_a_transaction_are_not():
    first = parsed({"click_id": "c", "event": "ftd", "tid": "1"})
    known = {postbacks.key_of(first)}
    assert postbacks.placed(first, known).fault == "duplicate"
    assert not postbacks.placed(parsed({"click_id": "c", "event": "ftd", "tid": "2"}), known).fault
    assert not postbacks.placed(parsed({"click_id": "c", "event": "registration", "tid": "1"}), known).fault
    assert postbacks.key_of(parsed({"click_id": "c", "event": "deposit"})) is None
    assert postbacks.key_of(parsed({"click_id": "c", "event": "rebill", "tid": "7"})) is not None


def test_a_sale_may_be_rejected_and_a_rejected_one_is_no_sale():
    sale, no = (parsed({"click_id": "c", "event": name, "tid": "1"}) for name in ("ftd", "rejected"))
    assert not postbacks.placed(no, {postbacks.key_of(sale)}).fault
    assert postbacks.placed(sale, {postbacks.key_of(no)}).fault == "transition"
    other = parsed({"click_id": "c", "event": "ftd", "tid": "2"})
    assert not postbacks.placed(other, {postbacks.key_of(no)}).fault


# Many of them


def call(n=0, fault="", lag=None):
    at = NOW - timedelta(minutes=n)
    return Postback("p01", "aurora", "P01", at, at - lag if lag else None, "ftd", f"{n}", "", None, "", fault)


def week(per_hour=10, days=14, last=NOW, **faults):
    begun = heartbeat.floor(last) - timedelta(days=days)
    return [Tally(begun + n * HOUR, {"": per_hour, **faults}) for n in range(days * 24)]


def judged(tallies, last_good=NOW, latest=()):
    beat = heartbeat.rhythm({tally.at: tally.good for tally in tallies}, NOW)
    return postbacks.judge(latest, tallies, beat, last_good, NOW)


def test_silence_is_told_at_seven_nats_of_the_usual_and_not_before():
    assert judged(week(), NOW - timedelta(minutes=30)).cause == ""
    silent = judged(week(), NOW - timedelta(minutes=50))
    assert (silent.cause, silent.state) == ("postback.silent", State.FAILING)
    assert "8 expected" in silent.detail
    assert judged(week(1), NOW - timedelta(hours=4)).cause == ""
    assert judged(week(days=2), NOW - timedelta(hours=20)).cause == "", "two days are no history"


def test_a_night_that_is_always_quiet_is_no_silence():
    day = [0, 0, 0, 0, 0, 0, 1, 5, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 5, 0, 0]
    begun = datetime(2026, 10, 20, tzinfo=UTC)
    counts = {begun + n * HOUR: day[n % 24] for n in range(28 * 24) if day[n % 24]}
    at = datetime(2026, 11, 17, 5, 30, tzinfo=UTC)
    beat = heartbeat.rhythm(counts, at)
    assert beat.nats(at - timedelta(hours=8), at) < heartbeat.SIGNIFICANT
    noon = at.replace(hour=12, minute=40)
    assert heartbeat.rhythm(counts, noon).nats(noon - timedelta(minutes=40), noon) > heartbeat.SIGNIFICANT


@given(st.lists(st.integers(0, 60), min_size=24 * 8, max_size=24 * 20), st.integers(0, 200))
@CALM
def test_a_longer_silence_never_says_less_and_gamma_scatter_never_more_than_poisson(counts, minutes):
    begun = heartbeat.floor(NOW) - len(counts) * HOUR
    beat = heartbeat.rhythm({begun + n * HOUR: count for n, count in enumerate(counts) if count}, NOW)
    shorter, longer = (beat.nats(NOW - timedelta(minutes=m), NOW) for m in (minutes, minutes + 30))
    assert 0 <= shorter <= longer
    assert longer <= beat.expected(NOW - timedelta(minutes=minutes + 30), NOW) + 1e-6


def test_macros_are_told_from_the_second_on_and_until_a_good_call_comes():
    bad, good = call(fault="macro"), call()
    assert judged(week(), latest=[good] * 8 + [bad]).cause == ""
    assert judged(week(), latest=[good] * 8 + [bad, bad]).cause == "postback.macro"
    assert judged(week(), latest=[bad, bad, good]).cause == ""


def test_repeats_and_empty_ids_are_told_beyond_what_is_usual_for_this_sender():
    usual = week(9, duplicate=1)
    assert judged(usual).cause == ""
    today = [Tally(one.at, {"": 9, "duplicate": 6}) if NOW - one.at < timedelta(hours=24) else one for one in usual]
    assert judged(today).cause == "postback.duplicate"
    empty = [Tally(one.at, {"": 9, "empty": 6}) if NOW - one.at < timedelta(hours=24) else one for one in week(9)]
    assert judged(empty).cause == "postback.macro"


def test_the_lag_of_calls_is_told_by_median_and_ninth_tenth():
    waits = [timedelta(minutes=5)] * 18 + [timedelta(hours=3)] * 3
    lag = postbacks.lag_of([call(n, lag=wait) for n, wait in enumerate(waits)])
    assert (lag.median_s, lag.p90_s, lag.n) == (300.0, 10_800.0, 21)
    assert postbacks.lag_of([call(n) for n in range(50)]) is None


def test_the_last_hours_are_shown_with_what_they_usually_bring():
    tallies = week(10, duplicate=2, macro=1)
    hours = postbacks.hours_of(tallies, heartbeat.rhythm({one.at: one.good for one in tallies}, NOW), NOW)
    assert len(hours) == 48
    assert hours[-1].at == heartbeat.floor(NOW)
    assert (hours[-2].good, hours[-2].duplicate, hours[-2].faulty, hours[-2].usual) == (10, 2, 1, 10.0)
