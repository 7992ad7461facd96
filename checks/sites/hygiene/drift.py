"""Links of a page against what stood there before: gone, stripped, strange. Pure; the memory is a few bytes a link.

A link is missed when its absence is improbable: with presence p so far and n looks without it, when (1 - p)^n < 0.005.
So one that stood there in forty looks is missed at the second without it, one that rotates at three of five at the
sixth; few looks make nobody sure: after n of them p is at most n / (n + 2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from checks.sites.hygiene import pagefacts as key
from data.model.cause import cause
from data.model.state import State
from data.text import MASK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from checks.sites.hygiene.registry import Allowed
    from data.model.ids import CauseId

LOOKS = 5
"""Before so many nothing is missed."""
IMPROBABLE = 0.005
MOST_SURE = 0.95
_MEMORY = 10.0
"""Looks over which a presence is averaged."""
_FULL = 250
_SURE = 40
"""Looks after which more of the same make nobody surer."""


@dataclass(frozen=True, slots=True)
class Look:
    """A page's links as a probe saw them."""

    registered: str
    """How many and which, `8.1f3a`: another text is another inventory."""
    n: int
    present: int
    stripped: int
    dropped: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Presence:
    """How often every registered link of one page was there."""

    registered: str
    looks: int = 0
    often: bytearray = field(default_factory=bytearray)
    """Share of looks in 250ths, by link; not moved while the link is away."""
    away: bytearray = field(default_factory=bytearray)
    """Looks in a row without it."""
    still: int = -1
    """The links whose presence teaches nothing new: all of them stood there and are as sure as can be."""


@dataclass(frozen=True, slots=True)
class Drift:
    cause: CauseId
    state: State
    detail: str
    evidence: dict[str, str]
    links: int = 0
    """Mask of the registered links concerned."""


def look_of(evidence: Mapping[str, str]) -> Look | None:
    told = evidence.get(key.LINKS)
    return _parsed(told, evidence.get(key.DROPPED, ""), evidence.get(key.IDS, "")) if told else None


@lru_cache(maxsize=32_768)
def _parsed(told: str, dropped: str, ids: str) -> Look | None:
    try:
        registered, present, stripped = told.split(":")
        n = int(registered.partition(".")[0])
        masks = int(present, 16), int(stripped, 16)
    except ValueError:
        return None
    return Look(registered, n, *masks, tuple(filter(None, dropped.split(","))), tuple(filter(None, ids.split("; "))))


def foreign(look: Look, allowed: Allowed) -> tuple[str, ...]:
    """The ids on the page that are not ours; masked ones cannot be told and accuse nobody."""
    found = []
    for one in look.ids:
        host, _, pair = one.partition(" ")
        name, _, value = pair.partition("=")
        if value and MASK not in value and not allowed.ours(host, name, value):
            found.append(one)
    return tuple(found)


def observe(memory: Presence, look: Look) -> None:
    """Learn from one look."""
    seen = look.present | look.stripped
    if seen == memory.still and memory.registered == look.registered:
        return
    if memory.registered != look.registered:
        memory.registered, memory.looks = look.registered, 0
        memory.often, memory.away = bytearray(look.n), bytearray(look.n)
    memory.looks = min(memory.looks + 1, 255)
    rate = 1.0 / min(memory.looks, _MEMORY)
    before = bytes(memory.often)
    for number in range(look.n):
        if not seen >> number & 1:
            memory.away[number] = min(memory.away[number] + 1, 255)
            continue
        share = memory.often[number] / _FULL
        for _ in range(memory.away[number]):
            share -= share * rate
        memory.often[number] = round((share + (1.0 - share) * rate) * _FULL)
        memory.away[number] = 0
    settled = memory.looks >= _SURE and not any(memory.away) and before == memory.often
    memory.still = seen if settled else -1


def missing(memory: Presence) -> tuple[int, ...]:
    """Numbers of the links whose absence is improbable."""
    if memory.looks < LOOKS:
        return ()
    sure = min(memory.looks / (memory.looks + 2), MOST_SURE)
    return tuple(
        number
        for number, (often, away) in enumerate(zip(memory.often, memory.away, strict=True))
        if away and (1.0 - min(often / _FULL, sure)) ** away < IMPROBABLE
    )


def forgive(memory: Presence) -> None:
    """What is away now belongs to the page no more."""
    for number, away in enumerate(memory.away):
        if away:
            memory.often[number] = memory.away[number] = 0


def judge(memory: Presence, look: Look, allowed: Allowed, known: Collection[str] = ()) -> Drift | None:
    """The worst of: an id that is not ours, a lost parameter, links that are gone. Learns from the look first.

    `known` are foreign ids that were accepted. A lost parameter counts where the link once stood there whole, or where
    the inventory says that the parameter must survive.
    """
    whole = sum(1 << number for number, often in enumerate(memory.often) if often) if look.stripped else 0
    observe(memory, look)
    strange = [one for one in foreign(look, allowed) if one not in known] if look.ids else []
    if strange:
        words = f"a link on the page carries an affiliate id that is not ours: {strange[0]}"
        return Drift(cause("link.wrong_target"), State.FAILING, words, {"foreign": "; ".join(strange)})
    says_so = look.stripped and not allowed.kept.isdisjoint(look.dropped)
    stripped = look.stripped if says_so else look.stripped & whole
    if stripped:
        names = ", ".join(look.dropped)
        words = f"{stripped.bit_count()} of {look.n} registered links on the page lack the parameter {names}"
        return Drift(cause("link.param_lost"), State.FAILING, words, {"parameter": names}, stripped)
    gone = () if memory.still >= 0 else missing(memory)
    if gone:
        words = f"{len(gone)} of {look.n} registered links are gone from the page"
        return Drift(
            cause("content.missing_keyword"),
            State.DEGRADED,
            words,
            {"missing_links": str(len(gone))},
            sum(1 << number for number in gone),
        )
    return None
