"""`losswatch notices`: what was said to whom, what waits, and what never arrived."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from data.config.home import Home
from data.model.codec import to_json
from data.model.notice import NoticePage, NoticeState
from tui.cli.options import everywhere, positive
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient
from tui.lines import safe

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.notice import Notice

STATES = ("all", "waiting", "late", "dead", "sent")
LIMIT = 200
_COLUMNS = (
    Column("notice"),
    Column("of"),
    Column("state"),
    Column("channel", least=6, yields=1),
    Column("for", least=6, yields=2),
    Column("about", least=12, yields=3),
    Column("tries", "right"),
    Column("rule"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _options(parser, state="all", limit=LIMIT)
    actions = parser.add_subparsers(dest="action", metavar="list|retry")
    listed = actions.add_parser("list", help="the newest first")
    _options(listed, state=argparse.SUPPRESS, limit=argparse.SUPPRESS)
    retry = actions.add_parser("retry", help="try one again that was given up")
    retry.add_argument("notice", metavar="ID")
    for action in (listed, retry):
        everywhere(action)


def _options(parser: argparse.ArgumentParser, *, state: str, limit: int | str) -> None:
    parser.add_argument(
        "--state", choices=STATES, default=state, help="late: arrived or waits past its time; dead: given up"
    )
    parser.add_argument("--limit", type=positive, default=limit, metavar="N", help="at most N")


def run(args: argparse.Namespace) -> int:
    client = HubClient(Home.find(args.home).socket)
    if args.action == "retry":
        reply = asyncio.run(client.command("notice_retry", notice=args.notice))
        print(to_json(reply).decode()) if args.json else paper().say(safe(reply.message))
        return 0 if reply.ok else 3
    return asyncio.run(_list(client, args))


async def _list(client: HubClient, args: argparse.Namespace) -> int:
    """Exit 0 when all is well, 1 when something waits past its time, 2 when something was given up."""
    page = await client.get(f"/v1/notices?state={args.state}&limit={args.limit}", NoticePage)
    if args.json:
        for notice in page.rows:
            print(to_json(notice).decode())
    else:
        _print(page)
    return 2 if page.counts.get("dead") else int(any(row.waiting and row.problem for row in page.channels))


def _print(page: NoticePage) -> None:
    sheet = paper()
    if page.rows:
        for line in table(_COLUMNS, [_row(notice, page.now) for notice in page.rows], sheet):
            sheet.say(line)
        if page.total > len(page.rows):
            sheet.say(sheet.ink(f"{len(page.rows):,} of {page.total:,}; more with --limit {page.total}", "dim"))
    else:
        sheet.say("nothing was said")
    for row in page.channels:
        if row.waiting or row.dead or row.problem:
            told = f": {row.problem}" if row.problem else ""
            sheet.say(safe(f"{row.name}: {row.waiting:,} wait, {row.late:,} late, {row.dead:,} given up{told}"))


def _row(notice: Notice, now: datetime) -> list[Cell]:
    marks = [notice.state.value, "late" if notice.is_late(now) else "", "repeat" if notice.repeated else ""]
    words = ", ".join(f"#{number}" for number in notice.incidents[:4]) + (" .." if len(notice.incidents) > 4 else "")
    problem = f": {notice.problem}" if notice.problem and notice.state is not NoticeState.SENT else ""
    return [
        Cell(notice.id),
        Cell(f"{notice.created_at:%d %b %H:%M:%S}Z"),
        Cell(" ".join(mark for mark in marks if mark), "bad" if notice.state is NoticeState.DEAD else ""),
        Cell(notice.channel),
        Cell(notice.receiver),
        Cell(f"{notice.kind.value} {words}{problem}"),
        Cell(str(notice.attempts)),
        Cell(notice.route),
    ]
