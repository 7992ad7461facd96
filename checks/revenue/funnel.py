"""The step from click to commission that moved first, and what usually moves it. Pure.

Every step is held against the one before it, so that a step which merely passes on a shortage is no news: own clicks against
the calendar, partner clicks against own clicks, registrations against clicks, FTD against registrations, commission against
FTD. Rules 6 and 7 of domain 3.4 name the cause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from data.model.cause import ANALYST, DEVELOPER, FINANCE, MANAGER, SEO
from data.model.revenue_view import Funnel, FunnelStep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

OWN, PARTNER, REGISTRATIONS, FTD, COMMISSION = STEPS = (
    "own clicks", "partner clicks", "registrations", "FTD", "commission",
)  # fmt: skip
MOVED_NATS = math.log(1000)
"""A step moved when chance explains what is seen less than once in a thousand times."""
LEAST = {OWN: 0.15, PARTNER: 0.05, REGISTRATIONS: 0.15, FTD: 0.15, COMMISSION: 0.15}
"""Share by which a step must differ at least: large counts make any trifle significant."""
WANDER = {OWN: 0.25, PARTNER: 0.04, REGISTRATIONS: 0.10, FTD: 0.12, COMMISSION: 0.15}
"""Relative deviation of a step's usual ratio from day to day beyond that of counting (domain 6: moods of 7 %, traffic more)."""
Z80 = 1.2816
BUYER = "media buyer"
NOWHERE: Mapping[str, str] = MappingProxyType({})
_EXACT = 200.0
"""Expected counts up to which the interval is exact."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One step over a time: what was seen of it, and what the step before lets expect."""

    seen: float | None
    """`None` where nobody counts it."""
    expected: float | None
    """`None` where there is no history to expect from."""
    event_cv2: float | None = None
    """Money: squared coefficient of variation of one event's worth; counts have none."""
    events: float = 0.0
    """Money: how many events it is the sum of."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a step that moved first usually means."""

    likely: str
    owner: str
    says: str
    """What is seen, in words."""


_DOWN: Mapping[str, Rule] = {
    OWN: Rule("the site, its search traffic or a campaign", SEO, "own clicks fell"),
    PARTNER: Rule("tracking: clicks or their parameters are lost on the way", DEVELOPER, "own clicks are flat, the partner counts fewer"),
    REGISTRATIONS: Rule("landing page or registration form", MANAGER, "clicks are flat, registrations fell"),
    FTD: Rule("cashier, KYC or a changed definition", MANAGER, "registrations are flat, first deposits fell"),
    COMMISSION: Rule("deal, unit or claw-back", FINANCE, "first deposits are flat, commission fell"),
}  # fmt: skip
_UP: Mapping[str, Rule] = {
    OWN: Rule("robots, or a campaign that brings nobody", BUYER, "own clicks rose beyond the usual"),
    PARTNER: Rule("clicks counted twice, or links of ours that our log does not see", ANALYST, "the partner counts more clicks than we"),
    REGISTRATIONS: Rule("a promotion, or registrations that are none", ANALYST, "clicks are flat, registrations rose"),
    FTD: Rule("a promotion or a changed definition", ANALYST, "registrations are flat, first deposits rose"),
    COMMISSION: Rule("unit, currency or one large winner", FINANCE, "first deposits are flat, commission rose"),
}  # fmt: skip
_UNCOUNTED = Rule(
    "tracking, landing page or registration form: nobody counts the partner's clicks", MANAGER,
    "own clicks are flat, registrations fell",
)  # fmt: skip
_GEO = {
    OWN: "search or campaigns of {}", PARTNER: "a redirect by country in {}", REGISTRATIONS: "GEO block, licence or provider in {}",
    FTD: "payment provider or licence in {}", COMMISSION: "the deal for {}",
}  # fmt: skip
_DEVICE = {
    OWN: "app, deep link or style sheet on {}", PARTNER: "deep link or app store on {}", REGISTRATIONS: "app, deep link or form on {}",
    FTD: "cashier in the app on {}", COMMISSION: "the deal for {}",
}  # fmt: skip
_TEMPLATE = "CMS or template {}"


