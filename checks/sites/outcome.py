from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.model.cause import state_of
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from data.model.ids import CauseId


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is the matter with a chain. Texts are still raw; `at` is the index of the guilty hop."""

    state: State = State.OK
    cause: CauseId = NO_CAUSE
    detail: str = ""
    at: int = -1
    evidence: dict[str, str] = field(default_factory=dict)
    blame: str = ""
    """Host to blame where it is not the guilty hop's."""


def verdict(cause_id: CauseId, detail: str, at: int, **evidence: str) -> Verdict:
    """A verdict in the state that its cause means; evidence that is empty is left out."""
    return Verdict(state_of(cause_id), cause_id, detail, at, {key: value for key, value in evidence.items() if value})
