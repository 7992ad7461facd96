"""What signs from other checks are worth to the revenue detector, in nats. Pure.

A nat is a factor of 2.7 in the odds; a sign is worth the logarithm of how much more often it is seen with a failure than without.
The weights stay below that, for signs come together and counts must still speak: a slice borrows no more than half of the line
at which its company pages (`checks.revenue.ranking.most_lent`), whatever is lent. Measured (`python -m tests.bench priors --seeds 6`, a
partner or one country of it falls silent) at the line of 8.5 nats that these companies draw for themselves: 2 nats shorten the mean
time to the alarm from 3.0 to 2.4 hours and cry for nothing in 0.7 of a thousand slice-hours that borrow without a failure; 2.5 to
2.3 hours and 1.4; 5 and 6 are cut to 4.3, 1.8 hours and 3.6 (uncut, 6 nats: 1.2 hours and 15). At a line of 7.5, where chance alone
cries in 2.8 of a thousand, 6 nats are cut to 3.8: 2.3 to 1.6 hours, 9 of a thousand (uncut: 30). At 13, the line of a company whose
quiet days are not known yet, all 6 count: 4.2 to 2.6 hours, none. A sign may be wrong for some dozens of slice-hours a week before it
costs an alarm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from math import log
from typing import TYPE_CHECKING

from checks.revenue.belief import Prior

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.target import Target

Dims = tuple[tuple[str, str], ...]

WEIGHTS: Mapping[str, float] = {
    "link": 6.0,  # confirmed twice, walked to its end: who clicks there is not counted; a given link fails one day in thousands
    "link once": 2.5,  # a first failure: nine of ten are gone at the second look
    "site": 5.0,  # a page of ours that is confirmed dead; its clicks mostly vanish with it, and the calendar prices that
    "landing": 6.0,  # answers, but with a parked, empty or foreign page: clicks go on and earn nothing
    "challenge": 2.5,  # our probe is asked to prove that it is human; visitors are, in perhaps one of ten such cases
    "postbacks": 5.0,  # silent at odds of a thousand, but as often their sender stopped as their money
    "deploy": 2.0,  # of a place that is deployed once a week; see `deploy_share` for others
    "change": 1.5,  # somebody changed something there; one failure in five follows a change, few changes break anything
}
"""Nats of one sign that concerns the whole slice."""
MOST = 7.0
"""Signs are not independent: together they lend no more."""
HALF = 0.5
"""A slice borrows from failing links only where at least this share of its links fails."""
OLD = timedelta(days=2)
"""A sign that has been there for longer has had its say: what it breaks is what is usual by now."""
CHANGE_LASTS = timedelta(hours=3)
"""So long a change is remembered: failures begin within half an hour of it, and counts need time to show them."""
_SHORT = frozenset({"change", "deploy"})
USUAL_OVER = timedelta(days=7)
"""Over so long it is counted how usual deploys are."""
_FOLLOWS = 0.2
"""Failures that follow a change within `CHANGE_LASTS`: one in five."""
MOST_TOUCHED = 50
"""A change that touches more than this suspects nothing in particular."""
SHAPES: tuple[tuple[str, ...], ...] = (
    ("partner",), ("partner", "geo"), ("partner", "offer"), ("partner", "offer", "geo"), ("partner", "site"),
)  # fmt: skip
"""Slices that links are counted by."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that another check saw of a slice."""

    kind: str
    """Of `WEIGHTS`."""
    dims: Dims
    since: datetime
    why: str
    share: float = 1.0
    """How much of the slice it concerns, or how sure it is, 0..1."""


def lent(signs: Iterable[Sign], now: datetime) -> tuple[Prior, ...]:
    """One prior a slice, most nats first: the strongest sign of each kind, kinds added up to `MOST`.

    A slice that lies inside another one which lends as much since as long gets none of its own.
    """
    by_slice: dict[Dims, dict[str, Sign]] = defaultdict(dict)
    for sign in signs:
        if now - sign.since > OLD or (sign.kind in _SHORT and now - sign.since > CHANGE_LASTS):
            continue
        known = by_slice[sign.dims].get(sign.kind)
        if known is None or (sign.share, known.since) > (known.share, sign.since):
            by_slice[sign.dims][sign.kind] = sign
    found = [_prior(dims, tuple(kinds.values())) for dims, kinds in by_slice.items()]
    found.sort(key=lambda prior: (-prior.nats, len(prior.slice), sorted(prior.slice.items())))
    kept: list[Prior] = []
    lying: dict[frozenset[tuple[str, str]], list[Prior]] = defaultdict(list)
    for prior in found:
        around = (wide for place in _around(prior.slice) for wide in lying.get(place, ()))
        if not any(wide.nats >= prior.nats and wide.since <= prior.since for wide in around):
            kept.append(prior)
            lying[frozenset(prior.slice.items())].append(prior)
    return tuple(kept)


