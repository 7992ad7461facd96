from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from checks.feeds.memory import Memory
from data.model.delivery import Outcome
from data.model.state import State

from .conftest import NOW, feed, pulled, serving
from .dialects import affilka, incomeaccess, inhouse, smartico
from .story import STEP, Story, day, rows, told


def test_the_first_pull_is_learned_and_ok():
    story = Story()
    outcome = story.pull(rows())
    assert told(outcome) == (State.OK, "")
    assert len(outcome.stats) == 24
    assert outcome.observation.value == 24
    assert outcome.observation.evidence == {"partner": "P01", "host": "api.example"}
    assert len(story.contract().profiles) == 1


def test_ordinary_growth_of_today_is_ok():
    story = Story()
    for step in range(8):
        outcome = story.pull(rows(growth=1 + 0.4 * step), NOW + step * STEP)
        assert told(outcome) == (State.OK, ""), outcome.observation.detail
        assert not outcome.changes


@pytest.mark.parametrize("afps", [1, 2, 8, 60])
def test_money_times_a_hundred_with_flat_counts_is_scale_and_quarantined(afps):
    story = Story()
    story.pull(rows(afps=afps))
    before = story.contract()
    outcome = story.pull(rows(afps=afps, money=100, growth=1.1), NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.scale")
    assert "× 100 on commissions_total, counts flat" in outcome.observation.detail
    assert not outcome.stats
    assert not outcome.receipts
    assert [one.outcome for one in outcome.deliveries] == [Outcome.QUARANTINED]
    assert story.contract() == before
    again = story.pull(rows(afps=afps, money=100, growth=1.2), NOW + 2 * STEP)
    assert told(again) == (State.FAILING, "feed.scale")
    assert {change.first_seen for change in again.changes} == {NOW + STEP}


def test_money_divided_by_a_hundred_is_scale_too():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows(money=0.01), NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.scale")
    assert "÷ 100" in outcome.observation.detail


def test_when_the_unit_is_repaired_the_feed_is_ok_and_the_change_is_closed():
    story = Story()
    story.pull(rows())
    story.pull(rows(money=100), NOW + STEP)
    outcome = story.pull(rows(), NOW + 2 * STEP)
    assert told(outcome) == (State.OK, "")
    assert outcome.stats
    assert {change.closed_at for change in outcome.changes} == {NOW + 2 * STEP}


def test_a_very_big_day_is_no_change_of_unit():
    story = Story()
    story.pull(rows())
    big = rows()
    big[-1] |= {"commissions_total": 100_000.0, "net_pl": 250_000.0}
    outcome = story.pull(big, NOW + STEP)
    assert told(outcome) == (State.OK, "")
    assert max(stat.measures["commission_total"] for stat in outcome.stats) == 100_000


def test_ten_times_the_business_is_no_change_of_unit():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows(growth=100.0), NOW + STEP)
    assert told(outcome) == (State.OK, "")


def test_a_mapped_money_field_that_disappears_quarantines_and_one_nobody_reads_does_not():
    story = Story()
    story.pull(rows(extra=1))
    gone = [{k: v for k, v in row.items() if k != "commissions_total"} for row in rows(extra=1)]
    outcome = story.pull(gone, NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.contract")
    assert outcome.observation.detail == "commissions_total is gone"
    assert outcome.deliveries[0].outcome is Outcome.QUARANTINED
    outcome = story.pull(rows(), NOW + 2 * STEP)
    assert told(outcome) == (State.DEGRADED, "feed.contract")
    assert outcome.stats


def test_a_new_field_is_harmless_and_reported_once():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows(bonus=5), NOW + STEP)
    assert told(outcome) == (State.OK, "")
    assert [(change.kind, change.severity) for change in outcome.changes] == [
        ("response-required-property-added", "harmless")
    ]
    assert not story.pull(rows(bonus=5), NOW + 2 * STEP).changes


def test_a_rename_is_claimed_with_proof_by_the_same_records():
    story = Story()
    story.pull(rows())
    renamed = [{("total_commission" if k == "commissions_total" else k): v for k, v in row.items()} for row in rows()]
    outcome = story.pull(renamed, NOW + STEP)
    assert outcome.observation.detail == "commissions_total is now total_commission"
    story = Story()
    story.pull(rows())
    other = [
        {("total_commission" if k == "commissions_total" else k): v for k, v in row.items()} for row in rows(money=3.1)
    ]
    kinds = {change.kind for change in story.pull(other, NOW + STEP).changes}
    assert "field-renamed" not in kinds
    assert "response-required-property-removed" in kinds


@pytest.mark.parametrize(
    ("problem", "state"),
    [("feed.auth", State.FAILING), ("feed.throttled", State.FAILING), ("dns.timeout", State.UNKNOWN)],
)
def test_a_pull_that_failed_says_why_and_teaches_nothing(problem, state):
    story = Story()
    story.pull(rows())
    before = Memory.from_bytes(story.baseline)
    outcome = story.pull([], NOW + STEP, problem)
    assert told(outcome) == (state, problem)
    assert (outcome.stats, outcome.receipts, outcome.changes) == ((), (), ())
    assert replace(Memory.from_bytes(outcome.baseline), told=before.told) == before


