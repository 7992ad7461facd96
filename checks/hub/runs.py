"""Runs of parsers that are not ours: read as they are pushed, judged against their history, stored before they count."""

from __future__ import annotations

import asyncio
import difflib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from checks.hub.scrapy import is_stats, run_of_stats
from checks.parsers.outside import LATE, OutsideVerdict, judge, lateness, verdict_word
from checks.parsers.page import host_of
from data.errors import UsageError
from data.model.fact import FieldYield, ParserRun
from data.model.observation import Observation
from data.model.principal import EVERYTHING
from data.model.target import TargetKind, target_id
from data.store import parser_runs
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from checks.engine.clock import Clock
    from checks.hub.board import Board
    from checks.hub.intake import Intake
    from checks.hub.ranks import RankRoom
    from data.model.fact import Ranks
    from data.model.ids import TargetId
    from data.model.principal import Scope
    from data.model.target import Target
    from data.store.store import Store

MOST_BYTES = 8 * 1024 * 1024
MOST_RUNS = 5_000
"""Of one body."""
MOST_FIELDS = 200
HISTORY = 500
"""Runs of a parser that a new one is compared with."""
AHEAD = timedelta(minutes=5)
"""A pusher's clock may be ahead of ours by so much."""
_HOSTS = 10
Identity = tuple[datetime, str, str, str]
"""What tells runs of one parser apart: time, address, country, query."""


class RunField(msgspec.Struct, forbid_unknown_fields=True):
    n: int | None = None
    """Items that have it; without it, by the fill."""
    fill: float | None = None
    """0..1; without it, by the number."""


class RunLine(msgspec.Struct, forbid_unknown_fields=True):
    """One pushed run."""

    parser: str
    at: datetime
    items: int
    url: str = ""
    geo: str = ""
    fields: dict[str, RunField | float] = {}
    duration: float | None = None
    """Seconds."""
    error: str = ""
    hosts: list[str] = []
    """Of the results, in their order: of all of them where ranks are to be read from them. Addresses will do, too."""
    query: str = ""
    """The search whose results these are; without it, the one of parsers.csv."""
    sparse: bool = False
    """A field that is not named was empty, instead of not being told."""


_LINE = msgspec.json.Decoder(RunLine)
_ANY = msgspec.json.Decoder()


