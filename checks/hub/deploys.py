"""What was deployed lately: it may have broken what it touched, and lends a little to missing money there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.revenue.lending import CHANGE_LASTS, MOST_TOUCHED, USUAL_OVER, Sign, deploy_share, of_links, of_sites
from data.model.target import TargetKind, target_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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
        return [
            replace(sign, share=sign.share * share, why=f"deploy of {entry.subject.replace(':', ' ')}: {entry.detail}")
            for place, entry in sorted(latest.items())
            if now - entry.at <= CHANGE_LASTS and (share := deploy_share(counts[place])) > 0
            for sign in self._touched(entry)
        ]

    def _touched(self, entry: AuditEntry) -> list[Sign]:
        """Slices that a deploy may have touched: of its sites, of what their clicks feed, and of links through its host."""
        targets = [one for one in self._targets(entry) if not one.paused]
        sites = {one.name: entry.at for one in targets if one.kind is TargetKind.SITE}
        hit = {one.id: entry.at for one in targets if one.kind is TargetKind.LINK}
        board = self.hub.board
        links = [one for one in board.targets.values() if one.kind is TargetKind.LINK] if hit else []
        own = [Sign(ACTION, (("site", site),), entry.at, "") for site in sites] if len(sites) <= MOST_TOUCHED else []
        fed = of_sites(ACTION, self.traffic().leaves(), sites)
        return [*own, *fed, *of_links(ACTION, links, hit, {})]

    def _targets(self, entry: AuditEntry) -> list[Target]:
        """Sites and links of the place that was deployed."""
        board, (kind, _, name) = self.hub.board, entry.subject.partition(":")
        if kind == "site":
            found = board.targets.get(target_id(TargetKind.SITE, name))
            return [found] if found else []
        web = (one for one in board.targets.values() if one.kind in {TargetKind.SITE, TargetKind.LINK})
        if kind == "team":
            return [one for one in web if one.team == name]
        label = ("host", name)
        return [one for one in web if label in board.census.labels(one.id)]
