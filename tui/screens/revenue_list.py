from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from data.model.target import TargetKind
from tui import keys
from tui.screens.listing import ListScreen

if TYPE_CHECKING:
    from textual.binding import BindingType

    from data.model.snapshot import Snapshot

_OF_MONEY = frozenset(("trend", "value", "expected", "loss_per_hour"))


class RevenueListScreen(ListScreen):
    """Every slice that is listed, and the way to those under suspicion and to the book of alarms."""

    SCOPES: ClassVar[tuple[str, ...]] = ("table", "revenues", "list", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("revenues")

    def __init__(self) -> None:
        super().__init__(TargetKind.SLICE)
        self._money = True

    def apply(self, snapshot: Snapshot) -> None:
        money = self.losswatch.look().money
        if money != self._money:
            self._money = money
            chosen = self.losswatch.columns.get(self.family.kind, self.family.columns)
            self.table.rearrange(tuple(column for column in chosen if money or column.id not in _OF_MONEY))
        super().apply(snapshot)

    def action_watchlist(self) -> None:
        self.losswatch.open_watchlist()

    def action_calibration(self) -> None:
        self.losswatch.open_calibration()
