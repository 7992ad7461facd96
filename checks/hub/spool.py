"""Facts pushed to us: lines over the socket, and files dropped into the spool folder."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from checks.revenue.inputs import MOST, SKEW_US, faults
from data.errors import UsageError
from data.model.deploy import Deploy
from data.model.fact import Fact, Receipt
from data.store import batches
from data.store import facts as stored_facts
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from data.store.store import Store
    from data.store.tables import Record

log = logging.getLogger(__name__)
SKEW = timedelta(microseconds=SKEW_US)


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One pushed line: exactly one of the three."""

    fact: Fact | None = None
    receipt: Receipt | None = None
    deploy: Deploy | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one body or file held, as columns: facts with the fields of `Fact` (revenue a float), receipts and deploys."""

    facts: pl.DataFrame | None = None
    receipts: tuple[Receipt, ...] = ()
    deploys: tuple[Deploy, ...] = ()

    @property
    def rows(self) -> int:
        return (0 if self.facts is None else self.facts.height) + len(self.receipts) + len(self.deploys)


@dataclass(slots=True)
class Spool:
    """Stores pushed facts and hands them on once they are durable."""

    folder: Path
    store: Store
    on_stored: Callable[[Pushed], None]
    take_runs: Callable[[bytes, str], Awaitable[int]] | None = None
    """Takes runs of outside parsers, with the name of the parser where only the file's name says it."""
    busy: bool = False
    """Files of the folder are being taken: of what belongs together, a part may be here."""
    _keyed: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a delivery with a key is looked up and stored."""

    async def take_lines(self, body: bytes, key: str = "") -> int:
        """Store the ndjson lines; returns how many, once durable.

        A fact is a change: the same body twice is two changes. Who cannot know whether an answer got lost gives each
        delivery a `key` of its own: what comes again under a key is acknowledged and not stored again.

        Raises:
            UsageError: a line is not a fact or a receipt; nothing of the body was stored.
        """
        pushed = await asyncio.to_thread(parse_lines, body)
        if key:
            async with self._keyed:
                await self._store(pushed, worker="keyed", seq=_number(key))
        else:
            await self._store(pushed, worker="push", seq=None)
        return pushed.rows

    async def take_deploys(self, body: bytes, key: str = "") -> int:
        """Deploys as lines of their own, without the word before them; else as `take_lines`."""
        lines = [b'{"deploy":%s}' % line if line.strip() else b"" for line in body.splitlines()]
        return await self.take_lines(b"\n".join(lines), key)

    async def sweep(self) -> int:
        """Take every complete file of the folder, oldest name first; returns how many rows were stored.

        A file that cannot be read is set aside as `NAME.rejected`: it neither blocks the others nor gets lost.
        """
        self.busy = True
        try:
            return await self._sweep()
        finally:
            self.busy = False

    async def _sweep(self) -> int:
        stored = 0
        for path in sorted(self.folder.glob("*")):
            if not holds_runs(path) and path.suffix not in {".ndjson", ".parquet"}:
                continue
            try:
                if holds_runs(path) and self.take_runs:
                    body = await asyncio.to_thread(path.read_bytes)
                    stored += await self.take_runs(body, parser_of(path))
                    path.unlink(missing_ok=True)
                    continue
                pushed = await asyncio.to_thread(read_file, path)
            except (UsageError, OSError, pl.exceptions.PolarsError) as problem:
                log.error("spool file %s was set aside: %s", path.name, problem)  # noqa: TRY400 - the sentence says it all
                path.rename(path.with_name(path.name + ".rejected"))
                continue
            await self._store(pushed, worker="spool", seq=file_number(path))
            path.unlink(missing_ok=True)
            stored += pushed.rows
        return stored

    async def _store(self, pushed: Pushed, *, worker: str, seq: int | None) -> None:
        """Facts, and receipts with deploys, are two batches with numbers of their own; only what is new is stored and handed on."""
        fresh = Pushed()
        try:
            if pushed.facts is not None and await self._is_new(worker, seq):
                table = await asyncio.to_thread(stored_facts.columns, pushed.facts)
                await asyncio.wrap_future(self.store.write_facts(table, worker=worker, seq=seq))
                fresh = replace(fresh, facts=pushed.facts)
            following = None if seq is None else seq + 1
            told: list[Record] = [*pushed.receipts, *(one.entry for one in pushed.deploys)]
            if told and await self._is_new(worker, following):
                await asyncio.wrap_future(self.store.write(told, worker=worker, seq=following))
                fresh = replace(fresh, receipts=pushed.receipts, deploys=pushed.deploys)
        finally:
            if fresh.rows:
                self.on_stored(fresh)

    async def _is_new(self, worker: str, seq: int | None) -> bool:
        return seq is None or not await asyncio.to_thread(batches.stored, self.store, worker, seq)


def holds_runs(path: Path) -> bool:
    """`runs*.ndjson` holds runs of outside parsers, `runs-PARSER.json` the statistics of one crawl."""
    return path.name.startswith("runs") and path.suffix in {".ndjson", ".json"}


def parser_of(path: Path) -> str:
    """The parser that a `runs-PARSER.json` is named for; a run that names its own is believed."""
    return path.stem.removeprefix("runs").strip("-_.") if path.suffix == ".json" else ""


_DECODER = msgspec.json.Decoder(Line)
_SHAPE = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw] | None])
FIELDS = tuple(one.name for one in fields(Fact))
DEPLOY_FIELDS = tuple(one.name for one in fields(Deploy))
LONGEST = 200
"""Letters of a word of a deploy that are kept."""


def file_number(path: Path) -> int:
    """A number for this very file: the same after a crash, another for new content under an old name."""
    identity = path.stat()
    return _number(f"{path.name}|{identity.st_size}|{identity.st_mtime_ns}")


def _number(text: str) -> int:
    """An even number; the one after it is free."""
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") << 1


def parse_lines(body: bytes) -> Pushed:
    """Facts, receipts and deploys of an ndjson body.

    Raises:
        UsageError: names the line and what is wrong with it.
    """
    facts, receipts, deploys = list[Fact](), list[Receipt](), list[Deploy]()
    for number, raw in enumerate(body.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            line = _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise UsageError(f"line {number}: {problem}") from None
        if unknown := _unknown(raw):
            allowed = DEPLOY_FIELDS if line.deploy else FIELDS
            raise UsageError(f"line {number}: no field {unknown!r}; there are {', '.join(allowed)}")
        if line.deploy is not None:
            deploys.append(_told(line.deploy, number))
            continue
        found = line.fact or line.receipt
        if found is None:
            raise UsageError(f"line {number}: neither a fact nor a receipt nor a deploy")
        if found.hour.tzinfo is None or found.seen_at.tzinfo is None:
            raise UsageError(f"line {number}: a time without a zone; write it as 2026-01-31T14:00:00Z")
        if isinstance(found, Fact) and (wrong := _wrong(found)):
            raise UsageError(f"line {number}: {wrong}")
        facts.append(found) if isinstance(found, Fact) else receipts.append(found)
    return Pushed(fact_frame(facts) if facts else None, tuple(receipts), tuple(deploys))


def _told(deploy: Deploy, number: int) -> Deploy:
    """With words that a terminal can show; raises `UsageError` for one that says too little."""
    what, who, site, host, team = (redact(clean_text(getattr(deploy, name), LONGEST)) for name in DEPLOY_FIELDS[1:])
    clean = Deploy(deploy.at, what, who, site, host, team)
    if deploy.at.tzinfo is None:
        raise UsageError(f"line {number}: a time without a zone; write it as 2026-01-31T14:00:00Z")
    if not clean.what.strip() or len(clean.places) != 1:
        raise UsageError(f"line {number}: a deploy says what it was, and one of site, host and team")
    return clean


def _wrong(fact: Fact) -> str:
    """Why a fact cannot be true, empty if it can."""
    for name in ("clicks", "regs", "ftd"):
        if abs(getattr(fact, name)) > MOST[name]:
            return f"{name} beyond {MOST[name]:,.0f}: one site has not so many in an hour"
    if not fact.revenue.is_finite() or abs(fact.revenue) > MOST["revenue"]:
        return f"revenue is {clean_text(str(fact.revenue), 40)}; it is an amount of money"
    if fact.hour - SKEW > fact.seen_at:
        return f"hour {fact.hour:%Y-%m-%dT%H:%MZ} had not come when it was seen, at {fact.seen_at:%Y-%m-%dT%H:%MZ}"
    return ""


def read_file(path: Path) -> Pushed:
    """What one spool file holds; raises `UsageError` for one that holds something else."""
    if path.suffix == ".ndjson":
        return parse_lines(path.read_bytes())
    frame = pl.read_parquet(path)
    try:
        if path.name.startswith("receipts"):
            wanted = frame.select("partner", "hour", "seen_at")
            return Pushed(receipts=tuple(Receipt(**row) for row in wanted.iter_rows(named=True)))
        frame = frame.select(FACT_COLUMNS).with_columns(pl.col("revenue").cast(pl.Float64))
        stored_facts.columns(frame.head(1))
        for reason, wrong in faults(pl.col("hour").dt.epoch("us"), pl.col("seen_at").dt.epoch("us")):
            row = frame.select(
                wrong.fill_null(value=True).arg_max(), wrong.fill_null(value=True).any().alias("any")
            ).row(0)
            if row[1]:
                raise UsageError(f"{path.name}: row {row[0] + 1}: {reason}")
    except (ValueError, pl.exceptions.PolarsError) as problem:
        raise UsageError(f"{path.name}: not the columns of a fact or receipt ({problem})") from None
    return Pushed(_clean(frame))


FACT_COLUMNS = ("hour", "seen_at", "team", "partner", "offer", "geo", "site", "clicks", "regs", "ftd", "revenue")
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "hour": pl.Datetime("us", "UTC"), "seen_at": pl.Datetime("us", "UTC"), "team": pl.String, "partner": pl.String,
    "offer": pl.String, "geo": pl.String, "site": pl.String, "clicks": pl.Int64, "regs": pl.Int64, "ftd": pl.Int64,
    "revenue": pl.Float64,
}  # fmt: skip


def _unknown(raw: bytes) -> str:
    """A field that no fact has: a misspelt `clicks` would count as none at all."""
    given = _SHAPE.decode(raw)
    known = {"deploy": DEPLOY_FIELDS}
    return next((name for what, one in given.items() if one for name in one if name not in known.get(what, FIELDS)), "")


def fact_frame(facts: list[Fact]) -> pl.DataFrame:
    """Columns as `data.store.facts.frame` gives them."""
    columns = {name: [getattr(fact, name) for fact in facts] for name in FACT_COLUMNS[:-1]}
    return _clean(pl.DataFrame({**columns, "revenue": [float(fact.revenue) for fact in facts]}, schema=_SCHEMA))


def _clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Names as a terminal can show them."""
    for column in ("team", "partner", "offer", "geo", "site"):
        names = frame[column].drop_nulls().unique().to_list()
        if odd := {name: clean_text(name) for name in names if clean_text(name) != name}:
            frame = frame.with_columns(pl.col(column).replace(odd))
    return frame


def receipt_frame(receipts: tuple[Receipt, ...]) -> pl.DataFrame:
    """Columns as `data.store.facts.receipts` gives them."""
    names = ("partner", "hour", "seen_at")
    schema = {name: _SCHEMA[name] for name in names}
    return pl.DataFrame({name: [getattr(receipt, name) for receipt in receipts] for name in names}, schema=schema)
