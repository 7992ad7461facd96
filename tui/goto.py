"""What can be typed after `:` and what it means; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from data.model.target import TargetKind, target_id
from tui.families import FAMILIES
from tui.widgets.ask import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.snapshot import Snapshot

LISTS = {
    "sites": TargetKind.SITE, "links": TargetKind.LINK, "parsers": TargetKind.PARSER, "feeds": TargetKind.FEED,
    "apis": TargetKind.FEED, "revenue": TargetKind.SLICE, "slices": TargetKind.SLICE,
}  # fmt: skip
KINDS = {kind.value: kind for kind in TargetKind}


What = Literal[
    "overview", "list", "target", "incident", "theme", "watched", "calibration", "at", "help", "quit", "unknown"
]
_ALONE: dict[str, What] = {
    "overview": "overview", "watched": "watched", "calibration": "calibration", "live": "at", "help": "help", "quit": "quit",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Aim:
    """Where an answer leads."""

    what: What
    value: str = ""


def aim(text: str) -> Aim:
    """The meaning of `text`; `unknown` carries the sentence to show."""
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if word in _ALONE and not rest:
        return Aim(_ALONE[word])
    if word in LISTS:
        return Aim("list", LISTS[word].value)
    if word in KINDS and rest:
        return Aim("target", target_id(KINDS[word], rest))
    if word in {"inc", "incident"} or word.startswith("#"):
        number = (rest or word).removeprefix("#")
        return (
            Aim("incident", number) if number.isdigit() else Aim("unknown", f"Which incident? Not {number!r}: inc 412")
        )
    if word in {"theme", "at"} and rest:
        return Aim(word, rest)  # type: ignore[arg-type]  # these words are literals of `what`
    return Aim("unknown", f"No place called {text.strip()!r}. Try: sites, site NAME, inc N, theme NAME, help")


def candidates(text: str, snapshot: Snapshot, themes: Iterable[str]) -> list[Candidate]:
    """What `text` could become, nearest first: words, open incidents, targets of the snapshot, themes."""
    word, _, rest = text.strip().lower().partition(" ")
    found = [one for one in _all(snapshot, themes, word) if _matches(one, word, rest.strip())]
    return sorted(found, key=lambda one: (not one.text.lower().startswith(text.strip().lower()), len(one.text)))


def _matches(one: Candidate, word: str, rest: str) -> bool:
    text = f"{one.text} {one.words}".lower()
    return word in text and rest in text


def _all(snapshot: Snapshot, themes: Iterable[str], word: str) -> Iterable[Candidate]:
    yield Candidate("overview", "the first screen")
    for name, kind in LISTS.items():
        if name not in {"apis", "slices"}:
            yield Candidate(name, f"the list of {FAMILIES[kind].title.lower()}")
    yield Candidate("watched", "slices under suspicion")
    yield Candidate("calibration", "whether the detector of revenue keeps its word")
    yield Candidate("at -1h", "an earlier moment; also at 14:30 or at 11-17 14:30")
    yield Candidate("live", "the present")
    yield Candidate("help", "what every key does")
    yield Candidate("quit", "leave losswatch")
    if not word:
        return
    for incident in snapshot.incidents:
        yield Candidate(f"inc {incident.id}", f"{incident.where}: {incident.title}")
    for pane in (snapshot.sites, snapshot.links, snapshot.parsers, snapshot.feeds, snapshot.slices):
        for row in pane.rows:
            yield Candidate(f"{row.kind.value} {row.name}", row.detail or row.state.value)
    for theme in themes:
        yield Candidate(f"theme {theme}", "colours")
