"""Which of the declared plans are for an incident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.model.ids import CauseId
    from data.model.incident import Finding, Incident
    from data.model.plan import Plan

_SCOPE = ("partner", "geo", "site", "team", "project")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an incident is about, as far as plans care."""

    cause: CauseId
    partners: frozenset[str] = frozenset()
    geos: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()

    def values(self, dim: str) -> frozenset[str]:
        found: frozenset[str] = getattr(self, f"{dim}s")
        return found


def trouble_of(incident: Incident, findings: Iterable[Finding], projects: Iterable[str] = ()) -> Trouble:
    """From the incident's open members; from all of them once none is open."""
    members = list(findings)
    marks = [one for one in members if one.closed_at is None] or members
    named = {dim: frozenset(one.fingerprint.get(dim, "") for one in marks) - {""} for dim in ("partner", "geo", "site")}
    return Trouble(
        incident.cause, named["partner"], named["geo"], named["site"], frozenset(incident.teams), frozenset(projects)
    )


def plans_for(plans: Iterable[Plan], trouble: Trouble) -> tuple[Plan, ...]:
    """A before B before C, of one letter the narrowest first, then as they were declared."""
    fitting = [plan for plan in plans if fits(plan, trouble)]
    return tuple(sorted(fitting, key=lambda plan: (plan.letter, -_narrowness(plan), plan.line)))


def fits(plan: Plan, trouble: Trouble) -> bool:
    """Cause and every dimension the plan names."""
    if not any(_covers(cause, trouble.cause) for cause in plan.causes):
        return False
    return all(not (wanted := getattr(plan, dim)) or wanted in trouble.values(dim) for dim in _SCOPE)


def chosen(plans: Sequence[Plan], key: str) -> Plan | None:
    """By id, or the first of that letter."""
    exact = next((plan for plan in plans if plan.id == key), None)
    return exact or next((plan for plan in plans if plan.letter == key.upper()), None)


def _covers(named: str, cause: CauseId) -> bool:
    return cause.startswith(named) if named.endswith(".") else cause == named


def _narrowness(plan: Plan) -> int:
    return sum(bool(getattr(plan, dim)) for dim in _SCOPE) + any(not cause.endswith(".") for cause in plan.causes)
