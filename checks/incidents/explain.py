"""An incident in words: its title, where it is, what is certain, what is guessed and what to do first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.incidents import story
from checks.incidents.correlation import Upstream
from checks.incidents.holds import still_failing
from checks.incidents.labels import read_all
from checks.incidents.severity import is_blind
from data.model.cause import CAUSES, words_of
from data.model.ids import CauseId
from data.model.snapshot import PlanRow, Statement
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from checks.incidents.labels import Label
    from data.model.incident import Finding, Incident, TimelineEntry

_LISTED = 3
_EDGE = CauseId("edge.error")
EDGE_NOT_ORIGIN = "edge, not origin"


def where(
    kinds: Counter[TargetKind], sites: Collection[str], upstream: Upstream | None, first: Finding, geos: Collection[str]
) -> str:
    """`Halyard Edge: 412 sites`, `P02: 23 links of 17 sites`, `P05 DE: 8 links`, or the one target's name."""
    if sum(kinds.values()) == 1:
        place = name_of(first.target)
        partner = first.fingerprint.get("partner", "")
        return f"{partner} {place}" if partner and partner not in place else place
    name = upstream.value if upstream else first.blame or name_of(first.target)
    if upstream and upstream.group == "geo" and 0 < len(geos) <= _LISTED:
        name = f"{name} {', '.join(sorted(geos))}"
    counted = [_plural(kinds[kind], kind.value) for kind in TargetKind if kinds[kind]]
    text = f"{name}: {' and '.join(counted)}"
    if set(kinds) == {TargetKind.LINK} and sites:
        text += f" of {_plural(len(sites), 'site')}"
    return text


def upstream_of(labels: Sequence[Label]) -> Upstream:
    """An inferred upstream in the shape that the rules use."""
    return Upstream("inferred", labels[0][0], read_all(labels))


def origins(asked: Mapping[bool, int]) -> str:
    """`380 of 400 origins asked directly answer`, and what follows; empty when none was asked."""
    total, fine = asked[True] + asked[False], asked[True]
    if not total:
        return ""
    verdict = f": {EDGE_NOT_ORIGIN}" if fine * 2 > total else ""
    return f"{fine:,} of {_plural(total, 'origin')} asked directly answer{verdict}"


def title(cause: CauseId, incident: Incident) -> str:
    words = words_of(cause)
    return f"{words}: {EDGE_NOT_ORIGIN}" if is_bypassed(incident) else words


def is_bypassed(incident: Incident) -> bool:
    """The edge fails while the origins behind it answer."""
    return incident.upstream.startswith("edge") and incident.evidence.get("origin", "").endswith(EDGE_NOT_ORIGIN)


def plans_of(incident: Incident) -> tuple[PlanRow, ...]:
    """What to do first about an incident; an edge that fails before origins that answer is bypassed, whatever it answers."""
    return plans(_EDGE if is_bypassed(incident) else incident.cause)


def plans(cause: CauseId) -> tuple[PlanRow, ...]:
    """What to do first in words: restore, keep earning another way, stop the bleeding."""
    if cause not in CAUSES:
        return ()
    return tuple(PlanRow(letter, words) for letter, words in zip("ABC", CAUSES[cause].plans, strict=True))


def statements(
    incident: Incident,
    findings: Sequence[Finding],
    unseen: str = "",
    moved: str = "",
    timeline: Sequence[TimelineEntry] = (),
    changes: Sequence[str] = (),
) -> tuple[Statement, ...]:
    """What is known, what is concluded and what is not known of an incident, in this order.

    `unseen` is what its failing parsers leave in the dark (`checks.incidents.blind`), `moved` which step of the funnel moved
    first and what that usually means (`checks.revenue.funnel`), `timeline` its lines, `changes` what people changed shortly
    before it (`checks.incidents.suspects`): the first to be suspected.
    """
    return worded(incident, walked(findings), unseen, moved, timeline, changes)


@dataclass(frozen=True, slots=True)
class Walked:
    """What the findings of an incident tell, walked over once: of a hundred thousand that takes a while."""

    seen: str
    """What most of them are, in words."""
    example: str
    steps: tuple[story.Step, ...]
    blames: bool
    """One of them blames somebody."""


