from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.control import Moved, control
from checks.feeds.identities import (
    adds_up,
    clicks_matched,
    cpa_whole,
    funnel,
    invoiced,
    share_kept,
)
from checks.feeds.kinds import KINDS
from checks.feeds.paging import pages
from checks.feeds.ratios import parted

from .conftest import CALM

D = Decimal


def counts(seed, mean, days=30):
    return [int(count) for count in np.random.default_rng(seed).poisson(mean, days)]


@CALM
@given(st.integers(0, 10**6), st.floats(0.6, 1.1))
def test_a_partners_own_share_of_clicks_is_learned_not_assumed(seed, share):
    own = counts(seed, 2_000)
    partner = [int(share * clicks) for clicks in own]
    assert clicks_matched(own, partner).holds
    partner[-1] //= 2
    broken = clicks_matched(own, partner)
    assert broken.holds is False
    assert broken.change().kind == "clicks-unmatched"


def test_few_clicks_or_few_days_say_nothing():
    assert clicks_matched([], []).holds is None
    assert clicks_matched([500] * 5, [400] * 5).holds is None
    assert clicks_matched([*[500] * 20, 30], [*[400] * 20, 0]).holds is None


def stat(**measures):
    return {name: None if value is None else D(str(value)) for name, value in measures.items()}


@pytest.mark.parametrize(
    ("days", "broken"),
    [
        ([stat(clicks=90, registrations=9, ftd_count=3, qftd_count=2)] * 30, []),
        ([stat(clicks=90, registrations=9, ftd_count=3, qftd_count=2), stat(clicks=4, registrations=9)], ["registrations"]),
        ([stat(clicks=90, registrations=5, ftd_count=9, qftd_count=2)] * 30, ["ftd_count"]),
        ([stat(clicks=90, registrations=9, ftd_count=3, qftd_count=5)] * 30, ["qftd_count"]),
        ([stat(clicks=90, registrations=0, ftd_count=2), *[stat(clicks=90, registrations=9, ftd_count=2)] * 9], []),
        ([stat(clicks=90, registrations=None, ftd_count=3)] * 30, []),
        ([], []),
    ],
)  # fmt: skip
def test_no_step_of_the_funnel_holds_more_than_the_step_before(days, broken):
    assert [check.path for check in funnel(days) if check.holds is False] == broken


def test_commission_that_is_no_multiple_of_the_cpa_names_the_new_one():
    rows = [stat(commission_cpa=count * 120, qftd_count=count) for count in (0, 1, 3, 7)]
    assert cpa_whole(rows, D(120)).holds
    lowered = [*rows, stat(commission_cpa=2 * 95, qftd_count=2), stat(commission_cpa=95, qftd_count=1)]
    broken = cpa_whole(lowered, D(120))
    assert broken.holds is False
    assert broken.words == "2 of 5 rows are no multiple of 120.00, 95.00 a player"
    assert cpa_whole([], D(120)).holds is None


@CALM
@given(st.lists(st.tuples(st.integers(-5_000, 50_000)), min_size=1, max_size=40), st.sampled_from([0.25, 0.35, 0.4]))
def test_a_share_rounded_to_cents_is_the_agreed_share(amounts, share):
    rows = [stat(ngr=amount / 7, commission_revshare=round(max(amount, 0) / 7 * share, 2)) for (amount,) in amounts]
    assert share_kept(rows, share).holds is not False
    if sum(max(amount, 0) for (amount,) in amounts) > 10_000:
        assert share_kept(rows, share + 0.05).holds is False


def test_rows_add_up_to_the_totals_of_their_report():
    rows = [stat(clicks=5, ngr=1.01), stat(clicks=7, ngr=None)]
    assert all(check.holds for check in adds_up(rows, stat(clicks=12, ngr=1.01, ftd_count=3)))
    broken = [check.change() for check in adds_up(rows[:1], stat(clicks=12, ngr=1.01)) if not check.holds]
    assert [(change.kind, change.path, change.severity) for change in broken] == [
        ("totals-mismatched", "clicks", "breaking")
    ]


def test_the_days_of_a_month_are_its_invoice():
    days = [D("10.00")] * 30 + [None]
    assert invoiced(days, D("300.10")).holds
    assert invoiced(days, D("270.00")).holds is False


@CALM

