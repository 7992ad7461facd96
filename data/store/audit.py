from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.inserts import link
from data.store.query import records, rows, within
from data.store.tables import AUDIT

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


def verify(store: Store) -> str:
    """Follow the chain from the start; a sentence about the first entry that breaks it, empty when none does.

    Entries cut off at the end leave a whole chain: compare `head()` with one kept outside.
    """
    before = ""
    found = rows(store, f"SELECT number, chain, {AUDIT.select} FROM audit ORDER BY number")
    for expected, (number, chain, *fields) in enumerate(found, 1):
        entry = AUDIT.record(fields)
        if number != expected or chain != link(before, number, entry):
            return f"Audit entry {expected} is not what was written (now: {entry.who} {entry.action} {entry.subject})"
        before = chain
    return ""


def head(store: Store) -> tuple[int, str]:
    """Number and hash of the newest entry, for keeping outside; (0, "") before the first."""
    found = rows(store, "SELECT number, chain FROM audit ORDER BY number DESC LIMIT 1")
    return (found[0][0], found[0][1]) if found else (0, "")
