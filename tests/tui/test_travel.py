"""Looking at an earlier moment: which one is meant, how the keys step, and that nothing can be done there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data.errors import UsageError
from tests.tui import corvane
from tests.tui.fake import FakeService, dashboard, said
from tui.travel import moment_of, stepped

NOW = datetime(2026, 11, 17, 14, 32, 7, tzinfo=UTC)


def day(day, hour, minute=0, month=11, year=2026):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("14:30", day(17, 14, 30)), ("14:33", day(16, 14, 33)), ("9:05Z", day(17, 9, 5)), ("11-16 23:59", day(16, 23, 59)),
        ("12-24 18:00", day(24, 18, month=12, year=2025)), ("-2h", NOW - timedelta(hours=2)), ("- 90m", NOW - timedelta(minutes=90)),
        ("-3d", NOW - timedelta(days=3)), ("2026-11-17T14:30Z", day(17, 14, 30)), ("2026-11-17T14:30:00+02:00", day(17, 12, 30)),
        ("2026-11-01", day(1, 0)),
    ],
)  # fmt: skip
def test_a_moment_can_be_written_in_many_ways(words, moment):
    assert moment_of(words, NOW) == moment


@pytest.mark.parametrize("words", ["", "noon", "25:00", "13-40 12:00", "-2w", "14:30:61", "2026-11-17T15:00Z", "12-24"])
def test_what_is_no_moment_of_the_past_is_refused_with_what_would_be(words):
    with pytest.raises(UsageError, match=r"is no time|is still to come"):
        moment_of(words, NOW)


@pytest.mark.parametrize(
    ("at", "minutes", "there"),
    [
        (None, -10, day(17, 14, 22)), (None, 10, None), (day(17, 14), 10, day(17, 14, 10)), (day(17, 14, 25), 10, None),
        (day(17, 13), 60, day(17, 14)), (day(17, 13, 40), 60, None), (day(17, 0), -60, day(16, 23)),
    ],
)  # fmt: skip
def test_the_keys_step_on_whole_minutes_and_end_in_the_present(at, minutes, there):
    assert stepped(at, NOW, minutes) == there


@pytest.fixture
def service():
    return FakeService(corvane.BURNING)


async def shown(pilot, app):
    await pilot.pause()
    if going := [one for one in app.workers if one.group == "travel"]:
        await app.workers.wait_for_complete(going)
    await pilot.pause()
    return "".join(text for text, *_ in app.showing.freshness())


async def test_keys_go_back_ten_minutes_an_hour_and_home_again(service):
    app = dashboard(service=service)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        live = app.snapshot.at
        await pilot.press("less_than_sign")
        assert "PAST" in await shown(pilot, app)
        assert app.snapshot.at == (live - timedelta(minutes=10)).replace(second=0, microsecond=0)
        await pilot.press("left_curly_bracket")
        await shown(pilot, app)
        assert app.showing.at == (live - timedelta(minutes=70)).replace(second=0, microsecond=0)
        await pilot.press("0")
        assert "LIVE" in await shown(pilot, app)
        assert app.snapshot.at == live
        assert service.travelled[-1] is None


async def test_news_does_not_disturb_the_past_and_is_there_on_return(service):
    app = dashboard(service=service)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.travel(day(17, 9))
        await shown(pilot, app)
        service.put(corvane.EMPTY)
        await pilot.pause()
        assert app.snapshot.at == day(17, 9)
        app.travel(None)
        await pilot.pause()
        assert app.snapshot.incidents == corvane.EMPTY.incidents


@pytest.mark.parametrize("pauses", [0, 1])
async def test_home_is_the_present_also_on_a_slow_line_and_after_a_pause(service, pauses):
    app = dashboard(service=service, lite=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        live = app.snapshot.at
        await pilot.press(*["space"] * pauses, "less_than_sign")
        await shown(pilot, app)
        assert app.snapshot.at < live
        await pilot.press("0")
        assert "LIVE" in await shown(pilot, app)
        assert app.snapshot.at == live


async def test_a_moment_that_has_no_picture_is_not_pretended_to_be_shown(service):
    app = dashboard(service=service)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.travel(day(17, 9))
        await shown(pilot, app)
        service.broken = "The store does not reach back so far."
        app.travel(day(16, 9))
        await shown(pilot, app)
        await pilot.pause()
        assert "The store does not reach back so far." in said(app)
        assert app.showing.at is None
        assert app.snapshot.version == corvane.BURNING.version
        assert service.travelled[-1] is None


async def test_nothing_can_be_done_in_the_past(service):
    app = dashboard(service=service)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.travel(day(17, 9))
        await shown(pilot, app)
        await pilot.press("5", "K")
        await pilot.pause()
        assert service.commands == []


async def test_a_moment_can_be_typed(service):
    app = dashboard(service=service)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press(":", *"at -2h", "enter")
        assert "PAST" in await shown(pilot, app)
        await pilot.press(":", *"live", "enter")
        assert "LIVE" in await shown(pilot, app)