def test_an_empty_list_against_known_figures_is_no_report_of_zeros():
    story = Story()
    story.pull(rows())
    outcome = story.pull([], NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.contract")
    assert not outcome.stats
    assert not outcome.receipts


def test_an_account_without_any_activity_is_ok():
    story = Story()
    assert told(story.pull([])) == (State.OK, "")
    assert told(story.pull([], NOW + STEP)) == (State.OK, "")


def test_a_closed_day_left_out_is_noticed_and_an_idle_day_is_not():
    story = Story()
    story.pull(rows())
    without_yesterday = [row for row in rows() if not row["dt"].startswith(day(NOW, 1))]
    assert told(story.pull(without_yesterday, NOW + STEP)) == (State.FAILING, "feed.contract")
    idle = Story()
    idle.pull(without_yesterday)
    assert told(idle.pull(without_yesterday, NOW + STEP)) == (State.OK, "")


def test_null_zero_and_not_delivered_are_stored_apart():
    story = Story()
    outcome = story.pull([{"dt": "2026-11-17", "afp": "a", "visit_count": 0, "ftd_count": None}])
    measures = outcome.stats[0].measures
    assert measures == {"clicks": Decimal(0), "ftd_count": None}


def test_rows_that_differ_only_in_what_is_not_mapped_are_added_up():
    story = Story()
    twice = [{"dt": "2026-11-17", "afp": "a", "visit_count": 3, "device": device} for device in ("m", "d")]
    assert [stat.measures["clicks"] for stat in story.pull(twice).stats] == [6]


def test_rows_that_suddenly_come_twice_quarantine():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows() * 2, NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.paging")
    assert not outcome.stats


def test_lowered_history_is_reported_for_a_day_and_stored():
    story = Story()
    story.pull(rows(afps=30))
    lowered = [
        row | {"ftd_count": int(row["ftd_count"] * 0.85), "commissions_total": row["commissions_total"] * 0.85}
        if not row["dt"].startswith(day(NOW, 0)) else row
        for row in rows(afps=30)
    ]  # fmt: skip
    outcome = story.pull(lowered, NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.restated")
    assert outcome.stats
    assert told(story.pull(lowered, NOW + 2 * STEP)) == (State.FAILING, "feed.restated")


def test_history_inside_its_envelope_is_silent():
    story = Story()
    story.pull(rows(afps=30))
    settled = [row | {"commissions_total": row["commissions_total"] * 0.988} for row in rows(afps=30)]
    assert told(story.pull(settled, NOW + STEP)) == (State.OK, "")


def test_an_announced_end_of_the_api_is_degraded():
    story = Story()
    outcome = story.pull(rows(), headers={"deprecation": "@1767225600", "sunset": "Fri, 01 Jan 2027 00:00:00 GMT"})
    assert told(outcome) == (State.DEGRADED, "feed.deprecated")
    assert "2027-01-01" in " ".join(change.now for change in outcome.changes)


def test_escape_codes_in_names_and_values_never_leave():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows(**{"\x1b[2Jx\u202e": "\x1b]52;c;x\x07"}, brand_name="\x1b[31mred"), NOW + STEP)
    text = repr([outcome.observation, outcome.changes, [stat.dims for stat in outcome.stats]])
    assert "\\x1b" not in text
    assert "\\u202e" not in text


def test_values_that_are_no_figures_are_not_stored_as_figures():
    story = Story()
    story.pull(rows())
    odd = rows()
    for row, value in zip(odd, ("NaN", "Infinity", "1e30", [], {}, True), strict=False):
        row["commissions_total"] = value
    outcome = story.pull(odd, NOW + STEP)
    assert outcome.observation.state in {State.DEGRADED, State.FAILING}
    assert all(
        stat.measures["commission_total"] is None or stat.measures["commission_total"] < 10**6 for stat in outcome.stats
    )


async def test_affilka_in_minor_units_is_found_over_a_real_socket():
    story = Story("affilka")
    for scale, expected in ((1, ""), (1, ""), (100, "feed.scale")):
        async with serving(affilka(scale=scale)) as url:
            outcome = story.take(await pulled(feed(url), story.preset), NOW)
        assert outcome.observation.cause == expected
    assert "× 100 on partner_income.amount" in outcome.observation.detail


@pytest.mark.parametrize(
    ("name", "app"),
    [("smartico", smartico()), ("inhouse", inhouse()), ("incomeaccess", incomeaccess(until="2026-11-16"))],
)
async def test_every_platform_is_ok_pull_after_pull(name, app):
    story = Story(name)
    async with serving(app) as url:
        for step in range(4):
            now = NOW + step * STEP
            outcome = story.take(await pulled(feed(url), story.preset, now=now), now)
            assert told(outcome) == (State.OK, ""), outcome.observation.detail
            assert outcome.stats


async def test_a_token_that_expires_is_blind_and_not_zero():
    story = Story("inhouse")
    async with serving(inhouse()) as url:
        story.take(await pulled(feed(url), story.preset), NOW)
        outcome = story.take(await pulled(feed(url), story.preset, "other-key-99"), NOW + STEP)
    assert told(outcome) == (State.FAILING, "feed.auth")
    assert outcome.observation.detail == "401 token_expired"
    assert (outcome.stats, outcome.receipts) == ((), ())
