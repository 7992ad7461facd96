"""What was deployed lately: it may have broken what it touched, and lends a little to missing money there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.incidents.labels import WEB
from checks.revenue.lending import CHANGE_LASTS, MOST_TOUCHED, USUAL_OVER, Sign, deploy_share, of_links, of_sites
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from checks.hub.hub import Hub
    from checks.incidents.traffic import Traffic
    from data.model.audit import AuditEntry
    from data.model.target import Target

ACTION = "deploy"


@dataclass(slots=True)
class Deploys:
    """A week of them, for what is deployed all day is no news."""

    hub: Hub
    traffic: Callable[[], Traffic]
    _known: list[AuditEntry] = field(default_factory=list)

    def told(self, entries: Iterable[AuditEntry]) -> None:
        """Remember those among what people did; one told twice is one."""
        self._known = list(dict.fromkeys([*self._known, *(one for one in entries if one.action == ACTION)]))

    def signs(self, now: datetime) -> list[Sign]:
        """Of the latest deploy of each place, for some hours."""
        self._known = [one for one in self._known if now - one.at <= USUAL_OVER]
        latest: dict[str, AuditEntry] = {}
        for one in sorted(self._known, key=lambda entry: entry.at):
            if one.at <= now:
                latest[one.subject] = one
        counts = Counter(one.subject for one in self._known if one.at <= now)
        fresh = [
            (entry, share)
            for place, entry in sorted(latest.items())
            if now - entry.at <= CHANGE_LASTS and (share := deploy_share(counts[place])) > 0
        ]
        there = self._targets({entry.subject for entry, _ in fresh}) if fresh else {}
        return [
            replace(sign, share=sign.share * share, why=f"deploy of {entry.subject.replace(':', ' ')}: {entry.detail}")
            for entry, share in fresh
            for sign in self._touched(entry, there[entry.subject])
        ]

    def _touched(self, entry: AuditEntry, targets: Sequence[Target]) -> list[Sign]:
        """Slices that a deploy may have touched: of its sites, of what their clicks feed, and of links through its host."""
        sites = {one.name: entry.at for one in targets if one.kind is TargetKind.SITE}
        hit = {one.id: entry.at for one in targets if one.kind is TargetKind.LINK}
        board = self.hub.board
        links = [one for one in board.targets.values() if one.kind is TargetKind.LINK] if hit else []
        own = [Sign(ACTION, (("site", site),), entry.at, "") for site in sites] if len(sites) <= MOST_TOUCHED else []
        fed = of_sites(ACTION, self.traffic().leaves(), sites)
        return [*own, *fed, *of_links(ACTION, links, hit, {})]

    def _targets(self, places: Collection[str]) -> dict[str, list[Target]]:
        """Sites and links of each place that was deployed, in one pass over all."""
        found: dict[str, list[Target]] = {place: [] for place in places}
        census = self.hub.board.census
        for one in self.hub.board.targets.values():
            if one.kind not in WEB or one.paused:
                continue
            named = {f"team:{one.team}", *(f"host:{name}" for label, name in census.labels(one.id) if label == "host")}
            if one.kind is TargetKind.SITE:
                named.add(f"site:{one.name}")
            for place in named & found.keys():
                found[place].append(one)
        return found
