"""Parts of a parser's screen: its last runs, its fields, what to write instead, and how its pages vary anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.model.state import State
from data.text import cells
from tui import format as fmt
from tui.column import Column
from tui.lines import Line, crop, fit, merged, spread
from tui.look import ROLE
from tui.mending import source_word, source_words
from tui.screens import parts
from tui.screens.parts import Part
from tui.widgets.hour_band import hour_band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.model.parser_view import CandidateRow, FieldRow, RunRow, VolatilityRow
    from data.model.snapshot import TargetDetail
    from tui.lines import Align
    from tui.look import Look

_MATCH = {"ok": ("ok", "dim"), "low": ("fewer", "warn"), "dead": ("no match", "bad"), "wrong": ("wrong", "bad")}
_HOUR_ROWS = 10
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def runs(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """Rows, fill and bytes of as many of the last runs as fit, newest right; a failing run is red in all of them."""
    if not detail.runs:
        return [((" no run yet", "dim"),)]
    rows = [("rows", [fmt.number(run.items) for run in detail.runs]), ("fill", [_fill(run) for run in detail.runs]),
            ("bytes", [_bytes(run.bytes) for run in detail.runs])]  # fmt: skip
    letters = _layouts(detail.runs)
    if len(set(letters)) > 1:
        rows.append(("layout", letters))
    size = max(cells(text) for _, texts in rows for text in texts) + 1
    count = max((width - 9) // size, 1)
    shown = detail.runs[-count:]
    roles = [ROLE[run.state] if run.state in {State.FAILING, State.DEGRADED} else "" for run in shown]
    lines = [_figures(name, texts[-count:], roles, size, width) for name, texts in rows]
    return [*lines, _span(shown, size, look, width)]


def _figures(name: str, texts: list[str], roles: list[str], size: int, width: int) -> Line:
    figures = ((f"{text:>{size}}", role) for text, role in zip(texts, roles, strict=True))
    return crop(((f" {name:<7}", "dim"), *merged(figures)), width)


def _span(shown: Sequence[RunRow], size: int, look: Look, width: int) -> Line:
    """When the first and the last of the runs above were."""
    room = size * len(shown)
    first, last = (fmt.day_clock(run.at, look.now).rpartition(":")[0] + "Z" for run in (shown[0], shown[-1]))
    if shown[0].at.date() != look.now.date():
        first = fmt.day_clock(shown[0].at, look.now)
    dashes = room - cells(first) - cells(last) - 3
    text = f"{first} {'─' * dashes} {last}" if dashes > 0 else fit(last, max(room - 1, cells(last)), "right")
    return crop(((" " * 9, ""), (text, "dim")), width)


def _fill(run: RunRow) -> str:
    return fmt.NONE if run.fill is None else f"{int(run.fill * 100)}"


def _bytes(size: int) -> str:
    """`812`, `81k`, `1.2M`; `—` where nobody knows."""
    if size <= 0:
        return fmt.NONE
    if size < 1000:
        return str(size)
    return f"{size / 1000:.0f}k" if size < 999_500 else f"{size / 1e6:.1f}M"


def _layouts(shown: Sequence[RunRow]) -> list[str]:
    """A letter for each layout, in the order of appearance; `—` where none was recognised."""
    names = dict.fromkeys(run.family for run in shown if run.family)
    letter = {name: _LETTERS[at % len(_LETTERS)] for at, name in enumerate(names)}
    return [letter.get(run.family, fmt.NONE) for run in shown]


def summary(detail: TargetDetail, look: Look, width: int) -> list[Line]:
    """Two lines for a small terminal: the last counts, and the fill of the field that fell most."""
    counts = merged(
        (f"{fmt.number(run.items):>5}", ROLE[run.state] if run.state is not State.OK else "")
        for run in detail.runs[-7:]
    )
    worst = max(detail.fields, key=lambda row: row.usual_fill - row.fill, default=None)
    right: Line = ()
    if worst is not None and worst.state != "ok":
        right = ((f"{worst.name} ", "strong"), (f"{fmt.pct(worst.usual_fill, 1)} → {fmt.pct(worst.fill, 1)} ", "bad"))
    first = spread(((" rows ", "dim"), *counts), right, width) if counts else ((" no run yet", "dim"),)
    return [first, *runs_span(detail, look, width)]


def runs_span(detail: TargetDetail, look: Look, width: int) -> list[Line]:
    """When the last run was and what it said."""
    if not detail.runs:
        return []
    last = detail.runs[-1]
    return [crop(((f" last run {fmt.clock(last.at)}, {look.since(last.at)} ago", "dim"),), width)]


def fields(detail: TargetDetail, _look: Look, width: int, _height: int) -> list[Line]:
    """Each field with its fill now and before, its selector, and whether that still matches."""
    if not detail.fields:
        return [((" no run yet", "dim"),)]
    longest = max(cells(row.name) for row in detail.fields)
    named = min(max(longest, 8), max(width // 4, 8))
    head = spread(
        ((f"   {fit('field', named)} {'fill':>7} {'was':>7}  selector", "head"),), (("match ", "head"),), width
    )
    return [head, *(_field(row, named, width) for row in detail.fields)]


def _field(row: FieldRow, named: int, width: int) -> Line:
    words, role = _MATCH.get(row.state, (row.state, "dim"))
    bad = row.state != "ok"
    left: Line = (
        (" ✖ " if role == "bad" else " ▲ " if bad else " ● ", role), (f"{fit(row.name, named)} ", "strong" if bad else ""),
        (f"{fmt.pct(row.fill, 1):>7} ", role if bad else ""), (f"{fmt.pct(row.usual_fill, 1):>7}  ", "dim"), (row.selector or fmt.NONE, "" if bad else "dim"),
    )  # fmt: skip
    return spread(left, ((f"{words} ", role),), width)


def volatility(detail: TargetDetail, look: Look, width: int, height: int) -> list[Line]:
    """What changes without being broken: results by hour of day, then what else was seen to vary."""
    rows = [_varied(row, detail.volatility, width) for row in detail.volatility]
    chart: list[Line] = []
    if detail.by_hour:
        room = min(max(height - len(rows) - 2, 0), _HOUR_ROWS)
        chart = hour_band(detail.by_hour, width - 1, room, look.now.hour)
        usual = "░ usual   " if any(one.runs for one in detail.by_hour) else ""
        title = f" results by hour, UTC   {usual}▄ last 24 h"
        chart = [crop(((title, "dim"),), width), *chart] if chart else []
    return [*chart, *rows] or [((" too little history to say what is usual", "dim"),)]


def _varied(row: VolatilityRow, rows: Sequence[VolatilityRow], width: int) -> Line:
    label = min(max(cells(one.label) for one in rows), width // 3)
    now = min(max(cells(one.now) for one in rows) or 1, width // 4)
    usual = min(max(cells(one.usual) for one in rows) or 1, width // 4)
    return crop(
        ((f" {fit(row.label, label)}  ", "dim"), (f"{fit(row.now or fmt.NONE, now, 'right')}  ", ""),
         (f"{fit(row.usual or fmt.NONE, usual)}  ", "dim"), (row.words, "dim")), width,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbered:
    """A candidate with its number in the list."""

    number: int
    row: CandidateRow

    @property
    def key(self) -> str:
        return f"{self.row.field}\n{self.row.selector}"


def numbered(rows: Sequence[CandidateRow]) -> list[Numbered]:
    return [Numbered(number, row) for number, row in enumerate(rows, 1)]


def _column(
    id_: str, title: str, width: int, text: Callable[[CandidateRow], str], align: Align = "right", *, grow: int = 0,
) -> Column[Numbered]:  # fmt: skip
    return Column(id_, title, width, lambda one, _look, _width: ((text(one.row), ""),), align, grow)


def _of(some: int, whole: int) -> str:
    return f"{some:,} of {whole:,}" if whole else fmt.NONE


def _selector(one: Numbered, _look: Look, _width: int) -> Line:
    return (f"{one.number} ", "dim"), (one.row.selector, "")


def _proof(one: Numbered, _look: Look, _width: int) -> Line:
    return (("● verified", "") if one.row.verified else ("╌ unproven", "dim"),)


CANDIDATE_COLUMNS: tuple[Column[Numbered], ...] = (
    Column("selector", "# selector", 26, _selector, grow=1),
    _column("field", "field", 9, lambda row: row.field, "left"),
    _column("matches", "matches", 7, lambda row: fmt.number(row.matches)),
    _column("fill", "fill", 6, lambda row: fmt.pct(row.fill, 0)),
    Column("verified", "", 10, _proof),
    _column("source", "from", 10, source_words, "left"),
    _column("same", "same before", 11, lambda row: _of(row.same, row.comparable), "left"),
    _column("pages", "stable on", 9, lambda row: _of(row.pages_ok, row.pages), "left"),
)
NARROW_COLUMNS: tuple[Column[Numbered], ...] = (
    Column("selector", "# selector", 21, _selector, grow=1),
    _column("matches", "rows", 5, lambda row: fmt.number(row.matches)),
    _column("same", "same", 8, lambda row: _of(row.same, row.comparable)),
    _column("pages", "pages", 6, lambda row: _of(row.pages_ok, row.pages)),
    Column("verified", "", 10, _proof),
    _column("source", "from", 6, source_word, "left"),
    _column("field", "field", 8, lambda row: row.field, "left"),
    _column("fill", "fill", 6, lambda row: fmt.pct(row.fill, 0)),
)


def _nothing(_detail: TargetDetail, _look: Look, _width: int, _height: int) -> list[Line]:
    """A part that is a widget of its own and draws itself."""
    return []


FIELDS, DIFF, CANDIDATES, VOLATILITY, RUNS, OBSERVED, INCIDENTS, CHART, FLIPS, STRIPS, EXPECTED = range(1, 12)
PARTS: tuple[Part[TargetDetail], ...] = (
    Part("fields", fields), Part("selector diff", _nothing), Part("candidates", _nothing), Part("volatility", volatility), Part("runs", runs),
    Part("observations", parts.observations), Part("incidents and notes", parts.incidents), Part("items a run", parts.history),
    Part("changes of state", parts.flips), Part("availability", parts.availability), Part("expected", parts.expectation),
)  # fmt: skip
"""In the order of their numbers; the first four are tabs on a small terminal."""
