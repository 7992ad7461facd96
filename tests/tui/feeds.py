"""Feeds whose screen is tested: one held back, one restated, one that is pushed to us."""

from __future__ import annotations

from dataclasses import replace

from tests.tui import corvane, corvane_feed
from tests.tui.screen import settle
from tui.look import Look
from tui.screens.feed import FeedScreen

HELD, FINE = "feed:p06-zefirion", "feed:p01-quillspin"
LOOK = Look(corvane.NOW)
WHOLE = corvane_feed.of_feed(corvane.detail(corvane.ROWS[HELD]))
LOWERED = replace(WHOLE.changes[0], kind="history-restated", severity="risky", was="19,760.00", now="17,880.00 (−9.5%)")
RESTATED = replace(WHOLE, changes=(LOWERED,), feed=corvane_feed.RESTATED)
PUSHED = replace(WHOLE, changes=(), diff=(), feed=corvane_feed.PUSHED)


async def opened(pilot, app, target=HELD):
    await settle(pilot)
    app.open_target(target)
    await settle(pilot)
    assert isinstance(app.screen, FeedScreen)
