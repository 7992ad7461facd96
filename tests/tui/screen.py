"""How tests look at the dashboard: sizes of terminals, waiting until it has drawn, and what is then on it."""

from __future__ import annotations

import asyncio

from tui.lines import plain
from tui.screens.listing import ListScreen
from tui.widgets.panel import Panel

WIDE, SMALL, HUGE, TINY = (120, 40), (80, 24), (200, 50), (50, 12)


async def settle(pilot):
    """Until the fake hub's answers have come and been drawn."""
    for _ in range(4):
        await pilot.pause()
        await asyncio.sleep(0)
    await pilot.pause()


def screen_text(app) -> str:
    width, height = app.size
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())[
        : (width + 1) * height * 2
    ]


def line_of(app, name: str, y: int = 0) -> str:
    return plain(app.screen.query_one(f"#{name}", Panel)._drawn[y])


async def open_sites(pilot, app):
    await settle(pilot)
    await pilot.press("1", "1")
    await settle(pilot)
    assert isinstance(app.screen, ListScreen)


async def open_incident(pilot):
    """The first of the Overview."""
    await settle(pilot)
    await pilot.press("enter")
    await settle(pilot)


async def news(pilot, app, detail):
    """The hub knows more of what is on the screen, which asks again."""
    app.service.detail = detail
    app.screen.refetch()
    await settle(pilot)
