"""What one path was like over the payloads of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.feeds.contract import Contract
    from checks.feeds.profiles import PathProfile, Profile

REQUIRED_N = 20
REQUIRED_PRESENCE = 0.99


@dataclass(frozen=True, slots=True)
class Past:
    """One path over the payloads of a contract."""

    profiles: tuple[PathProfile, ...]
    payloads: int
    """Payloads in which the object above the path was there."""
    n: int
    parents: int
    """Times the object above was there, also in payloads without the path."""
    types: frozenset[str]

    @property
    def required(self) -> bool:
        """Nearly every object that could have it had it, often enough to say so."""
        return self.presence >= REQUIRED_PRESENCE and self.n >= REQUIRED_N

    @property
    def presence(self) -> float:
        return self.n / self.parents if self.parents else 0.0


def past_of(before: Contract) -> dict[str, Past]:
    """Each path from the first payload that had it: a field added last week is as required as an old one."""
    past: dict[str, Past] = {}
    for path, profiles in before.paths().items():
        parent = profiles[0].parent
        first = next(place for place, profile in enumerate(before.profiles) if path in profile.paths)
        above = [objects_at(profile, parent) for profile in before.profiles]
        since = above[first:] if sum(profile.n for profile in profiles) >= REQUIRED_N else above
        past[path] = Past(
            profiles,
            payloads=sum(count > 0 for count in since),
            n=sum(profile.n for profile in profiles),
            parents=sum(since),
            types=frozenset(kind for profile in profiles for kind in profile.types),
        )
    return past


def objects_at(profile: Profile, path: str) -> int:
    """How many objects or list elements' holders stood at `path`."""
    if not path:
        return profile.records if profile.paths else 0
    here = profile.paths.get(path)
    return here.objects or here.types.get("array", 0) if here else 0
