"""Slices whose screen is tested: silent, waiting, blind, young, without money, and with hostile names."""

from __future__ import annotations

from dataclasses import replace

from data.model.ids import CauseId
from data.model.state import State
from tests.tui import corvane, corvane_revenue
from tests.tui.fake import Serving
from tests.tui.screen import settle
from tui.look import Look
from tui.screens.revenue import RevenueScreen

SILENT, SHARED, FINE = "slice:P05 DE", "slice:P02", "slice:P07"
LOOK = Look(corvane.NOW)
WHOLE = corvane_revenue.of_slice(corvane.detail(corvane.ROWS[SILENT]))
HIDDEN = corvane_revenue.hidden(WHOLE)
QUIET_ROW = replace(WHOLE.row, state=State.UNKNOWN, cause=CauseId(""), detail="no report of a recent hour yet", incident=None, loss_per_hour=None)  # fmt: skip
WAITING = replace(WHOLE, row=QUIET_ROW, incidents=(), band=corvane_revenue.series(untold=13), revenue=corvane_revenue.WAITING)  # fmt: skip
BLIND = replace(WAITING, row=replace(QUIET_ROW, cause=CauseId("revenue.blind"), detail="the feed's token expired"), revenue=corvane_revenue.BLIND)  # fmt: skip
YOUNG = replace(
    WAITING, band=(), row=replace(QUIET_ROW, detail="too little history: 6 of 14 days"), revenue=replace(corvane_revenue.WAITING, reports=(), common=1.0)
)  # fmt: skip
EVIL = "\x1b]52;c;aGFja2Vk\x07\u202eevil[red]" + "娯楽カジノ" * 60
HOSTILE = replace(
    WHOLE, row=replace(WHOLE.row, name=EVIL, detail=EVIL),
    revenue=replace(
        corvane_revenue.SILENT, slice=dict.fromkeys(("partner", "offer", "geo", "site", "team"), EVIL), odds=EVIL,
        funnel=replace(corvane_revenue.FUNNEL, likely=EVIL, owner=EVIL), marks=tuple(replace(one, text=EVIL) for one in corvane_revenue.MARKS),
        evidence=tuple(replace(one, why=EVIL) for one in corvane_revenue.EVIDENCE), reports=tuple(replace(corvane_revenue.REPORTS[0], partner=EVIL, waiting=late) for late in (True, False)),
        parts=tuple(replace(one, value=EVIL) for one in corvane_revenue.PARTS),
    ),
)  # fmt: skip


def blinded(service: Serving) -> Serving:
    """A hub whose reader may see no money."""
    service.put(replace(corvane.HIDDEN, version=9))
    return service


async def opened(pilot, app, target=SILENT):
    await settle(pilot)
    app.open_target(target)
    await settle(pilot)
    assert isinstance(app.screen, RevenueScreen)