def funnel(
    counted: Mapping[str, Counted], since: datetime, until: datetime, *, only: Mapping[str, str] = NOWHERE
) -> Funnel:
    """The steps of a slice between two moments, the first that moved and what usually moves it.

    `counted` is by the names of `STEPS`; a step that is missing counts as counted by nobody. `only` says where alone it
    happens, if so (rule 7): `geo`, `device` and `template` with their value.
    """
    steps = tuple(_step(name, counted.get(name, Counted(None, None))) for name in STEPS)
    first = next((step for step in steps if step.moved), None)
    if first is None:
        return Funnel(since, until, steps)
    rule = _rule(first, steps)
    return Funnel(since, until, steps, first.name, _here(rule.likely, first, only), rule.owner)


def words(found: Funnel) -> str:
    """`registrations are flat, first deposits fell: cashier, KYC or a changed definition`; empty where no step moved."""
    first = next((step for step in found.steps if step.name == found.step), None)
    return f"{_rule(first, found.steps).says}: {found.likely}" if first else ""


def _step(name: str, one: Counted) -> FunnelStep:
    if one.expected is None:
        return FunnelStep(name, one.seen, None)
    expected, wander = max(one.expected, 0.0), WANDER[name]
    if one.event_cv2 is None:
        lo, hi = count_interval(expected, wander)
        nats = count_nats(one.seen, expected, wander) if one.seen is not None else 0.0
    else:
        each = expected / one.events if one.events > 0 else 0.0
        sd = math.hypot(each * math.sqrt(one.events * one.event_cv2), expected * wander)
        lo, hi = expected - Z80 * sd, expected + Z80 * sd
        nats = ((one.seen - expected) / sd) ** 2 / 2 if one.seen is not None and sd > 0 else 0.0
    moved = nats >= MOVED_NATS and abs((one.seen or 0.0) - expected) >= LEAST[name] * expected
    return FunnelStep(name, one.seen, round(expected, 2), round(max(lo, 0.0), 2), round(hi, 2), moved)


def count_nats(seen: float, expected: float, wander: float) -> float:
    """Evidence against chance: log-likelihood ratio of a gamma-Poisson count whose mean wanders by `wander` (Chernoff's bound)."""
    if expected <= 0:
        return 0.0
    shape = 1 / wander**2
    surprise = seen * math.log(seen / expected) if seen > 0 else 0.0
    return max(surprise - (seen + shape) * math.log((seen + shape) / (expected + shape)), 0.0)


def count_interval(expected: float, wander: float) -> tuple[float, float]:
    """Ends of the 80 % interval of a gamma-Poisson count: exact for small means, normal for large ones."""
    if expected > _EXACT:
        half = Z80 * math.sqrt(expected + (wander * expected) ** 2)
        return expected - half, expected + half
    if expected <= 0:
        return 0.0, 0.0
    shape = 1 / wander**2
    chance = math.exp(-shape * math.log1p(expected / shape))
    total, count, lo = chance, 0, 0 if chance > 0.1 else -1
    while total < 0.9:
        chance *= (shape + count) / (count + 1) * expected / (shape + expected)
        count, total = count + 1, total + chance
        lo = count if lo < 0 and total > 0.1 else lo
    return float(max(lo, 0)), float(count)


def _rule(first: FunnelStep, steps: tuple[FunnelStep, ...]) -> Rule:
    fell = (first.seen or 0.0) < (first.expected or 0.0)
    if not fell:
        return _UP[first.name]
    uncounted = any(step.name == PARTNER and (step.seen is None or step.expected is None) for step in steps)
    return _UNCOUNTED if first.name == REGISTRATIONS and uncounted else _DOWN[first.name]


def _here(likely: str, first: FunnelStep, only: Mapping[str, str]) -> str:
    """The cause, sharper where only one GEO, device or template is concerned."""
    if (first.seen or 0.0) >= (first.expected or 0.0):
        return likely
    if device := only.get("device"):
        return _DEVICE[first.name].format(device)
    if template := only.get("template"):
        return _TEMPLATE.format(template)
    geo = only.get("geo")
    return f"{likely}; only {geo}: {_GEO[first.name].format(geo)}" if geo else likely
