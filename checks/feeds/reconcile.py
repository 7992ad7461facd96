"""Two counts of the same thing: our postbacks, and what the partner's API says of the same days. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds.chance import chernoff_rare
from checks.feeds.change import Change
from checks.feeds.kinds import RISKY
from data.model.feed_view import Reconciled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from data.model.delivery import Postback
    from data.model.fact import PartnerStat

MEASURES = {
    "registration": ("registrations", "registrations by postback"),
    "ftd": ("ftd_count", "first deposits by postback"),
}
"""Event to the API's measure and the words it goes by."""
LEARNED = 3
"""Days from which a usual share is known."""
LEAST = 5
"""Events that a day must lack at least to be told of."""
TOLERANCE = 0.03
"""Share that may be missing where none is known to be usual."""
DAYS = 14

ByDay = dict[date, int]


@dataclass(frozen=True, slots=True)
class Match:
    """One event over the days that both sides should know by now."""

    what: str
    days: tuple[tuple[date, int, int], ...]
    """Day, ours, theirs: oldest first."""
    usual: tuple[float, float] | None
    """Share of theirs that we usually have, from and to."""
    fits: bool

    @property
    def row(self) -> Reconciled:
        """Of the newest day; over all days where there is none."""
        _, ours, theirs = self.days[-1] if self.days else (None, 0, 0)
        usual = f"{self.usual[0]:.2f}-{self.usual[1]:.2f}" if self.usual else ""
        return Reconciled(self.what, float(ours), float(theirs), usual, self.fits)

    @property
    def change(self) -> Change | None:
        """What the ledger of changes gets where they do not fit."""
        if self.fits or not self.days:
            return None
        day, ours, theirs = self.days[-1]
        was = f"{self.usual[0]:.0%}-{self.usual[1]:.0%} of them" if self.usual else "all of them"
        now = f"{ours} of the {theirs} that the API counts on {day}"
        return Change(
            "postbacks-unmatched", self.what.partition(" by ")[0], RISKY, was, now, len(self.days) - 1, theirs
        )


def postbacks_by_day(events: Iterable[Postback], zone: ZoneInfo) -> dict[str, ByDay]:
    """Good calls by event and day of the partner; by the time of the event where it is told."""
    found: dict[str, ByDay] = defaultdict(lambda: defaultdict(int))
    for one in events:
        if not one.fault:
            found[one.event][(one.at or one.received_at).astimezone(zone).date()] += 1
    return found


def api_by_day(stats: Iterable[PartnerStat], measure: str) -> ByDay:
    """Sum of a measure by day over all dimensions; a day on which it was never delivered is not among them."""
    found: ByDay = defaultdict(int)
    for stat in stats:
        figure = stat.measures.get(measure)
        if figure is not None:
            found[stat.day] += int(figure)
    return dict(found)


def matched(
    events: Mapping[str, ByDay],
    stats: Sequence[PartnerStat],
    zone: ZoneInfo,
    now: datetime,
    lag: timedelta,
    since: date,
) -> tuple[Match, ...]:
    """Each event that the API counts as well, on the days that ended more than `lag` ago and after `since`.

    `since` is the first day on which calls could come at all. A day is told of where it lacks more calls than the days
    before it explain (Chernoff's bound at one in ten thousand); more calls than the API counts are late reports, or wait.
    """
    last = (now - lag).astimezone(zone).date() - timedelta(days=1)
    first = max(since, last - timedelta(days=DAYS - 1))
    found = []
    for event, (measure, words) in MEASURES.items():
        theirs, ours = api_by_day(stats, measure), events.get(event, {})
        days = tuple((day, ours.get(day, 0), count) for day, count in sorted(theirs.items()) if first <= day <= last)
        if days:
            found.append(_match(words, days))
    return tuple(found)


def _match(what: str, days: tuple[tuple[date, int, int], ...]) -> Match:
    *before, (_, ours, theirs) = days
    shares = [min(mine / count, 1.5) for _, mine, count in before if count]
    usual = None
    if len(shares) >= LEARNED:
        middle = statistics.median(shares)
        spread = 2 * 1.4826 * statistics.median(abs(share - middle) for share in shares)
        usual = (max(middle - max(spread, TOLERANCE), 0.0), middle + max(spread, TOLERANCE))
    missing = theirs - ours
    chance = 1 - usual[0] if usual else TOLERANCE
    fits = missing < LEAST or not chernoff_rare(missing, theirs, min(max(chance, TOLERANCE), 0.99))
    return Match(what, days, usual, fits)
