"""Registrations of the domains we depend on, asked of their registries: one a second at most, each once a day."""

from __future__ import annotations

import heapq
import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from checks.sites.hygiene.domains import DomainWarning, Registration, read_registration, warning
from checks.sites.traits import is_address, registrable
from data.config.settings import Hygiene
from data.model.fact import Baseline
from data.model.ids import TeamId
from data.model.target import TargetKind, target_id
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from data.model.observation import Observation
    from data.model.target import Target

log = logging.getLogger(__name__)

DOMAINS = target_id(TargetKind.SLICE, "domains")
"""Under which what is known is stored: no slice is called so."""
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=6)
"""After an answer that told nothing."""
PATIENCE = timedelta(minutes=1)
"""After a refusal that does not say for how long..."""
MOST_PATIENCE = timedelta(hours=6)
"""...and at most."""
STEP_S = 1.0
LARGEST = 1_000_000
_MOST = 200_000
_decoder = msgspec.msgpack.Decoder(dict[str, tuple[datetime, Registration]])


@dataclass(slots=True)
class Domains:
    """A room of the hub. A registry that cannot be asked is told in `problems` and is nobody's finding.

    Times are real: registrations end in real time, also while a simulation runs.
    """

    client: httpx.AsyncClient
    settings: Hygiene
    now: Callable[[], datetime]
    known: dict[str, tuple[datetime, Registration]] = field(default_factory=dict)
    """When it was told, and what."""
    problems: dict[str, str] = field(default_factory=dict)
    """Why nothing is known of a domain."""
    quiet_until: datetime | None = None
    _warned: dict[str, DomainWarning] = field(default_factory=dict)
    _due: list[tuple[datetime, str]] = field(default_factory=list)
    _watched: set[str] = field(default_factory=set)
    _changed: bool = False

    def watch(self, targets: Iterable[Target]) -> None:
        """Ask about the domains of these, too; what was stored waits for its day."""
        for target in targets:
            if target.kind in {TargetKind.SITE, TargetKind.LINK}:
                self._add(_domain(target.url))

    def restore(self, body: bytes) -> None:
        """Take up what `drain` stored; before `watch`."""
        try:
            self.known = _decoder.decode(body)
        except msgspec.MsgspecError:
            log.warning("what was stored of domains cannot be read: they are asked for anew")

    def drain(self, now: datetime) -> list[Baseline]:
        """What is known, when it changed since the last time."""
        if not self._changed:
            return []
        self._changed = False
        return [Baseline(DOMAINS, TeamId(""), now, msgspec.msgpack.encode(self.known))]

    def warning(self, observation: Observation) -> DomainWarning | None:
        """Of the first hop whose domain is warned of; new domains on the way are asked for."""
        for hop in observation.hops:
            domain = _domain(hop.url)
            if domain not in self._watched:
                self._add(domain)
            if found := self._warned.get(domain):
                return found
        return None

    def registrar(self, observation: Observation) -> str:
        """Of the last hop's domain; empty while unknown."""
        known = self.known.get(_domain(observation.hops[-1].url)) if observation.hops else None
        return known[1].registrar if known else ""

    def told(self) -> dict[str, str]:
        """Why nothing is known of some domains, for the doctor: the first twenty."""
        return dict(islice(self.problems.items(), 20)) if self.settings.domains else {}

    async def step(self) -> None:
        """Ask about the one that is due longest. Called once a second; a refusal makes all wait."""
        now = self.now()
        if not self.settings.domains or (self.quiet_until and now < self.quiet_until):
            return
        if not self._due or self._due[0][0] > now:
            return
        _, domain = heapq.heappop(self._due)
        again = await self._ask(domain, now)
        heapq.heappush(self._due, (again, domain))

    def _add(self, domain: str) -> None:
        if not domain or domain in self._watched or len(self._watched) >= _MOST:
            return
        self._watched.add(domain)
        if "." not in domain or is_address(domain):
            return
        now = self.now()
        told = self.known.get(domain)
        heapq.heappush(self._due, (told[0] + EVERY if told else now, domain))
        if told:
            self._judge(domain, told[1], now)

    async def _ask(self, domain: str, now: datetime) -> datetime:
        """Ask once; returns when to ask again."""
        try:
            answer = await self._get(f"{self.settings.rdap}domain/{quote(domain)}")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            self.problems[domain] = clean_text(redact(f"the registry cannot be asked: {problem!r}"))
            return now + AGAIN
        if answer.status_code in {429, 503}:
            self.quiet_until = now + _patience(answer.headers.get("retry-after", ""))
            self.problems[domain] = f"the registry answers {answer.status_code}: asked again later"
            return self.quiet_until
        found = read_registration(_json(answer)) if answer.status_code == 200 else None
        if found is None:
            self.problems[domain] = f"the registry answers {answer.status_code} and tells nothing"
            return now + AGAIN
        self.problems.pop(domain, None)
        self.known[domain], self._changed = (now, found), True
        self._judge(domain, found, now)
        return now + EVERY

    async def _get(self, url: str) -> httpx.Response:
        """The answer, its body at most `LARGEST` bytes; raises `ValueError` beyond."""
        accept = {"Accept": "application/rdap+json, application/json"}
        async with self.client.stream("GET", url, headers=accept, follow_redirects=True) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise ValueError("the answer is too long")
            return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(body))

    def _judge(self, domain: str, found: Registration, now: datetime) -> None:
        warned = warning(domain, found, self.settings.domain_warn_days, now)
        if warned:
            self._warned[domain] = warned
        else:
            self._warned.pop(domain, None)


def _domain(url: str) -> str:
    try:
        return registrable(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """The body is decoded already."""
    return {"retry-after": headers["retry-after"]} if "retry-after" in headers else {}


def _json(answer: httpx.Response) -> object:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None


def _patience(retry_after: str) -> timedelta:
    if retry_after.strip().isdigit():
        return min(timedelta(seconds=int(retry_after.strip()[:9])), MOST_PATIENCE)
    return PATIENCE
