from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.audit import AuditChain
from data.store.inserts import link
from data.store.query import records, within
from data.store.tables import AUDIT
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.audit import AuditEntry
    from data.model.principal import Scope
    from data.store.store import Store


def entries(store: Store, scope: Scope, limit: int = 200, offset: int = 0) -> list[AuditEntry]:
    """Newest first."""
    return records(store, AUDIT, within(scope), "true", [limit, offset], "ORDER BY number DESC LIMIT ? OFFSET ?")


def between(store: Store, scope: Scope, since: datetime, until: datetime) -> list[AuditEntry]:
    """Of that time, the ends included, in the order in which they were written."""
    return records(store, AUDIT, within(scope), '"at" BETWEEN ? AND ?', [since, until], "ORDER BY number")


_TEXTS = " || ',' || ".join(
    f"""'"{name}":' || to_json({name})""" for name in ("who", "team", "action", "subject", "detail")
)
_DOUBTFUL = f"""
    WITH told AS (
        SELECT *, row_number() OVER (ORDER BY number) AS place, lag(chain, 1, '') OVER (ORDER BY number) AS before FROM audit
    )
    SELECT place, before, number, chain, {AUDIT.select} FROM told
    WHERE number IS DISTINCT FROM place OR chain IS DISTINCT FROM sha256(
        '[' || to_json(before) || ',' || number || ',{{"at":"' || strftime("at", '%Y-%m-%dT%H:%M:%S')
        || CASE WHEN microsecond("at") % 1000000 = 0 THEN '' ELSE strftime("at", '.%f') END || 'Z",' || {_TEXTS} || '}}]'
    ) ORDER BY place
"""
"""Entries whose hash is not that of what stands there, as the database spells it: a million in seconds. It spells a few rare
letters in another way than `link`, which has the last word."""


def verify(store: Store) -> AuditChain:
    """Follow the chain from the start to the entry that is the newest now."""
    with store.cursor() as cursor:
        cursor.begin()
        try:
            [(entries, head)] = cursor.execute(
                "SELECT count(*), coalesce(arg_max(chain, number), '') FROM audit"
            ).fetchall()
            cursor.execute(_DOUBTFUL)
            while some := cursor.fetchmany(1_000):
                for place, before, number, chain, *fields in some:
                    entry = AUDIT.record(fields)
                    if number != place or chain != link(before, number, entry):
                        now = clean_text(redact(f"{entry.who} {entry.action} {entry.subject}"), 200)
                        return AuditChain(entries, head, f"entry {place} is not what was written (now: {now})")
        finally:
            cursor.rollback()
    return AuditChain(entries, head)
