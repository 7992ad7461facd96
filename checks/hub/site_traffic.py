"""Which sites the clicks of a slice pass, from the inventory's links and the clicks of a week."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.incidents.traffic import Traffic
from checks.revenue.cube import OTHERS, WEEK_H
from data.model.target import TargetKind

if TYPE_CHECKING:
    from checks.hub.hub import Hub
    from checks.incidents.traffic import Place
    from checks.revenue.cube import Cube
    from data.config.settings import Settings

LASTS = timedelta(hours=1)
"""A week's clicks move little in so long; after a start it takes a look at the facts before there are any."""


@dataclass(slots=True)
class SiteTraffic:
    """Answers for the links there are; counts are read again every `LASTS`."""

    hub: Hub
    _known: Traffic = field(default_factory=Traffic)
    _settings: Settings | None = None
    """Whose links they are."""
    _read_at: datetime | None = None

    def __call__(self) -> Traffic:
        settings, now = self.hub.settings, self.hub.clock.now()
        is_old = self._read_at is None or abs(now - self._read_at) > LASTS
        if settings is not self._settings or is_old:
            links = (one for one in settings.targets if one.kind is TargetKind.LINK)
            with self.hub.book.at_rest():
                clicks = clicks_of(self.hub.book.cube)
            self._known = Traffic.of(links, clicks)
            self._settings, self._read_at = settings, now
        return self._known


def clicks_of(cube: Cube) -> dict[Place, float]:
    """Clicks of the last week by partner, GEO and site, where there were any."""
    names = [cube.dims.index(dim) for dim in ("partner", "geo", "site")]
    counted = cube.measure("clicks", cube.top - WEEK_H, cube.top).sum(1)
    found: dict[Place, float] = defaultdict(float)
    for leaf in counted.nonzero()[0].tolist():
        partner, geo, site = (cube.names[dim][cube.codes[dim, leaf]] for dim in names)
        found[partner, geo, site if site != OTHERS else ""] += float(counted[leaf])
    return found
