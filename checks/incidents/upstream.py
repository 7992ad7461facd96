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
from itertools import islice
from math import log
from typing import TYPE_CHECKING, Final

from checks.incidents.census import SLOT_S, slot_of
from checks.incidents.labels import PRECEDENCE, base, compatible, read_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from checks.incidents.census import Census, Entry, Tally
    from checks.incidents.labels import Label
    from data.model.ids import TargetId

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
MOST: Final = 0.9
"""Fewer than this share is a partial outage."""
_ALL: Final = 0.98
"""No upstream is held to fail more surely than this: one healthy member must not rule it out."""
_ENOUGH_FINE: Final = 5
_NARROW: Final = frozenset({"host", "ip", "certificate", "partner+offer"})
_RIVALS: Final = 3
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
        return self.fine >= _ENOUGH_FINE and self.share < SHARE / 2

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
    """Every upstream that is broken by what failed within `WINDOW`, the one that explains most first."""
    oldest = slot_of(now - WINDOW)
    left = dict(census.failing(oldest))
    counts = _counted(census, left)
    found: list[Explanation] = []
    while left:
        judged = _judged(census, counts, len(left), oldest)
        supported = [one for one in judged if one.supported]
        if not supported:
            break
        best = _best(supported, left)
        taken = {target: entry for target, entry in left.items() if _belongs(entry, best)}
        rivals = _rivals(best, judged, taken)
        found.append(Explanation(best, tuple(taken), rivals, _elsewhere(best, census)))
        for target in taken:
            del left[target]
        for label, slots in _counted(census, taken).items() if left else ():
            for slot, count in slots.items():
                counts[label][slot] -= count
    return found


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


def _counted(census: Census, failing: Mapping[TargetId, Entry]) -> dict[Label, dict[int, int]]:
    """How many fail by label and slot, for labels that others share and that can fail in this way."""
    counts: dict[Label, dict[int, int]] = {}
    shared = census.shared
    for entry in failing.values():
        slot, why = entry.mark.failed, entry.mark.cause
        for label in entry.labels:
            if label in shared and compatible(label[0], why):
                slots = counts.setdefault(label, {})
                slots[slot] = slots.get(slot, 0) + 1
    return counts


def _belongs(entry: Entry, best: Judged) -> bool:
    mark = entry.mark
    return (
        mark.failed >= best.since
        and compatible(best.kind, mark.cause)
        and any(label in entry.labels for label in best.labels)
    )


def _best(supported: Sequence[Judged], failing: Mapping[TargetId, Entry]) -> Judged:
    """The highest score; among labels that explain the same, the one that names it best for these causes."""
    top = max(one.score for one in supported)
    tied = [one for one in supported if top - one.score < 1e-6]
    if len(tied) == 1:
        return tied[0]
    causes = Counter(entry.mark.cause for entry in failing.values() if _belongs(entry, tied[0]))
    return min(tied, key=lambda one: (*_preference(one.kind, causes.most_common(1)[0][0]), one.labels))


def _preference(name: str, cause: str) -> tuple[int, int]:
    place = PRECEDENCE.index(name)
    if cause.startswith(_BY_COUNTRY):
        return (0 if name.endswith("+geo") else 1), place
    if cause.startswith(_BY_OFFER):
        return (0 if name.startswith("partner") else 1), place
    return 0, place


def _rivals(best: Judged, judged: Iterable[Judged], taken: Mapping[TargetId, Entry]) -> tuple[Judged, ...]:
    """Other labels that half of what is explained shares, too."""
    half = max(len(taken) / 2, 2)
    others = [one for one in judged if len(one.labels) == 1 and one.labels != best.labels and one.failed >= half]
    others.sort(key=lambda one: (-one.score, one.labels))
    found = (one for one in others if sum(one.labels[0] in entry.labels for entry in taken.values()) >= half)
    return tuple(islice(found, _RIVALS))


def _elsewhere(best: Judged, census: Census) -> tuple[int, int]:
    failing = max(sum(1 for _ in census.failing(best.since)) - best.failed, 0)
    fine = max(census.everything.fine_since(best.since) - best.fine, 0)
    return failing, failing + fine


# In words

KINDS: Final[Mapping[str, str]] = {
    "edge": "edge provider",
    "edge+pop": "edge location",
    "edge+geo": "edge provider in one country",
    "ns": "name servers",
    "registrar": "registrar",
    "certificate": "certificate",
    "issuer": "certificate authority",
    "ip": "address",
    "network": "network",
    "vantage": "vantage of ours",
    "host": "host",
    "partner": "partner",
    "partner+geo": "partner in one country",
    "partner+offer": "offer",
}


def kind_words(labels: Sequence[Label]) -> str:
    """`edge provider`; a rule's label that is none of ours stands for itself."""
    name = base(labels[0])[0] if len(labels) > 1 else labels[0][0]
    return KINDS.get(name, name)


def reason(labels: Sequence[Label]) -> str:
    """`they share the edge provider Halyard Edge`."""
    return f"they share the {kind_words(labels)} {read_all(labels)}"


def evidence(one: Explanation) -> dict[str, str]:
    """What speaks for an upstream and against its rivals: what fails, what does not, and how it is elsewhere."""
    failing, seen = one.elsewhere
    told = told_now(one.judged) | {"elsewhere": f"{failing:,} of {seen:,} others fail"}
    if one.rivals:
        told["rivals"] = "; ".join(
            f"{kind_words(rival.labels)} {read_all(rival.labels)}: {counted(rival)}" for rival in one.rivals
        )
    return told


def told_now(judged: Judged) -> dict[str, str]:
    told = {
        "fails": f"{judged.failed:,} of {judged.failed + judged.fine:,} looked at since {judged.began:%H:%M:%SZ} fail",
        "fine": f"{judged.fine:,} are fine" if judged.fine else "none is fine",
    }
    return told | ({"partly": f"{judged.share:.0%} of it"} if judged.share < MOST else {})


def counted(judged: Judged) -> str:
    return f"{judged.failed:,} fail, {judged.fine:,} are fine"
