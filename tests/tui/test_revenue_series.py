from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from data.errors import LosswatchError
from data.model.snapshot import BandPoint
from tests.tui.corvane_revenue import HOUR
from tests.tui.fake import Serving, dashboard
from tests.tui.screen import SMALL, WIDE, news, screen_text, settle
from tests.tui.slices import WHOLE, opened
from tui.format import short_clock
from tui.lines import plain
from tui.widgets.panel import Panel


def reading(app) -> str:
    """What is read out at the cursor."""
    return "\n".join(plain(line) for line in app.screen.chart._drawn[-2:])


async def test_the_cursor_reads_an_hour_what_happened_in_it_and_what_was_known_then():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert "17 Nov 10:00-11:00Z  expected €67 (30 to 104)   actual <€1  −99%" in reading(app)
        await pilot.press("left", "left")
        assert "17 Nov 08:00-09:00Z" in reading(app)
        assert "▼ clicks go on, FTD stopped   then 0 of 3.9 FTD in 2 h, 110,000 to 1" in reading(app)
        await pilot.press("right", "right", "right", "right")
        assert "11:00-12:00Z" in reading(app)
        assert "not reported yet" in reading(app)
        await pilot.press("g")
        assert "16 Nov 12:00-13:00Z" in reading(app)
        assert "nothing stood out then" in reading(app)
        await pilot.press("G")
        assert "17 Nov 10:00-11:00Z" in reading(app)


async def test_a_click_puts_the_cursor_where_it_was_made():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.click("#part1", offset=(60, 8))
        assert app.screen.chart.chosen is not None
        assert short_clock(app.screen.chart.chosen) in {"22:00Z", "23:00Z"}


async def test_windows_follow_each_other_and_the_hub_is_asked_for_each():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        for window, points in (("6h", 6), ("7d", 168), ("28d", 672), ("24h", 24)):
            await pilot.press("w")
            await settle(pilot)
            assert f"[{window}]" in app.screen.chart.note
            assert app.service.windows[-1] == window
            assert len(app.screen.chart.series.points) == points


async def test_the_band_goes_and_comes_back_and_the_loss_stays():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)

        def drawn():
            return {role for line in app.screen.chart._drawn for _, role in line}

        assert {"band", "loss"} <= drawn()
        await pilot.press("b")
        assert "band" not in drawn()
        assert "loss" in drawn()
        await pilot.press("b")
        assert "band" in drawn()


async def test_the_cursor_moves_from_wherever_the_focus_is_and_shows_what_it_reads():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        await pilot.press("2", "left")
        await settle(pilot)
        assert app.screen.chart.display
        assert "17 Nov 09:00-10:00Z" in reading(app)


async def test_a_cursor_stays_on_its_hour_while_hours_pass():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("left", "left", "left")
        later = tuple(replace(one, at=one.at + timedelta(hours=1)) for one in WHOLE.band[-1:])
        await news(pilot, app, replace(WHOLE, band=(*WHOLE.band[1:], *later)))
        assert "17 Nov 07:00-08:00Z" in reading(app)


async def test_the_same_detail_again_touches_nothing():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        repainted = []
        for panel in app.screen.query(Panel):
            panel.refresh = lambda *regions, panel=panel, **_: repainted.append(panel.id)
        app.screen.refetch()
        await settle(pilot)
        assert repainted == []
        await pilot.press("left")
        assert repainted
        assert set(repainted) == {"part1"}


async def test_a_hub_that_fails_later_leaves_the_last_picture():
    class Failing(Serving):
        async def slice(self, target: str, window: str):
            if self.windows:
                raise LosswatchError("The hub went away.")
            return await super().slice(target, window)

    app = dashboard(service=Failing(WHOLE))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("w")
        await settle(pilot)
        assert "lost €181" in screen_text(app)
        assert len(app.screen.chart.series.points) == 24


async def test_all_zeros_and_one_point_are_drawn_without_a_crash():
    for band in (tuple(replace(one, expected=0.0, lo=0.0, hi=0.0, actual=0.0) for one in WHOLE.band), WHOLE.band[:1], (BandPoint(HOUR, 5.0, 1.0, 9.0, -40.0),)):  # fmt: skip
        app = dashboard(service=Serving(replace(WHOLE, band=band)))
        async with app.run_test(size=WIDE) as pilot:
            await opened(pilot, app)
            assert "now" in screen_text(app)
