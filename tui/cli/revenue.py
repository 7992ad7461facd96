"""`losswatch revenue`: the list, one slice closely, why at a past hour, who is watched, and whether the detector keeps its word."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from data.config.home import Home
from data.errors import UsageError
from data.model.codec import to_json
from data.model.revenue_view import Calibration, RevenueView, Watched
from data.model.snapshot import TargetDetail
from tui import format as fmt
from tui.cli import listing
from tui.cli.hubtime import travel
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient
from tui.lines import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from data.model.revenue_view import AlarmRow, EvidenceRow, Held, PartRow, ReportRow

T = TypeVar("T")
WINDOWS = ("6h", "24h", "7d", "28d")
_EVIDENCE = (
    Column("at"), Column("of"), Column("window", "right"), Column("seen", "right"), Column("expected", "right"),
    Column("nats", "right"), Column("lent", "right"), Column("why", least=8, yields=1),
)  # fmt: skip
_PARTS = (
    Column("by"), Column("value", least=8, yields=1), Column("FTD of expected", "right"), Column("nats", "right"),
    Column("missing", "right"),
)  # fmt: skip
_REPORTS = (
    Column("partner"),
    Column("reported until"),
    Column("last report"),
    Column("usually after", "right"),
    Column(""),
)
_WATCHED = (
    Column("slice", least=12, yields=1), Column("of"), Column("since"), Column("seen", "right"), Column("expected", "right"),
    Column("nats", "right"), Column("lost/h", "right"),
)  # fmt: skip
_HELD = (
    Column("80 % intervals of", least=12, yields=1),
    Column("held", "right"),
    Column("of", "right"),
    Column("share", "right"),
)
_ALARMS = (
    Column("detected"), Column("slice", least=12, yields=1), Column("cause"), Column("status"), Column("nats", "right"),
    Column("first estimate", "right"), Column("80 %", "right"), Column("in the end", "right"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    listing.add_arguments(parser)
    parser.add_argument(
        "slice",
        nargs="*",
        metavar="[why] SLICE",
        help="one slice closely: partner=P02,geo=DE; `why` as it was known at --at",
    )
    parser.add_argument(
        "--window", choices=WINDOWS, default="24h", help="how long the series of a slice is, with --json"
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--watchlist", action="store_true", help="slices under suspicion that raise no alarm yet")
    chosen.add_argument(
        "--calibration", action="store_true", help="how often bands and first estimates held, and what was taken back"
    )


def run(args: argparse.Namespace) -> int:
    words: list[str] = args.slice
    why = words[:1] == ["why"]
    named = words[1:] if why else words
    if (why and len(named) != 1) or len(named) > 1:
        raise UsageError(
            "one slice at a time: losswatch revenue partner=P02,geo=DE, or losswatch revenue why SLICE --at T"
        )
    if args.watchlist or args.calibration:
        if named or args.at:
            raise UsageError("--watchlist and --calibration are about every slice, and about now")
        return _watchlist(args) if args.watchlist else _calibration(args)
    if why:
        return _why(args, named[0])
    return _slice(args, named[0]) if named else listing.run(args)


def _get(args: argparse.Namespace, path: str, kind: type[T]) -> T:
    async def ask() -> T:
        client = HubClient(Home.find(args.home).socket)
        await travel(client, args.at)
        return await client.get(path, kind)

    return asyncio.run(ask())


def _slice(args: argparse.Namespace, name: str) -> int:
    path = f"/v1/target/{quote(f'slice:{name}', safe='')}?{urlencode({'window': args.window})}"
    detail = _get(args, path, TargetDetail)
    if args.json:
        print(to_json(detail).decode())
    elif detail.revenue is not None:
        sheet, row = paper(), detail.row
        sheet.say(safe(f"{row.name}: {row.state.value} {row.cause} {row.detail}").rstrip())
        _say_view(detail.revenue)
    return detail.row.state.exit_code


def _why(args: argparse.Namespace, name: str) -> int:
    view = _get(args, f"/v1/why/{quote(name, safe='')}", RevenueView)
    if args.json:
        print(to_json(view).decode())
        return 0
    words = view.cause or "no alarm"
    paper().say(safe(f"{' '.join(view.slice.values()) or 'everything'} at {view.until:%Y-%m-%d %H:%MZ}: {words}"))
    _say_view(view)
    return 0


def _say_view(view: RevenueView) -> None:
    sheet = paper()
    if view.odds:
        sheet.say(f"{view.odds} that something is broken ({view.nats:.1f} nats; an alarm needs {view.page_nats:.1f})")
    if view.loss is not None:
        loss = view.loss
        sheet.say(
            f"lost {loss.currency} {loss.lost:,.0f} (80 %: {loss.lost_lo:,.0f} to {loss.lost_hi:,.0f}), {loss.per_hour:,.0f} an hour"
        )
    if view.fires_after_h is not None:
        sheet.say(f"an alarm on silence can fire after {view.fires_after_h:.1f} h here")
    if view.common < 0.9:
        sheet.say(f"everybody is at {view.common:.0%} of the usual")
    if view.funnel is not None and view.funnel.step:
        sheet.say(safe(f"{view.funnel.step} moved first: {view.funnel.likely} ({view.funnel.owner})"))
    _tables(
        (_EVIDENCE, [_evidence(one) for one in view.evidence]),
        (_PARTS, [_part(one) for one in view.parts]),
        (_REPORTS, [_report(one) for one in view.reports]),
    )


def _tables(*tables: tuple[Sequence[Column], list[list[Cell]]]) -> None:
    sheet = paper()
    for columns, rows in tables:
        if rows:
            sheet.say()
            for line in table(columns, rows, sheet):
                sheet.say(line)


def _evidence(row: EvidenceRow) -> list[Cell]:
    return [
        Cell(f"{row.at:%m-%d %H:%MZ}"), Cell(row.channel), Cell(f"{row.window_h} h" if row.window_h else ""),
        Cell(f"{row.seen:,.0f}"), Cell(f"{row.expected:,.1f}"), Cell(f"{row.nats:.1f}"),
        Cell(f"{row.prior_nats:.1f}" if row.prior_nats else ""), Cell(row.why),
    ]  # fmt: skip


def _part(row: PartRow) -> list[Cell]:
    share = fmt.NONE if row.share is None else f"{row.share:.0%}"
    return [Cell(row.dim), Cell(row.value), Cell(share), Cell(f"{row.nats:.1f}"), Cell(_money(row.lost))]


def _report(row: ReportRow) -> list[Cell]:
    return [
        Cell(row.partner), Cell(f"{row.covered:%m-%d %H:%MZ}" if row.covered else ""),
        Cell(f"{row.last_at:%m-%d %H:%MZ}" if row.last_at else ""), Cell(f"{row.usual_h:.1f} h"),
        Cell("late" if row.waiting else "", "warn"),
    ]  # fmt: skip


def _watchlist(args: argparse.Namespace) -> int:
    watched = _get(args, "/v1/watchlist", tuple[Watched, ...])
    if args.json:
        _lines(watched)
    elif not watched:
        paper().say("nothing is under suspicion")
    else:
        _tables((_WATCHED, [_suspect(one) for one in watched]))
    return 0


def _suspect(one: Watched) -> list[Cell]:
    return [
        Cell(" ".join(one.slice.values()) or "everything"), Cell(one.channel), Cell(f"{one.since:%m-%d %H:%MZ}"),
        Cell(f"{one.seen:,.0f}"), Cell(f"{one.expected:,.1f}"), Cell(f"{one.nats:.1f}"), Cell(_money(one.per_hour)),
    ]  # fmt: skip


def _calibration(args: argparse.Namespace) -> int:
    found, sheet = _get(args, "/v1/calibration", Calibration), paper()
    if args.json:
        print(to_json(found).decode())
        return 0
    sheet.say(f"{found.since} to {found.until}: {found.raised} alarms raised, {found.withdrawn} withdrawn")
    held = [one for one in (*found.bands, found.intervals) if one is not None and one.of]
    _tables((_HELD, [_share(one) for one in held]), (_ALARMS, [_alarm(one) for one in found.alarms]))
    return 0


def _share(one: Held) -> list[Cell]:
    return [Cell(one.name), Cell(f"{one.held:,}"), Cell(f"{one.of:,}"), Cell(f"{one.held / one.of:.0%}")]


def _alarm(one: AlarmRow) -> list[Cell]:
    place = one.target.partition(":")[2] or "everything"
    span = "" if one.first_lo is None or one.first_hi is None else f"{one.first_lo:,.0f} to {one.first_hi:,.0f}"
    return [
        Cell(f"{one.detected_at:%m-%d %H:%MZ}"), Cell(place), Cell(one.cause), Cell(one.status), Cell(f"{one.nats:.1f}"),
        Cell(_money(one.first)), Cell(span), Cell(_money(one.last)),
    ]  # fmt: skip


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.0f}"


def _lines(rows: Iterable[Any]) -> None:
    for row in rows:
        print(to_json(row).decode())
