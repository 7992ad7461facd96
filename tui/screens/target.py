from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from data.model.ids import TargetId
from data.model.snapshot import TargetDetail
from data.model.target import TargetKind, kind_of, name_of
from tui import keys
from tui.families import FAMILIES
from tui.screens import parts
from tui.screens.detail import DetailScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from data.model.snapshot import TargetRow
    from tui.lines import Span
    from tui.screens.parts import Part
    from tui.widgets.row_table import RowTable


class TargetScreen(DetailScreen[TargetDetail]):
    """Everything known of one site, link, parser, feed or slice."""

    SCOPES: ClassVar[tuple[str, ...]] = ("target", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("target")

    def __init__(
        self, target: str, siblings: RowTable[TargetRow] | None = None, shown: Sequence[Part[TargetDetail]] = ()
    ) -> None:
        self.target = TargetId(target)
        self.kind = kind_of(self.target)
        self.walk = siblings
        """The table this was opened from: `[ ]` walk along it."""
        super().__init__(shown or parts.OF_TARGET)

    async def fetch(self) -> TargetDetail:
        return await self.losswatch.service.target(self.target)

    def trail(self) -> list[Span]:
        spans: list[Span] = [(f"{FAMILIES[self.kind].title} › ", "dim"), (name_of(self.target), "where"), ("   ", "")]
        if self.detail is None:
            return [*spans, (self.problem, "warn")]
        return [*spans, *parts.headline(self.detail, self.losswatch.look())]

    def action_sibling(self, step: int) -> None:
        key = self.walk.neighbour(step) if self.walk is not None else None
        if key is None:
            self.losswatch.say("No further row in the list this was opened from")
        else:
            self.losswatch.replace_target(key, self.walk)

    def action_incident(self) -> None:
        row = self.detail.row if self.detail else None
        if row is None or row.incident is None:
            self.losswatch.say(f"{name_of(self.target)} belongs to no open incident")
        else:
            self.losswatch.open_incident(row.incident)

    def selected_target(self) -> str | None:
        return self.target

    def copyable(self) -> tuple[str, str] | None:
        if self.detail is not None and self.detail.url:
            return self.detail.url, "URL"
        return super().copyable()

    def command_line(self) -> str | None:
        if self.detail is not None and self.detail.url and self.kind in {TargetKind.SITE, TargetKind.LINK}:
            return f"losswatch check {self.kind.value} {self.detail.url!r}"
        return None


def screen_of(target: str, siblings: RowTable[TargetRow] | None = None) -> TargetScreen:
    """The screen of one target; parsers, feeds and slices have one of their own."""
    kind = kind_of(TargetId(target))
    if kind is TargetKind.PARSER:
        from tui.screens.parser import ParserScreen

        return ParserScreen(target, siblings)
    if kind is TargetKind.FEED:
        from tui.screens.feed import FeedScreen

        return FeedScreen(target, siblings)
    if kind is TargetKind.SLICE:
        from tui.screens.revenue import RevenueScreen

        return RevenueScreen(target, siblings)
    return TargetScreen(target, siblings)
