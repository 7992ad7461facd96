"""People: clicks, registrations and first deposits, one by one.

1. A leaf's hourly rate is its clicks a day x the local hour's share x the weekday's factor, shaken by a gamma common to
   team, country and hour and by one of its own; clicks are Poisson, evenly spread over the hour.
2. A click registers with its partner's probability (shaken by a gamma a day) after a log-normal lag, median 6 minutes.
3. A registration deposits after a log-normal lag, median 35 minutes, cut at 7 days; the commission is a fixed CPA or gamma.
4. Whom the company's redirector sends to another partner is that one's visitor: drawn anew with its chances.
5. The script then takes away what it takes: first people who stay at home (nobody's loss), then clicks that never happen and
   conversions that are never paid; whom an earlier failure of the script has taken, a later one cannot, and whom the
   reserve edge serves Halyard's trouble does not reach. What was taken is kept with its expected commission: the truth
   that reports are compared with.
6. Machines click beside them (D3) and never register.

Times are seconds since the simulated start, so that days are plain arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from checks.demo.partners import BY_ID, CASINO, CASINO_WEEK, SPORTS, SPORTS_WEEK, UTC_OFFSET_H
from checks.demo.script import FLOOD_TIMES, HOLIDAY_KEEPS, Event, Script
from checks.demo.world import TAIL_SITE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.demo.switchboard import Setting
    from checks.demo.world import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HOUR = 3600.0
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Clicks:
    """People of a span of hours, one element each; `nan` where a step was not reached."""

    leaf: Ints
    at: Floats
    reg_at: Floats
    ftd_at: Floats
    value: Floats

    def __len__(self) -> int:
        return len(self.leaf)

    def pick(self, mask: Bools) -> Clicks:
        return Clicks(self.leaf[mask], self.at[mask], self.reg_at[mask], self.ftd_at[mask], self.value[mask])

    def between(self, since: float, until: float) -> Clicks:
        """Who clicked then."""
        return self.pick((self.at >= since) & (self.at < until))


@dataclass(frozen=True, slots=True)
class Taken:
    """What one event took: when each of the people concerned clicked, and the expected commission of such a click."""

    event: str
    at: Floats
    commission: Floats

    def until(self, moment: float) -> float:
        """Of those who had clicked by then."""
        return float(self.commission[self.at < moment].sum())

    def between(self, since: float, until: float) -> Taken:
        mask = (self.at >= since) & (self.at < until)
        return Taken(self.event, self.at[mask], self.commission[mask])


class Traffic:
    """Draws the people of any span of hours; the same seed and span give the same people."""

    def __init__(self, world: World, script: Script) -> None:
        self.script, self.start, self.seed = script, script.day, world.seed
        leaves = world.leaves
        partners = [BY_ID[leaf.partner] for leaf in leaves]
        self.per_day = np.array([leaf.clicks_per_day for leaf in leaves])
        self.c2r = np.array([partner.c2r for partner in partners])
        self.r2d = np.array([partner.r2d for partner in partners])
        self.value = np.array([partner.value for partner in partners])
        self.value_shape = np.array([partner.value_shape for partner in partners])
        self.epc = np.array([partner.epc for partner in partners])
        self.partner = np.array([leaf.partner for leaf in leaves])
        self.team = np.array([leaf.team for leaf in leaves])
        self.geo = np.array([leaf.geo for leaf in leaves])
        self.edge_share = np.array([leaf.edge_share for leaf in leaves])
        self._taking = [each for each in script.events if each.traffic not in {"", "flooded"}]
        self._flooded = np.array([leaf.site == world.flooded for leaf in leaves])
        untagged, shallow = (_sites_of(world, names) for names in (world.untagged, world.shallow))
        self._untagged = np.array([leaf.site in untagged for leaf in leaves])
        self._shallow = np.array([leaf.site in shallow for leaf in leaves])
        self._tail = np.array([leaf.site == TAIL_SITE for leaf in leaves])
        self._offset = np.array([UTC_OFFSET_H[leaf.geo] for leaf in leaves])
        self._sports = np.array([partner.sports for partner in partners])
        markets = {key: n for n, key in enumerate(sorted({(leaf.team, leaf.geo) for leaf in leaves}))}
        self._market = np.array([markets[leaf.team, leaf.geo] for leaf in leaves])
        self._markets = len(markets)
        self._partner_no = np.unique(self.partner, return_inverse=True)[1]
        self._place = {(leaf.partner, leaf.geo, leaf.site): n for n, leaf in enumerate(leaves)}
        self._leaves = leaves

    def expected(self, first: int, hours: int) -> Floats:
        """Expected clicks, shape (hours, leaves), from hour `first` relative to the simulated start."""
        hour_of_week = self.start.weekday() * 24 + self.start.hour + first + np.arange(hours)
        local = (hour_of_week[:, None] + self._offset[None, :]) % 168
        casino, sports = _week(CASINO, CASINO_WEEK), _week(SPORTS, SPORTS_WEEK)
        shape: Floats = np.where(self._sports[None, :], sports[local], casino[local]) * self.per_day
        return shape

    def draw(self, first: int, hours: int) -> Clicks:
        """Everybody who would come if nothing went wrong."""
        dice = np.random.default_rng([self.seed, 7, first + 100_000, hours])
        rate = self.expected(first, hours)
        rate *= dice.gamma(60.0, 1 / 60.0, (hours, self._markets))[:, self._market]
        rate *= dice.gamma(8.0, 1 / 8.0, rate.shape)
        count = dice.poisson(rate)
        leaf = np.repeat(np.tile(np.arange(rate.shape[1]), hours), count.ravel())
        hour = np.repeat(np.repeat(np.arange(hours), rate.shape[1]), count.ravel())
        at = (first + hour + dice.random(len(leaf))) * HOUR
        return self._funnel(dice, leaf, at)

    def _funnel(self, dice: np.random.Generator, leaf: Ints, at: Floats) -> Clicks:
        mood = _moods(self.seed, at, self._partner_no[leaf])
        registers = dice.random(len(leaf)) < self.c2r[leaf] * mood
        reg_at = np.where(registers, at + dice.lognormal(np.log(6 * 60), 1.0, len(leaf)), np.nan)
        deposits = registers & (dice.random(len(leaf)) < self.r2d[leaf])
        lag = np.minimum(dice.lognormal(np.log(35 * 60), 1.5, len(leaf)), 7 * DAY)
        shape = np.maximum(self.value_shape[leaf], 1e-3)
        drawn = dice.gamma(shape, self.value[leaf] / shape)
        value = np.where(self.value_shape[leaf] > 0, drawn, self.value[leaf])
        return Clicks(leaf, at, reg_at, np.where(deposits, reg_at + lag, np.nan), np.where(deposits, value, 0.0))

    def suffer(self, people: Clicks, first: int, settings: Sequence[Setting] = ()) -> tuple[Clicks, tuple[Taken, ...]]:
        """What is left of `people` (of hour `first` on) after the script, and what each failure took.

        `settings` is what the company had switched, the oldest first. Whoever clicked before a setting has the same fate
        with and without it.
        """
        dice = np.random.default_rng([self.seed, 11, first + 100_000])
        came, people = people.leaf, self._sent_on(people, first, settings)
        gone, unpaid = np.zeros(len(people), dtype=bool), np.zeros(len(people), dtype=bool)
        taken = []
        for event in sorted(self._taking, key=lambda each: each.traffic != "thinned"):
            hit = self._hit(event, people, came, dice) & ~gone & ~unpaid
            if event.id == "F5":
                hit &= ~self._served(people, settings)
            if event.traffic == "conversions":
                unpaid |= hit
            else:
                gone |= hit
            if event.traffic != "thinned" and hit.any():
                taken.append(Taken(event.id, people.at[hit], self.epc[people.leaf[hit]]))
        nothing = np.where(unpaid, np.nan, 0.0)
        left = Clicks(
            people.leaf,
            people.at,
            people.reg_at + nothing,
            people.ftd_at + nothing,
            np.where(unpaid, 0.0, people.value),
        )
        return left.pick(~gone), tuple(taken)

    def _sent_on(self, people: Clicks, first: int, settings: Sequence[Setting]) -> Clicks:
        """Everybody with the partner that the redirector sent them to; of such people what follows the click is new."""
        leaf = people.leaf.copy()
        for began, ended, setting in self._spans(settings):
            for partner, other in setting.sent.items():
                mine = (self.partner[people.leaf] == partner) & (people.at >= began) & (people.at < ended)
                leaf[mine] = [self._counterpart(int(n), other) for n in people.leaf[mine]]
        moved = leaf != people.leaf
        if not moved.any():
            return people
        again = self._funnel(np.random.default_rng([self.seed, 19, first + 100_000]), leaf, people.at)
        pairs = zip(
            (again.reg_at, again.ftd_at, again.value), (people.reg_at, people.ftd_at, people.value), strict=True
        )
        return Clicks(leaf, people.at, *(np.where(moved, new, old) for new, old in pairs))

    def _counterpart(self, leaf: int, partner: str) -> int:
        """The same place with another partner: its page of that site and country, or what it has there of the long tail."""
        here = self._leaves[leaf]
        places = ((partner, here.geo, site) for site in (here.site, TAIL_SITE))
        return next((self._place[place] for place in places if place in self._place), leaf)

    def _served(self, people: Clicks, settings: Sequence[Setting]) -> Bools:
        """Who clicked on a page that stood behind the reserve edge by then."""
        served = np.zeros(len(people), dtype=bool)
        for began, ended, setting in self._spans(settings):
            if setting.reserve:
                served |= ~self._tail[people.leaf] & (people.at >= began) & (people.at < ended)
        return served

    def _spans(self, settings: Sequence[Setting]) -> Iterator[tuple[float, float, Setting]]:
        """Each setting with the seconds from when to when it held."""
        ends = [self._seconds(one.at) for one in settings[1:]]
        for setting, ended in zip(settings, [*ends, np.inf], strict=False):
            yield self._seconds(setting.at), ended, setting

    def flood(self, first: int, hours: int) -> Clicks:
        """Machines that click beside the people of a span of hours, and do nothing else."""
        dice = np.random.default_rng([self.seed, 17, first + 100_000, hours])
        event = next((each for each in self.script.events if each.traffic == "flooded"), None)
        began, ended = (self._seconds(at(self.start)) for at in (event.began, event.ended)) if event else (0.0, 0.0)
        if first * HOUR >= ended or (first + hours) * HOUR <= began:
            return _machines(np.zeros(0, np.int64), np.zeros(0))
        rate = self.expected(first, hours) * self._flooded * (FLOOD_TIMES - 1)
        count = dice.poisson(rate)
        leaf = np.repeat(np.tile(np.arange(rate.shape[1]), hours), count.ravel())
        hour = np.repeat(np.repeat(np.arange(hours), rate.shape[1]), count.ravel())
        at = (first + hour + dice.random(len(leaf))) * HOUR
        there = (at >= began) & (at < ended)
        return _machines(leaf[there], at[there])

    def _hit(self, event: Event, people: Clicks, came: Ints, dice: np.random.Generator) -> Bools:
        """Which of `people` clicked where and while the event was on; `came` is where they would usually be sent."""
        began, ended = self._seconds(event.began(self.start)), self._seconds(event.ended(self.start))
        luck = dice.random(len(people))
        here = self._reached(event.id, people.leaf, came, luck)
        return here & (people.at >= began) & (people.at < ended)

    def _reached(self, event: str, leaf: Ints, came: Ints, luck: Floats) -> Bools:
        """Whom the event concerns, whenever they click; `luck` is uniform and decides where only a share is hit.

        What partners do concerns those who are sent to them (`leaf`), what is wrong with a link those who follow it (`came`).
        """
        partner, geo, team = self.partner[leaf], self.geo[leaf], self.team[leaf]
        concerned: dict[str, Bools] = {
            "F1": partner == "P02",
            "F2": self._of_links(came, "P01", self._untagged, luck, 0.6),
            "F3": (partner == "P05") & (geo == "DE"),
            "F5": luck < self.edge_share[leaf],
            "F6": team == "cedar",
            "F9": partner == "P09",
            "F10": self._of_links(came, "P07", self._shallow, luck, 0.7),
            "F11": (partner == "P08") & (geo == "PL"),
            "F13": (partner == "P04") & (geo == "GB"),
            "D1": (team == "aurora") & (geo == "NO") & (luck > HOLIDAY_KEEPS),
        }
        if event not in concerned:
            raise ValueError(f"event {event!r} takes traffic away but nobody says whose")
        return concerned[event]

    def _of_links(self, leaf: Ints, partner: str, sites: Bools, luck: Floats, share: float) -> Bools:
        """People who click one of a partner's links on these sites; of the pooled tail a share."""
        hit: Bools = (self.partner[leaf] == partner) & (sites[leaf] | (self._tail[leaf] & (luck < share)))
        return hit

    def _seconds(self, at: datetime) -> float:
        return (at - self.start).total_seconds()


def _machines(leaf: Ints, at: Floats) -> Clicks:
    never = np.full(len(leaf), np.nan)
    return Clicks(leaf, at, never, never.copy(), np.zeros(len(leaf)))


def _sites_of(world: World, links: frozenset[str]) -> set[str]:
    return {link.site for link in world.links if link.name in links}


def _week(hours: tuple[float, ...], days: tuple[float, ...]) -> Floats:
    """Share of a mean day's clicks for each of the 168 local hours of a week."""
    day = np.array(hours) / sum(hours)
    week: Any = np.outer(np.array(days), day).ravel()
    return np.asarray(week, dtype=np.float64)


def _moods(seed: int, at: Floats, partner: Ints) -> Floats:
    """A partner's conversion differs a little from day to day: gamma with a deviation of 7 %."""
    if not len(at):
        return np.zeros(0)
    day = np.floor(at / DAY).astype(np.int64)
    low = int(day.min())
    table = np.stack(
        [np.random.default_rng([seed, 13, d + 1000]).gamma(200, 1 / 200, 16) for d in range(low, int(day.max()) + 1)]
    )
    moods: Floats = table[day - low, partner]
    return moods
