"""A check carried out: the walk, its control where a country says no, the verdict, the observation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.sites import params, verdict
from checks.sites.edges import Edges
from checks.sites.landing import arrived_params
from checks.sites.manner import Manner
from checks.sites.outcome import Verdict
from checks.sites.params import done_by
from checks.sites.reading import Readings
from checks.sites.traits import traits_of
from checks.sites.transport import Proxy
from checks.sites.url import BadUrl, Url, parse
from checks.sites.walk import Network, walk
from data.config.settings import NetworkSettings
from data.model.cause import cause
from data.model.observation import Hop, Observation
from data.model.state import State
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.engine.clock import Clock
    from checks.sites.exchange import Exchange, Walk
    from checks.sites.traits import NameServers
    from data.config.settings import Brand, Vantage
    from data.model.target import Check

_URL_CELLS = 300
_PROXY_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_BLOCKS = frozenset({"http.legal_block", "geo.blocked", "local.network"})
"""What a vantage may see that is looked at again from here, at once."""


@dataclass(slots=True)
class Prober:
    """Carries out site and link checks. One per process; any number of checks at once."""

    network: Network
    edges: Edges
    proxies: dict[str, Proxy]
    """By country, upper case."""
    clock: Clock
    wall: Clock
    """Certificates end in real time, also while a simulation runs."""
    region: str = "local"
    readings: Readings = field(default_factory=Readings)
    brands: tuple[Brand, ...] = ()
    mobile_agent: str = NetworkSettings().mobile_agent
    zones: NameServers | None = None
    """Who knows the name servers of a domain; a one-shot check asks nobody."""

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
        proxy = self.proxies.get(check.geo.upper()) if check.geo else None
        if check.geo and self.proxies and proxy is None:
            return self._refuse(check, started_at, "local.network", f"no vantage in {check.geo.upper()}")
        made, found = await self._look(url, check, proxy)
        if proxy and found.cause in _BLOCKS:
            found = await self._control(url, check, made, found)
        return self._observation(check, started_at, made, found)

    async def _look(self, url: Url, check: Check, proxy: Proxy | None) -> tuple[Walk, Verdict]:
        manner = Manner.of(check, self.mobile_agent, self.brands)
        made = await walk(url, check.expect, check.timeout_s, self.network, proxy, manner)
        page = self.readings.of(made.last, check)
        return made, verdict.judge(made, page, check, self.edges, self.wall.now(), self.brands)

    async def _control(self, url: Url, check: Check, seen: Walk, found: Verdict) -> Verdict:
        """Look once more without the proxy: blocked only there is `geo.blocked`, failing here too is a plain failure."""
        control, here = await self._look(url, check, None)
        walked = f"{control.last.status or '-'} {here.cause or 'ok'} in {control.total_ms:.0f} ms from here"
        evidence = {**found.evidence, "control": walked, "control_url": control.last.url.text}
        fine = here.state in {State.OK, State.DEGRADED}
        if found.cause == "local.network":
            if here.state is not State.FAILING:
                return replace(found, evidence=evidence)
            return replace(here, at=min(here.at, len(seen.exchanges) - 1), evidence={**here.evidence, **evidence})
        if not fine:
            return replace(found, evidence=evidence)
        country = check.geo.upper()
        detail = f"{seen.last.url.netloc} answers {seen.last.status} in {country}, and is fine from here"
        return Verdict(State.FAILING, cause("geo.blocked"), detail, found.at, {**evidence, "geo": country})

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
            blame=made.exchanges[found.at].url.host if found.cause else "",
            evidence={key: clean_text(redact(text), 200) for key, text in seen.items() if text},
        )

    def _evidence(self, check: Check, made: Walk, found: Verdict) -> dict[str, str]:
        """What the verdict rests on, and what an answer shows of the upstreams behind it."""
        guilty = made.exchanges[found.at]
        if not guilty.status:
            return dict(found.evidence)
        zone = self.zones.of(guilty.url.host) if self.zones else ""
        return {"ns": zone, **traits_of(made, check, guilty.ip), **found.evidence}

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


def proxies_of(vantages: Iterable[Vantage]) -> dict[str, Proxy]:
    """Vantages by country, the first of each; one whose proxy has no host counts as none."""
    found: dict[str, Proxy] = {}
    for vantage in vantages:
        try:
            parts = urlsplit(vantage.proxy)
            host, port = parts.hostname, parts.port or _PROXY_PORTS.get(parts.scheme)
        except ValueError:
            continue
        if host and port:
            country = vantage.country.upper()
            found.setdefault(country, Proxy(country, vantage.proxy, host, port))
    return found
