"""The one narrow way in which a plan changes the world: look, change, take back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from data.errors import LosswatchError

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlanRefused(LosswatchError):
    """Nothing was changed, or what was changed is as it was before; the message says why."""


class PlanStuck(LosswatchError):
    """Nobody can say whether the world was changed, or it was and cannot be taken back: a person must look."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is there, and what would be, line by line."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    undo: Mapping[str, str]
    """All that `revert` needs; stored before anything is touched."""

    @property
    def is_done(self) -> bool:
        """The world already is as the plan wants it."""
        return bool(self.before) and self.before == self.after


class Way(Protocol):
    """One plan's adapter. Every method may raise `PlanRefused`; `apply` and `revert` also `PlanStuck`."""

    async def look(self) -> Sight:
        """Read only."""
        ...

    async def apply(self, sight: Sight) -> str:
        """Change what `look` saw, all of it or nothing; gives what was done in words."""
        ...

    async def revert(self, undo: Mapping[str, str]) -> str:
        """Take back what `apply` did and nobody changed since; doing it twice does no harm."""
        ...
