from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.screens.target import TargetScreen
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class ArrangedScreen(TargetScreen):
    """A target whose numbered parts have places of their own: all where there is room, else those of the chosen number."""

    TABS: ClassVar[Mapping[int, tuple[int, ...]]] = {}
    """What a small terminal shows for each number."""

    def panel_of(self, number: int) -> Panel:
        """The panel of a part; those with a tab carry its number."""
        return Panel(self.numbered(number), id=f"part{number}", focusable=True)

    def numbered(self, number: int) -> str:
        """The title of a part, with its number where it has a tab."""
        title = self.parts[number - 1].title
        return f"{number} {title}" if number <= len(self.TABS) else title

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
