"""What other checks know of a slice: evidence that something is broken there, added to that of the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Prior:
    """Nats that a failed check, a silent postback or a fresh deploy lends to trouble in a slice.

    They count for this slice and those inside it, for windows that begin at `since` or later; the counts must still
    speak for themselves with at least a few nats.
    """

    slice: Mapping[str, str]
    nats: float
    since: datetime
    why: str
    """`postbacks of P03 are silent`, for the evidence that is shown."""
