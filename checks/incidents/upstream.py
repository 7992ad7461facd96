"""Which one thing, if it were broken, best explains what fails *and what does not*.

For each label that failing targets share: under "this upstream is broken" its members fail at their own rate, under
"independent" at the rate usual everywhere; the score is the logarithm of the likelihood ratio, less the logarithm of how
many members the label has (a wide upstream explains much by being wide). The start that explains best is searched for,
too: a scan statistic over time (Kulldorff 1997), with labels in the place of regions. The best label takes its failures
away, then the rest is explained, until nothing stands out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from math import log
from typing import TYPE_CHECKING, Final

from checks.incidents.census import SLOT_S, slot_of
from checks.incidents.labels import PRECEDENCE, base

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from checks.incidents.census import Alike, Census, Tally
    from checks.incidents.labels import Label
    from data.model.ids import CauseId, TargetId

WINDOW: Final = timedelta(hours=2)
"""Failures that began longer ago are no news and explain nothing new; sites of the long tail are looked at hourly."""
SHARE: Final = 0.2
"""Of the members looked at, so many must fail before an upstream is called broken; below half of it the call is wrong."""
_ONE_THING: Final = 0.5
"""A host is one thing, and many chains only pass through it: most of them must fail before it is to blame."""
PROOF: Final = 10.0
"""Natural logarithm of how much likelier "broken" must be than "independent"."""
USUAL: Final = (0.005, 0.05)
"""The usual rate of new failures lies in here, whatever is measured: few targets prove no lower one, an outage no higher."""
_ALL: Final = 0.98
"""No upstream is held to fail more surely than this: one healthy member must not rule it out."""
ENOUGH_FINE: Final = 5
"""Fewer healthy members prove nothing."""
_NARROW: Final = frozenset({"host", "ip", "certificate", "partner+offer"})
_RIVALS: Final = 3
_TIE: Final = 1e-6
_CONSIDERED: Final = 8
_PLACE: Final = 2.0
"""What each further place costs that an upstream is said to fail in."""
_BY_OFFER, _BY_COUNTRY = ("link.", "content."), ("geo.", "http.legal_block")


@dataclass(frozen=True, slots=True)
class Judged:
    """A label, or several pairs of one upstream that fails in several places, and how the members fared since `since`."""

    labels: tuple[Label, ...]
    members: int
    failed: int
    fine: int
    since: int
    """Slot of the start that explains best."""
    score: float = 0.0

    @property
    def kind(self) -> str:
        return self.labels[0][0]

    @property
    def share(self) -> float:
        """Of the members that were looked at, how many fail, 0..1."""
        return self.failed / (self.failed + self.fine) if self.failed else 0.0

    @property
    def supported(self) -> bool:
        enough = 2 if self.kind in _NARROW else 3
        least = _ONE_THING if self.kind == "host" else SHARE
        return self.failed >= enough and self.share >= least and self.score >= PROOF

    @property
    def refuted(self) -> bool:
        """So many members are fine that these failures are their own."""
        return self.fine >= ENOUGH_FINE and self.share < SHARE / 2

    @property
    def began(self) -> datetime:
        return datetime.fromtimestamp(self.since * SLOT_S, UTC)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A broken upstream with what fails behind it, confirmed or not."""

    judged: Judged
    targets: tuple[TargetId, ...]
    rivals: tuple[Judged, ...] = ()
    """Other labels of the same targets, the most likely first."""
    elsewhere: tuple[int, int] = (0, 0)
    """(failing, looked at) of everything else since the same time."""


def score(failed: int, fine: int, members: int, usual: float) -> float:
    """Log-likelihood ratio of "fails at its own rate" against "fails as usual", less the breadth; 0 when not above usual."""
    rate = min(failed / (failed + fine), _ALL) if failed else 0.0
    if rate <= usual:
        return 0.0
    return failed * log(rate / usual) + fine * log((1 - rate) / (1 - usual)) - log(max(members, 1))


def judge(labels: tuple[Label, ...], tally: Tally, failed: Mapping[int, int], usual: float) -> Judged:
    """The start among those of `failed`, members by slot, that gives the best score."""
    seen = sorted(tally.fine.items(), reverse=True)
    best, n_failed, n_fine, at = Judged(labels, tally.members, 0, 0, 0), 0, 0, 0
    for since in sorted(failed, reverse=True):
        n_failed += failed[since]
        while at < len(seen) and seen[at][0] > since:
            n_fine += seen[at][1]
            at += 1
        value = score(n_failed, n_fine, tally.members, usual) - _PLACE * (len(labels) - 1)
        if value > best.score:
            best = Judged(labels, tally.members, n_failed, n_fine, since, value)
    return best


