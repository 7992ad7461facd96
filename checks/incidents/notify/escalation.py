"""How far up each incident was carried because nobody took it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from data.model.ids import IncidentId


@dataclass(slots=True)
class _Climb:
    at: datetime
    """When somebody was told last who may still acknowledge in time."""
    step: int = 0


@dataclass(slots=True)
class Chain:
    """Steps from 1; each has a deadline of its own from the one before, also after a time in which nobody looked."""

    _climbs: dict[IncidentId, _Climb] = field(default_factory=dict)

    def began(self, incidents: Iterable[IncidentId], at: datetime) -> None:
        """Told for the first time as something urgent."""
        for number in incidents:
            self._climbs.setdefault(number, _Climb(at))

    def told(self, incidents: Iterable[IncidentId], step: int, at: datetime) -> None:
        for number in incidents:
            self._climbs[number] = _Climb(at, step)

    def due(self, incident: IncidentId, length: int, within: timedelta, now: datetime) -> Iterator[int]:
        """The steps whose turn it is: one, and the ones after it should nobody be there."""
        climb = self._climbs.setdefault(incident, _Climb(now))
        if now - climb.at >= within:
            yield from range(climb.step + 1, length + 1)

    def rest(self, incident: IncidentId) -> None:
        """Somebody has it, or it is not urgent any longer: should that change it starts anew."""
        self._climbs.pop(incident, None)

    forget = rest
