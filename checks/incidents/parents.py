"""Whose failure accounts for a child's: while such a parent fails, the child opens no incident of its own. Pure.

Only the *opening* is held back: the child is looked at, judged and resolved as ever. A parent that is unknown or paused, or
that fails without an incident that anybody could see, holds nothing back; nor does a circle of parents.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.incidents.severity import is_blind
from data.model.ids import TargetId
from data.model.state import State
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from data.config.parents import Parent
    from data.model.incident import Finding

HELD_BY, HELD_WHY = "suppressed_by", "suppressed_why"
"""Labels of a finding that is held back: the parent's target, and the reason in words."""
_ENOUGH_PARSERS = 3
"""Fewer parsers than these leave most of what is ranked in sight."""
_FAILS = frozenset({State.FAILING, State.DEGRADED})


@dataclass(frozen=True, slots=True)
class Held:
    """The decision that a finding opens no incident for now."""

    parent: Finding
    why: str


def held_back(finding: Finding, held: Held) -> Finding:
    """The finding as it is kept: without an incident, with the parent and the reason among its labels."""
    labels = {HELD_BY: held.parent.target, HELD_WHY: held.why}
    return replace(finding, incident=None, fingerprint=finding.fingerprint | labels)


def released(finding: Finding) -> Finding:
    """The same without them."""
    return replace(
        finding,
        fingerprint={name: value for name, value in finding.fingerprint.items() if name not in {HELD_BY, HELD_WHY}},
    )


def holder_of(finding: Finding) -> TargetId:
    """The parent of a finding that is held back."""
    return TargetId(finding.fingerprint[HELD_BY])


def is_held(finding: Finding) -> bool:
    return finding.incident is None and finding.closed_at is None and HELD_BY in finding.fingerprint


def _by_finding(_: TargetId) -> State:
    return State.FAILING


def _anywhere(_child: Finding, _parent: Finding) -> bool:
    return True


@dataclass(slots=True)
class Parents:
    """Open findings that may hold others back, and the rules by which they do.

    1. Money of a partner whose feed of the same team does not deliver is unseen, not missing. 2. What searches say of a team's
    sites is no news while several of its parsers fail. 3. What the configuration declares.
    """

    state_of: Callable[[TargetId], State] = _by_finding
    """How a target does now; a finding stays open while its target is unknown or paused."""
    hides: Callable[[Finding, Finding], bool] = _anywhere
    """Whether a (child, feed) is really unseen: the same figures may come another way."""
    _declared: tuple[Parent, ...] = ()
    _named: frozenset[str] = frozenset()
    _open: dict[TargetId, Finding] = field(default_factory=dict)
    _feeds: dict[str, dict[TargetId, None]] = field(default_factory=lambda: defaultdict(dict))
    _parsers: dict[str, dict[TargetId, None]] = field(default_factory=lambda: defaultdict(dict))

    def declare(self, rules: Iterable[Parent]) -> None:
        """Replaces what was declared; findings of new parents are to be seen again."""
        self._declared = tuple(rules)
        self._named = frozenset(one.parent for one in self._declared)

    def saw(self, finding: Finding) -> None:
        """A finding was opened, revised or closed."""
        if finding.kind not in {TargetKind.FEED, TargetKind.PARSER} and finding.target not in self._named:
            return
        groups = [
            self._feeds[finding.fingerprint.get("partner", "")] if finding.kind is TargetKind.FEED else {},
            self._parsers[finding.team] if finding.kind is TargetKind.PARSER else {},
        ]
        known = self._open.get(finding.target)
        if finding.closed_at is None:
            self._open[finding.target] = finding
            for group in groups:
                group[finding.target] = None
        elif known is not None and known.id == finding.id:
            del self._open[finding.target]
            for group in groups:
                group.pop(finding.target, None)

    def holds(self, finding: Finding) -> Held | None:
        """Why this finding opens nothing now; `None` where it is to be told."""
        for held in self._of(finding):
            if self._is_told(held.parent, {finding.target}):
                return held
        return None

    def _of(self, child: Finding) -> Iterator[Held]:
        if child.kind is TargetKind.SLICE and (partner := child.fingerprint.get("partner")):
            for parent in self._failing(self._feeds.get(partner, ())):
                if is_blind(parent.cause) and parent.team == child.team and self.hides(child, parent):
                    yield Held(parent, f"figures of {partner} do not come: {name_of(parent.target)} fails")
        if child.cause == "seo.deindexed":
            parsers = list(self._failing(self._parsers.get(child.team, ())))
            if len(parsers) >= _ENOUGH_PARSERS:
                yield Held(parsers[0], f"{len(parsers)} parsers of search results of {child.team} fail")
        for rule in self._declared:
            if rule.is_over(child.target):
                for parent in self._failing([TargetId(rule.parent)]):
                    yield Held(parent, f"{name_of(parent.target)} fails: {rule.reason}")

    def _failing(self, targets: Iterable[TargetId]) -> Iterator[Finding]:
        for target in sorted(targets):
            known = self._open.get(target)
            if known is not None and self.state_of(target) in _FAILS:
                yield known

    def _is_told(self, parent: Finding, seen: set[TargetId]) -> bool:
        """Somebody can see why: the parent has an incident, or is itself held back by one that has."""
        if parent.incident is not None:
            return True
        if parent.target in seen or not is_held(parent):
            return False
        above = self._open.get(holder_of(parent))
        return above is not None and self._is_told(above, seen | {parent.target})

    def root_of(self, held: Held) -> Finding:
        """The finding with an incident at the end of the chain."""
        parent = held.parent
        while parent.incident is None:
            parent = self._open[holder_of(parent)]
        return parent
