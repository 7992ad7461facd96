from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from data.config.home import Home
from data.model.cause import state_of
from data.model.codec import to_json
from data.model.incident import IncidentState
from data.model.snapshot import IncidentDetail, IncidentPage
from data.model.verdict import Verdict, verdict_named, verdict_of
from tui import format as fmt
from tui.cli import incidents_past
from tui.cli.hubtime import now_of, past_option, travel
from tui.cli.listing import worst
from tui.cli.options import everywhere, positive
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient
from tui.look import Look, incident_word, loss_rate, lost_per_hour, lost_so_far, owner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.incident import Incident
    from data.model.snapshot import CommandReply, UpstreamRow
    from tui.cli.paper import Paper

PAGE = 200
STATES = ("open", "closed", "all")
MEMBERS_SHOWN = 20
_COMMANDS = {"ack": "acknowledge", "close": "close", "note": "note"}
_COLUMNS = (
    Column("#", "right"),
    Column("sev"),
    Column("state"),
    Column("lost/h", "right"),
    Column("lost so far", "right"),
    Column("age", "right"),
    Column("team", least=4, yields=1),
    Column("where", least=10, yields=2),
    Column("what", least=10, yields=3),
    Column("who", least=4, yields=1),
)
_VERDICTS = ", ".join(one.replace(" ", "-") for one in Verdict)
_SHARED_COLUMNS = (
    Column("they share"),
    Column("", least=16),
    Column("behind it", "right"),
    Column("fail", "right"),
    Column("are fine", "right"),
    Column(""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _list_options(parser, state="open", team=None)
    actions = parser.add_subparsers(
        dest="action", metavar="list|show|why|ack|assign|snooze|close|verdict|note|tick|report|stats|export"
    )
    listed = actions.add_parser("list", help="open incidents, most money lost per hour first")
    _list_options(listed, state=argparse.SUPPRESS, team=argparse.SUPPRESS)
    everywhere(listed)
    for name, words in (
        ("show", "what is known, the timeline, the members and the plans"),
        ("why", "what its members share, what else was considered and every decision about it"),
        ("ack", "take it: say that you are on it"),
        ("close", "end it"),
        ("note", "add a line to its timeline"),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("number", type=positive, metavar="N", help="the incident's number")
        if name == "show":
            past_option(action)
        if name == "close":
            action.add_argument("--verdict", type=_verdict, metavar="V", help=f"whether it was right: {_VERDICTS}")
        if name == "note":
            action.add_argument("text", nargs="+", metavar="TEXT")
        everywhere(action)
    snooze = actions.add_parser("snooze", help="say nothing new of it for a while")
    snooze.add_argument("number", type=positive, metavar="N", help="the incident's number")
    snooze.add_argument("--for", dest="length", default="1h", metavar="DURATION", help="such as 2h (default 1h)")
    snooze.add_argument("--reason", default="", metavar="TEXT")
    assign = actions.add_parser("assign", help="put it into somebody's hands")
    assign.add_argument("number", type=positive, metavar="N", help="the incident's number")
    assign.add_argument("to", metavar="WHO", help="a name of [[people]] or an account of [[users]]")
    verdict = actions.add_parser("verdict", help="say whether the alarm was right; the last word counts")
    verdict.add_argument("number", type=positive, metavar="N", help="the incident's number")
    verdict.add_argument("verdict", type=_verdict, metavar="V", help=_VERDICTS)
    for action in (snooze, assign, verdict):
        everywhere(action)
    tick = actions.add_parser("tick", help="say that an item of its checklist is done")
    tick.add_argument("number", type=positive, metavar="N", help="the incident's number")
    tick.add_argument("item", metavar="ITEM", help="the item's number or its words")
    tick.add_argument("--undo", action="store_true", help="say that it is not done")
    everywhere(tick)
    incidents_past.add_arguments(actions.add_parser)


def run(args: argparse.Namespace) -> int:
    client = HubClient(Home.find(args.home).socket)
    match args.action:
        case "report" | "stats" | "export":
            return asyncio.run(incidents_past.run(client, args))
        case None | "list":
            return asyncio.run(_list(client, args))
        case "show":
            return asyncio.run(_show(client, args))
        case "why":
            return asyncio.run(_why(client, args))
        case action:
            command = client.command(_COMMANDS.get(action, action), incident=args.number, **_given(args))
            return _told(asyncio.run(command), args)


def _given(args: argparse.Namespace) -> dict[str, object]:
    """What a command is told beside the incident's number."""
    match args.action:
        case "note":
            return {"text": " ".join(args.text)}
        case "tick":
            return {"item": args.item, "done": not args.undo}
        case "verdict" | "close":
            return {"verdict": args.verdict} if args.verdict else {}
        case "snooze":
            return {"for": args.length, "reason": args.reason}
        case "assign":
            return {"to": args.to}
    return {}


def _verdict(text: str) -> str:
    said = verdict_named(text)
    if said is None:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {_VERDICTS}")
    return said


def _told(reply: CommandReply, args: argparse.Namespace) -> int:
    if args.json:
        print(to_json(reply).decode())
    else:
        paper().say(reply.message)
    return 0 if reply.ok else 3


async def _list(client: HubClient, args: argparse.Namespace) -> int:
    await travel(client, args.at)
    hello = await client.hello()
    every: list[Incident] = []
    total = 1
    while len(every) < total:
        page = await client.get(f"/v1/incidents?state={args.state}&offset={len(every)}&limit={PAGE}", IncidentPage)
        every.extend(page.rows)
        total = page.total if page.rows else 0
    chosen = [incident for incident in every if not args.team or args.team in incident.teams]
    if args.json:
        for incident in chosen:
            print(to_json(incident).decode())
    else:
        look = await _look(client)
        _print_list(chosen, look, f"no {'' if args.state == 'all' else args.state + ' '}incidents at {hello.company}")
    return worst(state_of(incident.cause) for incident in chosen if incident.state is not IncidentState.CLOSED)


async def _look(client: HubClient) -> Look:
    hello = await client.hello()
    now = await now_of(client)
    return Look(now, hello.currency, money=hello.money == "full", ascii_only=paper().ascii_only)


def _print_list(incidents: Sequence[Incident], look: Look, empty: str) -> None:
    sheet = paper()
    if not incidents:
        sheet.say(empty)
        return
    for line in table(_COLUMNS, [_row(incident, look) for incident in incidents], sheet):
        sheet.say(line)


def _row(incident: Incident, look: Look) -> list[Cell]:
    is_open = incident.state is not IncidentState.CLOSED
    return [
        Cell(str(incident.id)),
        Cell(incident.severity.value),
        Cell(incident_word(incident), "bad" if incident.state is IncidentState.NEW else ""),
        Cell(lost_per_hour(incident, look) if is_open else "", "bold"),
        Cell(lost_so_far(incident, look)),
        Cell(look.since(incident.started_at)),
        Cell(incident.team),
        Cell(incident.where),
        Cell(incident.title),
        Cell(incident.acknowledged_by or incident.owner_role),
    ]


async def _show(client: HubClient, args: argparse.Namespace) -> int:
    await travel(client, args.at)
    detail = await client.get(f"/v1/incidents/{args.number}", IncidentDetail)
    if args.json:
        print(to_json(detail).decode())
    else:
        _print_detail(detail, await _look(client), paper())
    closed = detail.incident.state is IncidentState.CLOSED
    return 0 if closed else state_of(detail.incident.cause).exit_code


async def _why(client: HubClient, args: argparse.Namespace) -> int:
    detail = await client.get(f"/v1/incidents/{args.number}", IncidentDetail)
    if args.json:
        print(to_json(detail).decode())
    else:
        _print_why(detail, await _look(client), paper())
    return 0


def _print_why(detail: IncidentDetail, look: Look, sheet: Paper) -> None:
    incident = detail.incident
    sheet.say(sheet.ink(f"#{incident.id}  {incident.where}", "bold"))
    by_team = ", ".join(f"{team} {count:,}" for team, count in detail.teams)
    facts = [
        ("cause", f"{incident.title} ({incident.cause})"),
        ("one because", incident.reason or ("it is one target" if incident.members == 1 else "")),
        ("members", f"{incident.members:,}, {incident.open_members:,} still failing: {by_team}"),
        *((name, words) for name, words in incident.evidence.items()),
    ]
    for label, value in facts:
        if value:
            sheet.say(f"{label:>12}  {value}")
    for statement in detail.statements:
        if statement.certainty != "fact":
            sheet.say(f"{statement.certainty:>12}  {statement.text}")
    if detail.upstreams:
        sheet.say()
        rows = [_upstream_row(row) for row in detail.upstreams]
        for line in table(_SHARED_COLUMNS, rows, sheet):
            sheet.say(line)
    sheet.say()
    for entry in detail.timeline:
        sheet.say(f"{fmt.day_clock(entry.at, look.now)}  {entry.who}: {entry.what}")


def _upstream_row(row: UpstreamRow) -> list[Cell]:
    return [
        Cell(row.kind, "bold" if row.chosen else ""),
        Cell(row.name, "bold" if row.chosen else ""),
        Cell(f"{row.members:,}"),
        Cell(f"{row.failing:,}"),
        Cell(f"{row.fine:,}"),
        Cell("blamed" if row.chosen else "not blamed"),
    ]


def _lost(incident: Incident, look: Look) -> str:
    """`€1,390/h, €460 so far`; once it is over there is no rate any more."""
    so_far = lost_so_far(incident, look)
    return so_far if incident.closed_at else f"{loss_rate(incident, look)}, {so_far} so far"


def _print_detail(detail: IncidentDetail, look: Look, sheet: Paper) -> None:
    incident = detail.incident
    head = f"#{incident.id}  {incident.title}"
    sheet.say(sheet.ink(head, "bold"))
    facts = [
        ("state", f"{incident_word(incident)}  {incident.severity.value}  {incident.cause}"),
        ("where", incident.where),
        ("since", f"{fmt.day_clock(incident.started_at, look.now)} ({look.since(incident.started_at)})"),
        ("lost", _lost(incident, look)),
        ("owner", owner(incident)),
        ("one because", incident.reason),
        ("verdict", verdict_of(detail.timeline) or ""),
    ]
    for label, value in facts:
        if value:
            sheet.say(f"{label:>12}  {value}")
    for statement in detail.statements:
        sheet.say(f"{statement.certainty:>12}  {statement.text}")
    for plan in detail.plans:
        gain = f"  ≈ {look.amount(plan.gain_per_hour)}/h" if plan.gain_per_hour is not None and look.money else ""
        sheet.say(f"{'plan ' + plan.letter:>12}  {plan.title}{gain}")
    sheet.say()
    shown = detail.members[:MEMBERS_SHOWN]
    for row in shown:
        sheet.say(f"{sheet.mark(row.state)} {row.name}  {row.detail or row.cause}")
    if incident.members > len(shown):
        sheet.say(sheet.ink(f"  and {incident.members - len(shown):,} more", "dim"))
    sheet.say()
    for entry in detail.timeline:
        sheet.say(f"{fmt.day_clock(entry.at, look.now)}  {entry.who}: {entry.what}")


def _list_options(parser: argparse.ArgumentParser, *, state: str, team: str | None) -> None:
    parser.add_argument("--state", choices=STATES, default=state, help="open (default), closed or all")
    parser.add_argument("--team", default=team, help="only incidents with a member of this team")
    past_option(parser, team)
