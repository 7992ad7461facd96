from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import TARGET_STATE

if TYPE_CHECKING:
    from data.model.ids import TargetId
    from data.model.observation import TargetState
    from data.model.principal import Scope
    from data.store.store import Store


def load(store: Store, scope: Scope) -> dict[TargetId, TargetState]:
    return {state.target: state for state in records(store, TARGET_STATE, within(scope))}
