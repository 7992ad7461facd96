"""robots.txt of the hosts we watch: asked at most once an hour each, in the background, so that no check waits for it."""

from __future__ import annotations

import asyncio
import zlib
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protego import Protego

from checks.sites.url import Url, parse
from checks.sites.walk import walk
from data.model.target import Expect

if TYPE_CHECKING:
    from checks.sites.walk import Network

EVERY_S = 3600.0
"""Real seconds between two looks at one host, give or take a tenth."""
TIMEOUT_S = 10.0
AT_ONCE = 16
LARGEST = 512_000
"""Google reads no further."""
_HOSTS = 100_000
_PATHS = 50
AGENT = "Googlebot"
ALLOWED, FORBIDDEN, UNREACHABLE = "allowed", "forbidden", "unreachable"
_EXPECT = Expect(max_body=LARGEST)


@dataclass(slots=True)
class _File:
    """What one host said. `rules` is compressed; no rules allow everything."""

    asked_s: float
    answered: bool = False
    unreachable: bool = False
    rules: bytes = b""
    verdicts: dict[str, str] = field(default_factory=dict)
    """By path."""


@dataclass(slots=True)
class RobotsFiles:
    """One per probe."""

    network: Network
    _files: dict[str, _File] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def look(self, url: Url) -> str:
        """Whether `AGENT` may fetch `url`; empty until the host has answered once.

        A host whose robots.txt answers 5xx is `unreachable`: engines stop crawling it, but it forbids nothing.
        """
        origin = f"{url.scheme}://{url.netloc}"
        known = self._files.get(origin)
        now_s = asyncio.get_running_loop().time()
        if known is None or now_s - known.asked_s > _patience_s(origin):
            self._ask(origin, known, now_s)
        if known is None or not known.answered:
            return ""
        found = known.verdicts.get(url.target)
        if found is None:
            found = verdict(url, known.rules)
            if len(known.verdicts) < _PATHS:
                known.verdicts[url.target] = found
        return UNREACHABLE if known.unreachable and found == ALLOWED else found

    async def settle(self) -> None:
        """Until no question is open."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _ask(self, origin: str, known: _File | None, now_s: float) -> None:
        if len(self._running) >= AT_ONCE:
            return
        if known is None:
            known = self._files[origin] = _File(now_s)
            if len(self._files) > _HOSTS:
                del self._files[next(iter(self._files))]
        known.asked_s = now_s
        task = asyncio.create_task(self._fetch(origin, known), context=Context())  # no part of the check that led here
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _fetch(self, origin: str, known: _File) -> None:
        """A host that cannot be reached now keeps what it said last."""
        url = parse(f"{origin}/robots.txt")
        assert isinstance(url, Url)
        last = (await walk(url, _EXPECT, TIMEOUT_S, self.network)).last
        if not last.status or (last.fault and not last.body):
            return
        known.answered = True
        known.unreachable = last.status >= 500 or last.status == 429
        if known.unreachable:
            return
        text = last.body if 200 <= last.status < 300 else b""
        known.rules = zlib.compress(text) if text else b""
        known.verdicts.clear()


def verdict(url: Url, rules: bytes) -> str:
    """Of one page under compressed rules, by RFC 9309: the longest rule of the most specific group."""
    if not rules:
        return ALLOWED
    text = zlib.decompress(rules).decode("utf-8", "replace")
    return ALLOWED if Protego.parse(text).can_fetch(url.text, AGENT) else FORBIDDEN


def _patience_s(origin: str) -> float:
    return EVERY_S * (0.9 + 0.2 * (zlib.crc32(origin.encode()) / 0xFFFFFFFF))
