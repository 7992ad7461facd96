from __future__ import annotations

import pytest

from tests.tui.fake import dashboard
from tests.tui.screen import HUGE, SMALL, TINY, WIDE, open_sites, screen_text, settle
from tui.lines import plain
from tui.screens.target import TargetScreen
from tui.widgets.panel import Panel


@pytest.mark.parametrize("size", [WIDE, SMALL, HUGE, TINY])
@pytest.mark.parametrize(
    "target",
    ["site:aurora-001", "link:p05-drakkenspin-de", "parser:serp-casino-de", "feed:p06-zefirion", "slice:P05 DE"],
)
async def test_every_family_has_a_detail_screen_at_every_size(target, size):
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        app.open_target(target)
        await settle(pilot)
        assert isinstance(app.screen, TargetScreen)
        for number in "1234":
            await pilot.press(number)
            await settle(pilot)
        assert target.partition(":")[2][:8].split()[0] in screen_text(app)


async def test_the_guilty_hop_is_marked():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.open_target("link:p05-drakkenspin-de")
        await settle(pilot)
        chain = [plain(line) for line in app.screen.query_one("#part1", Panel)._drawn]
        assert any("✖" in line and "www.drakkenspin.example" in line and "451" in line for line in chain)
        assert sum("✖" in line for line in chain) == 1


async def test_siblings_are_walked_without_going_back():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.target == "site:aurora-001"
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert app.screen.target == "site:aurora-004"
        await pilot.press("escape")
        assert app.screen.table.selected_key == "site:aurora-004"


async def test_a_target_that_is_gone_says_so():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.open_target("site:gone")
        await settle(pilot)
        assert "Nothing called site:gone" in screen_text(app)


async def test_copying_says_what_was_copied(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.open_target("site:aurora-001")
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard == "https://aurora-001.example/"
        await pilot.press("Y")
        assert app.clipboard == "losswatch check site 'https://aurora-001.example/'"
