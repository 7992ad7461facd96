from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import rows

if TYPE_CHECKING:
    from data.store.store import Store


def stored(store: Store, worker: str, seq: int) -> bool:
    """Whether the batch of that number is stored; numbers are remembered for the last 200,000 batches."""
    return bool(rows(store, "SELECT 1 FROM batch WHERE worker = ? AND seq = ? LIMIT 1", [worker, seq]))
