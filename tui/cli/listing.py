from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from data.config.home import Home
from data.model.codec import to_json
from data.model.snapshot import ListPage
from data.model.state import State
from data.model.target import TargetKind
from tui import format as fmt
from tui.cli.hubtime import now_of, past_option, travel
from tui.cli.options import positive
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient
from tui.look import GLYPH, ROLE, WORD, Look

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from data.model.snapshot import TargetRow

KINDS = {
    "sites": TargetKind.SITE,
    "links": TargetKind.LINK,
    "parsers": TargetKind.PARSER,
    "feeds": TargetKind.FEED,
    "revenue": TargetKind.SLICE,
}
PAGE = 1_000
DEFAULT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a list: its head and how a row fills it."""

    column: Column
    cell: Callable[[TargetRow, Look], Cell]


def _plain(pick: Callable[[TargetRow], str]) -> Callable[[TargetRow, Look], Cell]:
    return lambda row, _look: Cell(pick(row))


_STATE = Shown(Column("state"), lambda row, _: Cell(f"{GLYPH[row.state]} {WORD[row.state]}", ROLE[row.state]))
_NAME = Shown(Column("name", least=12, yields=2), _plain(lambda row: row.name))
_TEAM = Shown(Column("team", least=4, yields=1), _plain(lambda row: row.team))
_GEO = Shown(Column("geo"), _plain(lambda row: row.geo))
_PARTNER = Shown(Column("partner", least=4, yields=1), _plain(lambda row: row.partner))
_SINCE = Shown(Column("since", "right"), lambda row, look: Cell(look.since(row.since)))
_P95 = Shown(Column("p95", "right"), _plain(lambda row: fmt.ms(row.p95_ms)))
_UPTIME = Shown(Column("24 h", "right"), _plain(lambda row: fmt.pct(row.uptime)))
_ITEMS = Shown(Column("items", "right"), _plain(lambda row: fmt.number(row.value)))
_ROWS = Shown(Column("rows", "right"), _plain(lambda row: fmt.number(row.value)))
_NOW = Shown(Column("now/h", "right"), lambda row, look: Cell(look.amount(row.value) if look.money else ""))
_EXPECTED = Shown(
    Column("expected/h", "right"), lambda row, look: Cell(look.amount(row.expected) if look.money else "")
)
_LOST = Shown(Column("lost/h", "right"), lambda row, look: Cell(look.amount(row.loss_per_hour), "bold"))
_INCIDENT = Shown(Column("#", "right"), _plain(lambda row: str(row.incident or "")))
_DETAIL = Shown(Column("seen", least=8, yields=3), _plain(lambda row: row.detail or row.cause))

COLUMNS: dict[TargetKind, tuple[Shown, ...]] = {
    TargetKind.SITE: (_STATE, _NAME, _TEAM, _GEO, _SINCE, _P95, _UPTIME, _LOST, _INCIDENT, _DETAIL),
    TargetKind.LINK: (_STATE, _NAME, _TEAM, _PARTNER, _GEO, _SINCE, _P95, _UPTIME, _LOST, _INCIDENT, _DETAIL),
    TargetKind.PARSER: (_STATE, _NAME, _TEAM, _GEO, _SINCE, _ITEMS, _INCIDENT, _DETAIL),
    TargetKind.FEED: (_STATE, _NAME, _TEAM, _PARTNER, _SINCE, _ROWS, _LOST, _INCIDENT, _DETAIL),
    TargetKind.SLICE: (_STATE, _NAME, _TEAM, _SINCE, _NOW, _EXPECTED, _LOST, _INCIDENT, _DETAIL),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", choices=[state.value for state in State], help="only targets in this state")
    parser.add_argument("--team", help="only this team's")
    parser.add_argument(
        "--filter", default="", metavar="EXPR", help="words, !word, geo=DE, partner=P05, cause=..; all hold"
    )
    past_option(parser)
    parser.add_argument(
        "--limit", type=positive, default=DEFAULT_LIMIT, metavar="N", help="at most N rows, worst first"
    )


def run(args: argparse.Namespace) -> int:
    kind = KINDS[args.command]
    rows, total, look = asyncio.run(_ask(Home.find(args.home), kind, expression(args), args.limit, args.at))
    if args.json:
        for row in rows:
            print(to_json(row).decode())
    else:
        _print(kind, rows, total, look)
    return worst(row.state for row in rows)


def expression(args: argparse.Namespace) -> str:
    """The hub's filter for the options given."""
    terms = [f"state={args.state}" if args.state else "", f"team={args.team}" if args.team else "", args.filter]
    return " ".join(term for term in terms if term)


def worst(states: Iterable[State]) -> int:
    """The exit code of the worst state shown; 0 when nothing is."""
    return max(states, key=lambda state: state.badness, default=State.OK).exit_code


async def _ask(
    home: Home, kind: TargetKind, filter_text: str, limit: int, at: str | None
) -> tuple[list[TargetRow], int, Look]:
    client = HubClient(home.socket)
    await travel(client, at)
    hello = await client.hello()
    rows: list[TargetRow] = []
    total = limit
    while len(rows) < min(limit, total):
        query = urlencode({"filter": filter_text, "offset": len(rows), "limit": min(PAGE, limit - len(rows))})
        page = await client.get(f"/v1/targets/{kind.value}?{query}", ListPage)
        rows.extend(page.rows)
        total = page.total
        if not page.rows:
            break
    now = await now_of(client)
    return rows, total, Look(now, hello.currency, money=hello.money == "full", ascii_only=paper().ascii_only)


def _print(kind: TargetKind, rows: list[TargetRow], total: int, look: Look) -> None:
    sheet = paper()
    if not rows:
        sheet.say("nothing matches")
        return
    shown = COLUMNS[kind]
    cells = [[item.cell(row, look) for item in shown] for row in rows]
    for line in table([item.column for item in shown], cells, sheet):
        sheet.say(line)
    if total > len(rows):
        sheet.say(sheet.ink(f"{len(rows):,} of {total:,}; more with --limit {total}", "dim"))