def walked(findings: Iterable[Finding]) -> Walked:
    known = tuple(findings)
    seen = Counter(finding.cause for finding in known)
    causes = ", ".join(f"{words_of(cause)} ({count})" for cause, count in seen.most_common(_LISTED))
    details = Counter(finding.detail for finding in known if finding.detail)
    example = next((detail for detail, _ in details.most_common(1)), "")
    return Walked(causes, example, story.steps(known), any(finding.blame for finding in known))


def worded(
    incident: Incident,
    members: Walked,
    unseen: str = "",
    moved: str = "",
    timeline: Sequence[TimelineEntry] = (),
    changes: Sequence[str] = (),
) -> tuple[Statement, ...]:
    """As `statements`, of members that were walked over before."""
    chain = [text for text in (story.told(members.steps), *story.plans_told(timeline)) if text]
    facts = [*_facts(incident, members), *(Statement("fact", text) for text in chain)]
    changed = [Statement("guess", f"changed {text}") for text in changes]
    awaited = story.awaited(members.steps)
    late = (Statement("unknown", awaited),) if awaited else ()
    blind = (Statement("unknown", unseen),) if unseen else ()
    likely = (Statement("guess", moved),) if moved else ()
    return (*facts, *changed, *likely, *_guesses(incident), *blind, *late, *_unknowns(incident, members))


def _facts(incident: Incident, members: Walked) -> list[Statement]:
    facts = [f"{incident.where} since {incident.started_at:%Y-%m-%d %H:%MZ}, confirmed {incident.detected_at:%H:%MZ}"]
    facts += [f"seen: {members.seen}"] if members.seen else []
    facts += [f"for example: {members.example}"] if members.example else []
    if incident.members > 1:
        facts.append(f"{incident.open_members} of {incident.members} still affected")
    if still := still_failing(incident):
        facts.append(f"closed by {incident.closed_by}: {still}")
    facts += [f"{words}: {incident.evidence[name]}" for name, words in _TOLD if name in incident.evidence]
    if len(incident.teams) > 1:
        facts.append(f"teams affected: {', '.join(incident.teams)}")
    return [Statement("fact", text) for text in facts]


def _guesses(incident: Incident) -> list[Statement]:
    guesses = []
    if incident.members > 1 and incident.reason:
        odds = incident.evidence.get("odds", "")
        guesses.append(f"one common cause: {incident.reason}{f' ({odds})' if odds else ''}")
    if rivals := incident.evidence.get("rivals"):
        guesses.append(f"less likely: {rivals}")
    if incident.blame:
        guesses.append(f"the fault lies with {incident.blame}")
    loss = incident.loss
    if loss.lost > 0 or loss.per_hour > 0:
        guesses.append(
            f"lost so far {loss.lost} {loss.currency} (80 %: {loss.lost_lo} to {loss.lost_hi}), {loss.per_hour} an hour"
        )
    return [Statement("guess", text) for text in guesses]


_TOLD = (
    ("fails", "behind it"),
    ("fine", "and of these"),
    ("partly", "a part fails"),
    ("elsewhere", "elsewhere"),
    ("origin", "the origins"),
)
"""Evidence for an upstream that was counted, in the order in which it is read."""


def _unknowns(incident: Incident, members: Walked) -> list[Statement]:
    unknown = []
    if is_blind(incident.cause):
        unseen = incident.loss.unseen_per_hour
        worth = f" ({unseen} {incident.loss.currency} an hour is unseen)" if unseen > 0 else ""
        unknown.append(f"whether any money is lost: we are blind, not dead{worth}")
    elif max(incident.loss.per_hour, incident.loss.lost) <= 0 and incident.counted_in is None:
        unknown.append("what it costs: there is no expectation for this place yet")
    if not incident.blame and not members.blames:
        unknown.append("who is to blame")
    if incident.cause.startswith("revenue."):
        unknown.append("why: no link, site or feed of this slice fails")
    return [Statement("unknown", text) for text in unknown]


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
