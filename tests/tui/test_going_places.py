from __future__ import annotations

import pytest

from tests.tui.fake import dashboard
from tests.tui.screen import WIDE, open_incident, screen_text, settle
from tui import keys
from tui.screens.help import HelpScreen
from tui.screens.incident import IncidentScreen
from tui.screens.listing import ListScreen
from tui.screens.overview import OverviewScreen


async def test_the_colon_goes_anywhere_and_gives_the_focus_back():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press(*":inc", "space", *"409", "enter")
        await settle(pilot)
        assert isinstance(app.screen, IncidentScreen)
        await pilot.press("colon", *"theme", "space", *"losswatch-deuteranopia", "enter")
        await settle(pilot)
        assert app.theme == "losswatch-deuteranopia"
        await pilot.press("colon", *"links", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ListScreen)
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("minus")
        await settle(pilot)
        assert isinstance(app.screen, IncidentScreen)


async def test_help_lists_every_key_of_the_table():
    app = dashboard()
    async with app.run_test(size=(120, 120)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        assert [key.id for key in keys.KEYS if key.tooltip not in text] == []


async def test_q_goes_back_and_leaves_only_from_the_overview():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await open_incident(pilot)
        await pilot.press("q")
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("q")
    assert app.return_code == 0


STAGES = {
    "app": [],
    "overview": [],
    "table": ["1", "1"],
    "list": ["1", "1"],
    "panel": ["question_mark"],
    "overlay": ["question_mark"],
    "target": ["1", "enter"],
    "parser": ["2", "enter"],
    "feed": ["3", "enter"],
    "revenue": ["4", "enter"],
    "revenues": ["4", "4"],
    "book": ["4", "4", "w"],
    "incident": ["enter"],
}


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.id)
async def test_every_key_reaches_its_action(key, monkeypatch):
    app = dashboard()
    reached = []
    name = f"action_{key.action.partition('(')[0]}"
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for stage in STAGES[key.scope]:
            await pilot.press(stage)
            await settle(pilot)
        owner = {"app": app, "table": app.screen.focused, "panel": app.screen.focused}.get(key.scope, app.screen)
        monkeypatch.setattr(type(owner), name, lambda self, *args: reached.append((self, args)))
        for pressed in key.key.split(","):
            await pilot.press(pressed)
        assert len(reached) == len(key.key.split(","))
        assert all(self is owner for self, _ in reached)
