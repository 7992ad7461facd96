from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from data.model.ids import TeamId


class MoneyRight(StrEnum):
    """Whether money is shown as figures, as severity bands only, or not at all."""

    NONE = "none"
    BAND = "band"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see; every read of the store takes one."""

    teams: frozenset[TeamId] | None
    """`None` is every team."""
    money: MoneyRight = MoneyRight.NONE
    hidden_names: tuple[tuple[str, str], ...] = ()
    """(partner's name, what is shown instead) for readers who may not see partners by name."""

    def sees(self, team: TeamId) -> bool:
        return self.teams is None or team in self.teams


EVERYTHING = Scope(teams=None, money=MoneyRight.FULL)
"""The hub's own scope."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, by the kernel's word."""

    name: str
    uid: int
    role: str
    scope: Scope
    actions: frozenset[str] = frozenset()
    """Commands this principal may give: `acknowledge`, `close`, `recheck`, `apply`, `stop`, ..."""
