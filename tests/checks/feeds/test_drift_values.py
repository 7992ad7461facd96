"""Drift of values, as properties: what was drawn anew is silent, what was put in is found, order never matters."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.feeds.chance import beta_binomial_rare
from checks.feeds.contract import Contract, profile
from checks.feeds.drift import Use, changes
from checks.feeds.pairs import join

from .conftest import CALM

AT = datetime(2026, 11, 1, tzinfo=UTC)
FEWER = settings(CALM, max_examples=25)
CURVE = (4, 3, 2, 2, 2, 2, 3, 5, 7, 9, 10, 10, 11, 11, 11, 11, 12, 13, 16, 18, 20, 19, 15, 9)
USES = {
    "id": Use.DIM,
    "day": Use.DAY,
    "clicks": Use.COUNT,
    "deposit": Use.MONEY,
    "commission": Use.MONEY,
    "currency": Use.MONEY,
}


def payload(seed, day=14, n=120, shift=0):
    """One day of one account."""
    dice, today = random.Random(f"{seed}/{day}"), AT + timedelta(days=day)
    rows = []
    for k in range(n):
        at = today + timedelta(hours=dice.choices(range(24), CURVE)[0] + shift, minutes=dice.randrange(60))
        rows.append({
            "id": f"{day}-{k}", "at": at.isoformat(), "day": f"{today:%Y-%m-%d}", "booked": f"{today:%d/%m/%Y}",
            "clicks": dice.randint(0, 80), "deposit": round(dice.lognormvariate(4, 1), 2), "commission": f"{dice.lognormvariate(3, 0.8):.2f}",
            "currency": "EUR", "status": dice.choice(["approved", "approved", "pending"]), "bonus": dice.choice([None, None, 5.5, 7.25]),
            "deal": {"cpa": dice.choice([55, 70])},
        })  # fmt: skip
    return rows


def seen(records, day=14):
    return profile(records, payload=str(day), at=AT + timedelta(days=day), key=("id",))


_PAST: dict[int, Contract] = {}


def past(seed, days=14):
    if seed not in _PAST:
        _PAST[seed] = Contract(tuple(seen(payload(seed, day), day) for day in range(days)))
    return _PAST[seed]


SEEDS = st.integers(0, 5)
DAYS = st.integers(14, 26)


def kinds(found):
    return {(change.kind, change.path) for change in found}


@CALM
@given(SEEDS, DAYS, st.integers(40, 300))
def test_another_day_of_the_same_account_is_silent(seed, day, n):
    found = changes(past(seed), seen(payload(seed, day, n), day))
    assert kinds(found) <= {("paging-truncated", "")}


def times(value, factor):
    return f"{float(value) * factor:.2f}" if isinstance(value, str) else value * factor


FAULTS = {
    ("scale-changed", "deposit"): lambda row: {"deposit": row["deposit"] * 100},
    ("scale-changed", "commission"): lambda row: {"commission": times(row["commission"], 100)},
    ("date-format-changed", "day"): lambda row: {"day": "{2}.{1}.{0}".format(*row["day"].split("-"))},
    ("date-format-changed", "booked"): lambda row: {"booked": "-".join(reversed(row["booked"].split("/")))},
    ("fractions-vanished", "deposit"): lambda row: {"deposit": round(row["deposit"])},
    ("currency-switched", "currency"): lambda row: {"currency": "USD"},
    ("response-property-enum-value-added", "status"): lambda row: {"status": "on hold"},
    ("response-property-became-nullable", "deposit"): lambda row: {"deposit": None if row["clicks"] < 24 else 1.25},
    ("response-property-type-changed", "clicks"): lambda row: {"clicks": f"{row['clicks']} clicks"},
    ("response-required-property-removed", "deal"): lambda row: {},
}


@FEWER
@given(SEEDS, DAYS, st.sampled_from(sorted(FAULTS)))
def test_each_fault_is_found_by_its_name(seed, day, fault):
    records = [row | FAULTS[fault](row) for row in payload(seed, day)]
    if fault[0] == "response-required-property-removed":
        records = [{name: value for name, value in row.items() if name != fault[1]} for row in records]
    assert fault in kinds(changes(past(seed), seen(records, day)))


@FEWER
@given(SEEDS, st.integers(30, 41).filter(lambda day: day != 36))
def test_a_swapped_day_and_month_is_found(seed, day):
    before = Contract(tuple(seen(payload(seed, day - back), day - back) for back in range(5, 0, -1)))
    records = payload(seed, day)
    for row in records:
        year, month, date = row["day"].split("-")
        row["day"] = f"{year}-{date}-{month}"
        row["booked"] = f"{month}/{date}/{year}"
    same = records[0]["day"] == f"{AT + timedelta(days=day):%Y-%m-%d}"
    expected = set() if same else {("day-month-swapped", "day"), ("day-month-swapped", "booked")}
    assert expected == {found for found in kinds(changes(before, seen(records, day))) if "swapped" in found[0]}


@FEWER
@given(SEEDS, DAYS, st.integers(3, 20))
def test_a_shifted_clock_is_found_by_its_hours_alone(seed, day, shift):
    found = changes(past(seed), seen(payload(seed, day, 700, shift), day))
    assert ("timezone-shifted", "at") in kinds(found)


@FEWER
@given(SEEDS, DAYS, st.randoms(use_true_random=False), st.sampled_from(sorted(FAULTS)))
def test_the_order_of_rows_and_of_fields_does_not_matter(seed, day, dice, fault):
    records = [row | FAULTS[fault](row) for row in payload(seed, day)]
    shuffled = [dict(dice.sample(list(row.items()), len(row))) for row in dice.sample(records, len(records))]
    assert changes(past(seed), seen(records, day)) == changes(past(seed), seen(shuffled, day))


# ── currencies ───────────────────────────────────────────────────────────────────────────────────────────────────────


def converted(rows, rate, *names):
    return [row | {name: times(row[name], rate) for name in names} for row in rows]


@FEWER
@given(SEEDS, st.sampled_from([1.16, 0.87, 4.25, 10.95, 24.3]))
def test_money_at_another_currencys_rate_on_the_same_records_is_a_switch(seed, rate):
    old = payload(seed, 13)
    new = converted(old, rate, "deposit", "commission")
    found = changes(past(seed), seen(new), USES, join(old, new, ("id",)), own="EUR")
    assert {("currency-switched", "deposit"), ("currency-switched", "commission")} <= kinds(found)
    assert not {change for change in found if change.kind == "scale-changed"}


@pytest.mark.parametrize(
    ("rate", "names"),
    [
        (1.16, ("deposit",)),
        (0.5, ("deposit", "commission")),
        (1.16, ("deposit", "commission", "clicks")),
        (100, ("deposit", "commission")),
        (1.004, ("deposit", "commission")),
    ],
)
def test_a_deal_a_growth_a_unit_or_a_rounding_is_no_currency(rate, names):
    old = payload(1, 13)
    new = converted(old, rate, *names)
    found = changes(past(1), seen(new), USES, join(old, new, ("id",)), own="EUR")
    assert "currency-switched" not in {change.kind for change in found}


def test_one_more_currency_beside_the_usual_is_told_and_a_word_is_no_currency():
    records = payload(1, 15)
    records[0]["currency"] = "USD"
    found = [change for change in changes(past(1), seen(records)) if change.path == "currency"]
    assert [(change.kind, change.severity, change.now) for change in found] == [
        ("currency-switched", "risky", "EUR, USD")
    ]


# ── chance ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_share_drawn_as_before_is_hardly_ever_rare():
    dice = random.Random(11)
    rare = 0
    for _ in range(600):
        share, n = dice.uniform(0.02, 0.9), dice.randint(20, 200)
        drawn = [sum(dice.random() < share for _ in range(n)) for _ in range(15)]
        rare += beta_binomial_rare(drawn[-1], n, [(hits, n) for hits in drawn[:-1]])
    assert rare <= 1


@CALM
@given(st.floats(0.0, 0.6), st.integers(0, 4))
def test_thirty_points_more_at_120_rows_are_rare(share, wobble):
    before = [(max(round(share * 120) + wobble * (-1) ** day, 0), 120) for day in range(14)]
    assert beta_binomial_rare(round(120 * (share + 0.3)), 120, before)


def test_shares_that_scatter_widely_are_given_more_room():
    calm = [(24, 120)] * 14
    wild = [(12, 120), (36, 120)] * 7
    assert beta_binomial_rare(50, 120, calm)
    assert not beta_binomial_rare(50, 120, wild)
    assert not beta_binomial_rare(50, 120, [])
    assert not beta_binomial_rare(0, 0, calm)


# ── a row an hour ────────────────────────────────────────────────────────────────────────────────────────────────────


def hourly(seed, day, shift=0):
    """A day of a report with a row an hour; activity is counted, not listed."""
    dice, today = random.Random(f"{seed}/{day}"), AT + timedelta(days=day)
    busy = [count * dice.lognormvariate(0, 0.15) for count in CURVE]
    return [
        {"dt": (today + timedelta(hours=hour)).isoformat(), "visits": round(dice.gauss(30 * mean, (30 * mean) ** 0.5)), "ftd": dice.randint(0, 2)}
        for hour in range(24)
        for mean in [busy[(hour - shift) % 24]]
    ]  # fmt: skip


@FEWER
@given(st.integers(0, 20), st.sampled_from([0, 3, 6, -4]))
def test_a_report_with_a_row_an_hour_shows_a_shifted_clock_and_nothing_else(seed, shift):
    before = Contract(tuple(seen(hourly(seed, day), day) for day in range(14)))
    first, second = seen(hourly(seed, 14, shift), 14), seen(hourly(seed, 15, shift), 15)
    found = kinds(changes(before, first)) | kinds(changes(before.learn(first), second))
    assert found == ({("timezone-shifted", "dt")} if shift else set())
