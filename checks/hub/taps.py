"""What is not asked for but comes: a log that grows, files in a folder, calls. Each is read when its target is due."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from checks.feeds import arrival, clicklog, folder, loglines, tail
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.heartbeat import LEARNED, rhythm
from checks.feeds.memory import Memory
from checks.feeds.payload import Unreadable
from checks.feeds.tail import Place
from checks.hub.spool import fact_frame
from data.errors import StoreError, UsageError
from data.model.cause import cause
from data.model.fact import Baseline
from data.model.observation import NO_CAUSE, Observation
from data.model.principal import EVERYTHING
from data.model.state import State
from data.store import baselines, batches, facts
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.feeds.clicklog import Counting, Registry, Tally
    from checks.feeds.heartbeat import Verdict
    from checks.feeds.preset import Preset
    from checks.hub.hub import Hub
    from data.config.settings import Feed, Settings
    from data.model.ids import CauseId
    from data.model.target import Target

log = logging.getLogger(__name__)

AT_ONCE = 64 * 1024 * 1024
"""Bytes of a log that are stored together."""
RECENT = timedelta(hours=1)
PUSHED_ONLY = "-"
"""In place of a path: a click log whose lines come by /v1/clicks alone."""
LOOK_AGAIN = timedelta(seconds=15)
MALFORMED = 0.5
"""Share of a pushed body's lines from which nothing of it is stored."""


