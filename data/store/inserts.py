"""Rows into tables, by record kind: append, replace by key, version when changed, chain."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from data.model.audit import AuditEntry
from data.model.fact import PartnerStat
from data.store.tables import AUDIT, FACT, PARTNER_STAT, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.store.engine import Cursor
    from data.store.table import Table
    from data.store.tables import Record

    Admit = Callable[[type[Record], int], bool]
    """Whether rows of this kind, so many, may be stored now; the full disk's guard."""

_TABLE_OF: dict[type[Any], Table[Any]] = {table.kind: table for table in TABLES}


def insert(cursor: Cursor, batches: Sequence[Sequence[Record] | pa.Table], admit: Admit) -> None:
    """Store the rows of all batches within the open transaction.

    Raises:
        TypeError: a row is no record of `data.model`, or a field has another type than it says.
        ValueError: a time without a zone, a number out of range.
    """
    by_kind: dict[type[Any], list[Any]] = defaultdict(list)
    for rows in batches:
        if isinstance(rows, pa.Table):
            _append(cursor, FACT, rows)
        else:
            for row in rows:
                by_kind[type(row)].append(row)
    for kind, rows in by_kind.items():
        table = _TABLE_OF.get(kind)
        if table is None:
            raise TypeError(f"{kind.__name__} is no record of the store")
        if admit(kind, len(rows)):
            _put(cursor, table, rows)


def _put(cursor: Cursor, table: Table[Any], rows: list[Any]) -> None:
    if table.kind is PartnerStat:
        for round_ in _rounds(rows):
            _version(cursor, PARTNER_STAT.arrow(round_))
    elif table.kind is AuditEntry:
        _chain(cursor, rows)
    elif table.key:
        _replace(cursor, table, rows)
    else:
        _append(cursor, table, table.arrow(rows))


def _append(cursor: Cursor, table: Table[Any], arrow: pa.Table) -> None:
    cursor.register("fresh", arrow)
    cursor.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM fresh")
    cursor.unregister("fresh")


def _replace(cursor: Cursor, table: Table[Any], rows: list[Any]) -> None:
    """Delete and insert: the tables have no index to keep, and the last row of a key wins."""
    last = {tuple(getattr(row, part) for part in table.key): row for row in rows}
    cursor.register("fresh", table.arrow(list(last.values())))
    same = " AND ".join(f"{table.name}.{part} = fresh.{part}" for part in table.key)
    cursor.execute(f"DELETE FROM {table.name} USING fresh WHERE {same}")
    cursor.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM fresh")
    cursor.unregister("fresh")


def _rounds(rows: list[PartnerStat]) -> list[list[PartnerStat]]:
    """Rows split so that no round has an account-day twice; versions then follow in order."""
    rounds: list[list[PartnerStat]] = []
    seen: dict[tuple[object, ...], int] = defaultdict(int)
    for row in rows:
        account_day = (row.feed, row.day, row.currency, tuple(sorted(row.dims.items())))
        number = seen[account_day]
        seen[account_day] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(row)
    return rounds


_VERSION = """
INSERT INTO partner_stat BY NAME
SELECT fresh.* REPLACE (coalesce(latest.version, 0) + 1 AS version)
FROM fresh LEFT JOIN (
    SELECT feed, day, dims, currency, max(version) AS version, arg_max(measures, version) AS measures
    FROM partner_stat SEMI JOIN fresh USING (feed, day, dims, currency) GROUP BY ALL
) AS latest USING (feed, day, dims, currency)
WHERE latest.measures IS DISTINCT FROM fresh.measures
"""


def _version(cursor: Cursor, arrow: pa.Table) -> None:
    """Append only what differs from the latest version of its account-day; the database counts the versions."""
    cursor.register("fresh", arrow)
    cursor.execute(_VERSION)
    cursor.unregister("fresh")


def _chain(cursor: Cursor, entries: list[AuditEntry]) -> None:
    """Append with running number and a hash over the entry and the hash before it."""
    last = cursor.execute("SELECT number, chain FROM audit ORDER BY number DESC LIMIT 1").fetchall()
    number, chain = last[0] if last else (0, "")
    numbers, chains = [], []
    for entry in entries:
        number, chain = number + 1, link(chain, number + 1, entry)
        numbers.append(number)
        chains.append(chain)
    arrow = AUDIT.arrow(entries).append_column("number", pa.array(numbers, pa.int64()))
    _append(cursor, AUDIT, arrow.append_column("chain", pa.array(chains, pa.string())))


def link(before: str, number: int, entry: AuditEntry) -> str:
    """SHA-256 over the chain so far, the entry's number and all its fields."""
    return hashlib.sha256(msgspec.json.encode([before, number, entry])).hexdigest()
