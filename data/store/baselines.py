from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import BASELINE

if TYPE_CHECKING:
    from data.model.fact import Baseline
    from data.model.ids import TargetId
    from data.model.principal import Scope
    from data.model.target import TargetKind
    from data.store.store import Store


def latest(store: Store, scope: Scope, target: TargetId) -> Baseline | None:
    tail = 'ORDER BY "at" DESC, rowid DESC LIMIT 1'
    found = records(store, BASELINE, within(scope), "target = ?", [target], tail)
    return found[0] if found else None


def load_all(store: Store, scope: Scope, kind: TargetKind) -> list[Baseline]:
    """The latest of every target of that kind."""
    tail = 'QUALIFY row_number() OVER (PARTITION BY target ORDER BY "at" DESC, rowid DESC) = 1 ORDER BY target'
    return records(store, BASELINE, within(scope), "starts_with(target, ?)", [f"{kind.value}:"], tail)
