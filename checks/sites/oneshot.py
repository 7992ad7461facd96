"""One check, here and now, in this process: what `losswatch check site|link` and the first run of `init` need."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from checks.engine.clock import SystemClock
from checks.sites.edges import Edges
from checks.sites.prober import Prober
from checks.sites.reading import Readings
from checks.sites.resolver import Resolver
from checks.sites.rulebook import Rulebook
from checks.sites.transport import Transport, bundle_with
from checks.sites.vantages import Vantages
from checks.sites.walk import Network
from data.config.settings import ContentRule, NetworkSettings
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind

if TYPE_CHECKING:
    from data.model.observation import Observation


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What a person may say about one check; the defaults are those of the inventory."""

    expect: Expect = field(default_factory=Expect)
    timeout_s: float = 10.0
    ca_file: str = ""
    """Extra trusted certificates (PEM)."""
    resolver: str = ""
    """`HOST:PORT`; empty is the system's."""
    user_agent: str = NetworkSettings().user_agent
    origin: str = ""
    """`HOST[:PORT]` behind the edge, asked when the edge fails."""
    device: str = ""
    """`mobile` asks as a phone."""
    depth: int = 0
    """1 stops before the first foreign site; 0 goes to the end."""
    rules: tuple[ContentRule, ...] = ()
    """Rules of one's own for pages that earn nothing, before the shipped ones."""


def check_site(url: str, options: CheckOptions | None = None) -> Observation:
    """Observe one page; a URL that cannot be checked is an observation too.

    Raises `ValueError` for a resolver that is no `HOST:PORT` and `OSError` for a CA file that cannot be read.
    """
    return asyncio.run(_check(url, TargetKind.SITE, options or CheckOptions()))


def check_link(url: str, options: CheckOptions | None = None) -> Observation:
    """Observe one affiliate link through its whole chain; errors as for `check_site`."""
    return asyncio.run(_check(url, TargetKind.LINK, options or CheckOptions()))


async def _check(url: str, kind: TargetKind, options: CheckOptions) -> Observation:
    resolver = Resolver(options.resolver)
    with tempfile.TemporaryDirectory(prefix="losswatch-") as folder:
        ca_file = bundle_with(options.ca_file, Path(folder) / "ca.pem") if options.ca_file else ""
        network = Network(Transport(ca_file=ca_file, user_agent=options.user_agent), resolver)
        clock = SystemClock()
        try:
            readings = Readings(Rulebook.of(options.rules))
            prober = Prober(network, Edges.of(), Vantages(), clock, clock, patience=1.0, readings=readings)
            check = Check(
                target=TargetId(f"{kind}:-"),
                team=TeamId(""),
                kind=kind,
                url=url,
                timeout_s=options.timeout_s,
                expect=options.expect,
                device=options.device,
                depth=options.depth,
                origin=options.origin,
            )
            return await prober.run(check)
        finally:
            network.close()
