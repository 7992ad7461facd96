from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CENT = Decimal("0.01")


def cents(amount: float | Decimal) -> Decimal:
    """Round to two decimals, the grain of every money figure that leaves a computation."""
    return Decimal(str(amount)).quantize(CENT)


ZERO = cents(0)


@dataclass(frozen=True, slots=True)
class Loss:
    """Expected minus actual commission over a window, in `currency`, with 80 % intervals.

    The four quantities are never added up: *lost* is gone, *at risk* still accrues (per hour), *recoverable* can be
    backfilled or disputed, *unseen* is blind and probably fine.
    """

    lost: Decimal = ZERO
    lost_lo: Decimal = ZERO
    lost_hi: Decimal = ZERO
    per_hour: Decimal = ZERO
    per_hour_lo: Decimal = ZERO
    per_hour_hi: Decimal = ZERO
    recoverable: Decimal = ZERO
    unseen: Decimal = ZERO
    """Value whose data we cannot see, so far."""
    unseen_per_hour: Decimal = ZERO
    currency: str = "EUR"


NO_LOSS = Loss()
