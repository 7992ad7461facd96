"""Is a run of a parser that is not ours all right? Told by its counts and fills against its own history: no page is seen.

1. It came too late, or ended with an error before it had what it usually has. 2. Too few runs to compare with: nothing
is said. 3. No items where there always were some. 4. A field emptier than it ever was at such an hour. Otherwise ok.

How many items there are is never a reason: results come and go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from math import comb
from statistics import median
from typing import TYPE_CHECKING

from data.config.units import format_duration
from data.model.cause import cause, state_of
from data.model.fact import FieldYield
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.model.fact import ParserRun
    from data.model.ids import CauseId

OK, NEW = "ok", "new"
"""Verdicts of runs that later ones are compared with: judged fine, and not yet judged."""
ENOUGH = 5
"""Comparable runs below which nothing is said."""
FALL = 0.20
DEAD = 0.02
CHANCE = 0.01
"""A fall that so seldom comes by chance, at this many items, is none."""
LATE = 1.5
"""Intervals without a run after which a parser is late."""
HOURS = 2
"""Runs so many hours of the day apart are of one time of day."""

_BLOCKED = re.compile(
    r"captcha|\bblocked\b|forbidden|access denied|too many requests|\b403\b|\b429\b|challenge", re.IGNORECASE
)
_CONSENT = re.compile(r"\bconsent\b", re.IGNORECASE)
_TIMEOUT = re.compile(r"time[d ]?\s?-?out", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OutsideVerdict:
    state: State
    cause: CauseId
    detail: str
    fields: tuple[FieldYield, ...] = ()
    usual: float | None = None
    """Items at this time of day; `None` where too little is known."""


@dataclass(frozen=True, slots=True)
class _Fall:
    """A field that is emptier than usual."""

    state: str
    words: str


def judge(run: ParserRun, history: Sequence[ParserRun]) -> OutsideVerdict:
    """`run` against earlier runs of the same parser, in any order; only those that were fine count."""
    alike, same_page = comparable(run, history)
    near = _same_hour(run, alike)
    usual = median(one.items for one in near) if len(alike) >= ENOUGH else None
    if run.error and (failed := _failed(run, alike)):
        return OutsideVerdict(state_of(failed[0]), failed[0], failed[1], _dead(run.fields), usual)
    if usual is None:
        told = f"{_items(run.items)}; {len(alike)} of {ENOUGH} runs seen that say what is usual"
        return OutsideVerdict(State.UNKNOWN, NO_CAUSE, told, run.fields)
    if not run.items:
        return _nothing(run, alike, usual, same_page=same_page)
    return _by_fields(run, alike, near, usual)


def is_good(run: ParserRun) -> bool:
    """Whether later runs may be compared with it."""
    return run.verdict in {OK, NEW}


def verdict_word(verdict: OutsideVerdict) -> str:
    """What a run's record says of it."""
    return verdict.cause or (OK if verdict.state is State.OK else NEW)


def comparable(run: ParserRun, history: Iterable[ParserRun]) -> tuple[list[ParserRun], bool]:
    """Good earlier runs of the same page, query and country where there are enough, else of the country; and which it was."""
    good = [one for one in history if is_good(one) and one.at < run.at and one.geo == run.geo]
    same = [one for one in good if (one.url, one.query) == (run.url, run.query)]
    return (same, True) if len(same) >= ENOUGH else (good, len(same) == len(good))


def lateness(last_at: datetime | None, interval_s: float, now: datetime) -> OutsideVerdict | None:
    """What is to be said of a parser whose last run was then; `None` while it is in time."""
    if last_at is None:
        return OutsideVerdict(State.UNKNOWN, NO_CAUSE, "no run was pushed yet")
    if now - last_at <= timedelta(seconds=LATE * interval_s):
        return None
    late = cause("parser.late")
    waited = format_duration(round((now - last_at).total_seconds() / 60) * 60.0)
    told = (
        f"no run for {waited}, usually one every {format_duration(interval_s)}; the last at {last_at:%Y-%m-%d %H:%MZ}"
    )
    return OutsideVerdict(state_of(late), late, told)


