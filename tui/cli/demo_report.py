from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from checks.demo.audit import Books, moments
from checks.demo.install import feed_name
from checks.demo.partners import BY_ID as PARTNER
from checks.demo.report import Found, ReportRow, belongs, report, unexplained
from checks.demo.telling import JUST_BEFORE, LOOKED
from checks.demo.told import AUDITED
from checks.demo.truth import Truth
from data.durable import replace_file
from data.errors import HubUnreachable, LosswatchError
from data.model.codec import from_json, to_json
from data.model.known import KnownAt
from data.model.notice import NoticePage
from data.model.snapshot import IncidentDetail, IncidentPage, ListPage, TargetDetail
from tui import format as fmt
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table
from tui.client import HubClient

if TYPE_CHECKING:
    from pathlib import Path

    from checks.demo.told import Day
    from checks.demo.truth import EventTruth
    from data.config.home import Home
    from data.model.ids import IncidentId
    from data.model.notice import Notice

_PAGE = 200
_NOTICES = 1_000
_MOMENTS = 50
"""Of one question to the hub."""
_PATIENCE_S = 60.0
_STRAYS_SHOWN = 10
_COLUMNS = (
    Column("id"),
    Column("what happens", least=16, yields=2),
    Column("began"),
    Column("found"),
    Column("after", "right"),
    Column("as", least=10, yields=1),
    Column("incidents", "right"),
    Column("loss (80 %)", "right"),
    Column("truth", "right"),
    Column("inside"),
    Column("verdict"),
)


_INSIDE: dict[bool | None, tuple[str, str]] = {True: ("yes", ""), False: ("NO", "warn"), None: ("", "")}


@dataclass(frozen=True, slots=True)
class DemoView:
    """A report with what people want beside it; what demo/report.json holds."""

    at: datetime
    titles: dict[str, str]
    rows: tuple[ReportRow, ...]
    strays: tuple[str, ...]
    """Incidents that no event explains, one phrase each."""


def live_view(home: Home) -> DemoView:
    """The report of a running demo, from truth.json and its hub.

    Raises:
        HubUnreachable: no hub answers.
        LosswatchError: this home has no demo in it.
    """
    truth = _truth(home)
    found, books = asyncio.run(_from_hub(home, truth))
    strays = tuple(f"{each.incident.cause} {each.incident.where}" for each in unexplained(truth, found))
    return DemoView(truth.at, {event.id: event.title for event in truth.events}, report(truth, found, books), strays)


def keep(home: Home) -> None:
    """Write demo/report.json as of now."""
    replace_file(_kept(home), to_json(live_view(home)))


def view_of(home: Home) -> DemoView:
    """The live report, or the last one of a demo that has ended."""
    try:
        return live_view(home)
    except HubUnreachable:
        try:
            return from_json(_kept(home).read_bytes(), DemoView)
        except FileNotFoundError:
            raise LosswatchError(f"no report in {home.state} yet. Start the demo: losswatch demo") from None


def print_view(view: DemoView) -> None:
    """The report for people."""
    page = paper()
    page.say(
        f"Corvane Media at {view.at:%Y-%m-%d %H:%MZ} (simulated): found against scripted, loss against truth in EUR"
    )
    page.say()
    for line in table(_COLUMNS, [_cells(row, view) for row in view.rows], page):
        page.say(line)
    begun = [row for row in view.rows if row.began_at is not None]
    failures, decoys = ([row for row in begun if row.kind == kind] for kind in ("failure", "decoy"))
    right = [sum(row.ok for row in rows) for rows in (failures, decoys)]
    page.say()
    page.say(f"{right[0]} of {len(failures)} failures found so far, {right[1]} of {len(decoys)} decoys silent")
    priced = [row for row in begun if row.inside is not None]
    held, lost, true = (
        sum(row.inside is True for row in priced),
        sum(row.loss for row in priced),
        sum(row.true_loss for row in priced),
    )
    page.say(
        f"the truth lies inside {held} of {len(priced)} intervals of 80 %; {lost:,.0f} told as lost in all, {true:,.0f} in truth"
    )
    for row in priced:
        if row.recoverable:
            page.say(f"{row.id} {row.recoverable:,.0f} of it can be backfilled or disputed")
    for row in begun:
        for answer in row.answers:
            word = {True: "yes", False: "NO", None: "nothing to say yet"}[answer.yes]
            counted = f" ({answer.of} looked at{f': {answer.detail}' if answer.detail else ''})" if answer.of else ""
            page.say(f"{row.id} {answer.asked} {word}{counted}")
    for stray in view.strays[:_STRAYS_SHOWN]:
        page.say(f"not in the script: {stray}")
    if len(view.strays) > _STRAYS_SHOWN:
        page.say(f"not in the script: {len(view.strays) - _STRAYS_SHOWN} more")


