from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from data.model.cause import words_of
from data.model.revenue_view import AlarmRow, Calibration
from data.text import cells
from tui import format as fmt
from tui.column import Column
from tui.lines import Line, crop, fit, wrap
from tui.screens.parts import Part
from tui.screens.revenue_book import BookScreen, slice_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from data.model.ids import TargetId
    from data.model.revenue_view import Held
    from tui.lines import Span
    from tui.look import Look

_BAR = 25
_FEWEST = 10
"""Cases from which something can be said of a share."""
_SLACK = 0.04
"""Share by which a band may miss its aim: days that follow one another are alike, so chance alone does that much."""
_WHOLE = "all together"
_STATUS = {"open": "bad", "withdrawn": "dim"}
_VERDICT = {"confirmed": "", "false": "warn"}


def promise(one: Held) -> tuple[str, str]:
    """(words, role): whether what was foretold held as often as it should, as far as so few cases can say."""
    if one.of < _FEWEST:
        return "too few to say", "dim"
    slack = max(2.0 * math.sqrt(one.aim * (1.0 - one.aim) / one.of), _SLACK)
    apart = one.held / one.of - one.aim
    if abs(apart) <= slack:
        return "as promised", "dim"
    return ("too narrow", "warn") if apart < 0 else ("too wide", "")


def _words(detail: Calibration, _look: Look, width: int, _height: int) -> list[Line]:
    """How many alarms stood, then how often each band and interval held."""
    lines: list[Line] = [((" ", ""), *line) for line in wrap(_alarms(detail), width - 2)]
    held = ([detail.intervals] if detail.intervals is not None else []) + _worst_first(detail.bands)
    if not held:
        return [*lines, ((" nothing that was foretold has come due yet", "dim"),)]
    named = min(max(*(cells(one.name) for one in held), 12), max(width - 60, 12))
    bar = _BAR if width >= 100 else 15
    head = f" {fit('what should hold', named)}  {'held':>5}  {'':<{bar}}  {'aim':>4}  {'cases':>6}"
    return [*lines, crop(((head, "head"),), width), *(_held(one, named, bar, width) for one in held)]


def _alarms(detail: Calibration) -> str:
    """How many there were, how many were taken back, and what people said of them."""
    if not detail.raised:
        return "No alarm was raised."
    noun = "alarm" if detail.raised == 1 else "alarms"
    share = (
        f"{detail.withdrawn} withdrawn when late figures came ({detail.withdrawn / detail.raised:.0%})"
        if detail.withdrawn
        else "none withdrawn"
    )
    said = [sum(one.verdict == verdict for one in detail.alarms) for verdict in ("confirmed", "false", "not ours")]
    others = f", {said[2]} not theirs" if said[2] else ""
    people = f"; people confirmed {said[0]} and called {said[1]} false{others}" if any(said) else ""
    return f"{detail.raised} {noun} raised, {share}{people}."


def _worst_first(bands: Sequence[Held]) -> list[Held]:
    """All together first, then those farthest from what they should hold, those with few cases last."""

    def rank(one: Held) -> tuple[bool, bool, float]:
        return one.name != _WHOLE, one.of < _FEWEST, -abs(one.held / one.of - one.aim) if one.of else 0.0

    return sorted(bands, key=rank)


def _held(one: Held, named: int, bar: int, width: int) -> Line:
    share = one.held / one.of if one.of else None
    words, role = promise(one)
    full, aim = 0 if share is None else round(share * bar), min(round(one.aim * bar), bar - 1)
    drawn = "".join("│" if at == aim and full <= at else "█" if at < full else "·" for at in range(bar))
    notch: list[Span] = [(drawn[:full], "actual"), (drawn[full:], "dim")]
    if full > aim:
        notch = [(drawn[:aim], "actual"), ("│", "strong"), (drawn[aim + 1 : full], "actual"), (drawn[full:], "dim")]
    return crop(
        ((f" {fit(one.name, named)}  ", ""), (f"{fmt.NONE if share is None else f'{share:.0%}':>5}  ", role if role == "warn" else "strong"),
         *notch, (f"  {one.aim:>4.0%}  {one.of:>6,}  ", "dim"), (words, role)), width,
    )  # fmt: skip


# The book of alarms


