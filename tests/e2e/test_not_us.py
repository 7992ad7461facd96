"""A real hub and real servers: our own network, resolver, clock and store fail, and nobody else is blamed for it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from email.utils import formatdate

import dns.message
import dns.rrset
import pytest
from street import lines, losswatch, until

from tui.client import HubClient

NAMES = [f"s{number}" for number in range(12)]
BODY = b"<html><title>Shop</title><body>" + b"welcome to the shop " * 20 + b"</body></html>"


class Town:
    """HTTP on some addresses of this machine and a name server, all of which a test opens, shuts and makes odd."""

    def __init__(self):
        self.extra = b""
        self.ahead_s = 0.0
        """By how much the town's clock is ahead of ours."""
        self.answers_names = True
        self.limited = {}
        """Host to `Retry-After`."""
        self.asked = []
        """(monotonic seconds, host) of every page that was asked for."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port, self.dns_port, self._servers = 0, 0, []
        self.open()
        self._do(self._listen_for_names())

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def open(self):
        self._do(self._open())

    async def _open(self):
        for number in (1, 11, 12, 13):
            server = await asyncio.start_server(self._serve, f"127.0.0.{number}", self.port)
            self.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    def shut(self):
        """The network is gone: nobody answers, and all of it at once."""
        self._loop.call_soon_threadsafe(lambda: [server.close() for server in self._servers])
        self._do(asyncio.sleep(0))
        self._servers = []

    def close(self):
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            host = head.partition(b"host: ")[2].partition(b"\r\n")[0].partition(b":")[0].decode()
            if b" /robots.txt " not in head:
                self.asked.append((time.monotonic(), host))
            date = formatdate(time.time() + self.ahead_s, usegmt=True).encode()
            status, extra = b"200 OK", b"date: %b\r\n" % date
            if host in self.limited:
                status, extra = b"429 Too Many Requests", b"retry-after: %b\r\n" % self.limited[host].encode()
            writer.write(
                b"HTTP/1.1 %b\r\ncontent-type: text/html\r\n%bcontent-length: %d\r\n\r\n" % (status, extra, len(BODY))
            )
            writer.write(BODY)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _listen_for_names(self):
        town = self

        class Names(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, raw, peer):
                query = dns.message.from_wire(raw)
                reply = dns.message.make_response(query)
                if query.question[0].rdtype == 1:
                    reply.answer.append(dns.rrset.from_text(query.question[0].name, 1, "IN", "A", "127.0.0.1"))
                if town.answers_names:
                    self.transport.sendto(reply.to_wire(), peer)

        transport, _ = await self._loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
        self.dns_port = transport.get_extra_info("sockname")[1]

    def requests(self, host, since_s):
        return [second for second, asked in self.asked if asked == host and second >= since_s]


@pytest.fixture
def town():
    town = Town()
    yield town
    town.close()


def make_home(root, town, urls, network="", interval="1s", extra=""):
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(
        f'[hub]\nprobes = 1\nmin_free = "1MB"\n[defaults.site]\ninterval = "{interval}"\ntimeout = "3s"\n'
        f'[network]\nresolver = "127.0.0.1:{town.dns_port}"\n{network}\n[[teams]]\nid = "aurora"\n{extra}'
    )
    rows = "".join(f"{name},{url},aurora\n" for name, url in urls.items())
    (root / "inventory" / "sites.csv").write_text("site,url,team\n" + rows)
    return root


def canaries(*urls):
    return f"canaries = {json.dumps(list(urls))}"


def ask(home, path):
    """One answer of the hub over its socket: a command in a process of its own would cost a second each."""
    return asyncio.run(HubClient(home / "hub.sock", timeout_s=60).get(path, dict))


def status(home):
    return ask(home, "/v1/status")


def sites(home):
    return {row["name"]: (row["state"], row["cause"]) for row in ask(home, "/v1/targets/site?limit=100")["rows"]}


def evidence(home, name):
    """Of the last observations of a site."""
    return [seen["evidence"] for seen in ask(home, f"/v1/target/site:{name}")["observations"]]


def all_are(home, *words):
    return until(lambda: set(sites(home).values()) == {words})


def test_our_own_dead_network_calls_nobody_failing_and_is_over_when_it_is_over(tmp_path, town, started):
    urls = {name: f"http://127.0.0.1:{town.port}/{name}" for name in NAMES}
    three = canaries(*(f"http://127.0.0.{n}:{town.port}/" for n in (11, 12, 13)))
    home = make_home(tmp_path / "h", town, urls, three)
    started(home)
    losswatch(home, "hub", "start")
    assert all_are(home, "ok", "")
    town.shut()
    assert all_are(home, "unknown", "local.network")
    assert "our own network is down" in status(home)["detail"]
    assert "our own network is down" in losswatch(home).stdout
    town.ahead_s = -7200.0
    town.open()
    assert all_are(home, "ok", "")
    assert until(lambda: status(home)["detail"] == "our own clock is 2h ahead: certificates are not judged")
    assert lines(losswatch(home, "incidents", "--json", "--state", "all")) == []


def test_a_dead_resolver_calls_nobody_failing_and_is_told_from_a_dead_network(tmp_path, town, started):
    urls = {name: f"http://{name}.shop.example:{town.port}/" for name in NAMES}
    watched = canaries(f"http://127.0.0.11:{town.port}/", *(f"http://c{n}.example:{town.port}/" for n in range(2)))
    home = make_home(tmp_path / "h", town, urls, watched + "\nper_host_minute = 0")
    started(home)
    losswatch(home, "hub", "start")
    assert all_are(home, "ok", "")
    town.answers_names = False
    assert until(lambda: {state for state, _ in sites(home).values()} == {"unknown"})
    assert until(lambda: "our own resolver" in status(home)["detail"])
    assert all_are(home, "unknown", "local.resolver")
    town.answers_names = True
    assert all_are(home, "ok", "")
    assert lines(losswatch(home, "incidents", "--json", "--state", "all")) == []


def test_a_host_gets_its_budget_and_the_silence_it_asks_for(tmp_path, town, started):
    busy = {f"b{n}": f"http://busy.example:{town.port}/{n}" for n in range(8)}
    shy = {f"q{n}": f"http://shy.example:{town.port}/{n}" for n in range(3)}
    home = make_home(tmp_path / "h", town, busy | shy, "per_host_minute = 120")
    started(home)
    losswatch(home, "hub", "start")
    assert all_are(home, "ok", "")
    since_s = time.monotonic()
    told = until(
        lambda: (found := status(home))["late"] and "checks/min wanted, 120 allowed" in found["detail"] and found
    )
    assert "busy.example" in told["detail"]

    town.limited["shy.example"] = "5"
    assert until(lambda: [name for name, word in sites(home).items() if word == ("unknown", "http.rate_limited")])
    assert until(lambda: [seen for name in shy for seen in evidence(home, name) if "quiet_until" in seen])
    # asked again only when the silence is over, however many want to
    first_s = town.requests("shy.example", since_s)[-1]
    town.limited.clear()
    assert until(lambda: town.requests("shy.example", first_s + 2.0))
    assert town.requests("shy.example", first_s + 2.0)[0] >= first_s + 4.0
    assert until(lambda: {sites(home)[name][0] for name in shy} == {"ok"})

    assert until(lambda: time.monotonic() > since_s + 10.0)
    times, lasted_s = town.requests("busy.example", since_s), time.monotonic() - since_s
    assert len(times) <= 2 * lasted_s + 6, "two a second where eight are wanted, give or take a batch"
    assert lines(losswatch(home, "incidents", "--json", "--state", "all")) == []


STALLS = """
import sys
if "checks.hub" in sys.orig_argv:
    import os, time
    from data.store import writer
    whole = writer.Writer._store
    def stalled(self, group):
        while os.path.exists({flag!r}):
            time.sleep(0.05)
        whole(self, group)
    writer.Writer._store = stalled
