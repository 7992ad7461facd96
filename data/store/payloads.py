from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from data.store.query import records, rows, within
from data.store.tables import PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.fact import Payload
    from data.model.principal import Scope
    from data.store.store import Store

HEAD = 18
"""Bytes of the longest header of a zstd frame, which tells the size of what is in it."""


def get(store: Store, scope: Scope, payload_hash: str) -> Payload | None:
    found = records(store, PAYLOAD, within(scope), "hash = ?", [payload_hash], "ORDER BY received_at DESC LIMIT 1")
    return found[0] if found else None


def sizes(store: Store, scope: Scope, hashes: Iterable[str]) -> dict[str, int]:
    """Bytes as received, by hash; of each body only the header is read."""
    mine, teams = within(scope)
    found = rows(
        store,
        f"SELECT hash, any_value(body[1:{HEAD}]) FROM payload WHERE {mine} AND hash = ANY(?) GROUP BY hash",
        [*teams, sorted(set(hashes))],
    )
    return {name: max(zstandard.frame_content_size(head), 0) for name, head in found}
