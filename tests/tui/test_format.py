from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tui import format as fmt

NOON = datetime(2026, 11, 17, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (99, "99s"), (100, "1m"), (360, "6m"), (4860, "81m"), (5999, "99m"), (6000, "1h"), (7200, "2h"), (172_799, "47h"),
     (172_800, "2d"), (777_600, "9d"), (-5, "0s"), (None, "—")],
)  # fmt: skip
def test_an_age_is_its_largest_unit(seconds, said):
    assert fmt.age(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "—"),
        (0, "0 ms"),
        (410.4, "410 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (3120, "3.1 s"),
        (12_400, "12 s"),
    ],
)
def test_milliseconds_turn_into_seconds_where_they_read_better(value, said):
    assert fmt.ms(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "—"), (0.0, "0.00%"), (1.0, "100.00%"), (0.99999, "99.99%"), (0.00001, "0.01%"), (0.9958, "99.58%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share, said):
    assert fmt.pct(share) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (None, "—"),
        (Decimal(0), "€0"),
        (Decimal("0.40"), "<€1"),
        (Decimal("1390.49"), "€1,390"),
        (Decimal(-310), "−€310"),
        (1.5e6, "€1,500,000"),
    ],
)
def test_money_is_whole_and_has_a_true_minus(amount, said):
    assert fmt.money(amount) == said


def test_a_loss_is_written_as_what_is_missing():
    assert fmt.loss(Decimal("1700.2")) == "−€1,700"
    assert fmt.loss(Decimal(0)) == "€0"
    assert fmt.loss(None) == "—"


@pytest.mark.parametrize(
    ("value", "said"), [(None, "—"), (0, "0"), (412, "412"), (2826, "2,826"), (1_240_000, "1.24 M"), (-3, "−3")]
)
def test_numbers_are_grouped(value, said):
    assert fmt.number(value) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1500, "money", "€1.5k"),
        (12_000, "money", "€12k"),
        (0, "money", "€0"),
        (600, "ms", "600 ms"),
        (30, "items", "30"),
        (2.5, "items", "2.5"),
    ],
)
def test_axis_labels_are_short(value, unit, said):
    assert fmt.tick(value, unit) == said


def test_a_clock_says_its_day_only_when_it_is_another():
    assert fmt.clock(NOON) == "12:00:05Z"
    assert fmt.short_clock(NOON) == "12:00Z"
    assert fmt.day_clock(NOON, NOON) == "12:00:05Z"
    assert fmt.day_clock(NOON, NOON.replace(day=18)) == "17 Nov 12:00Z"


@pytest.mark.parametrize(
    ("currency", "ascii_only", "said"), [("EUR", False, "€"), ("EUR", True, "EUR "), ("SEK", False, "SEK ")]
)
def test_a_currency_without_a_sign_is_written_out(currency, ascii_only, said):
    assert fmt.symbol_of(currency, ascii_only=ascii_only) == said
