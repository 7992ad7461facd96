from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from checks.sites.traits import registrable

_SPAN_S = 60.0
_FEWEST = 5
_LONGEST = 500
_GOOD = 3


@dataclass(slots=True)
class Lookups:
    """What became of the lookups of the last minute: whether the names are dead, or whoever should know them. Pure."""

    good: deque[str] = field(default_factory=lambda: deque(maxlen=_GOOD))
    """Names that were last answered for."""
    _failed: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_LONGEST))
    _answered_s: float = float("-inf")

    def note(self, name: str, now_s: float, *, answered: bool) -> None:
        """`now_s` are monotonic seconds; that a name does not exist is an answer, too."""
        if not answered:
            self._failed.append((now_s, registrable(name)))
            return
        self._answered_s = now_s
        if name not in self.good:
            self.good.append(name)

    def suspicious(self, now_s: float) -> bool:
        """Five or more domains failed within a minute, and no name was answered for in it."""
        if now_s - self._answered_s <= _SPAN_S:
            return False
        while self._failed and now_s - self._failed[0][0] > _SPAN_S:
            self._failed.popleft()
        return len({domain for _, domain in self._failed}) >= _FEWEST
