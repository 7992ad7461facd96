"""Facts pushed to us: lines over the socket, and files dropped into the spool folder."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from data.errors import UsageError
from data.model.fact import Fact, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from data.store.store import Store

log = logging.getLogger(__name__)

PIECE = 50_000
"""Rows handed to the store at a time: bounds memory while a history of months comes in."""


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One pushed line: exactly one of the two."""

    fact: Fact | None = None
    receipt: Receipt | None = None


@dataclass(slots=True)
class Spool:
    """Stores pushed facts and hands them on once they are durable."""

    folder: Path
    store: Store
    on_stored: Callable[[Sequence[Fact], Sequence[Receipt]], None]

    async def take_lines(self, body: bytes) -> int:
        """Store the ndjson lines; returns how many, once durable.

        Raises:
            UsageError: a line is not a fact or a receipt; nothing of the body was stored.
        """
        facts, receipts = parse_lines(body)
        await self._store(facts, receipts, worker="push", seq=None)
        return len(facts) + len(receipts)

    async def sweep(self) -> int:
        """Take every complete file of the folder, oldest name first; returns how many rows were stored.

        A file that cannot be read is set aside as `NAME.rejected`: it neither blocks the others nor gets lost.
        """
        stored = 0
        for path in sorted(self.folder.glob("*")):
            if path.suffix not in {".ndjson", ".parquet"}:
                continue
            try:
                facts, receipts = await asyncio.to_thread(read_file, path)
            except (UsageError, OSError, pl.exceptions.PolarsError) as problem:
                log.error("spool file %s was set aside: %s", path.name, problem)  # noqa: TRY400 - the sentence says it all
                path.rename(path.with_name(path.name + ".rejected"))
                continue
            await self._store(facts, receipts, worker="spool", seq=file_number(path))
            path.unlink(missing_ok=True)
            stored += len(facts) + len(receipts)
        return stored

    async def _store(self, facts: Sequence[Fact], receipts: Sequence[Receipt], *, worker: str, seq: int | None) -> None:
        """Write in pieces, each numbered after the file: a file read again after a crash is stored once."""
        rows: list[Fact | Receipt] = [*facts, *receipts]
        pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
        for number, piece in enumerate(pieces):
            await asyncio.wrap_future(self.store.write(piece, worker=worker, seq=None if seq is None else seq + number))
        if rows:
            self.on_stored(facts, receipts)


def file_number(path: Path) -> int:
    """A number for this very file: the same after a crash, another for new content under an old name."""
    identity = path.stat()
    text = f"{path.name}|{identity.st_size}|{identity.st_mtime_ns}"
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") << 8


_DECODER = msgspec.json.Decoder(Line)


def parse_lines(body: bytes) -> tuple[list[Fact], list[Receipt]]:
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
        found = line.fact or line.receipt
        if found is None:
            raise UsageError(f"line {number}: neither a fact nor a receipt")
        if found.hour.tzinfo is None or found.seen_at.tzinfo is None:
            raise UsageError(f"line {number}: a time without a zone; write it as 2026-01-31T14:00:00Z")
        facts.append(found) if isinstance(found, Fact) else receipts.append(found)
    return facts, receipts


def read_file(path: Path) -> tuple[list[Fact], list[Receipt]]:
    """Facts and receipts of one spool file; raises `UsageError` for one that holds something else."""
    if path.suffix == ".ndjson":
        return parse_lines(path.read_bytes())
    frame = pl.read_parquet(path)
    try:
        if path.name.startswith("receipts"):
            return [], [Receipt(**row) for row in frame.select("partner", "hour", "seen_at").iter_rows(named=True)]
        return [_fact(row) for row in frame.iter_rows(named=True)], []
    except (TypeError, pl.exceptions.ColumnNotFoundError) as problem:
        raise UsageError(f"{path.name}: not the columns of a fact or receipt ({problem})") from None


def _fact(row: dict[str, object]) -> Fact:
    return Fact(**{**row, "revenue": Decimal(str(row.get("revenue", 0)))})  # type: ignore[arg-type]  # columns are checked by Fact itself


FACT_COLUMNS = ("hour", "seen_at", "team", "partner", "offer", "geo", "site", "clicks", "regs", "ftd", "revenue")


def fact_frame(facts: Sequence[Fact]) -> pl.DataFrame:
    """Columns as `data.store.facts.frame` gives them, revenue as float."""
    columns = {name: [getattr(fact, name) for fact in facts] for name in FACT_COLUMNS if name != "revenue"}
    return pl.DataFrame({**columns, "revenue": [float(fact.revenue) for fact in facts]})


def receipt_frame(receipts: Sequence[Receipt]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [getattr(receipt, name) for receipt in receipts] for name in ("partner", "hour", "seen_at")}
    )
