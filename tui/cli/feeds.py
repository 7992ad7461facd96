"""`losswatch feeds`: the list, and what people decide about a feed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from data.config.home import Home
from data.errors import UsageError
from data.model.codec import to_json
from data.model.delivery import Outcome
from data.model.snapshot import TargetDetail
from tui import format as fmt
from tui.cli import feeds_backfill, listing
from tui.cli.options import everywhere
from tui.cli.paper import agreed, paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient
from tui.lines import safe

if TYPE_CHECKING:
    from data.model.feed_view import FeedView
    from data.model.snapshot import CommandReply

TIMEOUT_S = 120.0
"""Reading kept bodies again may take its time."""
_DELIVERIES = (
    Column("asked"), Column("days"), Column("rows", "right"), Column("outcome"), Column("body"), Column("by"),
    Column("what", least=12, yields=1),
)  # fmt: skip
_LEDGER = (
    Column("day"), Column("measure"), Column("was", "right"), Column("now", "right"), Column("change", "right"), Column("class"),
    Column("age", "right"), Column("signed"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    listing.add_arguments(parser)
    actions = parser.add_subparsers(dest="action", metavar="show|accept|map|replay|ledger|sign|evidence|backfill")
    for name, words in (
        ("show", "deliveries, what waits in quarantine, and what to write to the partner"),
        ("accept", "store what is quarantined as it is: the partner's data are so from now on"),
        ("map", "change options of the feed (unit=minor, field.clicks=visits), then read the quarantine again"),
        ("replay", "read kept bodies again with today's mapping: the quarantine, or the days given"),
        ("ledger", "figures that were changed after they had been reported"),
        ("sign", "say that a change of the ledger is known, with the number of a dispute"),
        ("invoice", "whether the days of a month add up to the partner's invoice"),
        ("evidence", "a zip for the partner: what was said of each day and when, and the bodies that said it"),
        ("backfill", "read the history of the days given, in the hub; without days, how far the last one came"),
    ):
        action = actions.add_parser(name, help=words, description=words)
        action.add_argument("feed", metavar="FEED")
        _OPTIONS.get(name, lambda _action: None)(action)
        everywhere(action)


def _days(action: argparse.ArgumentParser) -> None:
    action.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY", help="such as 2026-01-31")
    action.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY")


def _asking(action: argparse.ArgumentParser) -> None:
    action.add_argument("--yes", action="store_true", help="do not ask")


def _map(action: argparse.ArgumentParser) -> None:
    action.add_argument("options", nargs="+", metavar="NAME=VALUE", help="NAME= takes an option back")
    action.add_argument(
        "--dry-run", action="store_true", help="say how the newest bodies would be read, change nothing"
    )
    _asking(action)


def _replay(action: argparse.ArgumentParser) -> None:
    _days(action)
    action.add_argument("--dry-run", action="store_true", help="say what would differ, store nothing")


def _sign(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--day", dest="days", action="append", default=[], metavar="DAY", help="only this day's; again for more"
    )
    action.add_argument("--measure", default="", help="only of this measure")
    action.add_argument("--reference", default="", help="the dispute's number")


def _invoice(action: argparse.ArgumentParser) -> None:
    action.add_argument("month", metavar="YYYY-MM")
    action.add_argument("amount", help="in the account's currency, such as 12345.67")


def _evidence(action: argparse.ArgumentParser) -> None:
    _days(action)
    action.add_argument("--out", type=Path, metavar="FILE", help="default: FEED-evidence.zip here")


def _backfill(action: argparse.ArgumentParser) -> None:
    _days(action)
    feeds_backfill.options(action)


_OPTIONS = {
    "accept": _asking, "map": _map, "replay": _replay, "sign": _sign, "invoice": _invoice, "evidence": _evidence, "backfill": _backfill,
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    if args.action is None:
        return listing.run(args)
    return asyncio.run(_run(HubClient(Home.find(args.home).socket, timeout_s=TIMEOUT_S), args))


async def _run(client: HubClient, args: argparse.Namespace) -> int:
    await client.hello()
    name = args.feed.removeprefix("feed:")
    return await _ACTIONS[args.action](client, args, name)


async def _look(client: HubClient, args: argparse.Namespace, name: str) -> int:
    detail = await client.get(f"/v1/target/{quote(f'feed:{name}')}", TargetDetail)
    if args.action == "ledger":
        _ledger(args, detail)
        return 0
    _show(args, detail)
    return detail.row.state.exit_code


async def _accept(client: HubClient, args: argparse.Namespace, name: str) -> int:
    if not args.yes and not _agreed(f"store what {name} sent as it is, and forget how it used to be?"):
        return 1
    return _told(await client.command("feed_accept", target=f"feed:{name}"), args)


async def _sign_entries(client: HubClient, args: argparse.Namespace, name: str) -> int:
    given = {"days": args.days, "measure": args.measure, "reference": args.reference}
    return _told(await client.command("feed_acknowledge", target=f"feed:{name}", **given), args)


async def _do_invoice(client: HubClient, args: argparse.Namespace, name: str) -> int:
    reply = await client.command("feed_invoice", target=f"feed:{name}", month=args.month, amount=args.amount)
    _told(reply, args)
    return 0 if reply.ok else 2


async def _do_replay(client: HubClient, args: argparse.Namespace, name: str) -> int:
    days = {key: value.isoformat() for key, value in (("from", args.first), ("to", args.last)) if value}
    return _told(await client.command("feed_replay", target=f"feed:{name}", dry_run=args.dry_run, **days), args)


async def _do_map(client: HubClient, args: argparse.Namespace, name: str) -> int:
    target = f"feed:{name}"
    options = dict(map(_option, args.options))
    if args.dry_run or not args.yes:
        preview = await client.command("feed_map", target=target, options=options, dry_run=True)
        _told(preview, args)
        if args.dry_run or not _agreed("write that into losswatch.toml?"):
            return 0 if args.dry_run else 1
    return _told(await client.command("feed_map", target=target, options=options), args)


def _option(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise UsageError(f"{text!r} is not NAME=VALUE, such as unit=minor")
    return name.strip(), value.strip()


async def _write_evidence(client: HubClient, args: argparse.Namespace, name: str) -> int:
    days = {key: value.isoformat() for key, value in (("from", args.first), ("to", args.last)) if value}
    content = await client.get_bytes(f"/v1/feeds/{quote(name)}/evidence?{urlencode(days)}")
    path = args.out or Path(f"{name}-evidence.zip")
    path.write_bytes(content)
    words = f"{path}: {len(content):,} bytes"
    print(to_json({"file": str(path), "bytes": len(content)}).decode()) if args.json else paper().say(words)
    return 0


_ACTIONS = {
    "show": _look, "ledger": _look, "accept": _accept, "map": _do_map, "replay": _do_replay, "sign": _sign_entries, "invoice": _do_invoice,
    "evidence": _write_evidence, "backfill": feeds_backfill.run,
}  # fmt: skip


def _agreed(question: str) -> bool:
    """A person's yes; without a terminal nobody can give it."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to ask; say --yes")
    return agreed(question)


