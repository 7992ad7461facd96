"""One target or one incident in full: the board for what is now, the store for what was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from checks.hub.aspects import aspects
from checks.hub.board import visible_log
from checks.hub.calibration import Word
from checks.hub.crowd import Crowds
from checks.hub.feed_detail import FeedDetails
from checks.hub.feed_rows import backfill_of
from checks.hub.filters import worst_first
from checks.hub.incident_story import IncidentStory, counted
from checks.hub.parser_detail import ParserDetails
from checks.hub.past_detail import PastDetails
from checks.hub.prelude import prelude, window
from checks.hub.probing import PROBED
from checks.hub.slice_detail import SliceDetails, hours_asked, wanted
from checks.incidents.blind import blind_to, was_blind_to
from checks.incidents.explain import plans_of, worded
from checks.incidents.labels import WEB, parsed, read_all
from checks.incidents.proof import kind_words
from checks.incidents.upstream import considered
from data.access.redaction import redact_row, redact_words
from data.config.units import format_duration
from data.model.ids import IncidentId, TargetId
from data.model.snapshot import (
    Aspect,
    BandPoint,
    IncidentDetail,
    IncidentPage,
    LogLine,
    TargetDetail,
    TargetRow,
    UpstreamRow,
)
from data.model.state import State
from data.model.target import TargetKind
from data.store import flips, incidents, observations, rollups, timeline
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.hub.hub import Hub
    from data.model.incident import Finding, Incident
    from data.model.observation import Observation
    from data.model.principal import Principal, Scope
    from data.model.revenue_view import Calibration, RevenueView, Watched
    from data.model.target import Target

MOST_NUMBER = 2**53
"""No incident has a higher one."""
MEMBERS = 200
RANKED = 500
"""Of an incident with more members the oldest that still fail are ranked by their trouble."""
SAME = 8
"""Others of an incident that a target's own screen lists."""
STRIP_CELLS = 60


