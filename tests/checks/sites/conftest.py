"""Real servers on loopback that misbehave in one way each."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest

from checks.engine.clock import SystemClock
from checks.sites.edges import Edges
from checks.sites.oneshot import CheckOptions, check_link, check_site
from checks.sites.prober import Prober
from checks.sites.resolver import Resolver
from checks.sites.transport import Transport
from checks.sites.vantages import proxies_of
from checks.sites.walk import Network
from data.config.settings import Vantage
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind
from tests.street.names import NameServer
from tests.street.pki import Authority
from tests.street.wire import GOOD_PAGE, http


@dataclass
class Request:
    line: str
    headers: dict[str, str]

    @property
    def path(self):
        return self.line.split(" ")[1]


@dataclass
class Server:
    """Listens on 127.0.0.1; every connection runs `behave(connection, request)` in a thread of its own."""

    behave: object
    context: ssl.SSLContext | None = None
    reads: bool = True
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def url(self, path="/", host="127.0.0.1"):
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    def _accept(self):
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(10)
        try:
            if self.context:
                connection = self._secure(connection)
            request = self._read(connection) if self.reads else None
            self.behave(connection, request)
        except OSError:
            pass
        finally:
            connection.close()

    def _secure(self, connection):
        secure = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secure.do_handshake()
        except OSError:
            time.sleep(0.2)  # closing with unread bytes would reset the connection and swallow the alert
            secure.close()
            raise
        return secure

    def _read(self, connection):
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionError
            raw += piece
        line, *rest = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        request = Request(line, {k.lower(): v.strip() for k, _, v in (h.partition(":") for h in rest)})
        self.requests.append(request)
        return request

    def close(self):
        self.ended.set()
        self.listener.close()


def answer(*args, **kwargs):
    raw = http(*args, **kwargs)
    return lambda connection, _request: connection.sendall(raw)


@pytest.fixture
def page():
    return GOOD_PAGE


@pytest.fixture(name="http")
def http_fixture():
    return http


@pytest.fixture
def serve():
    """serve(behaviour or bytes, context=None): a running `Server`."""
    servers = []

    def start(behave, context=None, *, reads=True):
        if isinstance(behave, bytes):
            raw = behave
            behave = lambda connection, _request: connection.sendall(raw)  # noqa: E731  # shortest form of a constant
        servers.append(Server(behave, context, reads))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def routes(serve):
    """routes({path: raw answer}): a server that answers by path without query; 404 otherwise."""

    def start(table, context=None):
        def behave(connection, request):
            found = table.get(request.path.partition("?")[0], http("gone", "404 Not Found"))
            connection.sendall(found(request) if callable(found) else found)

        return serve(behave, context)

    return start


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def name_server():
    """name_server({name: addresses | rcode | 'silent' | ..}): running, every other name does not exist."""
    servers = []

    def start(zone):
        servers.append(NameServer(zone))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def names(name_server):
    """A name server that knows every name as 127.0.0.1."""
    return name_server({"*": ["127.0.0.1"]})


@pytest.fixture
def site():
    """site(url, **options and expectations): the observation of a site check."""
    return lambda url, **kwargs: check_site(url, options(**kwargs))


@pytest.fixture
def link():
    return lambda url, **kwargs: check_link(url, options(**kwargs))


def options(timeout_s=5.0, ca_file="", resolver="", origin="", **expect):
    made = CheckOptions(expect=Expect(**expect), timeout_s=timeout_s, ca_file=str(ca_file))
    return replace(made, resolver=resolver, origin=origin)


@pytest.fixture
def probe():
    """probe(url, geo=.., vantages=.., canaries=.., vantage=.., origin=.., edges=.., resolver=.., second=.., **expect): an observation as a probe makes it."""

    def run(
        url,
        *,
        kind=TargetKind.SITE,
        geo="",
        vantages=(),
        edges=(),
        resolver="",
        second="",
        ca_file="",
        timeout_s=5.0,
        canaries=(),
        vantage="",
        origin="",
        **expect,
    ):
        async def main():
            network = Network(Transport(ca_file=str(ca_file)), Resolver(resolver, second))
            clock = SystemClock()
            prober = Prober(network, Edges.of(edges), proxies_of(vantages, canaries), clock, clock)
            try:
                check = Check(TargetId(f"{kind}:t"), TeamId("aurora"), kind, url, timeout_s, Expect(**expect), geo)
                return await prober.run(replace(check, vantage=vantage, origin=origin))
            finally:
                network.close()

        return asyncio.run(main())

    return run


def to(location, **headers):
    """A 302; `PORT` in its location is the port of the server that sends it."""
    return http("", "302 Found", location=location, **headers)


class Town:
    """Many hosts on one server: answers by `host/path`, every name is 127.0.0.1."""

    def __init__(self, server, names):
        self.server, self.names = server, names

    def url(self, place):
        host, _, path = place.partition("/")
        return self.server.url(f"/{path}", host)

    def asked(self):
        return [f"{request.headers['host'].partition(':')[0]}{request.path}" for request in self.server.requests]


@pytest.fixture
def town(serve, names):
    """town({"go.example/x": raw answer or function}): a running `Town`; whatever else is asked for is 404."""

    def start(table):
        def behave(connection, request):
            path = urlsplit(request.path).path or "/"  # absolute, when a vantage asks: the town is its own proxy
            place = f"{request.headers['host'].partition(':')[0]}{path}"
            found = table.get(place, http("gone", "404 Not Found"))
            raw = found(request) if callable(found) else found
            connection.sendall(raw.replace(b":PORT", f":{connection.getsockname()[1]}".encode()))

        return Town(serve(behave), names)

    return start


@pytest.fixture
def travel():
    """travel(town, "go.example/x?btag=1", device=.., depth=.., geo=.., partner=.., brands=.., **expect): as a probe sees the link.

    With `geo` through a vantage of that country.
    """

    def run(town, place, *, kind=TargetKind.LINK, device="", depth=0, geo="", partner="", brands=(), **expect):
        async def main():
            network = Network(Transport(), Resolver(town.names.address))
            vantages = (Vantage(geo, town.server.url("")),) if geo else ()
            clock = SystemClock()
            prober = Prober(network, Edges.of(), proxies_of(vantages), clock, clock, brands=tuple(brands))
            check = Check(TargetId(f"{kind}:t"), TeamId("aurora"), kind, town.url(place), 5.0, Expect(**expect))
            try:
                return await prober.run(replace(check, device=device, depth=depth, geo=geo, partner=partner))
            finally:
                network.close()

        return asyncio.run(main())

    return run
