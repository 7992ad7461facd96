from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from data.config.settings import Partner
from data.model.ids import PartnerId
from data.model.state import State

from .conftest import NOW
from .story import STEP, Story, rows, told

if TYPE_CHECKING:
    from checks.feeds.decode import Record

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
