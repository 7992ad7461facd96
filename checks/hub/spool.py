"""Facts pushed to us: lines over the socket, and files dropped into the spool folder."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from data.errors import UsageError
from data.model.fact import Fact, Receipt
from data.store import facts as stored_facts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from data.store.store import Store

log = logging.getLogger(__name__)


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One pushed line: exactly one of the two."""

    fact: Fact | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one body or file held, as columns: facts with the fields of `Fact` (revenue a float), and receipts."""

    facts: pl.DataFrame | None = None
    receipts: tuple[Receipt, ...] = ()

    @property
    def rows(self) -> int:
        return (0 if self.facts is None else self.facts.height) + len(self.receipts)


@dataclass(slots=True)
class Spool:
    """Stores pushed facts and hands them on once they are durable."""

    folder: Path
    store: Store
    on_stored: Callable[[Pushed], None]
    take_runs: Callable[[bytes, str], Awaitable[int]] | None = None
    """Takes runs of outside parsers, with the name of the parser where only the file's name says it."""

    async def take_lines(self, body: bytes) -> int:
        """Store the ndjson lines; returns how many, once durable.

        Raises:
            UsageError: a line is not a fact or a receipt; nothing of the body was stored.
        """
        pushed = await asyncio.to_thread(parse_lines, body)
        await self._store(pushed, worker="push", seq=None)
        return pushed.rows

    async def sweep(self) -> int:
        """Take every complete file of the folder, oldest name first; returns how many rows were stored.

        A file that cannot be read is set aside as `NAME.rejected`: it neither blocks the others nor gets lost.
        """
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
        """Facts and receipts are two batches with numbers of their own: a file read again is stored once."""
        if pushed.facts is not None:
            table = await asyncio.to_thread(stored_facts.columns, pushed.facts)
            await asyncio.wrap_future(self.store.write_facts(table, worker=worker, seq=seq))
        if pushed.receipts:
            following = None if seq is None else seq + 1
            await asyncio.wrap_future(self.store.write(pushed.receipts, worker=worker, seq=following))
        if pushed.rows:
            self.on_stored(pushed)


def holds_runs(path: Path) -> bool:
    """`runs*.ndjson` holds runs of outside parsers, `runs-PARSER.json` the statistics of one crawl."""
    return path.name.startswith("runs") and path.suffix in {".ndjson", ".json"}


def parser_of(path: Path) -> str:
    """The parser that a `runs-PARSER.json` is named for; a run that names its own is believed."""
    return path.stem.removeprefix("runs").strip("-_.") if path.suffix == ".json" else ""


_DECODER = msgspec.json.Decoder(Line)
_SHAPE = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw] | None])
FIELDS = tuple(one.name for one in fields(Fact))


def file_number(path: Path) -> int:
    """A number for this very file: the same after a crash, another for new content under an old name."""
    identity = path.stat()
    text = f"{path.name}|{identity.st_size}|{identity.st_mtime_ns}"
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") << 1


def parse_lines(body: bytes) -> Pushed:
    """Facts and receipts of an ndjson body.

    Raises:
        UsageError: names the line and what is wrong with it.
    """
    facts, receipts = list[Fact](), list[Receipt]()
    for number, raw in enumerate(body.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            line = _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise UsageError(f"line {number}: {problem}") from None
        if unknown := _unknown(raw):
            raise UsageError(f"line {number}: no field {unknown!r}; there are {', '.join(FIELDS)}")
        found = line.fact or line.receipt
        if found is None:
            raise UsageError(f"line {number}: neither a fact nor a receipt")
        if found.hour.tzinfo is None or found.seen_at.tzinfo is None:
            raise UsageError(f"line {number}: a time without a zone; write it as 2026-01-31T14:00:00Z")
        facts.append(found) if isinstance(found, Fact) else receipts.append(found)
    return Pushed(fact_frame(facts) if facts else None, tuple(receipts))


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
    except (ValueError, pl.exceptions.PolarsError) as problem:
        raise UsageError(f"{path.name}: not the columns of a fact or receipt ({problem})") from None
    return Pushed(frame)


FACT_COLUMNS = ("hour", "seen_at", "team", "partner", "offer", "geo", "site", "clicks", "regs", "ftd", "revenue")
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "hour": pl.Datetime("us", "UTC"), "seen_at": pl.Datetime("us", "UTC"), "team": pl.String, "partner": pl.String,
    "offer": pl.String, "geo": pl.String, "site": pl.String, "clicks": pl.Int64, "regs": pl.Int64, "ftd": pl.Int64,
    "revenue": pl.Float64,
}  # fmt: skip


def _unknown(raw: bytes) -> str:
    """A field that no fact has: a misspelt `clicks` would count as none at all."""
    given = _SHAPE.decode(raw)
    return next((name for one in given.values() if one for name in one if name not in FIELDS), "")


def fact_frame(facts: list[Fact]) -> pl.DataFrame:
    """Columns as `data.store.facts.frame` gives them."""
    columns = {name: [getattr(fact, name) for fact in facts] for name in FACT_COLUMNS[:-1]}
    return pl.DataFrame({**columns, "revenue": [float(fact.revenue) for fact in facts]}, schema=_SCHEMA)


def receipt_frame(receipts: tuple[Receipt, ...]) -> pl.DataFrame:
    """Columns as `data.store.facts.receipts` gives them."""
    names = ("partner", "hour", "seen_at")
    schema = {name: _SCHEMA[name] for name in names}
    return pl.DataFrame({name: [getattr(receipt, name) for receipt in receipts] for name in names}, schema=schema)