def _failed(run: ParserRun, alike: Sequence[ParserRun]) -> tuple[CauseId, str] | None:
    """An error matters when the run has less than any before it."""
    least = min((one.items for one in alike), default=1)
    if run.items >= max(least, 1):
        return None
    told = f"{_items(run.items)}, then it ended: {run.error}"
    if run.items:
        return cause("parser.partial"), told
    for pattern, name in ((_BLOCKED, "page.blocked"), (_CONSENT, "page.consent"), (_TIMEOUT, "tcp.timeout")):
        if pattern.search(run.error):
            return cause(name), told
    return cause("parser.late"), told


def _nothing(run: ParserRun, alike: Sequence[ParserRun], usual: float, *, same_page: bool) -> OutsideVerdict:
    empty = sum(not one.items for one in alike)
    if empty:
        told = f"0 items, as in {empty} of {len(alike)} runs before"
        return OutsideVerdict(State.OK, NO_CAUSE, told, run.fields, usual)
    if not same_page:
        told = "0 items of a page that is new here: no history says whether that is usual"
        return OutsideVerdict(State.UNKNOWN, NO_CAUSE, told, run.fields, usual)
    dead = cause("parser.selector_dead")
    told = f"0 items, never in {len(alike)} runs before, usually {usual:.0f}; no page was sent that could say why"
    return OutsideVerdict(state_of(dead), dead, told, _dead(run.fields), usual)


def _by_fields(run: ParserRun, alike: Sequence[ParserRun], near: Sequence[ParserRun], usual: float) -> OutsideVerdict:
    falls = {field.name: fall for field in run.fields if (fall := _fall(field, run.items, alike, near))}
    fields = tuple(
        FieldYield(field.name, field.n, field.fill, falls[field.name].state if field.name in falls else "ok")
        for field in run.fields
    )
    if not falls:
        return OutsideVerdict(State.OK, NO_CAUSE, _fine(run, near, usual), fields, usual)
    dead = any(fall.state == "dead" for fall in falls.values())
    why = cause("parser.field_dead" if dead else "parser.partial")
    told = "; ".join(fall.words for fall in list(falls.values())[:4])
    return OutsideVerdict(state_of(why), why, told, fields, usual)


def _fall(field: FieldYield, items: int, alike: Sequence[ParserRun], near: Sequence[ParserRun]) -> _Fall | None:
    """A fall is one when it is wide, when the field was never so empty before, and when it is no chance."""
    usual = _fills(near, field.name)
    known = _fills(alike, field.name)
    if len(usual) < ENOUGH:
        usual = known
    if len(known) < ENOUGH:
        return None
    before = median(usual)
    if before - field.fill < FALL or field.fill >= min(known):
        return None
    if _chance(round(field.fill * items), items, before) > CHANCE:
        return None
    told = f"{field.name} filled in {field.fill:.0%} of {_items(items)}, usually {before:.0%}"
    return _Fall("dead" if field.fill <= DEAD else "low", told)


def _fills(runs: Sequence[ParserRun], name: str) -> list[float]:
    """Of runs that had items: an empty run says nothing about its fields."""
    return [field.fill for run in runs if run.items for field in run.fields if field.name == name]


def _chance(filled: int, items: int, share: float) -> float:
    """How likely so few of `items` are filled while each is with probability `share`; never sure of more than 98 %."""
    p = min(share, 0.98)
    if items > 200:
        return 0.0 if filled / items < p - FALL / 2 else 1.0
    return sum(comb(items, n) * p**n * (1 - p) ** (items - n) for n in range(filled + 1))


def _same_hour(run: ParserRun, runs: Sequence[ParserRun]) -> Sequence[ParserRun]:
    near = [one for one in runs if (one.at.hour - run.at.hour + HOURS) % 24 <= 2 * HOURS]
    return near if len(near) >= ENOUGH else runs


def _dead(fields: Iterable[FieldYield]) -> tuple[FieldYield, ...]:
    return tuple(FieldYield(field.name, field.n, field.fill, "dead") for field in fields)


def _fine(run: ParserRun, near: Sequence[ParserRun], usual: float) -> str:
    counts = sorted(one.items for one in near)
    lo, hi = counts[0], counts[-1]
    aside = "" if lo <= run.items <= hi else f" ({lo} to {hi} until now)"
    error = f"; it reported: {run.error}" if run.error else ""
    return f"{_items(run.items)}, usually {usual:.0f}{aside}{error}"


def _items(count: int) -> str:
    return f"{count:,} item{'' if count == 1 else 's'}"