# ── the other partners ───────────────────────────────────────────────────────────────────────────────────────────────


def partners(seed, last=None, factor=1.0, n=8):
    draw = np.random.default_rng(seed)
    season = draw.lognormal(0, 0.1, 21)
    season[-1] *= factor
    found = {f"P{k}": list(900 * draw.lognormal(0, 0.5) * season * draw.lognormal(0, 0.08, 21)) for k in range(n)}
    if last:
        found["P0"][-1] *= last
    return found


@CALM
@given(st.integers(0, 10**6), st.sampled_from([100, 0.01, 25]))
def test_a_unit_moves_one_partner_and_a_season_moves_all(seed, factor):
    assert control(partners(seed, last=factor), "P0").moved is Moved.ALONE
    assert control(partners(seed, factor=factor), "P0").moved is Moved.TOGETHER
    assert control(partners(seed, last=factor), "P1").moved is Moved.NOT


def test_without_partners_or_history_there_is_no_control():
    assert control(partners(1, last=100, n=2), "P0").moved is Moved.UNKNOWN
    assert control({"P0": [5.0, 5.0]}, "P0").moved is Moved.UNKNOWN
    assert control({}, "P0").moved is Moved.UNKNOWN
    assert "only this one" in control(partners(1, last=100), "P0").words


# ── ratios ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def month(seed, days=30, **steps):
    """Daily totals; a measure in `steps` is multiplied by its factor on the last two days."""
    draw = np.random.default_rng(seed)
    found = []
    for day in range(days):
        clicks = int(draw.poisson(4_000))
        regs = int(draw.binomial(clicks, 0.1))
        ftd = int(draw.binomial(regs, 0.3))
        row = {
            "clicks": clicks, "registrations": regs, "ftd_count": ftd,
            "deposit_amount": ftd * 80 * draw.lognormal(0, 0.1), "commission_total": ftd * 60 * draw.lognormal(0, 0.1),
        }  # fmt: skip
        late = day >= days - 2
        found.append(
            {name: D(str(round(value * (steps.get(name, 1) if late else 1), 2))) for name, value in row.items()}
        )
    return found


@CALM
@given(st.integers(0, 10**6))
def test_figures_that_move_together_are_silent(seed):
    assert parted(month(seed)) == []
    assert parted(month(seed, clicks=3, registrations=3, ftd_count=3, deposit_amount=3, commission_total=3)) == []


@pytest.mark.parametrize(("name", "factor"), [("commission_total", 0.01), ("deposit_amount", 4.25), ("ftd_count", 0.4)])
def test_a_figure_that_parts_from_its_partner_is_named(name, factor):
    paths = {change.path for change in parted(month(3, **{name: factor}))}
    assert paths
    assert name in paths or name == "ftd_count"


def test_ratios_need_days_and_events():
    assert parted(month(3, days=8, ftd_count=0.1)) == []
    assert parted([]) == []


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "total", "usual", "kinds"),
    [
        ([range(50), range(50, 70)], None, 70, []),
        ([range(50), range(50, 100), []], None, 300, []),
        ([range(50)], 430, None, ["paging-truncated"]),
        ([range(50)], None, 430, ["paging-truncated"]),
        ([range(50)], None, None, []),
        ([range(50), range(50, 100), range(100, 150)], None, None, ["paging-truncated"]),
        ([range(50), range(40, 70)], None, None, ["pages-overlap"]),
        ([], None, None, []),
    ],
)
def test_a_report_by_pages_is_whole_and_each_record_on_one_page(keys, total, usual, kinds):
    assert [change.kind for change in pages([list(page) for page in keys], 50, total, usual)] == kinds


def test_every_kind_is_in_the_table_once_with_words_and_a_severity():
    assert {kind.severity for kind in KINDS.values()} == {"breaking", "risky", "harmless"}
    assert all(kind.words and kind.name == name for name, kind in KINDS.items())


def test_registrations_taken_back_below_zero_are_judged_like_any_other():
    days = [{"registrations": D(-5), "ftd_count": D(1)}, {"registrations": D(3), "ftd_count": D(0)}]
    assert [one.holds for one in funnel(days) if one.path == "ftd_count"] == [True]
    days = [{"registrations": D(-5), "ftd_count": D(9)}]
    assert [one.holds for one in funnel(days) if one.path == "ftd_count"] == [False]
