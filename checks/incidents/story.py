"""The story of an incident in causal order (edge, site, link, tracker, postback, feed, money), each step with its time. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from checks.revenue.alarm import counted
from data.model.cause import family_of, words_of
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.model.ids import CauseId
    from data.model.incident import Finding, TimelineEntry

STAGES = ("edge", "site", "link", "tracker", "search", "postback", "feed", "money")
_SLICES = 3
"""So many slices are named."""
_SOON = timedelta(minutes=30)
"""A loss per hour that falls within this of a plan fell because of it, as far as anybody can tell."""
_APPLIED = re.compile(r"applied plan (?P<letter>[ABC])\b")
_FELL = "loss per hour from "


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the way from the edge to the money, as it failed."""

    stage: str
    at: datetime
    words: str
    ended: datetime | None
    """When the last of it recovered; `None` while some of it fails."""


def steps(findings: Iterable[Finding]) -> tuple[Step, ...]:
    """In the order in which a click passes the stages; only those that failed."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[stage_of(finding)].append(finding)
    return tuple(_step(stage, found[stage]) for stage in STAGES if stage in found)


def stage_of(finding: Finding) -> str:
    if finding.kind is TargetKind.LINK:
        tracker = finding.fingerprint.get("tracker", "").split()
        return "tracker" if finding.blame and finding.blame in tracker else "link"
    return _stage(finding.kind, finding.cause)


@cache
def _stage(kind: TargetKind, cause: CauseId) -> str:
    match kind:
        case TargetKind.SLICE:
            return "money"
        case TargetKind.PARSER:
            return "search"
        case TargetKind.FEED:
            return "postback" if family_of(cause) == "postback" else "feed"
        case _:
            return "edge" if family_of(cause) == "edge" else "site"


def told(known: Sequence[Step]) -> str:
    """`11:20Z edge: 412 sites, ...; 11:21Z link: 448 links, ...; 11:45Z money: registrations P01 -80 %`.

    Empty where there is but one stage: that is no chain.
    """
    return "; ".join(_said(step) for step in known) if len(known) > 1 else ""


def plans_told(timeline: Sequence[TimelineEntry]) -> list[str]:
    """`plan B applied 14:32Z, loss per hour from 96.00 EUR to 20.00 EUR`, one line a plan."""
    lines = []
    for entry in timeline:
        if match := _APPLIED.match(entry.what):
            fell = (
                one.what
                for one in timeline
                if one.what.startswith(_FELL) and timedelta(0) <= one.at - entry.at <= _SOON
            )
            lines.append(", ".join([f"plan {match['letter']} applied {entry.at:%H:%MZ}", *list(fell)[:1]]))
    return lines


def awaited(chain: Iterable[Step]) -> str:
    """What nobody can know yet once the cause is over and its money is not back; empty otherwise."""
    known = {step.stage: step for step in chain}
    money = known.pop("money", None)
    if money is None or money.ended is not None or not known:
        return ""
    ends = [step.ended for step in known.values() if step.ended is not None]
    if len(ends) < len(known):
        return ""
    return f"whether the money comes back: the cause ended {max(ends):%H:%MZ}, conversions follow up to 2 hours later"


def _step(stage: str, findings: Sequence[Finding]) -> Step:
    ends = [one.closed_at for one in findings if one.closed_at is not None]
    ended = max(ends) if len(ends) == len(findings) else None
    return Step(stage, min(one.opened_at for one in findings), _words(stage, findings), ended)


def _words(stage: str, findings: Sequence[Finding]) -> str:
    targets = {one.target: one for one in findings}
    if stage == "money":
        named = [_missing(one) for one in targets.values()]
        more = f" and {len(named) - _SLICES} more" if len(named) > _SLICES else ""
        return ", ".join(named[:_SLICES]) + more
    why = words_of(Counter(one.cause for one in findings).most_common(1)[0][0])
    kinds = Counter(one.kind for one in targets.values())
    if len(targets) == 1:
        return f"{name_of(next(iter(targets)))}, {why}"
    return f"{' and '.join(f'{count:,} {kind.value}s' for kind, count in sorted(kinds.items()))}, {why}"


def _missing(finding: Finding) -> str:
    """`registrations P01 -80 %`, from the sentence in which a slice's alarm says what it counted."""
    labels = (finding.fingerprint.get(name, "") for name in ("partner", "offer", "geo", "site"))
    place = " ".join(filter(None, labels)) or name_of(finding.target)
    told = counted(finding.detail)
    if told is None:
        return f"{words_of(finding.cause)} {place}"
    return f"{told.unit} {place} {told.share - 1:+.0%}".replace("%", " %")


def _said(step: Step) -> str:
    over = f" (until {step.ended:%H:%MZ})" if step.ended else ""
    return f"{step.at:%H:%MZ} {step.stage}: {step.words}{over}"
