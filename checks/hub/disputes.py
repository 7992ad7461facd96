"""What partners took back and nobody agreed to: money that can be argued for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.model.delivery import RestatedAs
from data.model.money import ZERO, cents
from data.model.principal import EVERYTHING
from data.model.target import name_of
from data.store import restatements

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from decimal import Decimal

    from data.model.incident import Finding
    from data.store.store import Store

_MONEY = "commission_total"
_TAKEN_BACK = frozenset({RestatedAs.CLAW_BACK, RestatedAs.DELETION})


@dataclass(frozen=True, slots=True)
class Disputes:
    """Amounts in the company's currency; what is told in another is not counted."""

    store: Store
    currency: Callable[[], str]

    def of(self, finding: Finding) -> Decimal:
        """By how much a feed lowered the commission of closed days, per its newest word on each."""
        newest: dict[date, Decimal] = {}
        for one in restatements.of_feed(self.store, EVERYTHING, name_of(finding.target)):
            if one.measure == _MONEY and one.currency == self.currency() and one.kind in _TAKEN_BACK:
                newest.setdefault(one.day, ZERO if one.acknowledged_at else -one.delta)
        return cents(sum((amount for amount in newest.values() if amount > 0), ZERO))
