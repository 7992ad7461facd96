"""The world of the storm: a hundred thousand sites that one dead edge took with it, and some thousands that will fail next."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from checks.hub.configuration import read
from checks.hub.hub import Hub
from data.config.watch import stamps
from data.model.cause import cause
from data.model.observation import Hop, Observation, Timing
from data.model.state import State
from data.model.target import TargetKind
from data.secrets import open_secrets, store_key
from data.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.config.home import Home
    from data.model.target import Target

SHARED_HOSTS = 200
"""Hosts of the members and of what stays well; each site that fails for itself has a host of its own."""
AT_ONCE = 100
"""Observations of a batch, as a probe hands them over."""
TOML = """
[[teams]]
id = "aurora"
[[teams]]
id = "cedar"
[network]
per_host = 500
per_host_minute = 0
per_edge = 0
[[edges]]
name = "Halyard"
header = "x-halyard-pop"
[[partners]]
id = "P01"
name = "Northwind"
epc = 0.4
"""


@dataclass(frozen=True)
class Size:
    members: int = 100_000
    burst: int = 5_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What it cost to take the members in."""

    cpu_s: float
    slowest_s: float
    """The longest that one batch held the loop."""
    incidents: int


def write(home: Home, size: Size, places: Sequence[tuple[str, int]]) -> None:
    """`big-*` are the members, `join-*` will join them, `own-*` will fail each for itself, `well-*` go on being well."""
    home.inventory.mkdir(parents=True)
    home.toml.write_text(TOML)
    with (home.inventory / "sites.csv").open("w") as file:
        file.write("site,url,team,tier,interval\n")
        for name, path, count, interval, own in (
            ("big", "e", size.members, "1h", False),
            ("join", "j", size.burst, "60s", False),
            ("own", "o", size.burst, "60s", True),
            ("well", "f", size.burst, "300s", False),
        ):
            for number in range(count):
                host, port = places[SHARED_HOSTS + number if own else number % SHARED_HOSTS]
                team = "aurora" if number % 3 else "cedar"
                file.write(
                    f"{name}-{number:06},http://{host}:{port}/{path}/{number},{team},{number % 3 + 1},{interval}\n"
                )


async def fill(home: Home, size: Size) -> Filled:
    """Hand the members' failures to a hub as its probes would: two looks at each, half a minute apart.

    The hub is whole, store and outbox included, but in this process, and checks nothing itself.
    """
    home.state.mkdir(exist_ok=True, parents=True)
    home.spool.mkdir(exist_ok=True)
    store = Store.open(home.database, store_key(open_secrets(home, create=True)))
    hub = Hub(home, read(home), stamps(home), store, open_secrets(home))
    began = datetime.now(UTC) - timedelta(minutes=20)
    members = [one for one in hub.settings.targets if one.name.startswith("big-")]
    cpu_s, slowest_s = 0.0, 0.0
    for later_s in (0.0, 30.0):
        looks = (_failing(one, began + timedelta(seconds=later_s + n / size.members)) for n, one in enumerate(members))
        while batch := list(islice(looks, AT_ONCE)):
            start = time.process_time()
            durable = hub.intake.take(batch)
            took = time.process_time() - start
            cpu_s, slowest_s = cpu_s + took, max(slowest_s, took)
            if store.waiting > 8:  # the probes wait as well
                await durable
    for row in hub.desk.tick(hub.clock.now(), lambda one, _: one.loss):
        hub.keeping.keep(hub.intake.settle(row))
    await hub.housekeeping.flush()
    store.close()
    return Filled(cpu_s, slowest_s, len(hub.desk.open_incidents))


def _failing(target: Target, at: datetime) -> Observation:
    hop = Hop(target.url, "127.0.1.1", 503, 12.0, cause=cause("edge.error"), edge="Halyard")
    return Observation(
        target.id, target.team, TargetKind.SITE, at, State.FAILING, cause("edge.error"), "503 at the edge",
        total_ms=12.0, timing=Timing(total_ms=12.0), hops=(hop,), blame="Halyard", evidence={"edge": "Halyard", "pop": "FRA2"},
    )  # fmt: skip
