from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from data.model.cause import family_of, state_of
from data.model.incident import Severity
from data.model.state import State

if TYPE_CHECKING:
    from data.model.ids import CauseId
    from data.model.money import Loss

SEV1_PER_HOUR = Decimal(200)
SEV2_PER_HOUR = Decimal(50)
SHARED_MEMBERS = 3
"""From this many members on an outage without a price is presumed to cost a SEV2."""
_CALMER = Decimal("0.8")
"""A severity falls only when the money is clearly below its line, so that an evening's swing does not flap it."""

_BLIND = frozenset({"feed", "postback"})
_HYGIENE = frozenset({"parser", "page"})
_NO_RESULTS = "page.no_results"


def is_blind(cause: CauseId) -> bool:
    """Whether we stopped seeing rather than earning: the value is *unseen*, not lost."""
    return (family_of(cause) in _BLIND and cause != "feed.restated") or cause == "revenue.blind"


def grade(
    cause: CauseId, loss: Loss, members: int, *, compliance: bool = False, was: Severity | None = None
) -> Severity:
    """How bad an incident is: compliance first, then money an hour, then what is known without a price.

    A query without results is the world, and never more than SEV4: were it the parser, its canaries would say so.
    Without a price (nothing lost, nothing an hour) sites, links and edges count by members; blindness and hygiene are SEV4,
    what search engines see is SEV3. `was` is the present severity and makes it fall later than it rises.
    """
    if compliance:
        return Severity.SEV1
    if (loss.per_hour > 0 or loss.lost > 0) and cause != _NO_RESULTS:
        return _by_money(loss.per_hour, was)
    family = family_of(cause)
    if is_blind(cause) or cause == _NO_RESULTS or (family in _HYGIENE and members < SHARED_MEMBERS):
        return Severity.SEV4
    if family in _HYGIENE or family in {"seo", "revenue"} or cause == "feed.restated":
        return Severity.SEV3
    if state_of(cause) is State.DEGRADED:
        return Severity.SEV4
    return Severity.SEV2 if family == "edge" or members >= SHARED_MEMBERS else Severity.SEV3


def _by_money(per_hour: Decimal, was: Severity | None) -> Severity:
    if per_hour > SEV1_PER_HOUR or (was is Severity.SEV1 and per_hour > SEV1_PER_HOUR * _CALMER):
        return Severity.SEV1
    keeps = was in {Severity.SEV1, Severity.SEV2} and per_hour > SEV2_PER_HOUR * _CALMER
    return Severity.SEV2 if per_hour >= SEV2_PER_HOUR or keeps else Severity.SEV3
