"""Which rules an incident meets, as Alertmanager reads such a tree: depth first, the deepest that matches wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.incidents.routing import owner_role
from data.model.cause import family_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from checks.incidents.notify.labels import Labels
    from data.config.notifying import Route


def chosen(route: Route, labels: Labels) -> tuple[Route, ...]:
    """The rules that apply, in the order they stand; the root matches everything, so there is at least one.

    1. A rule whose conditions do not hold contributes nothing. 2. Its own rules are tried in order; after the first that
    applies the rest are skipped unless it says `continue`. 3. Where none of them applies the rule itself does.
    """
    found: list[Route] = []
    for inner in route.routes:
        if not meets(inner, labels):
            continue
        found += chosen(inner, labels)
        if not inner.goes_on:
            break
    return tuple(found) or (route,)


def owner_by(root: Route, labels: Labels) -> str:
    """Whose it is: the role of the first rule that applies and names one, else the one of its cause."""
    return next((route.owner for route in chosen(root, labels) if route.owner), "") or owner_role(labels.cause)


def meets(route: Route, labels: Labels) -> bool:
    """Whether every condition of the rule holds; of an incident of several teams, partners or GEOs one is enough."""
    cause = not route.causes or labels.cause in route.causes or family_of(labels.cause) in route.causes
    return (
        cause
        and (not route.severities or labels.severity in route.severities)
        and _any(route.teams, labels.values("team"))
        and _any(route.projects, labels.projects)
        and _any(route.partners, labels.partners)
        and _any(route.geos, labels.geos)
    )


def _any(asked: Collection[str], has: frozenset[str]) -> bool:
    return not asked or not has.isdisjoint(asked)


def group_key(route: Route, labels: Labels) -> str:
    """What is told together: the rule, and the values of the labels it groups by."""
    parts = [f"{name}={'+'.join(sorted(labels.values(name)))}" for name in route.group_by]
    return " ".join((route.place, *parts))
