from __future__ import annotations

from pathlib import PurePosixPath
from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical

from data.model.state import State
from tui import format as fmt
from tui import keys
from tui.lines import fit_to, safe
from tui.mending import within
from tui.screens import parser_parts as shown
from tui.screens.compared import ComparedScreen
from tui.screens.parser_diff import DiffPanel
from tui.screens.place import NARROW
from tui.widgets.ask import Question, agreed
from tui.widgets.panel import Panel
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from data.model.parser_view import CandidateRow
    from data.model.snapshot import TargetDetail, TargetRow
    from tui.lines import Line
    from tui.screens.parser_parts import Numbered

_UPPER, _CANDIDATE_ROWS, _LOWER = 8, 5, 11
"""Most lines of the upper row, most candidates at once, and fewest lines that the lower row keeps."""
_OURS = ("parser.", "self.", "config.", "local.")
"""Causes that say nothing of what came instead of the content."""


class ParserScreen(ComparedScreen):
    """One parser: its runs and fields, what changed on its pages, what to write instead, and how it varies anyway."""

    SCOPES: ClassVar[tuple[str, ...]] = ("parser", "target", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("parser")
    TABS: ClassVar[Mapping[int, tuple[int, ...]]] = {
        1: (shown.FIELDS, shown.OBSERVED),
        2: (shown.DIFF, shown.CANDIDATES),
        3: (shown.CANDIDATES, shown.INCIDENTS),
        4: (shown.VOLATILITY,),
    }
    DIFF: ClassVar[int] = shown.DIFF

    def __init__(self, target: str, siblings: RowTable[TargetRow] | None = None) -> None:
        super().__init__(target, siblings, shown.PARTS)

    # Layout

    def content(self) -> ComposeResult:
        yield Panel(id="brief")
        yield Panel(id="tabs")
        with Horizontal(id="upper"):
            yield self.panel_of(shown.RUNS)
            yield self.panel_of(shown.FIELDS)
        yield DiffPanel(f"{shown.DIFF} {shown.PARTS[shown.DIFF - 1].title}", id=f"part{shown.DIFF}")
        yield RowTable(
            shown.CANDIDATE_COLUMNS, lambda one: one.key, f"{shown.CANDIDATES} candidates", id=f"part{shown.CANDIDATES}", always_mark=True
        )  # fmt: skip
        with Horizontal(id="sides"):
            with Vertical(id="left"):
                yield from map(self.panel_of, (shown.VOLATILITY, shown.STRIPS, shown.FLIPS, shown.EXPECTED))
            with Vertical(id="right"):
                yield from map(self.panel_of, (shown.CHART, shown.INCIDENTS, shown.OBSERVED))

    @property
    def candidates(self) -> RowTable[Numbered]:
        return self.query_one(f"#part{shown.CANDIDATES}", RowTable)

    def start(self) -> None:
        self.query_one("#brief", Panel).paint(self._brief)
        super().start()

    def _brief(self, width: int, _height: int) -> list[Line]:
        return [] if self.detail is None else shown.summary(self.detail, self.losswatch.look(), width)

    @property
    def broken(self) -> bool:
        """Whether there is anything to repair, or to compare."""
        detail = self.detail
        return detail is not None and bool(
            detail.diff or detail.candidates or any(field.state == "dead" for field in detail.fields)
        )

    def settle(self, size: str) -> None:
        """All parts where there is room; where there is not, those of the chosen number."""
        if not self.query(f"#part{len(self.parts)}"):
            return
        narrow = size in NARROW
        visible = set(self.TABS[self.tab]) if narrow else self._roomy(size)
        self.reveal(visible, narrow=narrow)
        self.query_one("#upper").display = bool(visible & {shown.RUNS, shown.FIELDS})
        lower = visible - {shown.RUNS, shown.FIELDS, shown.DIFF, shown.CANDIDATES}
        self.query_one("#sides").display = bool(lower)
        self.query_one("#left").display = bool(lower & {shown.VOLATILITY, shown.STRIPS, shown.FLIPS, shown.EXPECTED})
        self.query_one("#right").display = bool(lower & {shown.CHART, shown.INCIDENTS, shown.OBSERVED})
        columns = shown.NARROW_COLUMNS if narrow else shown.CANDIDATE_COLUMNS
        if self.candidates.columns != columns:
            self.candidates.rearrange(columns)
        self._measure(narrow=narrow)

    def _roomy(self, size: str) -> set[int]:
        every = set(range(1, len(self.parts) + 1))
        if not self.broken:
            return every - {shown.DIFF, shown.CANDIDATES}
        return every if size == "huge" else every - {shown.CHART, shown.FLIPS, shown.STRIPS, shown.EXPECTED}

    def _measure(self, *, narrow: bool) -> None:
        """Heights: the upper row and the candidates take what they need, then the diff, and the rest goes below."""
        width, height = self.app.size
        detail, look = self.detail, self.losswatch.look()
        upper, table = 3, 3
        if detail is not None:
            rows = max(len(shown.fields(detail, look, width // 2, 0)), len(shown.runs(detail, look, width // 2, 0)))
            upper = min(rows + 1, _UPPER)
            table = 2 + min(max(len(detail.candidates), 1), _CANDIDATE_ROWS)
        free = max(height - 2 - upper - table - _LOWER, 4)
        heights: dict[int, int | str] = {
            shown.CANDIDATES: ("1fr" if self.tab == shown.CANDIDATES else min(table, 5)) if narrow else table,
            shown.DIFF: "1fr" if narrow else min(self.diff.lines_needed(width) + 1, free),
            shown.VOLATILITY: "1fr",
            shown.OBSERVED: "2fr",
            shown.CHART: "2fr",
        }
        self.measure(heights, shown.STRIPS, shown.INCIDENTS, shown.EXPECTED, shown.FLIPS)
        self.query_one("#upper").styles.height = upper  # measured

    def action_panel(self, number: int) -> None:
        if (
            number in {shown.DIFF, shown.CANDIDATES}
            and not self.query_one(f"#part{number}").display
            and not self.broken
        ):
            self.tab = number if self.size_name in NARROW else self.tab
            if self.tab != number:
                self.losswatch.say(f"Nothing to repair here, so there is no {self.tab_titles()[number - 1]}")
                return
        super().action_panel(number)

    def arrived(self, detail: TargetDetail) -> None:
        look = self.losswatch.look()
        was, now = (fmt.NONE if at is None else fmt.day_clock(at, look.now) for at in (detail.good_at, detail.bad_at))
        self.diff.present(detail.diff, (f"last good {was}", f"now {now}"), self.no_diff())
        pages = max((row.pages for row in detail.candidates), default=0)
        self.candidates.note = f"replayed on {pages:,} stored page{'' if pages == 1 else 's'}" if pages else ""
        self.candidates.empty = self._no_candidate()
        self.candidates.present(shown.numbered(detail.candidates))

    def _no_candidate(self) -> str:
        if not self.broken:
            return "nothing to repair"
        return self._not_the_parser() or "none yet: a candidate needs a failing page whose last good values are known"

    def no_diff(self) -> str:
        if self.detail is not None and self.detail.row.state is State.OK and not self.broken:
            return "nothing changed that matters: every field is read"
        return self._not_the_parser() or "no diff: it needs a stored good page and a failing one"

    def _not_the_parser(self) -> str:
        """Why empty fields are nothing to mend a selector for; empty where they are."""
        if self.detail is None:
            return ""
        row = self.detail.row
        if row.state is State.OK:
            return "one run without values is no finding yet: the next one decides"
        ours = row.cause == "page.layout_unknown" or row.cause.startswith(_OURS)
        return "" if ours else "what came was not the content: no selector is to blame"

    # Actions

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.losswatch.say(message.key.partition("\n")[2])

    @property
    def candidate(self) -> CandidateRow | None:
        chosen = self.candidates.selected
        return None if chosen is None else chosen.row

    def spec_file(self) -> str:
        """Name of the SPEC as people say it: `serp.toml`."""
        said = dict(self.detail.check).get("spec", "") if self.detail is not None else ""
        return PurePosixPath(said).name or "its SPEC"

    def action_accept(self) -> None:
        row = self.candidate
        if row is None:
            self.losswatch.say("No candidate to accept: nothing is broken" if not self.broken else "No candidate yet")
            return
        together = within(row, self.detail.candidates if self.detail is not None else ())
        sure = "" if row.verified else " (unproven)"
        more = f" and {len(together)} field{'' if len(together) == 1 else 's'} in it" if together else ""
        frame = f"write {more} into {self.spec_file()}{sure}? type yes: "
        selector = fit_to(safe(row.selector), max(self.app.size.width - len(frame) - 8, 12))
        words = frame.replace("write ", f"write {selector}", 1).strip()
        self.ask(Question(words, submit=lambda said: self._accept(row, together, said)))

    def _accept(self, row: CandidateRow, together: dict[str, str], said: str) -> None:
        if agreed(said):
            also = {"within": together} if together else {}
            self.losswatch.give("mend", target=self.target, field=row.field, selector=row.selector, **also)
        else:
            self.losswatch.say(f"{self.spec_file()} stays as it is")

    def action_undo(self) -> None:
        self.ask(Question(f"undo the last change of {self.spec_file()}? type yes:", submit=self._undo))

    def _undo(self, said: str) -> None:
        if agreed(said):
            self.losswatch.give("mend", target=self.target, undo=True)
        else:
            self.losswatch.say(f"{self.spec_file()} stays as it is")

    def command_line(self) -> str | None:
        return f"losswatch repair {quote(self.target.partition(':')[2])}"

    def copyable(self) -> tuple[str, str] | None:
        """The selector that is meant: the candidate, else that of the first field that is broken."""
        if self.candidate is not None:
            return safe(self.candidate.selector), "selector"
        fields = self.detail.fields if self.detail is not None else ()
        worst = next((one for one in fields if one.state != "ok" and one.selector), None)
        return (safe(worst.selector), "selector") if worst is not None else super().copyable()
