"""Where a new finding belongs: the incident that flapping, a bridge, an inferred upstream or a rule assigns it to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.incidents.case import FLAPPING
from checks.incidents.correlation import is_symptom, rule_of, upstream_of
from checks.incidents.labels import WEB, base, compatible
from checks.incidents.proof import reason
from checks.incidents.upstream import now_of
from data.model.target import TargetKind

if TYPE_CHECKING:
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.causes import Causes
    from checks.incidents.census import Census
    from checks.incidents.correlation import Upstream
    from checks.incidents.shelf import Shelf
    from data.model.incident import Finding


@dataclass(frozen=True, slots=True)
class Placing:
    shelf: Shelf
    census: Census | None
    causes: Causes

    def place_for(self, finding: Finding, now: datetime) -> tuple[Case | None, str]:
        """The oldest incident this finding belongs to, and why."""
        flapped = self.shelf.case_of(finding.target)
        if flapped is not None and flapped.may_take(now, FLAPPING) and flapped.is_of(finding):
            return flapped, "the same target fell again"
        if is_symptom(finding):
            found, why = self.causes.of(finding, now)
            return (found, why) if found is not None else self._by_rule(finding, now)
        if (known := self._inferred_for(finding)) is not None:
            return known, reason(known.shared)
        found, why = self._by_rule(finding, now)
        return (found, why) if found is not None else self.causes.of(finding, now)

    def _by_rule(self, finding: Finding, now: datetime) -> tuple[Case | None, str]:
        rule, upstream = rule_of(finding), upstream_of(finding)
        if rule is None or upstream is None:
            return None, ""
        is_money, is_feed = finding.kind is TargetKind.SLICE, finding.kind is TargetKind.FEED
        for number in self.shelf.index.of_upstream(upstream):
            case = self.shelf.cases[number]
            if (is_money and not case.is_money) or (is_feed and case.touches_web):
                continue  # explained by what fails there, or another story
            fits = case.may_take(now, FLAPPING) and case.is_near(finding.opened_at, rule.window)
            if fits and case.takes_kindly(finding) and self._may_speak(upstream, finding, case.incident.started_at):
                return case, rule.reason.format(value=upstream.value)
        return None, ""

    def _inferred_for(self, finding: Finding) -> Case | None:
        """The oldest open incident whose inferred upstream this finding shares, can be explained by and does not refute."""
        if self.census is None:
            return None
        labels = [label for label in self.census.labels(finding.target) if compatible(label[0], finding.cause)]
        for case in (self.shelf.cases[number] for number in self.shelf.index.of_shared(labels)):
            if (
                case.is_open
                and case.takes_kindly(finding)
                and not now_of(self.census, case.shared, case.incident.started_at).refuted
            ):
                return case
        return None

    def _may_speak(self, upstream: Upstream, finding: Finding, began: datetime) -> bool:
        """Whether a rule may join sites or links by this label: an edge only by inference, others unless most are fine.

        Where most are fine the same upstream may still fail in one country or for one offer.
        """
        if self.census is None or finding.kind not in WEB:
            return True
        if upstream.label == "edge":
            return False
        label, since = (upstream.label, upstream.value), min(began, finding.opened_at)
        pairs = [pair for pair in self.census.labels(finding.target) if pair != label and base(pair) == label]
        return not all(now_of(self.census, [one], since).refuted for one in (label, *pairs))