def now_of(census: Census, labels: Iterable[Label], since: datetime) -> Judged:
    """How the members of these labels fare since then, as one; a label that nobody shares has no members."""
    slot, known = slot_of(since), tuple(labels)
    tallies = [tally for label in known if (tally := census.tally(label)) is not None]
    failed = sum(tally.failed_since(slot) for tally in tallies)
    fine = sum(tally.fine_since(slot) for tally in tallies)
    return Judged(known, sum(tally.members for tally in tallies), failed, fine, slot)


def infer(census: Census, now: datetime) -> list[Explanation]:
    """Every upstream that is broken by what failed within `WINDOW`, the one that explains most first.

    One after the other, each after the failures of those before it are taken away. Those that have no failing target in
    common with any likelier one are taken in the same round, for nothing that is taken away could change them but the rate
    that is usual, which would only speak for them: a thousand small outages cost one round, not a thousand.
    """
    oldest = slot_of(now - WINDOW)
    every = census.failing(oldest)
    known, failing = _Failing.of(every), sum(len(some.targets) for some in every)
    found: list[Explanation] = []
    while known.left:
        judged = _judged(census, known.counts, failing, oldest)
        chosen = _apart([one for one in judged if one.supported], known)
        if not chosen:
            break
        by_label = _by_label(judged)
        for best, taken in chosen:
            targets = tuple(chain.from_iterable(some.targets for some in taken))
            found.append(Explanation(best, targets, _rivals(best, by_label, taken), _elsewhere(best, census)))
            known.remove(taken)
            failing -= len(targets)
    return found


@dataclass(slots=True)
class _Failing:
    """What fails and is not explained yet, by the labels that speak for it; what shares nothing is left out."""

    left: dict[Alike, None]
    counts: dict[Label, dict[int, int]]
    """How many by label and slot."""
    alike: dict[Label, dict[Alike, None]]

    @classmethod
    def of(cls, every: Iterable[Alike]) -> _Failing:
        known = cls({}, {}, {})
        for some in every:
            if some.speaking:
                known._add(some)
        return known

    def _add(self, some: Alike) -> None:
        self.left[some] = None
        for label in some.speaking:
            slots = self.counts.setdefault(label, {})
            slots[some.mark.failed] = slots.get(some.mark.failed, 0) + len(some.targets)
            self.alike.setdefault(label, {})[some] = None

    def remove(self, taken: Iterable[Alike]) -> None:
        for some in taken:
            del self.left[some]
            for label in some.speaking:
                self.counts[label][some.mark.failed] -= len(some.targets)
                del self.alike[label][some]
                if not self.alike[label]:
                    del self.alike[label], self.counts[label]

    def explained_by(self, one: Judged) -> list[Alike]:
        """In the order in which they stand in `left`, as far as one label tells."""
        known = {some: None for label in one.labels for some in self.alike.get(label, ())}
        return [some for some in known if some.mark.failed >= one.since]


def _apart(supported: Sequence[Judged], known: _Failing) -> list[tuple[Judged, list[Alike]]]:
    """The likeliest upstream, and each that has nothing in common with any likelier one; with what each explains."""
    chosen: list[tuple[Judged, list[Alike]]] = []
    ranked = sorted(supported, key=lambda one: -one.score)
    claimed: set[Alike] = set()
    at = 0
    while at < len(ranked):
        tied = [ranked[at]]
        while at + len(tied) < len(ranked) and ranked[at].score - ranked[at + len(tied)].score < _TIE:
            tied.append(ranked[at + len(tied)])
        at += len(tied)
        groups = [known.explained_by(one) for one in tied]
        for group in _meeting(groups):
            of_group = [tied[number] for number in group]
            if not any(some in claimed for number in group for some in groups[number]):
                best = _best(of_group, groups[group[0]])
                chosen.append((best, groups[group[of_group.index(best)]]))
        claimed.update(some for group in groups for some in group)
    return chosen


