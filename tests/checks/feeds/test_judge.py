from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import zstandard

from checks.feeds import preset as presets
from checks.feeds.canonical import canonical
from checks.feeds.fetch import Problem
from checks.feeds.judge import judge
from checks.feeds.memory import Memory
from checks.feeds.payload import Flaw
from checks.feeds.pull import Pulled
from data.config.settings import Partner
from data.model.cause import cause
from data.model.delivery import Outcome
from data.model.fact import Payload
from data.model.ids import PartnerId, TeamId
from data.model.state import State

from .conftest import NOW, feed, pulled, serving
from .dialects import affilka, incomeaccess, inhouse, smartico

if TYPE_CHECKING:
    from checks.feeds.decode import Record

STEP = timedelta(minutes=15)


class Story:
    """One feed over time: each `pull` judges rows with what the pulls before left behind."""

    def __init__(self, preset="smartico", partner=None, **changed) -> None:
        self.preset, self.partner = presets.load(preset), partner
        self.feed = feed(preset=preset, **changed)
        self.baseline: bytes | None = None
        self.known: dict = {}

    def pull(self, records: list[Record], now: datetime = NOW, problem: str = "", **more):
        today = now.astimezone(self.preset.zone).date()
        rows = canonical(records, self.preset)
        body = Payload("hash", "p01", TeamId("aurora"), now, "application/json", b"")
        found = Pulled("api.example", today - timedelta(days=2), today, (body,), rows, **more)
        if problem:
            found = replace(found, rows=(), problem=Problem(cause(problem), "no"))
        return self.take(found, now)

    def take(self, found: Pulled, now: datetime):
        outcome = judge(
            self.feed, self.preset, found, self.baseline, tuple(self.known.values()), now, partner=self.partner
        )
        self.baseline = outcome.baseline
        self.known |= {(stat.day, stat.currency, tuple(sorted(stat.dims.items()))): stat for stat in outcome.stats}
        return outcome

    def contract(self):
        return Memory.from_bytes(self.baseline).contract


def day(moment: datetime, back: int) -> str:
    return (moment.date() - timedelta(days=back)).isoformat()


def rows(now: datetime = NOW, *, money: float = 1, growth: float = 1.0, afps: int = 8, **changed) -> list[Record]:
    """Three days of an account; today has grown by `growth`."""
    found: list[Record] = []
    for back in (2, 1, 0):
        for n in range(afps):
            grown = growth if back == 0 else 1.0
            ftd = int((3 + n) * grown)
            found.append({
                "dt": day(now, back) + "T00:00:00Z", "brand_name": "Zefirion", "afp": f"go-{n}",
                "visit_count": int((90 + 7 * n) * grown), "registration_count": 12 + n, "ftd_count": ftd,
                "ftd_total": round(20.37 * ftd * money, 2), "deposit_total": round(41.93 * ftd * money, 2),
                "net_pl": round(33.11 * ftd * money, 2), "commissions_total": round(38.03 * ftd * money, 2), **changed,
            })  # fmt: skip
    return found


def told(outcome):
    return outcome.observation.state, outcome.observation.cause


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


# ── arrival ──────────────────────────────────────────────────────────────────────────────────────────────────────────

LONDON = Partner(PartnerId("P04"), "Saltwick", timezone="Europe/London", report_lag_s=6 * 3600.0)


def saltwick(until: str, now: datetime) -> list[Record]:
    last = date.fromisoformat(until)
    return [
        {
            "period": (last - timedelta(days=back)).strftime("%m/%d/%Y"), "merchantname": "Saltwick", "sitename": "x.example",
            "clicks": "1300", "downloads": "91", "firstdepositcount": "24", "totalcommission": "1900.00",
        }
        for back in range(3) if last - timedelta(days=back) >= (now - timedelta(days=2)).date()
    ]  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_next_day_platform_five_hours_late_is_a_calm_note_and_no_alarm():
    story = Story("incomeaccess", LONDON)
    moments = [at("2026-11-16T06:05"), at("2026-11-17T05:00"), at("2026-11-17T06:15"), at("2026-11-17T10:45")]
    for moment in moments:
        outcome = story.pull(saltwick("2026-11-15", moment), moment)
        assert told(outcome) == (State.OK, ""), outcome.observation.detail
    assert "waiting for Mon 16 Nov usually arrives 6 h after its end" in outcome.observation.detail
    arrived = story.pull(saltwick("2026-11-16", moment), at("2026-11-17T11:00"))
    assert told(arrived) == (State.OK, "")
    assert "waiting" not in arrived.observation.detail
    assert {receipt.hour.date() for receipt in arrived.receipts} == {date(2026, 11, 16)}
    assert len(arrived.receipts) == 24


def test_a_day_that_does_not_come_at_all_is_late_in_the_end():
    story = Story("incomeaccess", LONDON)
    story.pull(saltwick("2026-11-15", at("2026-11-16T06:05")), at("2026-11-16T06:05"))
    outcome = story.pull(saltwick("2026-11-15", at("2026-11-17T18:30")), at("2026-11-17T18:30"))
    assert told(outcome) == (State.FAILING, "feed.late")


def test_an_intraday_report_gives_each_hour_one_receipt_older_than_its_lag():
    story = Story(partner=Partner(PartnerId("P06"), "Zefirion", report_lag_s=1800.0))
    first = story.pull(rows(), NOW)
    assert first.receipts[-1].hour == at("2026-11-17T07:00")
    assert first.receipts[0].hour == at("2026-11-15T00:00")
    assert [r.hour for r in story.pull(rows(), NOW + STEP).receipts] == [at("2026-11-17T08:00")]
    assert story.pull(rows(), NOW + 2 * STEP).receipts == ()