@dataclass(slots=True)
class Details:
    """Detail read models. Every store read happens in a thread, within the reader's scope."""

    hub: Hub
    parsers: ParserDetails = field(init=False)
    feeds: FeedDetails = field(init=False)
    slices: SliceDetails = field(init=False)
    word: Word = field(init=False)
    past: PastDetails = field(init=False)
    story: IncidentStory = field(init=False)
    crowds: Crowds = field(init=False)

    def __post_init__(self) -> None:
        self.parsers = ParserDetails(self.hub)
        self.feeds = FeedDetails(self.hub)
        self.slices = SliceDetails(self.hub)
        self.word = Word(self.hub)
        self.past = PastDetails(self.hub)
        self.story = IncidentStory(self.hub.store)
        self.crowds = Crowds(self.hub)

    async def target(self, who: Principal, target_id: str, window: str = "24h") -> TargetDetail | None:
        """One target in full; `window` is how long the series of a slice is.

        Raises:
            UsageError: no such dimension or window of a slice.
        """
        now, scope = self.hub.clock.now(), who.scope
        if target_id.startswith(f"{TargetKind.SLICE}:"):
            return await self._slice(wanted(target_id), scope, now, hours_asked(window))
        row = self.hub.board.find_row(TargetId(target_id), now)
        if row is None or not scope.sees(row.team):
            return None
        same, log = self._same(row, scope, now), visible_log(self.hub.board, scope)
        detail = await asyncio.to_thread(self._target, row, scope, now, log)
        if detail.feed is not None and detail.feed.platform:
            read = backfill_of(await self.hub.pulls.backfills.of(scope, target_id.partition(":")[2]), scope)
            detail = replace(detail, feed=replace(detail.feed, backfill=read))
        return replace(detail, same=same)

    async def _slice(self, target: TargetId, scope: Scope, now: datetime, hours: int) -> TargetDetail | None:
        row = await asyncio.to_thread(self.slices.row, target, scope, now)
        if row is None:
            return None
        same, log = self._same(row, scope, now), visible_log(self.hub.board, scope)
        detail = await asyncio.to_thread(self._target, row, scope, now, log)
        detail = await asyncio.to_thread(self.slices.of_slice, detail, scope, now, hours)
        return replace(detail, same=same)

    async def why(self, who: Principal, asked: str, at: datetime) -> RevenueView | None:
        """As `SliceDetails.past`."""
        return await asyncio.to_thread(self.slices.past, wanted(asked), who.scope, min(at, self.hub.clock.now()))

    async def watchlist(self, who: Principal) -> tuple[Watched, ...]:
        """Slices under suspicion whose every leaf is in scope, as far as the scope may see them."""
        return await asyncio.to_thread(self.slices.watchlist, who.scope)

    async def calibration(self, who: Principal) -> Calibration:
        """As `Word.kept`."""
        return await asyncio.to_thread(self.word.kept, who.scope, self.hub.clock.now())

    def _target(self, row: TargetRow, scope: Scope, now: datetime, log: tuple[LogLine, ...]) -> TargetDetail:
        store, target = self.hub.store, self.hub.board.targets.get(row.target)
        seen = observations.of_target(store, scope, row.target, limit=50)
        band, unit = self._band(row, scope, now)
        hops = next((one for one in seen if one.hops), None) or observations.whole(store, scope, row.target)
        detail = TargetDetail(
            version=self.hub.board.version,
            row=redact_row(row, scope),
            url=redact(target.url) if target else "",
            check=_expectations(target) if target else (),
            strip_hour=rollups.strip(store, scope, row.target, now - timedelta(hours=1), now, STRIP_CELLS),
            strip_day=rollups.strip(store, scope, row.target, now - timedelta(days=1), now, STRIP_CELLS),
            strip_90d=rollups.strip(store, scope, row.target, now - timedelta(days=90), now, STRIP_CELLS),
            hops=hops.hops if hops else (),
            observations=tuple(replace(one, detail=redact_words(one.detail, scope)) for one in seen),
            flips=tuple(
                replace(flip, reason=redact_words(flip.reason, scope))
                for flip in flips.of_target(store, scope, row.target)
            ),
            band=band,
            band_unit=unit,
            notes=self._notes(row.target, now),
            incidents=self.story.shown(incidents.of_target(store, scope, row.target), scope),
            aspects=(*self._aspects(row, target, hops), *self.hub.ranks.aspects(row.target, now)),
            before=self._before(row, target, scope, log),
        )
        if row.kind is TargetKind.PARSER and target:
            return self.parsers.of_parser(detail, target, scope, now)
        if row.kind is TargetKind.FEED and target:
            return self.feeds.of_feed(detail, target, scope, now)
        return detail

    def _aspects(self, row: TargetRow, target: Target | None, seen: Observation | None) -> tuple[Aspect, ...]:
        state = self.hub.board.states.get(row.target)
        if target is None or state is None or target.kind not in PROBED:
            return ()
        return aspects(target, state, seen, max(self.hub.settings.hygiene.cert_warn_days, default=0))

    def _before(
        self, row: TargetRow, target: Target | None, scope: Scope, log: tuple[LogLine, ...]
    ) -> tuple[LogLine, ...]:
        if target is None or row.since is None or row.state in {State.OK, State.PAUSED}:
            return ()
        around = flips.between(self.hub.store, scope, *window(row.since))
        lines = prelude(target, row.since, around, log, self.hub.board.targets)
        return tuple(replace(line, text=redact_words(line.text, scope)) for line in lines)

    def _same(self, row: TargetRow, scope: Scope, now: datetime) -> tuple[TargetRow, ...]:
        if row.incident is None:
            return ()
        rows = self._member_rows(self.hub.desk.members(row.incident), scope, now)
        return tuple(one for one in rows if one.target != row.target)[:SAME]

    def _band(self, row: TargetRow, scope: Scope, now: datetime) -> tuple[tuple[BandPoint, ...], str]:
        if row.kind in {TargetKind.SLICE, TargetKind.PARSER}:
            return (), "items"
        latency = observations.latency(self.hub.store, scope, row.target, now - timedelta(hours=6), now, 360.0)
        return tuple(BandPoint(at, p50, p50, p95, p50) for at, p50, p95 in latency), "ms"

    def _notes(self, name: TargetId, now: datetime) -> tuple[str, ...]:
        target = self.hub.board.targets.get(name)
        note = self.hub.maintenance.note(target, now) if target else ""
        return (note,) if note else ()

    async def incidents(self, who: Principal, state: str, offset: int, limit: int) -> IncidentPage:
        scope = who.scope
        if state == "open":
            return self.hub.views.incidents(scope, offset, limit)
        total, rows = await asyncio.to_thread(
            incidents.page, self.hub.store, scope, state=state, offset=offset, limit=limit
        )
        shown = await asyncio.to_thread(self.story.shown, [self._fresh(one) for one in rows], scope)
        return IncidentPage(self.hub.board.version, total, offset, shown)

    async def known(self, number: int, scope: Scope) -> Incident | None:
        """An incident in scope, open or closed, not redacted; `None` when there is none of that number."""
        if not 0 < number < MOST_NUMBER:
            return None
        wanted = IncidentId(number)
        found = self.hub.desk.get(wanted) or await asyncio.to_thread(incidents.get, self.hub.store, scope, wanted)
        return found if found is not None and any(map(scope.sees, found.teams)) else None

    async def incident(self, who: Principal, number: int) -> IncidentDetail | None:
        scope, now = who.scope, self.hub.clock.now()
        found = await self.known(number, scope)
        if found is None:
            return None
        crowd = await self.crowds.of(found, scope, now)
        mine = crowd.members
        entries = await asyncio.to_thread(timeline.of_incident, self.hub.store, scope, found.id)
        unseen = self._unseen(found, crowd.parsers, scope)
        said = worded(found, crowd.walked, unseen, crowd.moved, entries, crowd.changes)
        (seen,) = await asyncio.to_thread(self.story.shown, [found], scope)
        return IncidentDetail(
            version=self.hub.board.version,
            incident=seen,
            statements=(*counted(seen), *(replace(one, text=redact_words(one.text, scope)) for one in said)),
            timeline=await asyncio.to_thread(self.story.told, found, entries, scope, now),
            members=self._member_rows(mine, scope, now),
            band=crowd.band,
            plans=await self.hub.commands.plans.rows(found, mine, scope)
            if found.closed_at is None
            else plans_of(found),
            upstreams=self._upstreams(found, mine, scope),
            checklist=self.hub.commands.records.checklist(found, entries),
            teams=crowd.teams,
        )

    def _unseen(self, incident: Incident, parsers: Sequence[Finding], scope: Scope) -> str:
        """What the parsers among the members leave, or left, in the dark, of what the reader may see."""
        if not parsers:
            return ""
        every = self.hub.board.targets.values()
        visible = [one for one in every if one.kind is TargetKind.PARSER and scope.sees(one.team)]
        if incident.closed_at:
            failed = {one.target for one in parsers}
            return was_blind_to(visible, failed, incident.started_at, incident.closed_at)
        broken = {one.target for one in parsers if one.closed_at is None}
        sites = self.hub.ranks.unseen(broken, scope, self.hub.clock.now()) if broken else ""
        return "; ".join(filter(None, (blind_to(visible, broken), sites)))

    def _upstreams(self, incident: Incident, members: Sequence[Finding], scope: Scope) -> tuple[UpstreamRow, ...]:
        """What the members share and how that fares; judged by some of them, so that it costs little."""
        census = self.hub.board.census
        failing = (one.target for one in members if one.closed_at is None and one.kind in WEB)
        targets = list(islice(failing, MEMBERS))
        if incident.closed_at or not targets:
            return ()
        chosen = parsed(incident.upstream)
        rows = []
        for one in considered(census, targets, chosen, incident.started_at):
            blamed = one.labels == chosen
            by_rule = blamed and not one.members  # nobody outside the incident is known to share it
            count, failed = (incident.members, incident.open_members) if by_rule else (one.members, one.failed)
            if blamed or failed:
                name = redact_words(read_all(one.labels), scope)
                rows.append(UpstreamRow(kind_words(one.labels), name, count, failed, one.fine, blamed))
        return tuple(rows)

    def _fresh(self, stored: Incident) -> Incident:
        """The desk's version of an open incident; the store's is at most a tick old."""
        return self.hub.desk.get(stored.id) or stored

    def _member_rows(self, members: Sequence[Finding], scope: Scope, now: datetime) -> tuple[TargetRow, ...]:
        """The worst of those in scope, as far as they are ranked; strips only of those that are shown."""
        board = self.hub.board
        failing = (one for one in members if one.closed_at is None and scope.sees(one.team))
        ended = (one for one in members if one.closed_at is not None and scope.sees(one.team))
        chosen: dict[TargetId, None] = {}
        for one in chain(failing, ended):
            chosen[one.target] = None
            if len(chosen) == RANKED:
                break
        rows = [row for one in chosen if (row := board.bare_row(one))]
        worst = sorted(rows, key=worst_first)[:MEMBERS]
        return tuple(redact_row(board.with_strip(row, now), scope) for row in worst)


def _expectations(target: Target) -> tuple[tuple[str, str], ...]:
    expect = target.expect
    pairs = (
        ("interval", format_duration(target.interval_s)),
        ("timeout", format_duration(target.timeout_s) if target.kind in {TargetKind.SITE, TargetKind.LINK} else ""),
        ("tier", str(target.tier)),
        ("partner", target.partner),
        ("offer", target.offer),
        ("vantage", target.geo),
        ("query", f"{target.query} (a canary: always has results)" if target.canary else target.query),
        ("status", ", ".join(map(str, expect.status))),
        ("text", ", ".join(expect.text)),
        ("forbidden", ", ".join(expect.forbid)),
        ("final host", expect.final_host),
        ("final path", expect.final_path),
        ("keep", ", ".join(expect.keep)),
        ("slow above", f"{expect.slow_ms} ms" if expect.slow_ms else ""),
        ("preset" if target.kind is TargetKind.FEED else "spec", target.spec),
    )
    return tuple((name, value) for name, value in pairs if value)