@dataclass(slots=True)
class Runs:
    """Takes pushed runs in, and says when one is overdue."""

    board: Board
    intake: Intake
    store: Store
    clock: Clock
    ranks: RankRoom
    newest: dict[TargetId, datetime] = field(default_factory=dict)
    """When each parser ran last."""
    since: datetime = field(init=False)
    """Nobody could push before we were there: no parser is late before that is long enough ago."""
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.since = self.clock.now()

    async def restore(self) -> None:
        found = await asyncio.to_thread(parser_runs.newest, self.store, EVERYTHING)
        self.newest = {target_id(TargetKind.PARSER, name): at for name, at in found.items()}

    async def take(self, body: bytes, scope: Scope, parser: str = "") -> int:
        """Store the runs of an NDJSON body or one JSON object; returns how many were new, once durable.

        Raises:
            UsageError: a line is no run of an outside parser in `scope`; nothing of the body was stored.
            StoreError: they cannot be stored now; push them again.
        """
        lines = await asyncio.to_thread(parse_runs, body, self.clock.now(), parser)
        by_parser: dict[TargetId, list[RunLine]] = defaultdict(list)
        for number, line in lines:
            by_parser[self._target(line.parser, scope, number).id].append(line)
        async with self._gate:
            return sum([await self._take(self.board.targets[one], runs) for one, runs in by_parser.items()])

    async def _take(self, target: Target, lines: Sequence[RunLine]) -> int:
        pairs = [(run_of(line, target), line) for line in lines]
        runs = sorted((run for run, _ in pairs), key=lambda run: run.at)
        sparse = {_identity(run) for run, line in pairs if line.sparse}
        ranked = {_identity(run): list(enumerate(map(_address, line.hosts), 1)) for run, line in pairs}
        fresh = await asyncio.to_thread(self._unknown, target.name, runs)
        judged = await asyncio.to_thread(self._judge, target.name, fresh, sparse)
        if not judged:
            return 0
        looks: list[Ranks] = []
        for run, _ in judged:
            looks += self.ranks.take(target, run, ranked[_identity(run)])
            await asyncio.sleep(0)  # a body may hold thousands
        await asyncio.wrap_future(self.store.write([*(run for run, _ in judged), *looks]))
        now = self.clock.now()
        recent = timedelta(seconds=LATE * target.interval_s)
        known = self.newest.get(target.id)
        shown = [one for one in judged if now - one[0].at <= recent and (known is None or one[0].at >= known)]
        self.newest[target.id] = max(judged[-1][0].at, known or judged[-1][0].at)
        if shown and not target.paused:
            await self.intake.take([self._observation(target, verdict, run) for run, verdict in shown])
        return len(judged)

    def late(self, target: Target) -> Observation | None:
        """What is to be said of a parser just because time went by."""
        now = self.clock.now()
        last = self.newest.get(target.id)
        verdict = lateness(last and max(last, self.since), target.interval_s, now)
        if verdict and last:
            verdict = lateness(last, target.interval_s, now) or verdict
        return self._observation(target, verdict) if verdict else None

    def _unknown(self, parser: str, runs: Sequence[ParserRun]) -> list[ParserRun]:
        """Those that were not stored before: a body pushed again counts once."""
        stored = parser_runs.between(self.store, EVERYTHING, parser, runs[0].at, runs[-1].at)
        seen = {_identity(run) for run in stored}
        return list({_identity(run): run for run in runs if _identity(run) not in seen}.values())

    def _judge(
        self, parser: str, runs: Sequence[ParserRun], sparse: Collection[Identity]
    ) -> list[tuple[ParserRun, OutsideVerdict]]:
        """Each run against those before it, the ones of the same body included."""
        if not runs:
            return []
        history = parser_runs.before(self.store, EVERYTHING, parser, runs[0].at, HISTORY)[::-1]
        judged = []
        for one in runs:
            run = with_silent_fields(one, history) if _identity(one) in sparse else one
            verdict = judge(run, history)
            record = replace(run, verdict=verdict_word(verdict), fields=verdict.fields or run.fields)
            judged.append((record, verdict))
            history = [*history, record][-HISTORY:]
        return judged

    def _target(self, name: str, scope: Scope, number: int) -> Target:
        found = self.board.targets.get(target_id(TargetKind.PARSER, name))
        if found is None or not scope.sees(found.team):
            known = [one.name for one in self.board.targets.values() if one.outside and scope.sees(one.team)]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f". Did you mean {near[0]!r}?" if near else "; name it in parsers.csv with outside = yes"
            raise UsageError(f"line {number}: no outside parser {clean_text(name, 80)!r} in your scope{hint}")
        if not found.outside:
            raise UsageError(f"line {number}: parser {name!r} is fetched by the hub; set outside = yes in parsers.csv")
        return found

    def _observation(self, target: Target, verdict: OutsideVerdict, run: ParserRun | None = None) -> Observation:
        """Never older than the last one of the target, which a lateness may have been: it would count for nothing."""
        state = self.board.states.get(target.id)
        at = run.at if run else self.clock.now()
        if state and state.last_at:
            at = max(at, state.last_at)
        return Observation(
            target.id, target.team, target.kind, at, verdict.state, verdict.cause, clean_text(redact(verdict.detail)),
            value=float(run.items) if run else None, evidence={"outside": "yes"},
        )  # fmt: skip


def parse_runs(body: bytes, now: datetime, parser: str = "") -> list[tuple[int, RunLine]]:
    """Runs with their line numbers: NDJSON, or one JSON object over many lines as crawlers write their statistics.

    `parser` is whose they are where they do not say it. Raises `UsageError`, which names the line.
    """
    if len(body) > MOST_BYTES:
        raise UsageError(f"a body of runs may hold {MOST_BYTES >> 20} MiB; send several")
    try:
        whole = _ANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = None
    if isinstance(whole, dict):
        return [(1, _line(1, body, now, parser))]
    found = [
        (number, _line(number, raw, now, parser)) for number, raw in enumerate(body.split(b"\n"), 1) if raw.strip()
    ]
    if len(found) > MOST_RUNS:
        raise UsageError(f"a body may hold {MOST_RUNS:,} runs, this one has {len(found):,}; send several")
    return found


