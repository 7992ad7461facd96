"""Incidents for people who were not there: the report of one, the figures of many; within the reader's scope."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from checks.hub.incident_story import counted
from checks.hub.plan_commands import redact_switch
from checks.incidents.explain import worded
from checks.incidents.records import BY, TICKED, UNTICKED, checklist_of, report_of, tallies
from data.access.redaction import redact_words
from data.errors import UsageError
from data.model.audit import AuditEntry
from data.model.ids import IncidentId
from data.model.incident import TimelineEntry
from data.model.principal import MoneyRight
from data.model.record import Statistics
from data.model.verdict import SAID, Verdict, verdict_named
from data.store import incidents, switches, timeline
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.hub.hub import Hub
    from data.model.incident import Incident
    from data.model.plan import Switch
    from data.model.principal import Principal, Scope
    from data.model.record import Report, Tally
    from data.model.snapshot import ChecklistItem, CommandReply
    from data.store.tables import Record

USUAL = timedelta(days=30)
LONGEST = timedelta(days=800)


@dataclass(slots=True)
class Records:
    hub: Hub

    async def report(self, who: Principal, number: int) -> Report | None:
        """`None`: no such incident in scope."""
        store, scope = self.hub.store, who.scope
        found = await self.hub.details.known(number, scope)
        if found is None:
            return None
        crowd = await self.hub.details.crowds.of(found, scope, self.hub.clock.now())

        def read() -> Report:
            told = timeline.of_incident(store, scope, found.id)
            used = tuple(switches.of_incident(store, scope, found.id))
            checklist = checklist_of(self.hub.settings.checklists, found.cause, told)
            said = worded(found, crowd.walked, timeline=told)
            return self._redacted(report_of(found, crowd.members, told, used, said, checklist), scope)

        return await asyncio.to_thread(read)

    def _redacted(self, report: Report, scope: Scope) -> Report:
        """Only what the reader may see of money, partners and other teams; with who was told of it."""
        story, now = self.hub.details.story, self.hub.clock.now()
        (seen,) = story.shown([report.incident], scope)
        said = (replace(one, text=redact_words(one.text, scope)) for one in report.statements)
        return replace(
            report,
            incident=seen,
            statements=(*counted(seen), *said),
            timeline=story.told(report.incident, report.timeline, scope, now),
            switches=tuple(redact_switch(one, scope) for one in report.switches),
            first=tuple(redact_words(one, scope) for one in report.first),
        )

    async def statistics(self, who: Principal, by: str, since: str, until: str) -> Statistics:
        """Raises `UsageError` for a grouping or a time that is none."""
        if by not in BY:
            raise UsageError(f"no grouping {by!r}; there are {', '.join(BY)}")
        now, scope, store = self.hub.clock.now(), who.scope, self.hub.store
        end = _moment(until) if until else now
        begin = _moment(since) if since else end - USUAL
        if not timedelta(0) < end - begin <= LONGEST:
            raise UsageError(f"from {begin:%Y-%m-%d} to {end:%Y-%m-%d} is no time of up to {LONGEST.days} days")

        def read() -> tuple[tuple[Tally, ...], Tally]:
            used: dict[IncidentId, list[Switch]] = defaultdict(list)
            for one in switches.since(store, scope, begin):
                if one.incident is not None:
                    used[one.incident].append(one)
            return tallies(
                incidents.between(store, scope, begin, end),
                by,
                partners=incidents.partners(store, scope, begin, end),
                switches=used,
                reopened=incidents.reopened(store, scope, begin, end),
                verdicts=incidents.verdicts(store, scope, begin, end),
                now=min(now, end),
            )

        rows, total = await asyncio.to_thread(read)
        rows, total = tuple(_redacted(row, scope) for row in rows), _redacted(total, scope)
        return Statistics(begin, end, by, self.hub.settings.company.currency, rows, total)

    def checklist(self, incident: Incident, told: tuple[TimelineEntry, ...]) -> tuple[ChecklistItem, ...]:
        return checklist_of(self.hub.settings.checklists, incident.cause, told)

    async def tick(self, who: Principal, arguments: Mapping[str, Any]) -> CommandReply:
        """Say that an item of an open incident's checklist is done, or that it is not."""
        given, text, done = arguments.get("incident"), arguments.get("item"), arguments.get("done", True)
        incident = self.hub.desk.get(IncidentId(given)) if type(given) is int else None
        if incident is None or not any(map(who.scope.sees, incident.teams)):
            raise UsageError(f"no open incident #{given} in your scope")
        items = [one.text for one in self.checklist(incident, ())]
        chosen = next((item for number, item in enumerate(items, 1) if text in {item, number, str(number)}), None)
        if chosen is None:
            raise UsageError(f"no item {clean_text(str(text))!r}; #{given} has {len(items)}, give a number")
        now, what = self.hub.clock.now(), f"{TICKED if done else UNTICKED}{chosen}"
        rows: list[Record] = [
            TimelineEntry(incident.id, now, who.name, what),
            AuditEntry(now, who.name, incident.team, "tick", f"#{given}", what),
        ]
        return await self._said(rows, what)

    async def verdict(self, who: Principal, arguments: Mapping[str, Any]) -> CommandReply:
        """Say of an incident, open or closed, whether the alarm was right; the last word counts."""
        given, said = arguments.get("incident"), verdict_named(str(arguments.get("verdict") or ""))
        if said is None:
            raise UsageError(
                f"no verdict {clean_text(str(arguments.get('verdict')), 60)!r}; there are {', '.join(Verdict)}"
            )
        incident = await self.hub.details.known(given, who.scope) if type(given) is int else None
        if incident is None:
            raise UsageError(f"no incident #{given} in your scope")
        now = self.hub.clock.now()
        rows: list[Record] = [
            TimelineEntry(incident.id, now, who.name, f"{SAID}{said}"),
            AuditEntry(now, who.name, incident.team, "verdict", f"#{incident.id}", said),
        ]
        return await self._said(rows, f"incident #{incident.id}: {said}, says {who.name}")

    async def _said(self, rows: list[Record], message: str) -> CommandReply:
        reply = await self.hub.keeping.done(rows, message)
        self.hub.board.touch()
        return reply


def _redacted(row: Tally, scope: Scope) -> Tally:
    row = replace(row, name=redact_words(row.name, scope))
    return row if scope.money is MoneyRight.FULL else replace(row, lost=None, lost_per_minute=None, unseen=None)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{clean_text(text)!r} is no time; write it as 2026-01-31 or 2026-01-31T09:15:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
