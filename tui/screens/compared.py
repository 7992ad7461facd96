from __future__ import annotations

from typing import ClassVar

from tui.screens.arranged import ArrangedScreen
from tui.screens.parser_diff import DiffPanel
from tui.screens.place import NARROW


class ComparedScreen(ArrangedScreen):
    """A target with a before and a now: a diff among its parts, that is turned and walked."""

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
