"""Nobody pushes a fact: partners' APIs alone are read. One stops counting first deposits and is named, one refuses us and is
not judged."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
import pytest
from street import kill_hub, lines, losswatch, opened, until

from data.config.home import Home
from data.model.principal import EVERYTHING
from data.store import facts

SPEED = 1800.0
PARTNERS = ("P06", "P07", "P08")
TOML = """[company]
name = "Street"
[hub]
probes = 1
min_free = "1MB"
[clock]
sim_start = {sim:%Y-%m-%dT%H:%M:%SZ}
wall_start = {wall:%Y-%m-%dT%H:%M:%SZ}
speed = {speed}
[[teams]]
id = "cedar"
name = "Cedar"
"""
FEED = """[[partners]]
id = "{partner}"
name = "{partner} Ltd"
report_lag = "30m"
[[feeds]]
name = "{name}"
team = "cedar"
partner = "{partner}"
preset = "smartico"
base_url = "http://127.0.0.1:{port}/{partner}"
interval = "15m"
days = 30
[feeds.options]
min_gap_s = "0.01"
"""
SIM = datetime(2026, 11, 17, 9, tzinfo=UTC)
HISTORY = SIM.replace(hour=0) - timedelta(days=29)


class World:
    """Each partner's account by the simulated clock: 300 clicks, 30 registrations and 9 first deposits an hour each."""

    def __init__(self):
        self.wall, self.stopped, self.refused = datetime.now(UTC).replace(microsecond=0), {}, set()
        self.start = (SIM - timedelta(days=40)).replace(hour=0)
        dice = np.random.default_rng(11)
        hours = 24 * 60
        self.counts = {}
        for partner in PARTNERS:
            regs = dice.poisson(30, hours)
            self.counts[partner] = {
                "visit_count": dice.poisson(300, hours),
                "registration_count": regs,
                "ftd_count": dice.binomial(regs, 0.3),
            }

    def now(self):
        return SIM + (datetime.now(UTC) - self.wall) * SPEED

    def day(self, partner, day):
        """What the account says of a day now: whole hours, and the running one as far as it got."""
        begun = (datetime(day.year, day.month, day.day, tzinfo=UTC) - self.start) / timedelta(hours=1)
        upto, ended = (self.now() - self.start) / timedelta(hours=1), self.stopped.get(partner, 1e9)
        found = dict.fromkeys(self.counts[partner], 0)
        for hour in range(int(begun), int(begun) + 24):
            part = min(max(upto - hour, 0.0), 1.0)
            for name, counts in self.counts[partner].items():
                if name != "ftd_count" or hour < ended:
                    found[name] += int(counts[hour] * part)
        return {"dt": f"{day}T00:00:00Z", "brand_name": partner, "afp": "main"} | found | {"commissions_total": found["ftd_count"] * 40.0, "net_pl": 1.0, "deposit_total": 1.0}  # fmt: skip

    def rows(self, partner, first, last):
        days = (last - first).days
        wanted = [(first + timedelta(days=n)).date() for n in range(days)]
        return [self.day(partner, day) for day in wanted if day <= self.now().date()]


@pytest.fixture
def api():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            place, _, query = self.path.partition("?")
            if place.split("/")[1] in server.world.refused:
                self.send_error(401)
                return
            given = dict(part.split("=", 1) for part in query.split("&"))
            first, last = (datetime.fromisoformat(given[name]) for name in ("date_from", "date_to"))
            body = json.dumps({"data": server.world.rows(place.split("/")[1], first, last)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.world = World()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path, api, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    feeds = "".join(FEED.format(partner=one, name=one.lower(), port=api.server_port) for one in PARTNERS)
    (root / "losswatch.toml").write_text(TOML.format(sim=SIM, wall=api.world.wall, speed=SPEED) + feeds)
    started(root)
    return root


def alarms(home):
    return [one for one in lines(losswatch(home, "incidents", "--json")) if one["cause"].startswith("revenue.")]


def told(home):
    """First deposits by partner and the 29 days of history in the database of a hub that is down.

    Older days are read once a day, and are no part of it.
    """
    with opened(home) as store:
        frame = facts.frame(store, EVERYTHING, HISTORY, HISTORY + timedelta(days=29))
        return {partner: int(group["ftd"].sum()) for (partner,), group in frame.group_by("partner")}


def judged(home):
    return {one["partner"] for one in lines(losswatch(home, "revenue", "--json")) if one["state"] == "ok"}


def asked(home, path):
    transport = httpx.HTTPTransport(uds=str(Home.find(str(home)).socket))
    with httpx.Client(base_url="http://hub", transport=transport, timeout=20.0) as ours:
        return ours.get(path).json()


def calm_lines(home):
    return asked(home, "/v1/snapshot")["waiting"]


def test_an_api_that_stops_counting_first_deposits_raises_an_alarm_that_names_its_partner(home, api):
    world = api.world
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: judged(home) == set(PARTNERS), every_s=1.0)
    assert alarms(home) == []
    kill_hub(home)
    history = {partner: int(counts["ftd_count"][24 * 11 : 24 * 40].sum()) for partner, counts in world.counts.items()}
    assert told(home) == history, "29 days of history, each deposit once"
    world.stopped["P06"] = int((world.now() - world.start) / timedelta(hours=1)) + 1
    world.refused.add("P07")
    assert losswatch(home, "hub", "start").returncode == 0
    found = until(lambda: alarms(home), every_s=1.0)
    assert found, losswatch(home, "revenue", "--json").stdout
    assert len(found) == 1
    assert found[0]["cause"] in {"revenue.silence", "revenue.drop"}, "a report by day ends in the middle of an hour"
    assert "P06" in found[0]["where"]
    said = lambda: [one["text"] for one in asked(home, f"/v1/incidents/{found[0]['id']}")["statements"]]  # noqa: E731
    cashier = "registrations are flat, first deposits fell: cashier"
    assert until(lambda: [text for text in said() if text.startswith(cashier)]), said()
    assert until(lambda: [line for line in calm_lines(home) if line.startswith("P07 not judged since")], every_s=0.5)
    assert not [one for one in alarms(home) if "P07" in one["where"]], "blind, not dead"
    kill_hub(home)
    assert told(home) == history, "restarts tell nothing twice"
