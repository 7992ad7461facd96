"""`losswatch plans`: what is prepared, what it would do, and its use."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from data.config.home import Home
from data.errors import UsageError
from data.model.codec import to_json
from data.model.plan import PlanBook, Rehearsed
from data.model.snapshot import CommandReply
from tui.cli.options import everywhere, positive
from tui.cli.paper import agreed, attended, paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient

if TYPE_CHECKING:
    from datetime import date

    from data.model.plan import Declared, Switch

_COLUMNS = (
    Column(""),
    Column("plan", least=8, yields=2),
    Column("what", least=16, yields=3),
    Column("for", least=8, yields=2),
    Column("does"),
    Column("rehearsed"),
    Column("now", least=12, yields=1),
)
_USES = 10
_HELD = {True: "ok", False: "NO", None: "?"}
_ON_INCIDENT = {
    "dry": "what it would change, bring and need now; touches nothing",
    "use": "use it for an incident (asks first)",
}
_BY_ID = {
    "approve": "the further yes that it waits for",
    "undo": "take it back, or withdraw the question",
    "drill": "apply it and take it back at once: its rehearsal (asks first)",
    "settle": "say that what was stuck is put right by hand",
}
_COMMANDS = {
    "use": "plan_use",
    "approve": "plan_approve",
    "undo": "plan_revert",
    "drill": "plan_drill",
    "settle": "plan_settle",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="list|dry|use|approve|undo|drill|settle")
    everywhere(actions.add_parser("list", help="declared plans, and the last uses"))
    for name, words in (_ON_INCIDENT | _BY_ID).items():
        action = actions.add_parser(name, help=words)
        action.add_argument("plan", metavar="PLAN", help="its id" + (", or A, B, C" if name in _ON_INCIDENT else ""))
        if name in _ON_INCIDENT:
            action.add_argument("--incident", type=positive, metavar="N", required=True, help="the incident's number")
        if name in {"use", "drill"}:
            action.add_argument("--yes", action="store_true", help="do not ask")
        everywhere(action)


def run(args: argparse.Namespace) -> int:
    client = HubClient(Home.find(args.home).socket)
    match args.action:
        case None | "list":
            return asyncio.run(_list(client, args))
        case "dry":
            return asyncio.run(_dry(client, args))
        case "use" if not args.yes and asyncio.run(_dry(client, args)):
            return 2
        case _:
            return asyncio.run(_do(client, args))


async def _list(client: HubClient, args: argparse.Namespace) -> int:
    book = await client.get("/v1/plans", PlanBook)
    if args.json:
        print(to_json(book).decode())
        return 0
    page = paper()
    if not book.plans:
        page.say("no plans are declared; see [[plans]] in the README")
        return 0
    for line in table(_COLUMNS, [_cells(plan) for plan in book.plans], page):
        page.say(line)
    if book.uses:
        page.say()
        for use in book.uses[:_USES]:
            page.say(_told(use))
    return 0


def _cells(plan: Declared) -> list[Cell]:
    scope = " ".join(filter(None, (plan.scope, ", ".join(plan.causes))))
    state = plan.live.state.value if plan.live else plan.doubt or "ready"
    return [
        Cell(text)
        for text in (
            plan.letter,
            plan.id,
            plan.title,
            scope,
            plan.does.value,
            _day(plan.rehearsed, fresh=plan.fresh),
            state,
        )
    ]


def _day(day: date | None, *, fresh: bool) -> str:
    if day is None:
        return "never"
    return f"{day:%Y-%m-%d}" if fresh else f"{day:%Y-%m-%d} (old)"


def _told(use: Switch) -> str:
    about = f" for #{use.incident}" if use.incident is not None else ""
    words = f"{use.at:%Y-%m-%d %H:%MZ}  {use.letter} {use.plan}{about}  {use.state.value}"
    by = ", ".join(use.approved) or use.asked_by
    return f"{words}  by {by}" + (f": {use.detail}" if use.detail else "")


async def _dry(client: HubClient, args: argparse.Namespace) -> int:
    """0: it may be used; 2: it is refused."""
    about = {"incident": args.incident, "plan": args.plan}
    found = await client.ask("plan_rehearse", Rehearsed, **about)
    if args.json and args.action == "dry":
        print(to_json(found).decode())
        return 2 if found.refused else 0
    page = paper()
    page.say(f"plan {found.plan} for #{args.incident}")
    for was, now in zip(found.before or [""] * len(found.after), found.after, strict=False):
        if was != now:
            if was:
                page.say(f"  - {was}")
            page.say(f"  + {now}")
    for one in found.requires:
        page.say(f"  {_HELD[one.held]:>2}  {one.need.value}: {one.detail}")
    if found.clicks_per_hour is not None:
        page.say(f"  moves about {found.clicks_per_hour:,.0f} clicks an hour")
    if found.gain_per_hour is not None:
        page.say(f"  brings about {found.gain_per_hour} an hour ({found.gain_lo} to {found.gain_hi})")
    if found.keys > 1:
        page.say(f"  needs the yes of {found.keys} people")
    page.say(f"  refused: {found.refused}" if found.refused else "  it may be used")
    return 2 if found.refused else 0


async def _do(client: HubClient, args: argparse.Namespace) -> int:
    if args.action in {"use", "drill"} and not args.yes and not _asked(args):
        paper().say("nothing was changed")
        return 0
    about = {"plan": args.plan} | ({"incident": args.incident} if args.action == "use" else {})
    reply = await client.ask(_COMMANDS[args.action], CommandReply, **about)
    if args.json:
        print(to_json(reply).decode())
    else:
        paper().say(reply.message)
    return 0 if reply.ok else 3


def _asked(args: argparse.Namespace) -> bool:
    if not attended():
        raise UsageError(f"plans {args.action} asks first, and there is nobody to ask; give --yes")
    return agreed(f"{args.action} {args.plan}?")
