"""Real servers on loopback that misbehave in one way each."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field, replace

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.engine.clock import SystemClock
from checks.sites.edges import Edges
from checks.sites.oneshot import CheckOptions, check_link, check_site
from checks.sites.prober import Prober, proxies_of
from checks.sites.resolver import Resolver
from checks.sites.transport import Transport
from checks.sites.walk import Network
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind


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


def http(body=b"", status="200 OK", **headers):
    body = body.encode() if isinstance(body, str) else body
    named = {"content-type": "text/html; charset=utf-8", "content-length": len(body)}
    named |= {key.replace("_", "-"): value for key, value in headers.items()}
    lines = "".join(f"{key}: {value}\r\n" for key, value in named.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def answer(*args, **kwargs):
    raw = http(*args, **kwargs)
    return lambda connection, _request: connection.sendall(raw)


GOOD_PAGE = (
    "<html><head><title>Quillspin casino review</title></head><body><h1>Quillspin</h1><p>"
    + "An honest review of the games. " * 40
)


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


class Authority:
    """A certificate authority with one intermediate; issues chains that are wrong in one way."""

    def __init__(self, folder):
        self.folder, self.now = folder, dt.datetime.now(dt.UTC)
        self.root_key, self.inter_key = key(), key()
        self.root = self._sign("Test Root", self.root_key, "Test Root", self.root_key, -10, 3000, ca=True)
        self.inter = self._sign("Test Intermediate", self.inter_key, "Test Root", self.root_key, -10, 2000, ca=True)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(pem(self.root))

    def _sign(self, subject, public, issuer, signer, start, end, names=(), *, ca=False):
        builder = (
            x509.CertificateBuilder()
            .subject_name(common(subject))
            .issuer_name(common(issuer))
            .public_key(public.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + dt.timedelta(days=start))
            .not_valid_after(self.now + dt.timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([san(name) for name in names]), critical=False)
        return builder.sign(signer, hashes.SHA256())

    def context(self, names=("shop.example",), start=-30, end=90, *, chain="full", client_auth=False):
        """chain: full | leaf | self | foreign (an unknown root, sent along)."""
        leaf_key = key()
        if chain == "self":
            sent = [self._sign(names[0], leaf_key, names[0], leaf_key, start, end, names)]
        elif chain == "foreign":
            other = key()
            root = self._sign("Nobody Root", other, "Nobody Root", other, -10, 900, ca=True)
            sent = [self._sign(names[0], leaf_key, "Nobody Root", other, start, end, names), root]
        else:
            leaf = self._sign(names[0], leaf_key, "Test Intermediate", self.inter_key, start, end, names)
            sent = [leaf] if chain == "leaf" else [leaf, self.inter]
        path = self.folder / f"{x509.random_serial_number()}.pem"
        private = leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(b"".join(map(pem, sent)) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if client_auth:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_file)
        return context


def key():
    return ec.generate_private_key(ec.SECP256R1())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def common(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def san(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


def _pair():
    """A UDP and a TCP socket on one port; another process may hold the other half of a free one."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()


class NameServer:
    """UDP (and TCP for the truncated) name server; `zone` maps a name to addresses or to an rcode's name or `silent`."""

    def __init__(self, zone):
        self.zone, self.asked = zone, []
        self.udp, self.tcp = _pair()
        self.port = self.udp.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.running = True
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while self.running:
            try:
                ready, _, _ = select.select([self.udp, self.tcp], [], [], 0.1)
                for sock in ready:
                    self._udp() if sock is self.udp else self._tcp()
            except (OSError, ValueError):
                return

    def _udp(self):
        raw, peer = self.udp.recvfrom(4096)
        reply = self._reply(raw, datagram=True)
        if reply is not None:
            self.udp.sendto(reply, peer)

    def _tcp(self):
        connection, _ = self.tcp.accept()
        with connection:
            size = struct.unpack("!H", connection.recv(2))[0]
            reply = self._reply(connection.recv(size), datagram=False)
            connection.sendall(struct.pack("!H", len(reply)) + reply)

    def _reply(self, raw, *, datagram):
        query = dns.message.from_wire(raw)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, question.rdtype.name))
        wanted = self.zone.get(name, self.zone.get("*", "NXDOMAIN"))
        if wanted == "silent":
            return None
        if wanted == "garbage":
            return raw[:2] + b"\x80\x00garbage"
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if wanted == "truncated":
            if datagram:
                reply.flags |= dns.flags.TC
                return reply.to_wire()
            wanted = ["127.0.0.1"]
        if isinstance(wanted, str) and wanted.startswith("cname:"):
            target = wanted.removeprefix("cname:")
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", f"{target}."))
            wanted = self.zone.get(target, [])
            if isinstance(wanted, list) and question.rdtype.name == "A":
                reply.answer.append(dns.rrset.from_text(f"{target}.", 60, "IN", "A", *wanted))
            return reply.to_wire()
        if isinstance(wanted, str):
            reply.set_rcode(dns.rcode.from_text(wanted))
            return reply.to_wire()
        kind = question.rdtype.name
        fitting = [address for address in wanted if (":" in address) == (kind == "AAAA")]
        if fitting:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *fitting))
        return reply.to_wire()

    def close(self):
        self.running = False
        self.udp.close()
        self.tcp.close()


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


def options(timeout_s=5.0, ca_file="", resolver="", **expect):
    return replace(
        CheckOptions(), expect=Expect(**expect), timeout_s=timeout_s, ca_file=str(ca_file), resolver=resolver
    )


@pytest.fixture
def probe():
    """probe(url, geo=.., vantages=.., edges=.., resolver=.., second=.., **expect): an observation as a probe makes it."""

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
        **expect,
    ):
        async def main():
            network = Network(Transport(ca_file=str(ca_file)), Resolver(resolver, second))
            clock = SystemClock()
            prober = Prober(network, Edges.of(edges), proxies_of(vantages), clock, clock)
            try:
                return await prober.run(
                    Check(TargetId(f"{kind}:t"), TeamId("aurora"), kind, url, timeout_s, Expect(**expect), geo)
                )
            finally:
                network.close()

        return asyncio.run(main())

    return run
