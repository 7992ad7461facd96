"""A check carried out: the walk, its control where a country says no, the verdict, the observation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.sites import control, origin, params, verdict
from checks.sites.certificate import WARN_DAYS
from checks.sites.control import Look
from checks.sites.edges import Edges
from checks.sites.exchange import Exchange, Walk
from checks.sites.hygiene.pagefacts import PageFacts
from checks.sites.landing import arrived_params
from checks.sites.manner import Manner
from checks.sites.params import done_by
from checks.sites.reading import Readings
from checks.sites.traits import traits_of
from checks.sites.url import BadUrl, Url, parse
from checks.sites.vantages import dial
from checks.sites.walk import Network, walk
from data.config.settings import NetworkSettings
from data.model.cause import cause
from data.model.observation import Hop, Observation
from data.model.state import State
from data.model.target import TargetKind
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    from checks.engine.clock import Clock
    from checks.sites.outcome import Verdict
    from checks.sites.traits import NameServers
    from checks.sites.transport import Proxy
    from checks.sites.vantages import Vantages
    from data.config.settings import Brand
    from data.model.target import Check

_URL_CELLS = 300
_SHORTEST_LOOK_S = 0.05
"""With less time left nobody is asked again."""


@dataclass(slots=True)
class Prober:
    """Carries out site and link checks. One per process; any number of checks at once."""

    network: Network
    edges: Edges
    proxies: Vantages
    clock: Clock
    wall: Clock
    """Certificates end in real time, also while a simulation runs."""
    region: str = "local"
    readings: Readings = field(default_factory=Readings)
    brands: tuple[Brand, ...] = ()
    mobile_agent: str = NetworkSettings().mobile_agent
    warn_days: tuple[int, ...] = WARN_DAYS
    """Before the end of a certificate; none switches the warning off."""
    facts: PageFacts = field(default_factory=PageFacts)
    zones: NameServers | None = None
    """Who knows the name servers of a domain; a one-shot check asks nobody."""
    patience: float = 2.0
    """Timeouts within which a check ends, its control looks included; 1.0 leaves them what the first look left over."""
    _fronts: dict[str, str] = field(default_factory=dict)
    """Edge provider by host, of the targets that name an origin."""

    def close(self) -> None:
        if self.zones:
            self.zones.close()
        self.network.close()

    async def run(self, check: Check) -> Observation:
        """One observation, whatever happens to the network."""
        started_at = self.clock.now()
        url = parse(check.url)
        if isinstance(url, BadUrl):
            return self._refuse(check, started_at, "config.url", url.reason)
        if absent := next((name for name in check.expect.keep if not params.values(url, name)), ""):
            reason = f"the URL has no parameter {absent} that could be kept"
            return self._refuse(check, started_at, "config.url", reason)
        deadline = asyncio.get_running_loop().time() + self.patience * check.timeout_s
        seen = await self._see(url, check, deadline)
        seen = replace(seen, verdict=await self._past_the_edge(check, seen, deadline))
        return self._observation(check, started_at, seen.walk, seen.verdict)

    async def _see(self, url: Url, check: Check, deadline: float) -> Look:
        """From where the check belongs, or what a look from here is worth when nobody can look from there."""
        if not (check.geo or check.vantage):
            return await self._look(url, check, deadline)
        ways = self.proxies.ways(check)
        if not ways:
            here = await self._look(url, check, deadline)
            a_link, others = check.kind is TargetKind.LINK, bool(self.proxies.proxies)
            return control.without_vantage(check.vantage or check.geo.upper(), here, a_link=a_link, others=others)
        if why := self.proxies.down(ways[0]):
            return control.blind(ways[0].name, why, await self._look(url, check, deadline))
        return await self._abroad(url, check, ways, deadline)

    async def _abroad(self, url: Url, check: Check, ways: tuple[Proxy, ...], deadline: float) -> Look:
        """Through a vantage, and where it is in doubt also from here and through the country's next one, at once."""
        first, second = ways[0], next((proxy for proxy in ways[1:] if not self.proxies.down(proxy)), None)
        seen = await self._look(url, check, deadline, first)
        if not control.doubtful(seen):
            return seen
        if deadline - asyncio.get_running_loop().time() < _SHORTEST_LOOK_S:
            return control.conclude(first.country, seen, None, None, well=None)
        here, again, well = await asyncio.gather(
            self._look(url, check, deadline),
            self._look(url, check, deadline, second) if second else _nobody(),
            self.proxies.well(first, self.network, seen.walk.last.url.host, check.timeout_s),
        )
        other = self.proxies.elsewhere(first.country)
        if not here.fine and not here.failing and other:
            here = await self._look(url, check, deadline, other)
        return control.conclude(first.country, seen, here, again, well=well)

    async def _look(self, url: Url, check: Check, deadline: float, proxy: Proxy | None = None) -> Look:
        left_s = min(check.timeout_s, deadline - asyncio.get_running_loop().time())
        if proxy:
            proxy = await dial(proxy, self.network, left_s)
        manner = Manner.of(check, self.mobile_agent, self.brands)
        made = await walk(url, check.expect, left_s, self.network, proxy, manner)
        if proxy:
            self.proxies.note(proxy, made.last)
        return Look(proxy.name if proxy else "", made, self._judge(made, check))

    def _judge(self, made: Walk, check: Check) -> Verdict:
        page = self.readings.of(made.last, check)
        return verdict.judge(made, page, check, self.edges, self.wall.now(), self.brands, self.warn_days)

    async def _past_the_edge(self, check: Check, seen: Look, deadline: float) -> Verdict:
        """The verdict, with the word of the origin behind the edge where there is one and it can tell more."""
        made, found = seen.walk, seen.verdict
        if not check.origin:
            return found
        guilty = made.exchanges[found.at]
        edge = self._edge_before(guilty)
        left_s = min(check.timeout_s, deadline - asyncio.get_running_loop().time())
        if not origin.concerned(found, made, check, edge) or left_s < _SHORTEST_LOOK_S:
            return found
        asked = await origin.ask(guilty.url, check, self.network, left_s)
        answered = asked.exchange if asked.exchange and asked.exchange.status else None
        judged = self._judge(Walk((answered,)), origin.bare(check)) if answered else None
        return origin.conclude(found, made, origin.heard(check, asked, judged))

    def _edge_before(self, seen: Exchange) -> str:
        """The provider that answers for a host now, or did when it last answered."""
        edge = self.edges.recognise(seen)
        if edge:
            self._fronts[seen.url.host] = edge.name
        return self._fronts.get(seen.url.host, "")

    def _refuse(self, check: Check, started_at: datetime, name: str, reason: str) -> Observation:
        return Observation(
            check.target,
            check.team,
            check.kind,
            started_at,
            State.UNKNOWN,
            cause(name),
            clean_text(redact(reason)),
            self.region,
        )

    def _observation(self, check: Check, started_at: datetime, made: Walk, found: Verdict) -> Observation:
        now = self.wall.now()
        arrived = arrived_params(made, check)
        seen = self._evidence(check, made, found)
        if not made.vantage:
            seen["resolver"] = next(
                filter(None, (self.network.resolver.note(hop.url.host) for hop in made.exchanges)), ""
            )
        for param in arrived:
            seen |= param.evidence()
        return Observation(
            target=check.target,
            team=check.team,
            kind=check.kind,
            started_at=started_at,
            state=found.state,
            cause=found.cause,
            detail=clean_text(redact(found.detail)),
            region=made.vantage or self.region,
            total_ms=made.total_ms,
            timing=replace(made.last.timing, total_ms=made.total_ms),
            hops=tuple(
                replace(self._hop(index, hop, found, now), params=done_by(index, arrived))
                for index, hop in enumerate(made.exchanges)
            ),
            blame=(found.blame or made.exchanges[found.at].url.host) if found.cause else "",
            evidence={key: clean_text(redact(text), 200) for key, text in seen.items() if text},
        )

    def _evidence(self, check: Check, made: Walk, found: Verdict) -> dict[str, str]:
        """What the verdict rests on, and what an answer shows of the upstreams behind it."""
        guilty = made.exchanges[found.at]
        if not guilty.status:
            return dict(found.evidence)
        zone = self.zones.of(guilty.url.host) if self.zones else ""
        facts = self.facts.of(check, made, found.state, self.wall.now())
        return {"ns": zone, **facts, **traits_of(made, check, guilty.ip), **found.evidence}

    def _hop(self, index: int, hop: Exchange, found: Verdict, now: datetime) -> Hop:
        edge = self.edges.recognise(hop)
        return Hop(
            url=shown(hop.url.text),
            ip=hop.ip,
            status=hop.status,
            ms=hop.timing.total_ms or 0.0,
            location=shown(hop.header("location")),
            cert_days_left=round(hop.certificate.days_left(now), 2) if hop.certificate else None,
            cause=found.cause if index == found.at else hop.cause,
            edge=edge.name if edge else "",
            issuer=clean_text(hop.certificate.issuer, 100) if hop.certificate else "",
            cert_ends=hop.certificate.ends if hop.certificate else None,
            client_side=hop.client_side,
        )


def shown(url: str) -> str:
    """A URL as it may be stored and seen."""
    return clean_text(redact(url), _URL_CELLS)


async def _nobody() -> None:
    """In the place of a look that nobody can make."""
