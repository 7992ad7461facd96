"""Settled days that were lowered: which fall is told, and which is what days do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from checks.feeds.canonical import Row
from checks.feeds.preset import load
from checks.feeds.restated import restatement
from data.model.fact import PartnerStat
from data.model.ids import PartnerId, TeamId

PRESET = load("netrefer")
TODAY = date(2026, 11, 17)
AT = datetime(2026, 11, 17, 20, 45, tzinfo=UTC)


def told(was, now):
    """The change that is told where the day so many days ago had so many first deposits, and has them now."""
    known = [
        PartnerStat("dra", TeamId("aurora"), PartnerId("P05"), day(age), {}, {"ftd_count": Decimal(n)}, "EUR", AT)
        for age, n in was.items()
    ]
    rows = [Row(day(age), {}, {"ftd_count": Decimal(n)}, "EUR", {}) for age, n in now.items()]
    return restatement(known, rows, PRESET, TODAY)


def day(age):
    return TODAY - timedelta(days=age)


WEEK = dict.fromkeys(range(1, 8), 35)
MONTH = dict.fromkeys(range(1, 41), 35)


@pytest.mark.parametrize("span", [WEEK, MONTH], ids=["a week", "a month"])
def test_three_days_lowered_together_are_told_among_many_that_stood_still(span):
    change = told(span, {**span, 1: 32, 2: 32, 3: 32})
    assert change.kind == "history-restated"
    assert "over 3 settled days" in change.now


@pytest.mark.parametrize("now", [{5: 32}, {1: 34, 2: 34}, {1: 34, 2: 34, 3: 35, 4: 33}], ids=str)
def test_what_days_usually_lose_is_not_told(now):
    assert told(WEEK, {**WEEK, **now}) is None


def test_the_running_day_is_not_settled():
    assert told({0: 35, 1: 35}, {0: 10, 1: 35}) is None
