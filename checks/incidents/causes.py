"""What explains that money is missing, or that postbacks tell of none: the open incident of links, a feed or sites. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.incidents.case import FLAPPING
from checks.incidents.correlation import ECHO, LATER, bridge_between, is_symptom, may_cause, missing
from checks.incidents.labels import combined
from checks.incidents.traffic import Traffic
from checks.incidents.upstream import ENOUGH_FINE, SHARE, now_of
from checks.revenue.alarm import counted
from data.model.cause import state_of
from data.model.state import State
from data.model.target import TargetKind, target_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.census import Census
    from checks.incidents.correlation import Bridge
    from checks.incidents.labels import Label
    from checks.incidents.shelf import Shelf
    from data.model.ids import IncidentId
    from data.model.incident import Finding

_NARROWER = ("offer", "geo")
_DIMS = ("partner", "offer", "geo", "site")
_LEAST, _HALF = 0.2, 0.5
"""Sites that fail explain missing money when they carry half of what is missing, and no less than this of the slice."""


@dataclass(frozen=True, slots=True)
class Causes:
    """Looks for the cause of a symptom among incidents, and for the symptoms of a cause.

    1. A bridge (`checks.incidents.correlation`): both name the same partner, offer or site, and most links of it fail.
    2. The sites that fail carry so much of the slice's traffic that they explain half of what is missing.
    """

    shelf: Shelf
    census: Census | None = None
    traffic: Callable[[], Traffic] = field(default=Traffic)

    def of(self, finding: Finding, now: datetime) -> tuple[Case | None, str]:
        """The incident that explains this symptom, or whose symptoms this explains, and why; the oldest of several."""
        best: tuple[IncidentId, str] | None = None
        for number, value, members in self.shelf.index.bridged(finding):
            case = self.shelf.cases[number]
            if (best is not None and best[0] <= number) or not _takes(case, finding, now):
                continue
            for known in members:
                other = self.shelf.findings[known]
                if bridge := self._bridge(finding, other, now):
                    what = missing(finding if is_symptom(finding) else other)
                    best = number, bridge.reason.format(what=what, value=value)
                    break
        if best is None and is_symptom(finding):
            return self._by_traffic(finding, now)
        return (self.shelf.cases[best[0]], best[1]) if best else (None, "")

    def _bridge(self, one: Finding, other: Finding, now: datetime) -> Bridge | None:
        """The bridge between two, unless the cause ended long ago or most links of that money are fine."""
        bridge = bridge_between(one, other)
        symptom, root = (one, other) if is_symptom(one) else (other, one)
        if bridge is None or _is_old(root, now):
            return None
        if self.census is None or root.kind is not TargetKind.LINK:
            return bridge
        judged = now_of(self.census, [_label(symptom)], root.opened_at)
        return None if judged.fine >= ENOUGH_FINE and judged.share < SHARE else bridge

    def _by_traffic(self, symptom: Finding, now: datetime) -> tuple[Case | None, str]:
        """Of incidents of sites, the one whose sites carry most of this slice; enough of it to explain what is missing."""
        where = {name: value for name in _DIMS if (value := symptom.fingerprint.get(name))}
        carried: dict[IncidentId, float] = defaultdict(float)
        for site, share in self.traffic().sites_of(where).items() if where else ():
            target = target_id(TargetKind.SITE, site)
            case = self.shelf.case_of(target)
            root = case.of_target(target) if case and _takes(case, symptom, now) else None
            if case and root and _is_dead(root) and not _is_old(root, now) and _fell_with(root, symptom):
                carried[case.incident.id] += share
        number = min(carried, key=lambda one: (-carried[one], one), default=None)
        if number is None or carried[number] < _enough(symptom):
            return None, ""
        place = " ".join(where.values())
        why = f"{missing(symptom)} of {place}: sites that fail carry {carried[number]:.0%} of its clicks"
        return self.shelf.cases[number], why


def _takes(case: Case, finding: Finding, now: datetime) -> bool:
    """Whether the two may be one story: symptoms join what is open or ended a moment ago, a cause joins what is open."""
    if is_symptom(finding):
        return not case.is_echo and case.may_take(now, FLAPPING)
    return case.is_open and (case.is_echo or case.takes_kindly(finding))


def _is_dead(root: Finding) -> bool:
    return root.kind is TargetKind.SITE and state_of(root.cause) is State.FAILING


def _fell_with(root: Finding, symptom: Finding) -> bool:
    """Clicks end with their site: money that falls hours later falls for another reason. Silence is heard late."""
    is_soon = symptom.kind is not TargetKind.SLICE or symptom.opened_at <= root.opened_at + LATER
    return is_soon and may_cause(root, symptom)


def _is_old(root: Finding, now: datetime) -> bool:
    return root.closed_at is not None and now - root.closed_at > ECHO


def _enough(symptom: Finding) -> float:
    """The part of a slice's traffic that must have failed to explain its symptom."""
    told = counted(symptom.detail) if symptom.kind is TargetKind.SLICE else None
    return max((1.0 - told.share) * _HALF, _LEAST) if told else _HALF


def _label(symptom: Finding) -> Label:
    """What links of a slice share in a census."""
    partner = symptom.fingerprint.get("partner", "")
    for name in _NARROWER:
        if partner and (value := symptom.fingerprint.get(name)):
            return combined("partner", name, partner, value)
    return ("partner", partner)