def _meeting(groups: Sequence[Sequence[Alike]]) -> list[list[int]]:
    """Numbers of groups that have failing targets in common, together."""
    first: dict[Alike, int] = {}
    leader = list(range(len(groups)))

    def lead(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    for number, group in enumerate(groups):
        for some in group:
            leader[lead(first.setdefault(some, number))] = lead(number)
    met: dict[int, list[int]] = {}
    for number in range(len(groups)):
        met.setdefault(lead(number), []).append(number)
    return list(met.values())


def _judged(census: Census, counts: Mapping[Label, Mapping[int, int]], failing: int, oldest: int) -> list[Judged]:
    """Every label that several targets share, and every set of pairs of one upstream that fail for the most part."""
    fine = census.everything.fine_since(oldest)
    places: defaultdict[tuple[str, Label], list[Label]] = defaultdict(list)
    judged = []

    def take(labels: tuple[Label, ...], tally: Tally, slots: Mapping[int, int]) -> Judged:
        usual = _usual(failing - sum(slots.values()), fine - tally.fine_since(oldest))
        judged.append(judge(labels, tally, slots, usual))
        return judged[-1]

    for label, slots in counts.items():
        tally, known = census.tally(label), {slot: count for slot, count in slots.items() if count}
        if tally is None or not known:
            continue
        one = take((label,), tally, known)
        if base(label) != label and one.failed > 1 and one.failed > one.fine:
            places[label[0], base(label)].append(label)
    for labels in places.values():
        if len(labels) > 1:
            pooled = Counter[int]()
            for label in labels:
                pooled.update(counts[label])
            several = tuple(sorted(labels))
            take(several, census.pooled(several), +pooled)
    return judged


def considered(census: Census, targets: Sequence[TargetId], chosen: tuple[Label, ...], since: datetime) -> list[Judged]:
    """What at least half of these targets share, as it fares since then: `chosen` first, then what fails most surely."""
    shared = Counter(label for target in targets for label in census.labels(target) if label in census.shared)
    common = [label for label, count in shared.items() if count * 2 >= len(targets) and label not in chosen]
    others = sorted(
        (now_of(census, [label], since) for label in common), key=lambda one: (-one.share, -one.failed, one.labels)
    )
    return [*([now_of(census, chosen, since)] if chosen else []), *others[:_CONSIDERED]]


def _usual(failing: int, fine: int) -> float:
    """How often anything else fails."""
    low, high = USUAL
    return min(max((failing + 0.5) / (failing + fine + 100), low), high)


def _best(tied: Sequence[Judged], explained: Iterable[Alike]) -> Judged:
    """Among labels of one score, the one that names best what fails in the ways these do."""
    if len(tied) == 1:
        return tied[0]
    causes: Counter[CauseId] = Counter()
    for some in explained:
        causes[some.mark.cause] += len(some.targets)
    ((usual, _),) = causes.most_common(1)
    return min(tied, key=lambda one: (*_preference(one.kind, usual), one.labels))


def _preference(name: str, cause: str) -> tuple[int, int]:
    place = PRECEDENCE.index(name)
    if cause.startswith(_BY_COUNTRY):
        return (0 if name.endswith("+geo") else 1), place
    if cause.startswith(_BY_OFFER):
        return (0 if name.startswith("partner") else 1), place
    return 0, place


def _by_label(judged: Iterable[Judged]) -> dict[Label, Judged]:
    """Those of one label."""
    return {one.labels[0]: one for one in judged if len(one.labels) == 1}


def _rivals(best: Judged, judged: Mapping[Label, Judged], taken: Sequence[Alike]) -> tuple[Judged, ...]:
    """Other labels that half of what is explained shares, too."""
    half = max(sum(len(some.targets) for some in taken) / 2, 2)
    shared: Counter[Label] = Counter()
    for some in taken:
        for label in some.labels:
            shared[label] += len(some.targets)
    near = [judged[label] for label, count in shared.items() if count >= half and label in judged]
    others = [one for one in near if one.labels != best.labels and one.failed >= half]
    return tuple(sorted(others, key=lambda one: (-one.score, one.labels))[:_RIVALS])


def _elsewhere(best: Judged, census: Census) -> tuple[int, int]:
    """Of everything else since the same time, how many fail, and how many were looked at."""
    failing = max(census.everything.failed_since(best.since) - best.failed, 0)
    fine = max(census.everything.fine_since(best.since) - best.fine, 0)
    return failing, failing + fine
