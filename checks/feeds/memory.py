"""What is remembered of one feed between pulls, as bytes for the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import zstandard

from checks.feeds.contract import Contract, Profile
from data.model.fact import FeedChange

SLOT = timedelta(hours=6)
"""Pulls of one slot replace each other, so that 14 profiles span days and not one afternoon."""
ARRIVALS = 30
RESTATED_OPEN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Memory:
    contract: Contract = field(default_factory=Contract)
    covered_until: datetime | None = None
    """End of the last hour that a receipt was given for."""
    newest: date | None = None
    """Newest day ever delivered."""
    arrivals: tuple[float, ...] = ()
    """Hours from the end of a day to its first appearance, oldest first."""
    open: tuple[FeedChange, ...] = ()
    restated: str = ""
    restated_at: datetime | None = None
    good_at: datetime | None = None
    """When figures were last stored: days that had ended by then were complete."""
    told: str = ""
    """What the last delivery was: an equal one is not worth another record."""
    read_at: dict[int, datetime] = field(default_factory=dict)
    """When so many of the newest days were last read."""

    def learn(self, profile: Profile) -> Memory:
        """The contract with `profile` in place of an earlier one of the same slot; an empty payload teaches nothing."""
        if not profile.records:
            return self
        kept = tuple(old for old in self.contract.profiles if _slot(old.at) != _slot(profile.at))
        return replace(self, contract=Contract(kept).learn(profile))

    def to_bytes(self) -> bytes:
        return zstandard.compress(msgspec.json.encode(self))

    @classmethod
    def from_bytes(cls, raw: bytes | None) -> Memory:
        """An empty memory for nothing, and for bytes of another version: a contract can be learned again."""
        if not raw:
            return cls()
        try:
            return msgspec.json.decode(zstandard.decompress(raw), type=cls)
        except (msgspec.DecodeError, zstandard.ZstdError, RecursionError):
            return cls()


def _slot(at: datetime) -> int:
    return int((at - datetime(2000, 1, 1, tzinfo=UTC)) / SLOT)
