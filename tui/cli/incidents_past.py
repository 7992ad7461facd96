"""`losswatch incidents report|stats|export`: incidents once they are over."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from data.durable import replace_text
from data.errors import UsageError
from data.model.codec import to_json
from data.model.record import Report, Statistics
from data.model.snapshot import IncidentPage
from tui import format as fmt
from tui.cli.incident_report import markdown
from tui.cli.options import everywhere, positive
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from data.model.incident import Incident
    from data.model.record import Tally
    from tui.client import HubClient

BY = ("cause", "team", "partner", "provider", "month", "severity", "owner")
FORMS = ("csv", "ndjson", "md", "reports")
_PAGE = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    Column("", least=8, yields=1),
    Column("incidents", "right"),
    Column("open", "right"),
    Column("again", "right"),
    Column("found", "right"),
    Column("acked", "right"),
    Column("mitigated", "right"),
    Column("closed", "right"),
    Column("lost", "right"),
    Column("a minute", "right"),
    Column("unseen", "right"),
    Column("right", "right"),
    Column("false", "right"),
    Column("not ours", "right"),
)
_EXPORTED = (
    "id", "severity", "state", "cause", "title", "where", "teams", "owner", "started_at", "detected_at", "acknowledged_at",
    "acknowledged_by", "closed_at", "closed_by", "members", "lost", "lost_lo", "lost_hi", "per_hour", "recoverable", "unseen",
    "currency", "counted_in", "reason",
)  # fmt: skip


def add_arguments(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes the parser of one more action."""
    told = add("report", help="one incident as a Markdown page, for people who were not there")
    told.add_argument("number", type=positive, metavar="N", help="the incident's number")
    figures = add("stats", help="how many, how fast found and mitigated, and what they cost, over time")
    figures.add_argument("--by", choices=BY, default="cause", help="one row for each (default: cause)")
    figures.add_argument("--since", metavar="T", help="from this day or time (default: 30 days before --until)")
    figures.add_argument("--until", metavar="T", help="up to this day or time (default: now)")
    exported = add("export", help="incidents as CSV, JSON lines, Markdown, or whole reports as JSON lines")
    exported.add_argument("--state", choices=("open", "closed", "all"), default="all", help="default: all")
    exported.add_argument("--to", dest="form", choices=FORMS, default="csv", help="default: csv")
    for action in (told, exported):
        action.add_argument("--out", metavar="FILE", help="write there; a file that stood there is kept as .bak")
    for action in (told, figures, exported):
        everywhere(action)


async def run(client: HubClient, args: argparse.Namespace) -> int:
    return await {"report": report, "stats": stats, "export": export}[args.action](client, args)


async def report(client: HubClient, args: argparse.Namespace) -> int:
    found = await client.get(f"/v1/incidents/{args.number}/report", Report)
    _put(to_json(found).decode() + "\n" if args.json else markdown(found), args.out)
    return 0


async def stats(client: HubClient, args: argparse.Namespace) -> int:
    query = urlencode({"by": args.by, "since": args.since or "", "until": args.until or ""})
    found = await client.get(f"/v1/statistics?{query}", Statistics)
    if args.json:
        print(to_json(found).decode())
        return 0
    page = paper()
    page.say(f"incidents found from {found.since:%Y-%m-%d %H:%MZ} to {found.until:%Y-%m-%d %H:%MZ}, by {found.by}")
    rows = [*found.rows, *([found.total] if found.total and len(found.rows) != 1 else [])]
    for line in table(_COLUMNS, [_cells(row) for row in rows], page):
        page.say(line)
    page.say(f"medians of the time to find, take on, mitigate and close; money in {found.currency}; verdicts by people")
    return 0


async def export(client: HubClient, args: argparse.Namespace) -> int:
    every: list[Incident] = []
    total = 1
    while len(every) < total:
        page = await client.get(f"/v1/incidents?state={args.state}&offset={len(every)}&limit={_PAGE}", IncidentPage)
        every.extend(page.rows)
        total = page.total if page.rows else 0
    if args.form in {"md", "reports"}:
        reports = [await client.get(f"/v1/incidents/{one.id}/report", Report) for one in every]
        whole = "\n".join(map(markdown, reports)) if args.form == "md" else _lines(reports)
        _put(whole, args.out)
    elif args.form == "ndjson":
        _put(_lines(every), args.out)
    else:
        _put(as_csv(every), args.out)
    if args.out:
        paper().say(f"Wrote {len(every):,} incidents to {args.out}.")
    return 0


def _lines(records: Iterable[object]) -> str:
    return "".join(to_json(one).decode() + "\n" for one in records)


def as_csv(incidents: Iterable[Incident]) -> str:
    """A table that a spreadsheet opens without running anything: a cell that would be a formula gets a quote before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_EXPORTED)
    for one in incidents:
        loss, seen = one.loss, bool(one.loss.currency)
        money = (loss.lost, loss.lost_lo, loss.lost_hi, loss.per_hour, loss.recoverable, loss.unseen, loss.currency)
        moments = [
            one.started_at, one.detected_at, one.acknowledged_at, one.acknowledged_by, one.closed_at, one.closed_by,
        ]  # fmt: skip
        cells = [
            one.id, one.severity.value, one.state.value, one.cause, one.title, one.where, " ".join(one.teams), one.owner_role,
            *moments, one.members, *(money if seen else [""] * len(money)), one.counted_in or "", one.reason,
        ]  # fmt: skip
        writer.writerow([_safe(cell) for cell in cells])
    return out.getvalue()


def _safe(cell: object) -> object:
    text = cell.isoformat() if hasattr(cell, "isoformat") else cell
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _cells(row: Tally) -> list[Cell]:
    times = [row.detect_s, row.acknowledge_s, row.mitigate_s, row.resolve_s]
    money = [row.lost, row.lost_per_minute, row.unseen]
    return [
        Cell(row.name),
        *(Cell(f"{count:,}") for count in (row.count, row.open, row.reopened)),
        *(Cell(fmt.age(seconds) if seconds is not None else "") for seconds in times),
        *(Cell(f"{amount:,}" if amount is not None else "") for amount in money),
        *(Cell(f"{count:,}" if count else "") for count in (row.right, row.false, row.not_ours)),
    ]


def _put(text: str, out: str | None) -> None:
    if out is None:
        print(text, end="")
        return
    place = Path(out).absolute()
    if not place.parent.is_dir():
        raise UsageError(f"{place.parent} is no folder")
    replace_text(place, text)
