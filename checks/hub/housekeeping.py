"""What happens by the clock: revenue ticks, pricing, roll-ups, the spool, hot reload; and waking up after a restart."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from checks.hub.board import restore_strips, strip_window
from checks.hub.domains import DOMAINS, STEP_S
from checks.hub.plans import EVERY_S as PLANS_EVERY_S
from checks.hub.recent import REMEMBERED
from checks.hub.uptime import SPAN
from checks.incidents.case import FLAPPING
from checks.incidents.desk import IncidentDesk
from checks.incidents.owning import Owners
from checks.incidents.parents import Parents
from checks.revenue.alarm import slice_of
from checks.revenue.cube import KEEP_H
from checks.revenue.lending import USUAL_OVER
from data.errors import LosswatchError
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import Target, TargetKind, name_of
from data.store import (
    audit,
    baselines,
    facts,
    findings,
    flips,
    incidents,
    latency,
    observations,
    retention,
    rollups,
    states,
    targets,
)
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from checks.hub.hub import Hub
    from checks.hub.pricing import Priced
    from checks.incidents.change import Change
    from data.model.ids import IncidentId, TargetId
    from data.model.incident import Finding, Incident
    from data.model.money import Loss
    from data.store.tables import Record

log = logging.getLogger(__name__)

LOOK_EVERY_S = 30.0
"""How often it is asked whether a look at the revenue is due..."""
LEAST_LOOK_S = 0.5
"""...in real seconds at most so often, however fast a simulation runs."""
PRICE_EVERY_S = 120.0
ROLLUP_EVERY_S = 3600.0
FLUSH_EVERY_S = 30.0
MOST_FLIPS = 200_000
MANY_STATES = 2_000
LARGE_FLEET_TURNS = 20
"""With more states than that to write, only every so manieth flush does."""
RELOAD_EVERY_S = 2.0
SPOOL_EVERY_S = 0.5
HOME_EVERY_S = 5.0
PACE = timedelta(days=2)
PACE_HOURS = 6
"""How far back, and in how many hours at least, a pace is looked for after a restart."""


def without_keys(target: Target) -> Target:
    """The target as it is stored: on several platforms the key stands in the URL, and no URL is kept with one."""
    url = redact(target.url)
    return target if url == target.url else replace(target, url=url)


@dataclass(slots=True)
class Housekeeping:
    """Periodic work; each job is alone with itself and a failure of one is logged, not spread."""

    hub: Hub
    _turn: int = 0

    def restore(self) -> IncidentDesk:
        """Read back from the store what the board and the desk held; called before anything runs."""
        store, board = self.hub.store, self.hub.board
        now = self.hub.clock.now()
        board.version = int(now.timestamp() * 1000)  # never a number that a screen has seen from the hub before us
        board.states.update(states.load(store, EVERYTHING))
        kept = {target.id: without_keys(target) for target in self.hub.settings.targets}
        for target in self.hub.settings.targets:
            board.put_target(target)
        changed, gone = targets.difference(store, kept.values())
        if changed:
            store.write([kept[target_id] for target_id in changed])
        if gone:
            targets.remove(store, gone)
        for known in list(board.states.values()):
            if known.kind is TargetKind.SLICE:
                board.targets[known.target] = Target(known.target, known.kind, known.team, name_of(known.target))
            elif known.target not in board.targets:
                del board.states[known.target]
        board.recount()
        board.uptime.restore(flips.since(store, EVERYTHING, now - SPAN, MOST_FLIPS), now - SPAN)
        for kind in TargetKind:
            since, bucket_s = strip_window(kind, now)
            restore_strips(board, observations.buckets(store, EVERYTHING, since, now, bucket_s, kind=kind), now)
        return self._restore_incidents()

    def _restore_incidents(self) -> IncidentDesk:
        """The desk as it was: open incidents and those that may still flap or open again, each with all its findings."""
        store, now = self.hub.store, self.hub.clock.now()
        _, recent = incidents.page(store, EVERYTHING, state="closed", offset=0, limit=500)
        flapping = [one for one in recent if one.closed_at and now - one.closed_at <= FLAPPING]
        held = incidents.closed_failing(store, EVERYTHING)
        known = {one.id: one for one in (*incidents.open_incidents(store, EVERYTHING), *flapping, *held)}
        members = findings.open_or_of(store, EVERYTHING, [*known])
        for finding in members:
            if finding.incident is not None and finding.closed_at is None:
                self.hub.board.incident_of[finding.target] = finding.incident
        self.hub.book.add(facts.frame(store, EVERYTHING, now - timedelta(hours=KEEP_H)))
        self.hub.book.add_receipts(facts.receipts(store, EVERYTHING, now - timedelta(hours=KEEP_H)))
        parents = Parents(self._state_of, self._is_unseen)
        parents.declare(self.hub.settings.parents)
        census, traffic = self.hub.board.census, self.hub.fusion.traffic
        owners = Owners(self.hub.settings.notify.root, self._project_of)
        return IncidentDesk(
            known.values(), members, incidents.last_id(store), census, parents, traffic, owners, self._looked_at
        )  # fmt: skip

    def _state_of(self, target: TargetId) -> State:
        known = self.hub.board.states.get(target)
        return known.state if known else State.UNKNOWN

    def _looked_at(self, target: TargetId) -> datetime | None:
        known = self.hub.board.states.get(target)
        return known.last_at if known else None

    def _project_of(self, target: TargetId) -> str:
        known = self.hub.board.targets.get(target)
        return known.project if known else ""

    def _is_unseen(self, money: Finding, _feed: Finding) -> bool:
        return self.hub.fusion.blind_to(slice_of(money.target)) is not None

    def remember(self) -> None:
        """Incidents that ended lately and alarms that were open, once the desk and the book are there."""
        store, now = self.hub.store, self.hub.clock.now()
        closed = incidents.page(store, EVERYTHING, state="closed", offset=0, limit=500)[1]
        ended = [one for one in closed if one.closed_at and now - one.closed_at <= REMEMBERED]
        members: dict[IncidentId | None, list[Finding]] = defaultdict(list)
        for finding in findings.of_incidents(store, EVERYTHING, [one.id for one in ended]):
            members[finding.incident].append(finding)
        for incident in ended:
            self.hub.recent.closed(incident, members[incident.id], now)
        self.hub.revenue.resume()
        self.hub.fusion.deploys.told(audit.between(store, EVERYTHING, now - USUAL_OVER, now))
        self._remember_hygiene(now)

    def _remember_hygiene(self, now: datetime) -> None:
        """What targets were like, how fast they were and what registries said."""
        store, room = self.hub.store, self.hub.hygiene
        kept = baselines.load_all(store, EVERYTHING, TargetKind.SITE)
        room.restore(one for one in kept if one.target in self.hub.board.targets)
        room.paces_past = latency.usual(store, EVERYTHING, now - PACE, PACE_HOURS)
        told = baselines.latest(store, EVERYTHING, DOMAINS)
        if told and room.domains:
            room.domains.restore(told.body)

    def schedule(self, scheduler: AsyncIOScheduler) -> None:
        """Register every job; seconds of simulated work are divided by the clock's speed."""
        speed = self.hub.clock.speed
        self._every(scheduler, "revenue", max(LOOK_EVERY_S / speed, LEAST_LOOK_S), self.hub.revenue.look, at_once=True)
        self._every(scheduler, "price", max(PRICE_EVERY_S / speed, 1.0), self.price)
        self._every(scheduler, "rollups", max(ROLLUP_EVERY_S / speed, 10.0), self.roll_up)
        self._every(scheduler, "flush", FLUSH_EVERY_S, self._flush_in_turn)
        self._every(scheduler, "registries", STEP_S, self._ask_registry)
        self._every(scheduler, "reload", RELOAD_EVERY_S, self.hub.configuration.reload_if_changed)
        self._every(scheduler, "spool", SPOOL_EVERY_S, self._sweep)
        self._every(scheduler, "plans", PLANS_EVERY_S, self.hub.plans.tick)
        self._every(scheduler, "home", HOME_EVERY_S, self._look_home)

    def _every(
        self,
        scheduler: AsyncIOScheduler,
        name: str,
        seconds: float,
        work: Callable[[], Awaitable[None]],
        *,
        at_once: bool = False,
    ) -> None:
        told = ""

        async def guarded() -> None:
            nonlocal told
            try:
                await work()
                told = ""
            except LosswatchError as problem:
                if str(problem) != told:
                    told = str(problem)
                    log.error("job %s: %s", name, told)  # noqa: TRY400 - the sentence says it all
            except asyncio.CancelledError:
                if not self.hub.stopping.is_set():  # whoever stops the hub ends what waits for the store, too
                    raise
            except Exception:  # one broken job must not stop the others; the next run tries again
                log.exception("job %s raised", name)

        scheduler.add_job(
            guarded,
            "interval",
            id=f"job:{name}",
            seconds=seconds,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            **({"next_run_time": self.hub.wall_now()} if at_once else {}),
        )

    async def _ask_registry(self) -> None:
        if self.hub.hygiene.domains:
            await self.hub.hygiene.domains.step()

    async def _sweep(self) -> None:
        await self.hub.spool.sweep()

    async def _look_home(self) -> None:
        """Write what waits for room; leave when the home is gone, since nobody can reach us or find what we write."""
        await self.hub.keeping.pay()
        if not self.hub.stopping.is_set() and await asyncio.to_thread(lambda: self.hub.store.gone):
            log.error("%s is gone: the hub ends", self.hub.home.database)
            self.hub.stopping.set()

    async def price(self) -> None:
        """Let the desk look over what is open, price it, and let the desk decide what that changes.

        Prices are found beside the loop: of an incident with a hundred thousand members that takes seconds. Not before the
        book has looked at its facts: after a restart it would price everything at nothing.
        """
        if not self.hub.revenue.ready:
            return
        async with self.hub.revenue.turn:
            now, desk = self.hub.clock.now(), self.hub.desk
            kept = [self._keep(desk.look_over(now))]  # done, whatever becomes of the prices
            held = [(one, desk.members(one.id)) for one in desk.open_incidents]
            prices = await asyncio.to_thread(self._prices, held, now)
            owners = {number: price.counted_in for number, price in prices.items() if price.counted_in is not None}
            kept.append(self._keep(desk.charge(now, partial(_found, prices), owners)))
            shares = (share for price in prices.values() for share in price.shares.items())
            board = self.hub.board
            board.loss_of = {target: share for target, share in shares if target in board.incident_of}
        await asyncio.gather(*filter(None, kept))

    def _prices(self, held: Sequence[tuple[Incident, Sequence[Finding]]], now: datetime) -> dict[IncidentId, Priced]:
        pricing = self.hub.pricing
        taken = pricing.share_out(held)
        return {one.id: pricing.price(one, members, now, taken.get(one.id, ())) for one, members in held}

    def _keep(self, changes: Iterable[Change]) -> asyncio.Future[bool] | None:
        """On their way to the store, if there are any."""
        rows = [row for change in changes for row in self.hub.intake.settle(change)]
        return self.hub.keeping.keep(rows) if rows else None

    async def roll_up(self) -> None:
        now = self.hub.clock.now()
        await asyncio.to_thread(rollups.run, self.hub.store, now)
        await asyncio.to_thread(retention.prune, self.hub.store, self.hub.settings.hub, now)

    async def _flush_in_turn(self) -> None:
        """A large fleet's states are written less often: all that moved on in them is when each was last looked at."""
        self._turn += 1
        if len(self.hub.board.unwritten) <= MANY_STATES or self._turn % LARGE_FLEET_TURNS == 0:
            await self.flush()
        else:
            await self.hub.keeping.pay()

    async def flush(self) -> None:
        """Write the states that moved on; between flushes only changes of state are written."""
        board = self.hub.board
        rows: list[Record] = [board.states[target_id] for target_id in board.unwritten if target_id in board.states]
        board.unwritten.clear()
        rows += self.hub.hygiene.drain(self.hub.clock.now())
        await self.hub.keeping.pay()
        if rows:
            await self.hub.keeping.keep(rows)


def _found(prices: Mapping[IncidentId, Priced], incident: Incident, _members: Sequence[Finding]) -> Loss | None:
    """`None` for one that opened while the others were priced: its turn comes next time."""
    price = prices.get(incident.id)
    return price.loss if price else None
