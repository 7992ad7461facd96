from __future__ import annotations

from dataclasses import replace

from tests.tui import corvane
from tests.tui.fake import FakeService, StillClock, dashboard
from tests.tui.screen import WIDE, line_of, screen_text, settle
from tui.service import Alive, Lost


async def test_pause_holds_the_picture_and_going_on_shows_the_newest():
    service, clock = FakeService(corvane.BURNING), StillClock()
    app = dashboard(service=service, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("space")
        for version in (8, 9):
            service.put(replace(corvane.BURNING, version=version, company=f"v{version}"))
            await settle(pilot)
        clock.at += 5
        service.put(Alive())
        await settle(pilot)
        app._retick()
        assert "PAUSED 5s" in line_of(app, "header")
        assert "Corvane Media" in line_of(app, "header")
        await pilot.press("space")
        await settle(pilot)
        assert "v9" in line_of(app, "header")
        assert "LIVE" in line_of(app, "header")


async def test_on_a_slow_line_the_picture_changes_every_five_seconds_and_misses_nothing():
    service, clock = FakeService(corvane.BURNING), StillClock()
    app = dashboard(service=service, clock=clock, lite=True)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        service.put(replace(corvane.BURNING, version=8))
        await settle(pilot)
        assert app.snapshot.version == 7
        clock.at += 5
        app._tick()
        await settle(pilot)
        assert app.snapshot.version == 8


async def test_a_lost_hub_leaves_the_last_picture_marked_stale_and_comes_back_by_itself():
    service, clock = FakeService(corvane.BURNING), StillClock()
    app = dashboard(service=service, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        service.put(Lost("The hub said goodbye."))
        await settle(pilot)
        clock.at += 41
        app._retick()
        assert "STALE 41s" in line_of(app, "header")
        assert "Halyard Edge" in screen_text(app)
        assert "said goodbye" in line_of(app, "log", 1)
        service.put(replace(corvane.BURNING, version=9))
        await settle(pilot)
        assert "LIVE" in line_of(app, "header")


async def test_a_silent_hub_is_stale_without_saying_so():
    clock = StillClock()
    app = dashboard(clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        clock.at += 13
        app._tick()
        assert "STALE 13s" in line_of(app, "header")


async def test_ages_go_on_while_the_hub_is_live_and_stop_when_it_is_not():
    clock, service = StillClock(), FakeService(corvane.BURNING)
    app = dashboard(clock=clock, service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        clock.at += 10
        assert (app.now() - corvane.NOW).total_seconds() == 10
        service.put(Lost("gone"))
        await settle(pilot)
        assert app.now() == corvane.NOW


async def test_before_any_hub_answers_the_screen_says_so():
    app = dashboard(None)
    async with app.run_test(size=WIDE) as pilot:
        app.service.put(Lost("No hub answers on hub.sock. Start one: losswatch hub start"))
        await settle(pilot)
        assert "CONNECTING" in line_of(app, "header")
        assert "losswatch hub start" in screen_text(app)