def _told(reply: CommandReply, args: argparse.Namespace) -> int:
    if args.json:
        print(to_json(reply).decode())
    else:
        for line in reply.message.splitlines():
            paper().say(safe(line))
    return 0 if reply.ok else 3


def _view(detail: TargetDetail) -> FeedView:
    if detail.feed is None:
        raise UsageError(f"{detail.row.name} is no feed")
    return detail.feed


def _show(args: argparse.Namespace, detail: TargetDetail) -> None:
    view, sheet = _view(detail), paper()
    if args.json:
        print(to_json(detail).decode())
        return
    sheet.say(f"{detail.row.name}: {detail.row.state.value} {safe(detail.row.detail)}".rstrip())
    for words in (view.arrival, view.unseen):
        if words:
            sheet.say(safe(words))
    rows = [
        [
            Cell(f"{one.at:%m-%d %H:%MZ}"), Cell(f"{one.first} .. {one.last}"), Cell(f"{one.rows:,}"),
            Cell(one.outcome.value, "bad" if one.outcome is Outcome.QUARANTINED else ""), Cell(one.payload),
            Cell(safe(one.decided_by)), Cell(safe(one.detail)),
        ]
        for one in view.deliveries
    ]  # fmt: skip
    for line in table(_DELIVERIES, rows, sheet):
        sheet.say(line)
    if view.waiting:
        sheet.say(f"{view.waiting} wait in quarantine: losswatch feeds map|accept|replay {detail.row.name}")
    if view.message:
        sheet.say("")
        for line in view.message.splitlines():
            sheet.say(safe(line))


def _ledger(args: argparse.Namespace, detail: TargetDetail) -> None:
    view, sheet = _view(detail), paper()
    if args.json:
        for one in view.restatements:
            print(to_json(one).decode())
        return
    if not view.restatements:
        sheet.say("no figure was changed after it had been reported")
        return
    rows = [
        [
            Cell(str(one.day)), Cell(one.measure), Cell(_figure(one.was)), Cell(_figure(one.now)),
            Cell("" if one.share is None else f"{one.share:+.1%}"), Cell(one.kind.value.replace("_", " ")),
            Cell(f"{one.age_days} d"), Cell(safe(one.acknowledged_by)),
        ]
        for one in view.restatements
    ]  # fmt: skip
    for line in table(_LEDGER, rows, sheet):
        sheet.say(line)


def _figure(value: object) -> str:
    return fmt.NONE if value is None else f"{value:,.2f}"
