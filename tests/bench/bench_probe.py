"""CPU per check, plain, TLS and through five hops, against a local nginx; prometheus-blackbox-exporter does the same beside it.

Both make a new connection for each check, resume no session, verify the chain against the same root and read the whole
page. Counted are user and system time of the probing process alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from checks.engine.pool import ProbePool
from data.config.settings import NetworkSettings, Settings
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind
from tests.bench.figure import Figure
from tests.bench.peer import PEER, free_port, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from data.model.observation import Observation

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

TARGETS = 400
ROUNDS = 5
AT_ONCE = 16
NGINX = """
{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; default_type text/html; root {folder}/www;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off; ssi on;
  server {{ listen 127.0.0.1:{plain}; rewrite ^/hop0$ /hop1 redirect; rewrite ^/hop1$ /hop2 redirect;
    rewrite ^/hop2$ /hop3 redirect; rewrite ^/hop3$ / redirect; }}
  server {{ listen 127.0.0.1:{ecdsa} ssl; ssl_certificate {folder}/ecdsa.pem; ssl_certificate_key {folder}/ecdsa.key; }}
  server {{ listen 127.0.0.1:{rsa} ssl; ssl_certificate {folder}/rsa.pem; ssl_certificate_key {folder}/rsa.key; }} }}
"""
BLACKBOX = "modules: {{http: {{prober: http, timeout: 10s, http: {{tls_config: {{ca_file: {ca}}}, preferred_ip_protocol: ip4}}}}}}"
"""Only the one root it needs, since it reads the file again for each probe; ours holds the system's roots as well."""


def run() -> list[Figure]:
    """Medians over paired rounds; the peer's are missing where it or nginx is not installed."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        return [Figure("CPU per site check", 0.0, "ms", note="nginx is not installed: apt-get install nginx-light")]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        plain, ecdsa, by_rsa = _web(folder, nginx, stack)
        peer = _exporter(folder, stack)
        cases = (
            ("plain, page unchanged", f"http://127.0.0.1:{plain}/"),
            ("TLS (P-256), page unchanged", f"https://127.0.0.1:{ecdsa}/"),
            ("TLS (P-256), page new each time", f"https://127.0.0.1:{ecdsa}/fresh.html"),
            ("TLS (RSA-2048), page unchanged", f"https://127.0.0.1:{by_rsa}/"),
            ("five-hop chain, plain", f"http://127.0.0.1:{plain}/hop0"),
        )
        return [asyncio.run(_paired(case, url, folder, peer)) for case, url in cases]


async def _paired(case: str, url: str, folder: Path, peer: tuple[int, int] | None) -> Figure:
    """Ours and the peer's in turn, so that what else the machine does falls on both."""
    rounds = []
    async with _probe(folder) as (pid, check_all):
        await check_all(url)
        for _ in range(ROUNDS):
            before = _cpu_ms(pid)
            await check_all(url)
            ours = (_cpu_ms(pid) - before) / TARGETS
            rounds.append((ours, await _theirs(*peer, url) if peer else 0.0))
    ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    if peer is None:
        return Figure(f"CPU per site check, {case}", ours, "ms")
    ratios = sorted(mine / other for mine, other in rounds)
    note = f"{ROUNDS} rounds of {TARGETS}, ratios {ratios[0]:.2f} to {ratios[-1]:.2f}, median {statistics.median(ratios):.2f}"
    return Figure(f"CPU per site check, {case}", ours, "ms", PEER, theirs, note)


@contextlib.asynccontextmanager
async def _probe(folder: Path) -> AsyncIterator[tuple[int, Callable[[str], Awaitable[None]]]]:
    """A real probe process behind the pool: its pid, and a function that checks every target once at a URL."""
    arrived = asyncio.Semaphore(0)

    async def count(_worker: str, _seq: int, observations: tuple[Observation, ...]) -> None:
        bad = [seen for seen in observations if seen.cause]
        assert not bad, bad[0]
        for _ in observations:
            arrived.release()

    async def check_all(url: str) -> None:
        await pool.submit(_checks(url))
        for _ in range(TARGETS):
            await arrived.acquire()

    network = NetworkSettings(ca_file="ca.pem", per_host=AT_ONCE, in_flight=AT_ONCE)
    pool = ProbePool(Settings(folder, network=network), 1, count)
    await pool.start()
    try:
        yield pool.pids[0], check_all
    finally:
        await pool.stop()


def _checks(url: str) -> list[Check]:
    team, kind = TeamId("bench"), TargetKind.SITE
    return [Check(TargetId(f"site:{number}"), team, kind, url, 10.0, Expect()) for number in range(TARGETS)]


async def _theirs(pid: int, port: int, url: str) -> float:
    """CPU ms of the exporter for each `/probe`; its answer is not compressed, as ours is not."""
    gate, plainly = asyncio.Semaphore(AT_ONCE), {"accept-encoding": "identity"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, headers=plainly) as client:

        async def one() -> None:
            async with gate:
                answer = await client.get("/probe", params={"target": url, "module": "http"})
                assert "probe_success 1" in answer.text, answer.text[-500:]

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))
        before = _cpu_ms(pid)
        await asyncio.gather(*(one() for _ in range(TARGETS)))
        return (_cpu_ms(pid) - before) / TARGETS


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1000


def _web(folder: Path, nginx: str, stack: contextlib.ExitStack) -> tuple[int, int, int]:
    (folder / "www").mkdir()
    head = "<html><head><title>Casino</title></head><body><h1>Casino</h1>"
    page = head + "<p>An honest review of the games.</p>" * 250
    (folder / "www/index.html").write_text(page)
    (folder / "www/fresh.html").write_text(page + '<p><!--# echo var="request_id" -->')
    _certificates(folder)
    ports = free_port(), free_port(), free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    conf = NGINX.format(user=user, folder=folder, plain=ports[0], ecdsa=ports[1], rsa=ports[2])
    (folder / "nginx.conf").write_text(conf)
    started(
        [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], ports[0], stack
    )
    return ports


def _exporter(folder: Path, stack: contextlib.ExitStack) -> tuple[int, int] | None:
    binary = shutil.which(PEER)
    if binary is None:
        return None
    port = free_port()
    (folder / "blackbox.yml").write_text(BLACKBOX.format(ca=folder / "ca.pem"))
    command = [
        binary,
        f"--config.file={folder / 'blackbox.yml'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    return started(command, port, stack), port


def _certificates(folder: Path) -> None:
    """Root and intermediate on P-256, and a leaf of each kind below them."""
    root, inter = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    (folder / "ca.pem").write_bytes(_signed("Bench Root", root, "Bench Root", root))
    between = _signed("Bench Inter", inter, "Bench Root", root)
    leaves = {"ecdsa": ec.generate_private_key(ec.SECP256R1()), "rsa": rsa.generate_private_key(65537, 2048)}
    for name, leaf in leaves.items():
        (folder / f"{name}.pem").write_bytes(_signed("bench", leaf, "Bench Inter", inter) + between)
        private = leaf.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.key").write_bytes(private)


def _signed(name: str, key: Key, issuer: str, by: ec.EllipticCurvePrivateKey) -> bytes:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=200))
        .add_extension(x509.BasicConstraints(name != "bench", None), critical=True)
    )
    if name == "bench":
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
    return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
