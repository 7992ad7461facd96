from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import TargetId
    from data.model.principal import Scope
    from data.model.target import Target
    from data.store.engine import Cursor
    from data.store.store import Store


def load(store: Store, scope: Scope) -> list[Target]:
    return records(store, TARGET, within(scope), tail="ORDER BY id")


def difference(store: Store, wanted: Iterable[Target]) -> tuple[list[TargetId], list[TargetId]]:
    """Ids of those that are not stored as they are wanted, and of the stored that nobody wants."""
    with store.cursor() as cursor:
        cursor.register("wanted", TARGET.arrow(list(wanted)))
        changed = f"SELECT id FROM (SELECT {TARGET.select} FROM wanted EXCEPT SELECT {TARGET.select} FROM target)"
        gone = "SELECT id FROM target ANTI JOIN wanted USING (id)"
        found = [[target for (target,) in cursor.execute(sql).fetchall()] for sql in (changed, gone)]
        cursor.unregister("wanted")
    return found[0], found[1]


def remove(store: Store, ids: Iterable[TargetId]) -> None:
    """Forget the targets and their current state; what was observed of them stays. Waits for the writer."""
    gone = list(ids)

    def delete(cursor: Cursor) -> None:
        cursor.execute("DELETE FROM target WHERE id = ANY(?)", [gone])
        cursor.execute("DELETE FROM target_state WHERE target = ANY(?)", [gone])

    store.work(delete).result()
