"""How much a host is asked: an even pace a minute, and silence where it wants some. Pure: real seconds come in."""

from __future__ import annotations

import heapq
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.sites.url import Url, parse
from data.model.ids import TargetId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

LONGEST_SILENCE_S = 3600.0
"""No `Retry-After` is honoured beyond this."""
SLACK_S = 0.1
"""A faster pace than a look every tenth of a second goes out in little bursts."""
_FEW = 10_000
_OURS = re.compile(r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|localhost)(:\d+)?", re.ASCII)


def first_host(url: str) -> str:
    """`HOST[:PORT]` that a URL of the inventory asks first, as it stands in `Url.netloc`; empty for what is no URL."""
    parsed = parse(url)
    return parsed.netloc if isinstance(parsed, Url) else ""


def hosts_of(urls: Iterable[str]) -> tuple[str, ...]:
    """`HOST[:PORT]` of each URL of a chain that was walked."""
    return tuple(urlsplit(url).netloc for url in urls)


def silence_s(retry_after: str, wall_now: datetime) -> float:
    """Seconds of a `Retry-After` in seconds or as an HTTP date, an hour at most; 0 for none and for nonsense."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        wait_s = float(text[:9])
    else:
        try:
            wait_s = (parsedate_to_datetime(text) - wall_now).total_seconds()
        except (ValueError, TypeError, OverflowError):  # also a date without a zone
            return 0.0
    return min(max(wait_s, 0.0), LONGEST_SILENCE_S)


@dataclass(slots=True)
class Budget:
    """Requests of each host against what it is allowed: one every 60 / `per_minute` seconds, never two minutes' at once.

    What was spent without asking (a control walk, a hop nobody foresaw) is a debt that later requests pay off. Addresses of
    this machine have no limit. Times are monotonic real seconds.
    """

    per_minute: int
    """0 is no limit."""
    _next: dict[str, float] = field(default_factory=dict)
    """When the host may be asked again; one that is missing may be asked now."""
    _silent: dict[str, float] = field(default_factory=dict)
    _prune_at: int = _FEW

    def limited(self, host: str) -> bool:
        return self.per_minute > 0 and not _OURS.fullmatch(host)

    def ready_at(self, host: str) -> float:
        """When the host may be asked next; minus infinity for one that never was."""
        return max(self._next.get(host, -1e18) - self._slack_s, self._silent.get(host, -1e18))

    def silent(self, host: str, now_s: float) -> bool:
        """Whether the host wants to be left alone."""
        return self._silent.get(host, now_s) > now_s

    def silence(self, host: str, until_s: float) -> None:
        """Leave the host alone until then; a shorter wish does not cut a longer one."""
        self._silent[host] = max(self._silent.get(host, until_s), until_s)

    def spend(self, host: str, requests: int, now_s: float) -> None:
        """Count requests, made or about to be made; a negative number gives back what was not used."""
        if not self.limited(host):
            return
        before = self._next.get(host, now_s)
        self._next[host] = (max(before, now_s) if requests > 0 else before) + requests * self._spacing_s
        if len(self._next) + len(self._silent) > self._prune_at:
            self._prune(now_s)

    @property
    def _spacing_s(self) -> float:
        return 60.0 / self.per_minute

    @property
    def _slack_s(self) -> float:
        return max(SLACK_S - self._spacing_s, 0.0) if self.per_minute else 0.0

    def _prune(self, now_s: float) -> None:
        for times in (self._next, self._silent):
            for host in [host for host, at in times.items() if at <= now_s]:
                del times[host]
        self._prune_at = 2 * (len(self._next) + len(self._silent)) + _FEW


@dataclass(slots=True)
class _Waiting:
    target: TargetId
    requests: Mapping[str, int]
    """By host, of the whole chain."""
    left: deque[str]
    """Hosts whose requests are not yet granted."""
    for_silence: bool


@dataclass(slots=True)
class Line:
    """Checks that wait for the budgets of the hosts their chains pass: one line a host, the longest waiting first.

    A check gets its hosts one after the other and keeps what it was granted, so that none starves between two busy hosts.
    Nothing is dropped; a target waits at most once, since the schedule hands it out again only after its answer.
    """

    budget: Budget
    _lines: dict[str, deque[_Waiting]] = field(default_factory=dict)
    _ready: list[tuple[float, str]] = field(default_factory=list)
    """One item per line: when its host may be asked."""
    _waiting: dict[TargetId, _Waiting] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, target: object) -> bool:
        return target in self._waiting

    def enter(self, target: TargetId, hosts: Iterable[str], now_s: float) -> bool:
        """Whether the check may go at once; otherwise it stands in line and comes out of `leave`."""
        requests = Counter(host for host in hosts if host)
        slowest_first = deque(sorted(requests, key=self.budget.ready_at, reverse=True))
        for_silence = any(self.budget.silent(host, now_s) for host in requests)
        waiting = _Waiting(target, requests, slowest_first, for_silence)
        if self._go_on(waiting, now_s):
            return True
        self._waiting[target] = waiting
        return False

    def silence(self, host: str, until_s: float) -> list[TargetId]:
        """Leave the host alone until then; gives who stands in its line already and now waits for that."""
        self.budget.silence(host, until_s)
        there = [waiting for waiting in self._lines.get(host, ()) if self._waiting.get(waiting.target) is waiting]
        for waiting in there:
            waiting.for_silence = True
        return [waiting.target for waiting in there]

    def waits_for_silence(self, target: TargetId) -> bool:
        """Whether a host that wants to be left alone is why the target waits: then nobody is late."""
        waiting = self._waiting.get(target)
        return waiting is not None and waiting.for_silence

    def leave(self, now_s: float) -> list[TargetId]:
        """Checks that may go now."""
        gone: list[TargetId] = []
        while self._ready and self._ready[0][0] <= now_s:
            _, host = heapq.heappop(self._ready)
            line = self._lines.pop(host)
            while line and self.budget.ready_at(host) <= now_s:
                waiting = line.popleft()
                if self._waiting.get(waiting.target) is not waiting:
                    continue
                self._grant(waiting, now_s)
                if self._go_on(waiting, now_s):
                    del self._waiting[waiting.target]
                    gone.append(waiting.target)
            if line:
                self._lines[host] = line
                heapq.heappush(self._ready, (self.budget.ready_at(host), host))
        return gone

    def forget(self, target: TargetId) -> None:
        """The target is watched no more; unknown ones are fine."""
        self._waiting.pop(target, None)

    def _go_on(self, waiting: _Waiting, now_s: float) -> bool:
        """Take what is free, then stand in line for the first that is not."""
        while waiting.left:
            host = waiting.left[0]
            if host in self._lines or self.budget.ready_at(host) > now_s:
                if host not in self._lines:
                    self._lines[host] = deque()
                    heapq.heappush(self._ready, (self.budget.ready_at(host), host))
                self._lines[host].append(waiting)
                return False
            self._grant(waiting, now_s)
        return True

    def _grant(self, waiting: _Waiting, now_s: float) -> None:
        host = waiting.left.popleft()
        self.budget.spend(host, waiting.requests[host], now_s)


@dataclass(slots=True)
class Demand:
    """Requests a minute that the schedule wants of each host: more than its budget means that checks become rarer."""

    allowed: int
    """0 is no limit."""
    _of: dict[TargetId, tuple[tuple[str, ...], float]] = field(default_factory=dict)
    """Hosts of the chain and checks a minute."""
    _wanted: dict[str, float] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)

    def hosts(self, target: TargetId) -> tuple[str, ...]:
        """Of its chain, as last known; empty for an unknown target."""
        return self._of.get(target, ((), 0.0))[0]

    def put(self, target: TargetId, hosts: tuple[str, ...], per_minute: float) -> None:
        """What a target asks for from now on."""
        old = self._of.get(target)
        if old == (hosts, per_minute):
            return
        self.remove(target)
        self._of[target] = (hosts, per_minute)
        self._add(hosts, per_minute)

    def remove(self, target: TargetId) -> None:
        """It asks for nothing any more; unknown ones are fine."""
        hosts, per_minute = self._of.pop(target, ((), 0.0))
        self._add(hosts, -per_minute)

    def allow(self, per_minute: int) -> None:
        """Another budget for every host."""
        self.allowed = per_minute
        self._over = {host for host, wanted in self._wanted.items() if self._exceeds(host, wanted)}

    def too_much(self) -> list[tuple[str, float]]:
        """Hosts of which more is wanted than allowed, with the requests a minute, the busiest first."""
        return sorted(((host, self._wanted[host]) for host in self._over), key=lambda row: (-row[1], row[0]))

    def _add(self, hosts: tuple[str, ...], per_minute: float) -> None:
        for host in hosts:
            wanted = self._wanted.get(host, 0.0) + per_minute
            if wanted > 1e-9:
                self._wanted[host] = wanted
            else:
                self._wanted.pop(host, None)
            if self._exceeds(host, wanted):
                self._over.add(host)
            else:
                self._over.discard(host)

    def _exceeds(self, host: str, wanted: float) -> bool:
        return 0 < self.allowed < wanted - 1e-6 and not _OURS.fullmatch(host)