def _cells(row: ReportRow, view: DemoView) -> list[Cell]:
    after = fmt.age((row.found_at - row.began_at).total_seconds()) if row.found_at and row.began_at else ""
    verdict, role = _verdict(row)
    loss = f"{row.loss:,.0f} ({row.loss_lo:,.0f} to {row.loss_hi:,.0f})" if row.incidents else ""
    return [
        Cell(row.id),
        Cell(view.titles.get(row.id, "")),
        Cell(f"{row.began_at:%H:%MZ}" if row.began_at else ""),
        Cell(f"{row.found_at:%H:%MZ}" if row.found_at else ""),
        Cell(after),
        Cell(row.cause or ""),
        Cell(str(row.incidents) if row.began_at else ""),
        Cell(loss),
        Cell(f"{row.true_loss:,.0f}" if row.began_at else ""),
        Cell(*_INSIDE[row.inside]),
        Cell(verdict, role),
    ]


def _verdict(row: ReportRow) -> tuple[str, str]:
    if row.began_at is None:
        return "not yet", "dim"
    if row.kind == "decoy":
        return ("silent", "") if row.ok or not row.incidents else ("FALSE ALARM", "bad")
    if row.ok:
        return "found", ""
    if row.found_at is None:
        return "not found", "warn"
    if any(answer.yes is False for answer in row.answers):
        return "found, not right", "warn"
    return ("split", "warn") if row.cause in row.expected_causes else ("other cause", "warn")


def _kept(home: Home) -> Path:
    return home.state / "demo" / "report.json"


def _truth(home: Home) -> Truth:
    try:
        return from_json((home.state / "demo" / "truth.json").read_bytes(), Truth)
    except FileNotFoundError:
        raise LosswatchError(f"no demo in {home.state}. Start it: losswatch demo") from None


async def _from_hub(home: Home, truth: Truth) -> tuple[list[Found], Books]:
    client = HubClient(home.socket, timeout_s=_PATIENCE_S)
    found = await _incidents(client)
    known = {partner: await _known(client, truth, partner) for partner in AUDITED}
    details = {partner: await _detail(client, partner) for partner in ("P02", "P05")}
    ledger = {partner: one.feed.restatements if one.feed else () for partner, one in details.items()}
    notes = {
        partner: tuple(change.now for change in one.changes if change.kind == "net-revenue-negative")
        for partner, one in details.items()
    }
    page = await client.get(f"/v1/targets/slice?limit={_PAGE}", ListPage)
    rates = {event.id: rate for event in truth.events if (rate := await _rates(client, truth, event, found))}
    notices = await _notices(client)
    junk = tuple(f"{row.site} {row.detail}" for row in page.rows if "junk" in row.detail)
    return found, Books(known, ledger, notes, junk, rates, notices)


async def _rates(
    client: HubClient, truth: Truth, event: EventTruth, found: list[Found]
) -> tuple[Decimal, Decimal] | None:
    """The loss an hour that the event's incidents said before somebody used a plan, and a while after."""
    if event.relief is None or truth.at < (after := event.relief.at + LOOKED):
        return None
    mine = [one.incident.id for one in found if belongs(event, one) and one.incident.cause in event.expected_causes]
    return await _rate(client, mine, event.relief.at - JUST_BEFORE), await _rate(client, mine, after)


async def _rate(client: HubClient, incidents: list[IncidentId], at: datetime) -> Decimal:
    page = await client.get(
        f"/v1/incidents?{urlencode({'state': 'all', 'limit': _PAGE, 'at': at.isoformat()})}", IncidentPage
    )
    return sum((one.loss.per_hour for one in page.rows if one.id in incidents and one.closed_at is None), Decimal(0))


async def _notices(client: HubClient) -> tuple[Notice, ...]:
    found: list[Notice] = []
    while True:
        page = await client.get(f"/v1/notices?offset={len(found)}&limit={_NOTICES}", NoticePage)
        found += page.rows
        if not page.rows or len(found) >= page.total:
            return tuple(found)


async def _known(client: HubClient, truth: Truth, partner: str) -> dict[datetime, dict[date, Day]]:
    """What the hub says it knew of a partner at each moment that the truth names."""
    name, wanted = feed_name(PARTNER[partner]), moments(truth, partner)
    found: dict[datetime, dict[date, Day]] = {}
    for n in range(0, len(wanted), _MOMENTS):
        query = urlencode([("at", at.isoformat()) for at in wanted[n : n + _MOMENTS]])
        answer = await client.get(f"/v1/feeds/{name}/figures?{query}", tuple[KnownAt, ...])
        found |= {one.at: {known.day: known.measures for known in one.days} for one in answer}
    return found


async def _detail(client: HubClient, partner: str) -> TargetDetail:
    return await client.get(f"/v1/target/{quote(f'feed:{feed_name(PARTNER[partner])}')}", TargetDetail)


async def _incidents(client: HubClient) -> list[Found]:
    found: list[Found] = []
    while True:
        page = await client.get(f"/v1/incidents?state=all&offset={len(found)}&limit={_PAGE}", IncidentPage)
        for incident in page.rows:
            detail = await client.get(f"/v1/incidents/{incident.id}", IncidentDetail)
            found.append(Found(detail.incident, detail.members))
        if not page.rows or len(found) >= page.total:
            return [one for one in found if not one.incident.is_merged]