def _line(number: int, raw: bytes, now: datetime, parser: str) -> RunLine:
    try:
        given = _ANY.decode(raw)
        if isinstance(given, dict):
            given = run_of_stats(given, now) if is_stats(given) else given
            raw = msgspec.json.encode({"parser": parser, **given} if parser else given)
        line = _LINE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise UsageError(f"line {number}: {clean_text(str(problem))}") from None
    if fault := _fault(line, now):
        raise UsageError(f"line {number}: {clean_text(fault)}")
    return line


def _fault(line: RunLine, now: datetime) -> str:
    """What is wrong with a run whose types are right; empty when nothing is."""
    if not line.parser:
        return "parser is empty"
    if line.at.tzinfo is None:
        return "a time without a zone; write it as 2026-01-31T14:00:00Z"
    if line.at > now + AHEAD:
        return f"at {line.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} is in the future"
    if not 0 <= line.items < 2**53:
        return f"items is {line.items}; a whole number, 0 or more"
    if len(line.fields) > MOST_FIELDS:
        return f"{len(line.fields)} fields; at most {MOST_FIELDS}"
    return next((words for name, one in line.fields.items() if (words := _field_fault(name, one, line.items))), "")


def _field_fault(name: str, one: RunField | float, items: int) -> str:
    n, fill = (one.n, one.fill) if isinstance(one, RunField) else (None, one)
    if n is None and fill is None:
        return f"field {name!r} has neither n nor fill"
    if fill is not None and not 0 <= fill <= 1:
        return f"fill of {name!r} is {fill:g}; a share from 0 to 1"
    if n is not None and n < 0:
        return f"n of {name!r} is {n}; a whole number, 0 or more"
    return f"{name!r} counts {n} values in no items" if n and not items else ""


def run_of(line: RunLine, target: Target) -> ParserRun:
    """The record of a pushed run, cleaned and without secrets; not yet judged."""
    fields = tuple(_yield(clean_text(name, 80), one, line.items) for name, one in line.fields.items())
    return ParserRun(
        parser=target.name, team=target.team, at=line.at.astimezone(UTC), url=clean_text(redact(line.url or target.url), 500),
        geo=clean_text(line.geo.upper() or target.geo, 8), items=line.items, verdict="", fields=fields,
        hosts=tuple(_host(one) for one in line.hosts[:_HOSTS]), seconds=line.duration,
        error=clean_text(redact(line.error), 200), query=clean_text(line.query, 300) or target.query,
    )  # fmt: skip


def _address(result: str) -> str:
    """A result as an address, which a bare host is not."""
    return result if "//" in result else f"//{result}"


def _host(result: str) -> str:
    return clean_text(host_of(_address(result)), 100)


def _yield(name: str, one: RunField | float, items: int) -> FieldYield:
    """A field that has several values an item is as full as can be."""
    n, fill = (one.n, one.fill) if isinstance(one, RunField) else (None, one)
    if fill is None:
        fill = min((n or 0) / items, 1.0) if items else 0.0
    return FieldYield(name, round(fill * items) if n is None else n, round(fill, 4))


def with_silent_fields(run: ParserRun, history: Iterable[ParserRun]) -> ParserRun:
    """`run` with the fields that the last run had and this one is silent about: crawlers count only what they found."""
    last = next(reversed([one for one in history if one.geo == run.geo and one.fields]), None)
    named = {one.name for one in run.fields}
    silent = [FieldYield(one.name, 0, 0.0) for one in (last.fields if last else ()) if one.name not in named]
    return replace(run, fields=(*run.fields, *silent))


def _identity(run: ParserRun) -> Identity:
    """One crawler may push a batch of searches under one time and address."""
    return run.at, run.url, run.geo, run.query
