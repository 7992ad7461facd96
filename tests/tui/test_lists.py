from __future__ import annotations

from tests.tui import corvane
from tests.tui.fake import FakeService, dashboard, many
from tests.tui.screen import SMALL, WIDE, line_of, open_sites, screen_text, settle
from tui.screens.overview import OverviewScreen


async def test_a_filter_typed_in_one_burst_loses_no_key():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press(*"/aurora-00")
        await settle(pilot)
        assert service.queries[-1].filter == "aurora-00"
        assert app.screen.table.total == 4
        await pilot.press("/", "enter")
        await settle(pilot)
        assert app.screen.filter_text == "aurora-00/"
        assert not app.screen.typing


async def test_escape_clears_the_filter_first_and_leaves_second():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press(*"/aurora", "enter", "escape")
        await settle(pilot)
        assert app.screen.filter_text == ""
        await pilot.press("escape")
        assert isinstance(app.screen, OverviewScreen)


async def test_a_long_list_is_read_in_windows_and_the_cursor_never_waits():
    service = FakeService(corvane.BURNING, rows=many(100_000))
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        assert app.screen.table.total == 100_000
        app.screen.table.action_bottom()
        assert app.screen.table.cursor == 99_999
        await settle(pilot)
        assert app.screen.table.selected_key == "site:s-099999"
        assert max(query.limit for query in service.queries) <= 200


async def test_sorting_and_turning_round_are_asked_of_the_hub():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press("s")
        await settle(pilot)
        assert (service.queries[-1].sort, service.queries[-1].desc) == ("loss_per_hour", True)
        await pilot.press("S")
        await settle(pilot)
        assert service.queries[-1].desc is False


async def test_columns_scroll_beside_a_first_column_that_stays():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("1")
        await settle(pilot)
        await pilot.press("right", "right")
        assert "aurora-001" in line_of(app, "rows", 2)
        assert "FAILING" not in line_of(app, "rows", 2)
        assert "‹" in line_of(app, "rows", 1)
        await pilot.press("left", "left")
        assert "FAILING" in line_of(app, "rows", 2)


async def test_a_hub_that_fails_a_list_says_why_in_its_place():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        service.broken = "The store is busy. Try again."
        await pilot.press("1", "1")
        await settle(pilot)
        assert "The store is busy" in screen_text(app)