def test_the_quiet_first_hours_of_a_day_are_not_late():
    story = Story()
    story.pull(rows(), NOW)
    night = at("2026-11-18T04:00")
    yesterday_only = [row for row in rows() if not row["dt"].startswith("2026-11-15")]
    assert told(story.pull(yesterday_only, night)) == (State.OK, "")


# ── whole way, over a socket ─────────────────────────────────────────────────────────────────────────────────────────


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


def test_a_required_field_that_is_gone_holds_the_delivery_back_from_the_first_one_on():
    story = Story()
    outcome = story.pull(rows(), lacking={"visit_count": ["clicks"]})
    assert told(outcome) == (State.FAILING, "feed.contract")
    assert outcome.deliveries[0].outcome is Outcome.QUARANTINED
    assert outcome.stats == ()
    assert "visit_count is gone" in outcome.observation.detail


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────

RAGGED = Flaw("row-width-differs", "", "line 3: 4 cells where the header has 3", 1)


def kinds(outcome):
    return {(change.kind, change.severity) for change in outcome.changes}


@pytest.mark.parametrize("path", ["commissions_total", "ftd_count", ""])
def test_a_key_that_stands_twice_with_two_values_holds_a_payload_back_also_the_first_one(path):
    story = Story()
    flaws = (Flaw("key-repeated", path, "twice in one object, with different values", 1),)
    for step in range(2):
        outcome = story.pull(rows(), NOW + step * STEP, flaws=flaws)
        assert told(outcome) == (State.FAILING, "feed.contract")
        assert (outcome.outcome, outcome.stats) == (Outcome.QUARANTINED, ())
        assert kinds(outcome) == {("key-repeated", "breaking")}


def test_a_key_that_stands_twice_where_nobody_reads_is_told_once_and_stored():
    story = Story()
    flaws = (Flaw("key-repeated", "note", "twice in one object, with different values", 1),)
    outcome = story.pull(rows(), flaws=flaws)
    assert (outcome.observation.state, len(outcome.stats)) == (State.DEGRADED, 24)
    assert told(story.pull(rows(), NOW + STEP, flaws=flaws)) == (State.OK, "")


def test_rows_of_another_width_hold_a_table_back_that_had_none_and_not_one_that_always_had():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows(), NOW + STEP, flaws=(RAGGED,))
    assert (outcome.outcome, kinds(outcome)) == (Outcome.QUARANTINED, {("row-width-differs", "breaking")})
    untidy = Story()
    assert untidy.pull(rows(), flaws=(RAGGED,)).observation.state is State.DEGRADED
    assert told(untidy.pull(rows(), NOW + STEP, flaws=(RAGGED,))) == (State.OK, "")


def test_a_figure_that_is_known_is_not_overwritten_by_a_cell_that_is_none():
    story = Story()
    texts = [row | {"commissions_total": str(row["commissions_total"])} for row in rows()]
    story.pull(texts)
    odd = [row if n != 5 else row | {"commissions_total": "n/a"} for n, row in enumerate(texts)]
    outcome = story.pull(odd, NOW + STEP)
    assert (outcome.outcome, outcome.stats) == (Outcome.QUARANTINED, ())
    assert kinds(outcome) == {("value-unreadable", "breaking")}


def test_cells_that_never_held_a_figure_are_told_once():
    story = Story()
    blank = [row | {"deposit_total": "n/a"} for row in rows()]
    first = story.pull(blank)
    assert kinds(first) == {("value-unreadable", "risky")}
    assert len(first.stats) == 24
    assert told(story.pull(blank, NOW + STEP)) == (State.OK, "")


def test_a_memory_of_before_there_were_flaws_is_still_read():
    story = Story()
    story.pull(rows())
    plain = json.loads(zstandard.decompress(story.baseline))
    for one in plain["contract"]["profiles"]:
        del one["flaws"]
    old = zstandard.compress(json.dumps(plain).encode())
    assert Memory.from_bytes(old).contract == story.contract()


def test_days_that_are_left_out_are_one_change_that_is_open_once_and_closed_when_they_are_back():
    story = Story()
    story.pull(rows())
    today = [row for row in rows() if row["dt"].startswith(day(NOW, 0))]
    firsts = set()
    for step in (1, 2, 3):
        outcome = story.pull(today, NOW + step * STEP)
        (change,) = [one for one in outcome.changes if one.kind == "rows-vanished"]
        firsts.add(change.first_seen)
    assert (change.was, change.now) == (f"figures for {day(NOW, 2)} and 1 more", "day left out")
    assert firsts == {NOW + STEP}
    back = story.pull(rows(), NOW + 4 * STEP)
    assert [one.closed_at for one in back.changes if one.kind == "rows-vanished"] == [NOW + 4 * STEP]


def test_an_empty_report_is_no_report_of_zeros_also_where_no_contract_was_kept():
    story = Story()
    story.pull(rows())
    story.baseline = None
    outcome = story.pull([], NOW + STEP)
    assert (outcome.outcome, outcome.stats) == (Outcome.QUARANTINED, ())
    assert ("rows-vanished", "breaking") in kinds(outcome)


def test_of_bodies_that_are_no_report_one_after_the_other_only_the_first_is_kept():
    story = Story()
    kept = []
    for step in range(3):
        body = Payload(f"h{step}", "p01", TeamId("aurora"), NOW, "application/json", b"")
        today = NOW.date()
        found = Pulled("x", today, today, (body,), problem=Problem(cause("feed.contract"), "not valid JSON"))
        kept += [one.hash for one in story.take(found, NOW + step * STEP).payloads]
    assert kept == ["h0"]
