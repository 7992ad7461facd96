"""Whether what a plan needs holds now. Pure: what is known of the world is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from data.model.ids import TargetId
from data.model.plan import Needs, Requirement
from data.model.state import State
from data.model.target import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from data.model.plan import Plan

FRESH = timedelta(days=90)
"""A rehearsal older than this proves nothing."""
_STALE = 3.0
"""Intervals after which the last look at a standby is too old."""


@dataclass(frozen=True, slots=True)
class Standby:
    """What is known of one link or site that shall take over."""

    target: TargetId
    state: State
    detail: str
    last_at: datetime | None
    interval_s: float
    partner: str = ""
    labels: frozenset[tuple[str, str]] = frozenset()
    """What it depends on."""


class World(Protocol):
    """All a plan may ask."""

    def standby(self, target: str) -> Standby | None:
        """`None`: no such target is watched."""
        ...

    def licensed(self, partner: str, geo: str) -> bool | None:
        """`None`: no brand of that partner is declared."""
        ...

    def ftd_today(self, partner: str) -> float | None:
        """`None`: nobody counts them."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One plan before one trouble."""

    plan: Plan
    geos: Collection[str]
    failing: frozenset[tuple[str, str]]
    """What the trouble is blamed on."""
    world: World
    now: datetime
    _by_need: dict[Needs, Callable[[], Iterable[Requirement]]] = field(init=False)

    def __post_init__(self) -> None:
        asks: dict[Needs, Callable[[], Iterable[Requirement]]] = {
            Needs.GREEN: self._green,
            Needs.LICENCE: self._licence,
            Needs.CAP: self._cap,
            Needs.INDEPENDENT: self._independent,
        }
        object.__setattr__(self, "_by_need", asks)

    def answers(self) -> tuple[Requirement, ...]:
        """One line a precondition and standby; nothing for plan A, which restores what was there, unless it names standbys."""
        return tuple(found for need in self.plan.needs for found in self._by_need[need]())

    def _green(self) -> Iterable[Requirement]:
        for name in self.plan.standby:
            known = self.world.standby(name)
            if known is None:
                yield Requirement(Needs.GREEN, held=None, detail=f"{name_of_any(name)} is not watched")
            elif known.last_at is None or (self.now - known.last_at).total_seconds() > _STALE * known.interval_s:
                since = f"since {known.last_at:%m-%d %H:%MZ}" if known.last_at else "yet"
                yield Requirement(Needs.GREEN, held=None, detail=f"{name_of_any(name)} was not looked at {since}")
            elif known.state in {State.UNKNOWN, State.PAUSED}:
                yield Requirement(Needs.GREEN, held=None, detail=f"{name_of_any(name)} is {known.state.value}")
            else:
                ago = f"{(self.now - known.last_at).total_seconds():.0f} s ago"
                words = "ok" if known.state is State.OK else f"{known.state.value}: {known.detail}"
                yield Requirement(
                    Needs.GREEN, held=known.state is State.OK, detail=f"{name_of_any(name)} {words}, {ago}"
                )

    def _licence(self) -> Iterable[Requirement]:
        partner = self._partner()
        if not partner:
            yield Requirement(Needs.LICENCE, held=None, detail="the plan names no partner that takes the traffic")
            return
        if not self.geos:
            yield Requirement(Needs.LICENCE, held=None, detail="the trouble names no country")
        for geo in sorted(self.geos):
            held = self.world.licensed(partner, geo)
            words = {True: "may be shown in", False: "has no licence for", None: "declares no brand for"}[held]
            yield Requirement(Needs.LICENCE, held=held, detail=f"{partner} {words} {geo}")

    def _cap(self) -> Iterable[Requirement]:
        partner = self._partner()
        if not self.plan.cap:
            yield Requirement(Needs.CAP, held=True, detail=f"{partner or 'the other partner'} has no cap")
            return
        today = self.world.ftd_today(partner) if partner else None
        if today is None:
            yield Requirement(Needs.CAP, held=None, detail=f"nobody counts {partner or 'its'} FTD of today")
        else:
            yield Requirement(
                Needs.CAP, held=today < self.plan.cap, detail=f"{partner}: {today:.0f} of {self.plan.cap} FTD today"
            )

    def _independent(self) -> Iterable[Requirement]:
        if not self.failing:
            return
        for name in self.plan.standby:
            known = self.world.standby(name)
            if known is None:
                continue
            shared = sorted(f"{kind} {value}" for kind, value in known.labels & self.failing)
            words = f"is behind {shared[0]}, which fails" if shared else "does not depend on what fails"
            yield Requirement(Needs.INDEPENDENT, held=not shared, detail=f"{name_of_any(name)} {words}")

    def _partner(self) -> str:
        if named := self.plan.to.get("partner", ""):
            return named
        found = {known.partner for name in self.plan.standby if (known := self.world.standby(name)) and known.partner}
        return next(iter(found)) if len(found) == 1 else ""


def broken(requires: Iterable[Requirement]) -> str:
    """The first that surely does not hold, in words; what nobody can tell is for a person to weigh."""
    return next((one.detail for one in requires if one.held is False), "")


def doubtful(requires: Iterable[Requirement]) -> str:
    """The first that does not surely hold: enough to keep a plan from going off by itself."""
    return next((one.detail for one in requires if not one.held), "")


def is_fresh(rehearsed: date | None, now: datetime) -> bool:
    """Whether the last rehearsal still says something."""
    return rehearsed is not None and timedelta(0) <= now.date() - rehearsed <= FRESH


def name_of_any(target: str) -> str:
    return name_of(TargetId(target)) if ":" in target else target