def _around(place: Mapping[str, str]) -> Iterator[frozenset[tuple[str, str]]]:
    """Every slice that it lies in, itself included: a few, however many thousands lend."""
    pairs = tuple(place.items())
    return (frozenset(some) for many in range(len(pairs) + 1) for some in combinations(pairs, many))


def of_links(
    kind: str, links: Iterable[Target], hit: Mapping[TargetId, datetime], words: Mapping[TargetId, str]
) -> list[Sign]:
    """A sign for each slice of which at least half of the links are `hit`: since when, by link, and what is seen there.

    Links that are looked at with a phone's eyes are counted apart: what fails for phones alone fails for most people. They
    are few, and speak for their own country only.
    """
    if not hit:
        return []
    total, counts = Counter[tuple[Dims, str]](), Counter[tuple[Dims, str]]()
    since: dict[tuple[Dims, str], datetime] = {}
    said: dict[tuple[Dims, str], str] = {}
    known = list(links)
    partners = {link.partner for link in known if link.id in hit}
    for link in (one for one in known if one.partner in partners):
        for dims in _slices(link):
            key = dims, link.device
            if link.device and not any(name == "geo" for name, _ in dims):
                continue
            total[key] += 1
            if link.id in hit:
                counts[key] += 1
                since[key] = min(since.get(key, hit[link.id]), hit[link.id])
                said.setdefault(key, words.get(link.id, ""))
    return [
        Sign(kind, key[0], since[key], _said(key, count, total[key], said[key]), count / total[key])
        for key, count in counts.items()
        if count >= HALF * total[key]
    ]


def of_sites(
    kind: str, leaves: Iterable[tuple[Mapping[str, str], Mapping[str, float]]], hit: Mapping[str, datetime]
) -> list[Sign]:
    """A sign for each slice at least half of whose clicks pass sites that are `hit`: since when, by name.

    `leaves` are the slices that links feed, each with what passes its sites.
    """
    if not hit:
        return []
    total: dict[Dims, float] = defaultdict(float)
    lost: dict[Dims, float] = defaultdict(float)
    since: dict[Dims, datetime] = {}
    for given, carried in leaves:
        failed = [site for site in carried if site in hit]
        for dims in _shaped(given, SHAPES[:-1]):
            total[dims] += sum(carried.values())
            if failed:
                lost[dims] += sum(carried[site] for site in failed)
                since[dims] = min([since.get(dims, hit[failed[0]]), *(hit[site] for site in failed)])
    return [
        Sign(kind, dims, since[dims], f"{share:.0%} of the clicks of {named(dims)} pass sites that fail", share)
        for dims, clicks in lost.items()
        if total[dims] > 0 and (share := clicks / total[dims]) >= HALF
    ]


def deploy_share(deploys: int) -> float:
    """What the latest deploy of a place counts, 0..1 of its weight, by how many there were within `USUAL_OVER`.

    It is worth the logarithm of how much more often a failure has a deploy before it than any other moment does: 2 nats
    where one is made a week, half a nat where one is made a day, nothing where twelve are.
    """
    usual = min(deploys * (CHANGE_LASTS / USUAL_OVER), 1.0)
    return min(max(log(_FOLLOWS / usual), 0.0) / WEIGHTS["deploy"], 1.0) if usual > 0 else 0.0


def of_changes(changed: Collection[Target], at: datetime) -> list[Sign]:
    """A change of the configuration as a sign for what it touched; one that touches everything suspects nothing."""
    slices = {dims for target in changed for dims in _slices(target)[-1:]}
    return (
        [Sign("change", dims, at, f"{named(dims)} was changed") for dims in slices]
        if len(slices) <= MOST_TOUCHED
        else []
    )


def named(dims: Dims | Sequence[tuple[str, str]]) -> str:
    """`P05 DE`."""
    return " ".join(value for _, value in dims)


def _said(key: tuple[Dims, str], count: int, total: int, what: str) -> str:
    dims, device = key
    return f"{count} of {total} {device + ' ' if device else ''}links of {named(dims)}: {what}"


def _prior(dims: Dims, signs: Sequence[Sign]) -> Prior:
    nats = min(sum(WEIGHTS[sign.kind] * min(sign.share, 1.0) for sign in signs), MOST)
    strongest = sorted(signs, key=lambda sign: -WEIGHTS[sign.kind] * sign.share)
    why = "; ".join(f"{sign.why} since {sign.since:%m-%d %H:%MZ}" for sign in strongest)
    return Prior(dict(dims), round(nats, 2), min(sign.since for sign in signs), why)


def _slices(target: Target) -> list[Dims]:
    """The slices a target is part of, widest first; a site without a partner is its own."""
    given = {"partner": str(target.partner), "offer": target.offer, "geo": target.geo, "site": target.site}
    return _shaped(given, SHAPES) or ([(("site", target.site or target.name),)] if not target.partner else [])


def _shaped(given: Mapping[str, str], shapes: Iterable[tuple[str, ...]]) -> list[Dims]:
    return [tuple((name, given[name]) for name in shape) for shape in shapes if all(given[name] for name in shape)]
