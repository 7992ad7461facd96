"""`losswatch feeds backfill`: history read by the hub, and how far it came; the terminal may go at any time."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from data.errors import UsageError
from data.model.backfill import Backfill, BackfillState
from data.model.codec import to_json
from tui.cli.paper import paper
from tui.lines import safe

if TYPE_CHECKING:
    import argparse

    from data.model.snapshot import CommandReply
    from tui.cli.paper import Paper
    from tui.client import HubClient

LOOK_EVERY_S = 0.5
BAR = 24
"""Cells of the bar."""
_EXIT = {BackfillState.DONE: 0, BackfillState.CANCELLED: 1, BackfillState.FAILED: 3}


def options(action: argparse.ArgumentParser) -> None:
    """Beside the days, which every action with days takes."""
    action.add_argument("--cancel", action="store_true", help="end the one that is under way; what is stored stays")
    action.add_argument("--detach", action="store_true", help="begin it and come back at once")


async def run(client: HubClient, args: argparse.Namespace, name: str) -> int:
    """Begin one for the days given, or look at the last one, until it has ended.

    Exits 0 when all is stored, 1 when it was cancelled, 2 when some of it is in quarantine, 3 when it failed. Ctrl-C
    leaves the terminal only: the hub goes on.
    """
    target = f"feed:{name}"
    if args.cancel:
        return _told(await client.command("feed_backfill", target=target, cancel=True), args)
    if bool(args.first) != bool(args.last):
        raise UsageError("a backfill needs both --from DAY and --to DAY; without them the last one is shown")
    if args.first:
        days = {"from": args.first.isoformat(), "to": args.last.isoformat()}
        reply = await client.command("feed_backfill", target=target, **days)
        if args.detach or not args.json:
            _told(reply, args)
        if args.detach:
            return 0
    try:
        return await _watch(client, args, name)
    except (asyncio.CancelledError, KeyboardInterrupt):
        _left(name)
        raise


async def _watch(client: HubClient, args: argparse.Namespace, name: str) -> int:
    """Show how far it came until it has ended: a bar on a terminal, a line for each step elsewhere."""
    shown: Backfill | None = None
    while True:
        one = await client.get(f"/v1/feeds/{quote(name, safe='')}/backfill", Backfill)
        if one != shown:
            _show(args, one, paper())
            shown = one
        if one.state is not BackfillState.RUNNING:
            if paper().width and not args.json:
                print()
            return 2 if one.state is BackfillState.DONE and one.held else _EXIT[one.state]
        await asyncio.sleep(LOOK_EVERY_S)


def _show(args: argparse.Namespace, one: Backfill, sheet: Paper) -> None:
    if args.json:
        print(to_json(one).decode(), flush=True)
    elif sheet.width:
        # a line that is shorter than the one before must not leave its end behind
        print(f"\r\x1b[K{_line(one, sheet)[: sheet.width - 1]}", end="", flush=True)
    else:
        sheet.say(_line(one, sheet))


def _line(one: Backfill, sheet: Paper) -> str:
    """`p01 [######----] 3/12  to 2026-05-31  1,204 rows`, and why it waits or ended."""
    full, empty = ("#", "-") if sheet.ascii_only else ("█", "░")
    cells = round(one.share * BAR)
    bar = full * cells + empty * (BAR - cells)
    at = f"next {one.left}" if one.left and one.state is BackfillState.RUNNING else one.state.value
    held = f"{one.held} in quarantine" if one.held else ""
    parts = (f"{one.feed} {bar} {one.done}/{one.windows}", at, f"{one.rows:,} rows", held, one.detail)
    return safe("  ".join(part for part in parts if part))


def _told(reply: CommandReply, args: argparse.Namespace) -> int:
    print(to_json(reply).decode()) if args.json else paper().say(safe(reply.message))
    return 0


def _left(name: str) -> None:
    words = f"the hub goes on. Look again: losswatch feeds backfill {name}; end it: --cancel"
    print(f"\n{words}", file=sys.stderr)
