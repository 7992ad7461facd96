"""`losswatch repair`: selectors proposed for a parser that broke; writes one into its SPEC, or takes the last one back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from data.config.home import Home
from data.errors import UsageError
from data.model.codec import to_json
from data.model.snapshot import TargetDetail
from tui.cli.options import positive
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient
from tui.lines import safe
from tui.mending import source_words, within

if TYPE_CHECKING:
    import argparse

    from data.model.parser_view import CandidateRow
    from tui.cli.paper import Paper

_COLUMNS = (
    Column("#", "right"), Column("field", yields=1, least=8), Column("selector", yields=2, least=16),
    Column("matches", "right"), Column("fill", "right"), Column("same", "right"), Column("pages", "right"), Column(""), Column("from"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("parser", metavar="PARSER", help="name of the parser")
    parser.add_argument("--field", metavar="FIELD", help="only this field's proposals; items is the repeated item")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--apply",
        metavar="N",
        type=positive,
        help="write proposal N into the SPEC (a new item with its fields); the SPEC before it is kept",
    )
    chosen.add_argument("--undo", action="store_true", help="put the SPEC back as it was before the last repair")


def run(args: argparse.Namespace) -> int:
    """Print the proposals with their numbers and exit by the parser's state, or have one written by the hub."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    name = args.parser.removeprefix("parser:")
    client = HubClient(Home.find(args.home).socket, timeout_s=60.0)
    await client.hello()
    if args.undo:
        return _told(args, (await client.command("mend", target=f"parser:{name}", undo=True)).message)
    detail = await client.get(f"/v1/target/{quote(f'parser:{name}')}", TargetDetail)
    numbered = list(enumerate(detail.candidates, 1))
    if args.apply:
        one = dict(numbered).get(args.apply)
        if one is None:
            raise UsageError(f"no proposal {args.apply}; there are {len(numbered)}. Look at: losswatch repair {name}")
        together = within(one, detail.candidates)
        also = {"within": together} if together else {}
        reply = await client.command("mend", target=f"parser:{name}", field=one.field, selector=one.selector, **also)
        return _told(args, f"{reply.message}\ntake it back with: losswatch repair {name} --undo")
    _show(args, detail, [(number, one) for number, one in numbered if args.field in {None, one.field}])
    return detail.row.state.exit_code


def _told(args: argparse.Namespace, message: str) -> int:
    sheet = paper()
    for line in message.splitlines():
        print(to_json({"message": line}).decode()) if args.json else sheet.say(safe(line))
    return 0


def _show(args: argparse.Namespace, detail: TargetDetail, rows: list[tuple[int, CandidateRow]]) -> None:
    sheet = paper()
    if args.json:
        for _, one in rows:
            print(to_json(one).decode())
        return
    for line in detail.diff:
        role = {"-": "bad", "+": "bold"}.get(line.kind, "dim")
        sheet.say(sheet.ink(f"{_number(line.was_no)} {_number(line.now_no)} {line.kind} {safe(line.text)}", role))
    if detail.diff:
        sheet.say("")
    if not rows:
        sheet.say(_nothing(detail, args.field))
        return
    for text in table(_COLUMNS, [_cells(number, one) for number, one in rows], sheet):
        sheet.say(text)
    _next_step(sheet, detail.row.name, rows)


def _number(number: int | None) -> str:
    return f"{number or '':>5}"


def _cells(number: int, one: CandidateRow) -> list[Cell]:
    return [
        Cell(str(number)), Cell(one.field), Cell(one.selector, "bold"), Cell(f"{one.matches:,}"), Cell(f"{one.fill:.0%}"),
        Cell(f"{one.same} of {one.comparable}" if one.comparable else ""), Cell(f"{one.pages_ok} of {one.pages}"),
        Cell("verified" if one.verified else "unverified", "" if one.verified else "dim"), Cell(source_words(one), "dim"),
    ]  # fmt: skip


def _nothing(detail: TargetDetail, field: str | None) -> str:
    if detail.candidates:
        known = ", ".join(dict.fromkeys(one.field for one in detail.candidates))
        return f"no proposal for {safe(field or '')}; there are some for {safe(known)}"
    if detail.row.state.exit_code == 0:
        return f"{safe(detail.row.name)} works: nothing to repair"
    return "no proposals: they need a failing page and one that was good, or what it says to machines"


def _next_step(sheet: Paper, name: str, rows: list[tuple[int, CandidateRow]]) -> None:
    first = next((number for number, one in rows if one.verified), rows[0][0])
    sheet.say(sheet.ink(f"write one into the SPEC with: losswatch repair {safe(name)} --apply {first}", "dim"))
