"""Who is told: the outbox over the desk's incidents, and a courier for each channel."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.hub.courier import Courier, Post
from checks.hub.handovers import Handovers
from checks.hub.maintenance import covers, ends_at
from checks.incidents.notify.labels import LabelBook
from checks.incidents.notify.mutes import muted_by
from checks.incidents.notify.outbox import Outbox
from checks.incidents.notify.reach import Directory
from data.access.receivers import scope_of
from data.model.ids import IncidentId
from data.model.incident import IncidentState
from data.model.notice import ChannelRow, Mute, Notice, NoticeState
from data.model.principal import EVERYTHING
from data.store import findings, incidents, outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from checks.hub.hub import Hub
    from checks.incidents.change import Change
    from checks.incidents.notify.labels import Labels
    from data.config.settings import Maintenance, Settings
    from data.model.ids import TargetId
    from data.model.principal import Principal
    from data.store.tables import Record

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
REMEMBERED = timedelta(days=30)
"""So far back the outbox remembers what it said; what is open longer was repeated since."""
LAST_WORDS_S = 3.0
MOST_COVERED = 500
"""Of an incident with more members nobody asks whether all of them are being worked on."""


@dataclass(slots=True)
class Notifier:
    """Nothing is said while losswatch.toml names no channel.

    Notices are rows of the batch that holds the change which caused them; couriers take them on once they are stored.
    After a restart the outbox is made from what was said before and from the desk, so that whatever was not said before
    the end is said now: the opening of what is open, the end of what closed unseen.
    """

    hub: Hub
    labels: LabelBook = field(init=False)
    mutes: dict[str, Mute] = field(default_factory=dict)
    directory: Directory = field(init=False)
    outbox: Outbox = field(init=False)
    couriers: dict[str, Courier] = field(default_factory=dict)
    handovers: Handovers = field(init=False)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _is_running: bool = False
    _ending: set[asyncio.Task[None]] = field(default_factory=set)
    _lost: list[Notice] = field(default_factory=list)
    """For channels that are configured no longer."""

    def __post_init__(self) -> None:
        """Read back what was said, and look at every incident that may still be told of."""
        self.labels = LabelBook(self._project)
        self.directory = self._directory(self.hub.settings)
        self.handovers = Handovers(self)
        self.outbox = Outbox(self.directory)
        self._arrange(self.hub.settings)
        if self.directory.rules:
            self._restore()

    def _restore(self) -> None:
        store, now = self.hub.store, self.hub.clock.now()
        in_the_air = outbox.release(store, self._worker)
        if in_the_air:
            log.warning("%d notices were on their way when the hub ended: they are sent again, marked", in_the_air)
        self.mutes = {mute.id: mute for mute in outbox.mutes(store, EVERYTHING, now)}
        said = outbox.since(store, EVERYTHING, now - REMEMBERED)
        self.handovers.remember(said)
        self.outbox = Outbox(self.directory, said)
        for incident in self.hub.desk.open_incidents:
            for finding in self.hub.desk.members(incident.id):
                self.labels.take(finding)
            self.outbox.see(incident, self.labels.of(incident), now)
        for number in self.outbox.pending - {incident.id for incident in self.hub.desk.open_incidents}:
            self._see_again(number, now)
        for notice in outbox.unfinished(store, EVERYTHING):
            self._hand_out(notice)

    def _see_again(self, number: IncidentId, now: datetime) -> None:
        """One that closed, and whose receivers do not know it."""
        incident = self.hub.desk.get(number) or incidents.get(self.hub.store, EVERYTHING, number)
        if incident is None:
            return
        for finding in findings.of_incident(self.hub.store, EVERYTHING, number):
            self.labels.take(finding)
        self.outbox.see(incident, self.labels.of(incident), now)

    @property
    def _worker(self) -> str:
        return f"{os.getpid()} {self.hub.started_at:%Y-%m-%dT%H:%M:%S.%f}"

    # ── incidents in, notices out ────────────────────────────────────────────────────────────────────────────────

    def rows(self, change: Change) -> list[Record]:
        """Take in a change of the desk; returns the notices to be stored with it."""
        if not self.directory.rules:
            return []
        now = self.hub.clock.now()
        for finding in change.findings:
            self.labels.take(finding)
        for incident in change.incidents:
            self.outbox.see(incident, self.labels.of(incident), now)
        made = self.outbox.at_once([incident.id for incident in change.incidents], now, self._hush(now))
        for notice in made:
            self._hand_out(notice)
        for incident in change.incidents:
            if incident.state is IncidentState.CLOSED and incident.id not in self.outbox.pending:
                self.labels.forget(incident.id)
        return list(made)

    async def tick(self) -> None:
        """Say what is due by now, by the clock alone."""
        if not self.directory.rules:
            return
        now = self.hub.clock.now()
        made = [*self.outbox.due(now, self._hush(now)), *await self.handovers.due(now)]
        self.mutes = {name: mute for name, mute in self.mutes.items() if mute.ends_at > now}
        rows: list[Record] = [*made, *self._lost]
        self._lost = []
        if rows:
            stored = self.hub.keeping.keep(rows)
            for notice in made:
                self._hand_out(notice)
            await stored

    async def run(self) -> None:
        """Until cancelled; one bad moment must not silence the rest."""
        self._is_running = True
        for name in self.couriers:
            self._start(name)
        while True:
            try:
                await self.tick()
            except Exception:  # the next moment tries again
                log.exception("notices")
            await asyncio.sleep(LOOK_EVERY_S)

    async def stop(self) -> None:
        """Messages on their way have a moment; what stalls is given up and sent again, marked, by the next hub."""
        for name, courier in self.couriers.items():
            self._end(name, courier)
        if self._ending:
            await asyncio.wait(self._ending, timeout=LAST_WORDS_S)
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _hand_out(self, notice: Notice) -> None:
        courier = self.couriers.get(notice.channel)
        if courier is not None:
            courier.take(notice)
        else:
            problem = f"there is no channel {notice.channel!r} any longer"
            self._lost.append(replace(notice, state=NoticeState.DEAD, problem=problem))

    def tell(self, incident: IncidentId, name: str) -> list[Record]:
        """Tell one receiver of an incident that is theirs now; store what is returned."""
        made = self.outbox.tell(incident, name, self.hub.clock.now())
        for notice in made:
            self._hand_out(notice)
        return list(made)

    def send(self, notice: Notice) -> list[Record]:
        """Hand a notice out that somebody asked for; store what is returned."""
        self._hand_out(notice)
        return [notice]

    # ── configuration ────────────────────────────────────────────────────────────────────────────────────────────

    def configure(self, settings: Settings) -> None:
        """Take over new rules, channels and people; what waits for a channel waits for it still."""
        was = bool(self.directory.rules)
        self.directory = self._directory(settings)
        self._arrange(settings)
        if self.directory.rules and not was:
            self._restore()
        elif self.directory.rules:
            self.outbox.configure(self.directory, self.hub.clock.now())

    def _directory(self, settings: Settings) -> Directory:
        scopes = {channel.name: scope_of(channel, settings.partners) for channel in settings.notify.channels}
        return Directory(settings.notify, scopes)

    def _arrange(self, settings: Settings) -> None:
        """One courier a channel; of one that changed the new courier takes over what waits."""
        before, self.couriers = self.couriers, {}
        for channel in settings.notify.channels:
            known, scope = before.pop(channel.name, None), self.directory.scopes[channel.name]
            if known is not None and (known.channel, known.scope) == (channel, scope):
                self.couriers[channel.name] = known
                continue
            self.couriers[channel.name] = fresh = Courier(channel, scope, self._post())
            if known is not None:
                fresh.waiting = known.waiting
                self._end(channel.name, known)
            if self._is_running:
                self._start(channel.name)
        for name, gone in before.items():
            self._end(name, gone)
            for notice in gone.waiting.values():
                self._hand_out(notice)

    def _post(self) -> Post:
        hub = self.hub
        return Post(
            hub.store, hub.keeping, hub.secrets, hub.clock, hub.pulls.client, self._worker, self._hand_out, hub.board.touch
        )  # fmt: skip

    def _start(self, name: str) -> None:
        self._tasks[name] = asyncio.create_task(self.couriers[name].run(), name=f"channel {name}")

    def _end(self, name: str, courier: Courier) -> None:
        """The courier ends once what it has taken on is settled."""
        courier.close()
        task = self._tasks.pop(name, None)
        if task is not None:
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    # ── what is not said ─────────────────────────────────────────────────────────────────────────────────────────

    def _hush(self, now: datetime) -> Callable[[Labels], bool]:
        """What nothing new is said of now; asked of thousands of incidents at once."""
        mutes = [mute for mute in self.mutes.values() if mute.is_active(now)]
        windows = [window for window in self.hub.settings.maintenance if ends_at(window, now) is not None]

        def is_hushed(labels: Labels) -> bool:
            muted = bool(mutes) and muted_by(mutes, labels, now) is not None
            return muted or (bool(windows) and self._is_worked_on(labels.incident, windows))

        return is_hushed

    def _is_worked_on(self, number: IncidentId, windows: Sequence[Maintenance]) -> bool:
        """Whether everything that fails there is in one of the windows."""
        incident = self.hub.desk.get(number)
        if incident is None or incident.open_members > MOST_COVERED:
            return False
        open_ones = [finding.target for finding in self.hub.desk.members(number) if finding.closed_at is None]
        return bool(open_ones) and all(
            (target := self.hub.board.targets.get(one)) is not None
            and any(covers(window, target) for window in windows)
            for one in open_ones
        )

    def _project(self, target: TargetId) -> str:
        known = self.hub.board.targets.get(target)
        return known.project if known else ""

    # ── how we are ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def problem(self) -> str:
        """Channels that let messages wait past their time."""
        now = self.hub.clock.now()
        late = [
            f"{name} ({courier.problem or 'slow'})"
            for name, courier in self.couriers.items()
            if any(notice.is_late(now) for notice in courier.waiting.values())
        ]
        return f"messages wait: {', '.join(late)}" if late else ""

    def failing(self) -> dict[str, str]:
        """Why a channel took nothing the last time, by name."""
        return {name: courier.problem for name, courier in self.couriers.items() if courier.problem}

    async def channels(self, who: Principal) -> tuple[ChannelRow, ...]:
        """How each does, counted over what `who` may see."""
        now = self.hub.clock.now()
        counts = await asyncio.to_thread(outbox.counts, self.hub.store, who.scope, now)
        nothing: Counter[str] = Counter()
        return tuple(
            ChannelRow(
                name,
                courier.channel.kind,
                waiting=(many := counts.get(name, nothing))["waiting"],
                late=many["late"],
                dead=many["dead"],
                problem=courier.problem,
            )
            for name, courier in self.couriers.items()
        )