"""


def test_a_stalled_store_changes_no_verdict_loses_nothing_and_shows_as_lateness(tmp_path, town, started):
    urls = {name: f"http://127.0.0.1:{town.port}/{name}" for name in NAMES}
    three = canaries(*(f"http://127.0.0.{n}:{town.port}/" for n in (11, 12, 13)))
    home = make_home(tmp_path / "h", town, urls, three)
    started(home)
    flag = tmp_path / "stalled"
    (tmp_path / "sitecustomize.py").write_text(STALLS.format(flag=str(flag)))
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    losswatch(home, "hub", "start", env={**os.environ, "PYTHONPATH": path})
    assert all_are(home, "ok", "")
    before = status(home)["late"]
    flag.touch()
    assert until(lambda: status(home)["late"] > before + len(NAMES))
    assert {state for state, _ in sites(home).values()} == {"ok"}
    flag.unlink()
    seen = time.monotonic()
    assert until(lambda: len(town.requests("127.0.0.1", seen)) > 2 * len(NAMES))
    assert all_are(home, "ok", "")
    assert status(home)["store"]["dropped"] == 0
    assert lines(losswatch(home, "incidents", "--json", "--state", "all")) == []


def test_maintenance_is_shown_where_it_is_looked_for(tmp_path, town, started):
    now = time.time()
    stamps = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + shift)) for shift in (-60, 3600)]
    window = f'[[maintenance]]\nreason = "new rack"\nsite = "s0"\nstart = {stamps[0]}\nend = {stamps[1]}\n'
    urls = {"s0": "http://127.0.0.1:9/", "s1": f"http://127.0.0.1:{town.port}/"}
    home = make_home(tmp_path / "h", town, urls, extra=window)
    started(home)
    losswatch(home, "hub", "start")
    assert until(lambda: {name: state for name, (state, _) in sites(home).items()} == {"s0": "paused", "s1": "ok"})
    [row] = [row for row in lines(losswatch(home, "sites", "--json")) if row["name"] == "s0"]
    assert "maintenance until" in row["detail"]
    assert "new rack" in row["detail"]
    assert status(home)["maintenance"] == 1
    assert "new rack: failures open nothing" in ask(home, "/v1/target/site:s0")["notes"][0]
    assert lines(losswatch(home, "incidents", "--json")) == []