@dataclass(slots=True)
class Log:
    """One click log as the hub knows it."""

    place: Place
    counts: dict[datetime, int]
    """Clicks by hour, of the last weeks."""
    last_at: datetime | None = None
    """When the newest line was written."""
    recent: deque[tuple[datetime, Tally]] = field(default_factory=deque)
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever stores lines of it."""


@dataclass(slots=True)
class Taps:
    hub: Hub
    _logs: dict[str, Log] = field(default_factory=dict)
    _registry: tuple[Settings, Registry] | None = None

    async def run(self, target: Target, feed: Feed, preset: Preset) -> datetime | None:
        """Take what came since the last time; when it should be looked at again sooner than usual, if so."""
        if preset.source == "push":
            await self.hub.postbacks.run(target, feed)
            return None
        if preset.source == "log":
            await self._log(target, feed, preset)
            return None
        return await self._folder(target, feed, preset)

    # ── a log that grows ─────────────────────────────────────────────────────────────────────────────────────────

    async def _log(self, target: Target, feed: Feed, preset: Preset) -> None:
        one = await self._known(target, feed)
        problem = None
        if feed.path != PUSHED_ONLY:
            try:
                async with one.gate:
                    while await self._stretch(target, feed, adapt(preset, feed.options), one):
                        pass
            except OSError as failure:
                problem = _file_problem(feed, failure)
            except StoreError as failure:
                problem = (State.UNKNOWN, cause("self.disk"), str(failure))
        self._tell(target, feed, one, problem)

    async def _known(self, target: Target, feed: Feed) -> Log:
        """Where reading stopped and what hours usually bring: from the store, the first time."""
        if feed.name not in self._logs:
            self._logs[feed.name] = await asyncio.to_thread(self._restored, target, feed)
        return self._logs[feed.name]

    def _restored(self, target: Target, feed: Feed) -> Log:
        now, store = self.hub.clock.now(), self.hub.store
        kept = baselines.latest(store, EVERYTHING, target.id)
        try:
            place = msgspec.json.decode(kept.body, type=Place) if kept else Place()
        except msgspec.DecodeError:
            place = Place()  # of another version, or of another kind of feed under this name
        counts = facts.clicks_by_hour(store, EVERYTHING, feed.name, now - LEARNED)
        last = max(counts, default=None)
        return Log(place, counts, min(last + timedelta(hours=1), now) if last else None)

    async def _stretch(self, target: Target, feed: Feed, preset: Preset, one: Log) -> bool:
        """Read, count and store the next stretch of the file, its end in the same write; whether there was one."""
        now = self.hub.clock.now()
        path = self.hub.home.config / feed.path
        counting, place = await asyncio.to_thread(self._count, tail.blocks(path, one.place), feed, preset, now)
        if place is None:
            return False
        rows = clicklog.facts(feed, counting.tally.cells, now)
        mark = Baseline(target.id, target.team, now, msgspec.json.encode(place))
        await asyncio.wrap_future(self.hub.store.write([*rows, mark], worker=f"log:{feed.name}"))
        one.place = place
        self._counted(one, counting.tally, now)
        if rows:
            self.hub.revenue.hear(await asyncio.to_thread(fact_frame, rows))
        return True

    def _count(
        self, blocks: Iterator[tail.Block], feed: Feed, preset: Preset, now: datetime
    ) -> tuple[Counting, Place | None]:
        counting: Counting | None = None
        place, size = None, 0
        for block in blocks:
            if counting is None or (loglines.needs_header(preset) and place and place.header != block.after.header):
                read = loglines.reader(preset, block.after.header)
                counting = counting or self._counting(feed, preset, now)
                counting.read = read
            counting.add(block.lines)
            place, size = block.after, size + len(block.lines)
            if size >= AT_ONCE:
                break
        return counting or self._counting(feed, preset, now), place

    def _counting(self, feed: Feed, preset: Preset, now: datetime) -> Counting:
        settings = self.hub.settings
        if self._registry is None or self._registry[0] is not settings:
            self._registry = settings, clicklog.registry(settings)
        return clicklog.Counting(loglines.nothing, self._registry[1], str(feed.team), preset.zone, now)

    def _counted(self, one: Log, tally: Tally, now: datetime) -> None:
        for hour, count in clicklog.by_hour(tally.cells).items():
            one.counts[hour] = one.counts.get(hour, 0) + count
        if tally.latest:
            at = datetime.fromtimestamp(tally.latest, UTC)
            one.last_at = max(one.last_at, at) if one.last_at else at
        elif tally.ahead:
            one.last_at = now
        tally.cells = {}
        one.recent.append((now, tally))

    def _tell(self, target: Target, feed: Feed, one: Log, problem: tuple[State, CauseId, str] | None) -> None:
        now = self.hub.clock.now()
        while one.recent and now - one.recent[0][0] > RECENT:
            one.recent.popleft()
        for hour in [hour for hour in one.counts if now - hour > LEARNED]:
            del one.counts[hour]
        verdict = clicklog.judge([tally for _, tally in one.recent], rhythm(one.counts, now), one.last_at, now)
        self.hub.intake.take([_log_observation(target, feed, one, verdict, problem, now)])

    async def push(self, target: Target, feed: Feed, body: bytes) -> dict[str, int]:
        """Store pushed lines; returns what they held, once durable. The same body again is acknowledged and stored once.

        Raises:
            UsageError: more than half of the lines cannot be read; nothing of the body was stored.
            StoreError: they cannot be stored now; push them again.
        """
        preset, now = adapt(presets.load(feed.preset), feed.options), self.hub.clock.now()
        if preset.source != "log":
            raise UsageError(f"{feed.name} is no click log; its preset is {feed.preset}")
        one = await self._known(target, feed)
        tally = (await asyncio.to_thread(self._count_body, body, feed, preset, now)).tally
        if tally.malformed > MALFORMED * max(tally.lines, 1):
            raise UsageError(
                f"{tally.malformed} of {tally.lines} lines cannot be read, the first begins {tally.broken!r}"
            )
        number = int.from_bytes(hashlib.blake2b(body, digest_size=7).digest(), "big")
        worker = f"clicks:{feed.name}"
        rows = clicklog.facts(feed, tally.cells, now)
        told = {name: getattr(tally, name) for name in ("lines", "clicks", "bots", "malformed", "unknown")}
        async with one.gate:
            if not rows or await asyncio.to_thread(batches.stored, self.hub.store, worker, number):
                return told | {"stored": 0}
            await asyncio.wrap_future(self.hub.store.write(rows, worker=worker, seq=number))
            self._counted(one, tally, now)
        self.hub.revenue.hear(await asyncio.to_thread(fact_frame, rows))
        return told | {"stored": told["clicks"]}

    def _count_body(self, body: bytes, feed: Feed, preset: Preset, now: datetime) -> Counting:
        counting = self._counting(feed, preset, now)
        header = body[: tail.HEADER].partition(b"\n")[0].decode("utf-8", "replace").strip()
        counting.read = loglines.reader(preset, header)
        counting.add(body)
        return counting

    # ── files in a folder ────────────────────────────────────────────────────────────────────────────────────────

    async def _folder(self, target: Target, feed: Feed, preset: Preset) -> datetime | None:
        """Each complete file is a delivery, taken the way of every other; the others wait."""
        place = self.hub.home.config / feed.path
        try:
            await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
            found = await asyncio.to_thread(folder.look, place, self.hub.wall_now())
        except OSError as problem:
            self.hub.intake.take([_seen(target, feed, *_file_problem(feed, problem), self.hub.clock.now())])
            return None
        adapted, feeds = adapt(preset, feed.options), self.hub.pulls.feeds
        refused = ""
        async with feeds.busy(feed.name):
            for path in found.ready:
                now = self.hub.clock.now()
                try:
                    pulled = await asyncio.to_thread(folder.delivered, path, feed, adapted, now)
                except (Unreadable, OSError) as problem:
                    refused = f"{clean_text(path.name, 80)} was set aside: {problem}"
                    log.warning("%s: %s", feed.name, refused)
                    await asyncio.to_thread(folder.set_aside, path, str(problem))
                    continue
                outcome = await feeds.judged(target, feed, preset, pulled, now)
                if await feeds.keep(target, outcome, now):
                    await asyncio.to_thread(folder.put_away, path)
        now = self.hub.clock.now()
        if refused:
            words = (State.FAILING, cause("feed.contract"), refused)
            self.hub.intake.take([_seen(target, feed, *words, now)])
        elif not found.ready:
            self._awaited(target, feed, adapted, now)
        return now + LOOK_AGAIN * self.hub.clock.speed if found.waiting else None

    def _awaited(self, target: Target, feed: Feed, preset: Preset, now: datetime) -> None:
        """Nothing came: whether a day is overdue. What was wrong with the last file stays wrong until another comes."""
        feeds = self.hub.pulls.feeds
        memory = Memory.from_bytes(feeds.baseline(target.id))
        if memory.open or memory.restated:
            return
        waiting = arrival.awaited(memory, None, preset, feeds.partner(feed), now)
        state, why = (State.FAILING, cause("feed.late")) if waiting.late else (State.OK, NO_CAUSE)
        words = waiting.note or (f"newest day {memory.newest}" if memory.newest else "no file yet")
        self.hub.intake.take([_seen(target, feed, state, why, words, now)])


def _file_problem(feed: Feed, problem: OSError) -> tuple[State, CauseId, str]:
    name = "feed.auth" if isinstance(problem, PermissionError) else "feed.late"
    return State.FAILING, cause(name), f"{feed.path}: {problem.strerror or 'cannot be read'}"


def _seen(target: Target, feed: Feed, state: State, why: CauseId, words: str, now: datetime) -> Observation:
    return Observation(
        target.id, target.team, target.kind, now, state, why, clean_text(redact(words)),
        blame=str(feed.partner) if why else "", evidence={"partner": str(feed.partner)},
    )  # fmt: skip


def _log_observation(
    target: Target, feed: Feed, one: Log, verdict: Verdict, problem: tuple[State, CauseId, str] | None, now: datetime
) -> Observation:
    state, why, words = problem or (verdict.state, verdict.cause, verdict.detail)
    total = clicklog.Tally()
    for _, tally in one.recent:
        total = total.plus(tally)
    evidence = {
        "lines": str(total.lines), "bots": str(total.bots), "malformed": str(total.malformed), "errors": str(total.errors),
        "unknown": str(total.unknown), "ahead": str(total.ahead), "silence_nats": f"{verdict.nats:.1f}",
    }  # fmt: skip
    if total.broken:
        evidence["first_malformed"] = total.broken
    return Observation(
        target.id, target.team, target.kind, now, state, why, clean_text(redact(words)), value=float(total.clicks),
        blame=feed.name if why else "", evidence=evidence,
    )  # fmt: skip