def _first(one: AlarmRow, look: Look) -> Line:
    if one.first is None:
        return ((fmt.NONE, "dim"),)
    ends = "" if one.first_lo is None or one.first_hi is None else f" ({fmt.money(one.first_lo, '')} to {fmt.money(one.first_hi, '')})"  # fmt: skip
    return ((look.amount(one.first), ""), (ends, "dim"))


def inside(one: AlarmRow) -> bool | None:
    """Whether the first interval holds what is known now; one that goes on or was withdrawn says nothing."""
    if one.status != "closed" or one.last is None or one.first_lo is None or one.first_hi is None:
        return None
    return one.first_lo <= one.last <= one.first_hi


def _inside(one: AlarmRow) -> Line:
    known = inside(one)
    if known is None:
        return ((fmt.NONE, "dim"),)
    return (("inside", "dim"),) if known else (("outside", "warn"),)


def _last(one: AlarmRow, look: Look) -> Line:
    if one.last is None:
        return ((fmt.NONE, "dim"),)
    return ((look.amount(one.last), "money" if one.status == "open" else ""),)


def _lasted(one: AlarmRow, look: Look) -> str:
    return fmt.age(((one.end or look.now) - one.start).total_seconds())


def _at(one: AlarmRow, look: Look) -> str:
    at = one.detected_at
    return fmt.short_clock(at) if at.date() == look.now.date() else f"{at.day} {at:%b %H:%M}"


_MONEY = frozenset(("first", "last", "held"))
_COLUMNS: tuple[Column[AlarmRow], ...] = (
    Column("at", "found", 12, lambda one, look, _w: ((_at(one, look), "dim"),)),
    Column("slice", "slice", 12, lambda one, _l, _w: ((slice_name(one.target), "strong"),), grow=2),
    Column("status", "status", 9, lambda one, _l, _w: ((one.status, _STATUS.get(one.status, "")),)),
    Column("last", "known now", 9, lambda one, look, _w: _last(one, look), "right"),
    Column("first", "first said", 23, lambda one, look, _w: _first(one, look), "right"),
    Column("held", "held", 7, lambda one, _l, _w: _inside(one)),
    Column("lasted", "lasted", 6, lambda one, look, _w: ((_lasted(one, look), "dim"),), "right"),
    Column("cause", "what", 20, lambda one, _l, _w: ((words_of(one.cause), "dim"),), grow=1),
    Column("verdict", "people", 9, lambda one, _l, _w: ((one.verdict or fmt.NONE, _VERDICT.get(one.verdict, "dim")),)),
    Column("nats", "nats", 5, lambda one, _l, _w: ((f"{one.nats:.1f}", "dim"),), "right"),
)  # fmt: skip


class CalibrationScreen(BookScreen[Calibration, AlarmRow]):
    """Whether the detector of revenue keeps its word: bands, intervals, and each alarm as first said and as known now."""

    NAME: ClassVar[str] = "Calibration"
    OPTION: ClassVar[str] = "calibration"
    ROWS: ClassVar[str] = "alarms"
    EMPTY: ClassVar[str] = "no alarm yet"

    def __init__(self) -> None:
        super().__init__((Part("promises", _words, "top", 0),))

    async def fetch(self) -> Calibration:
        return await self.losswatch.service.calibration()

    def trail(self) -> list[Span]:
        spans = super().trail()
        if self.detail is None:
            return spans
        return [*spans, (f"   {_day(self.detail.since)} to {_day(self.detail.until)}", "dim")]

    def columns(self, *, money: bool) -> tuple[Column[AlarmRow], ...]:
        return tuple(column for column in _COLUMNS if money or column.id not in _MONEY)

    def rows(self, detail: Calibration) -> Sequence[AlarmRow]:
        return detail.alarms

    def key_of(self, row: AlarmRow) -> str:
        return row.id

    def target_of(self, row: AlarmRow) -> TargetId:
        return row.target

    def cells_of(self, row: AlarmRow, *, money: bool) -> dict[str, object]:
        estimate = ("first", "first_lo", "first_hi", "last") if money else ()
        names = ("cause", "detected_at", "start", "end", "status", "nats", "verdict", *estimate)
        return {"id": row.id, "slice": slice_name(row.target), **{name: getattr(row, name) for name in names}}


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
