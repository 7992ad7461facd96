from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.screens.parser_diff import DiffPanel
from tui.screens.place import NARROW
from tui.screens.target import TargetScreen
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class ComparedScreen(TargetScreen):
    """A target with a before and a now: numbered parts of its own places, a diff among them that is turned and walked."""

    TABS: ClassVar[Mapping[int, tuple[int, ...]]] = {}
    """What a small terminal shows for each number."""
    DIFF: ClassVar[int] = 0
    """The part that is the diff."""
    COMPARED: ClassVar[str] = "diff"
    """What the diff is called."""

    @property
    def diff(self) -> DiffPanel:
        return self.query_one(f"#part{self.DIFF}", DiffPanel)

    def no_diff(self) -> str:
        """Why there is nothing to compare, in one sentence without a capital."""
        raise NotImplementedError

    def panel_of(self, number: int) -> Panel:
        """The panel of a part; those with a tab carry its number."""
        title = self.parts[number - 1].title
        return Panel(f"{number} {title}" if number <= len(self.TABS) else title, id=f"part{number}", focusable=True)

    def reveal(self, visible: Collection[int], *, narrow: bool) -> None:
        """Show these parts and no others, and the tabs where there is little room."""
        for number in range(1, len(self.parts) + 1):
            self.query_one(f"#part{number}").display = number in visible
        self.query_one("#tabs").display = narrow

    def measure(self, heights: Mapping[int, int | str], *content: int) -> None:
        """Heights by part; those of `content` take what they need."""
        needed = {number: self._needed(self.parts[number - 1]) + 1 for number in content}
        for number, height in {**heights, **needed}.items():
            self.query_one(f"#part{number}").styles.height = height

    def extra_shown(self, *, narrow: bool) -> bool:
        return not narrow

    def action_turn_diff(self) -> None:
        if self._nothing_compared():
            return
        sides = self.diff.turn()
        self.settle(self.size_name)
        self.losswatch.say(f"The {self.COMPARED} has two sides" if sides else f"The {self.COMPARED} is unified")

    def action_change(self, by: int) -> None:
        if self._nothing_compared():
            return
        if self.size_name in NARROW and self.DIFF not in self.TABS[self.tab]:
            self.action_panel(next(number for number, parts in self.TABS.items() if self.DIFF in parts))
        self.diff.step(by)

    def _nothing_compared(self) -> bool:
        if not self.diff.diff:
            words = self.no_diff()
            self.losswatch.say(words[:1].upper() + words[1:])
        return not self.diff.diff
