"""CPU per site check, plain and TLS, against a local nginx; prometheus-blackbox-exporter does the same in the same run."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.engine.pool import ProbePool
from data.config.settings import NetworkSettings, Settings
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind
from tests.bench.figure import Figure

CHECKS = 2_000
AT_ONCE = 16
WARM_UP = 100
PEER = "prometheus-blackbox-exporter"
NGINX = """
{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; default_type text/html; root {folder}/www;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; ssl_session_cache off; ssl_session_tickets off;
  server {{ listen 127.0.0.1:{plain}; }} server {{ listen 127.0.0.1:{tls} ssl; }} }}
"""
BLACKBOX = "modules: {{http: {{prober: http, timeout: 10s, http: {{tls_config: {{ca_file: {ca}}}, preferred_ip_protocol: ip4}}}}}}"


def run() -> list[Figure]:
    """Figures for plain and TLS; the peer's are missing where it or nginx is not installed."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        return [Figure("CPU per site check", 0.0, "ms", note="nginx is not installed: apt-get install nginx-light")]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        plain, tls = _web(folder, nginx, stack)
        peer = _exporter(folder, stack)
        figures = []
        for kind, url in (("plain", f"http://127.0.0.1:{plain}/"), ("TLS", f"https://127.0.0.1:{tls}/")):
            ours, rate = asyncio.run(_ours(folder, url))
            theirs = asyncio.run(_theirs(*peer, url)) if peer else None
            note = f"{CHECKS} checks, {rate:,.0f}/s with one probe"
            figures.append(Figure(f"CPU per {kind} site check", ours, "ms", PEER, theirs, note))
        return figures


async def _ours(folder: Path, url: str) -> tuple[float, float]:
    """(CPU ms a check, checks a second) of a real probe process behind the pool."""
    arrived, done = 0, asyncio.Event()
    wanted = WARM_UP

    async def count(_worker: str, _seq: int, observations: tuple[object, ...]) -> None:
        nonlocal arrived
        arrived += len(observations)
        bad = [o for o in observations if getattr(o, "cause", "")]
        assert not bad, bad[0]
        if arrived >= wanted:
            done.set()

    network = NetworkSettings(ca_file="ca.pem", per_host=AT_ONCE, in_flight=AT_ONCE)
    pool = ProbePool(Settings(folder, network=network), 1, count)
    await pool.start()
    try:
        await pool.submit(_checks(url, 0, WARM_UP))
        await done.wait()
        arrived, wanted = 0, CHECKS
        done.clear()
        before, began = _cpu_ms(pool.pids[0]), time.perf_counter()
        await pool.submit(_checks(url, WARM_UP, CHECKS))
        await done.wait()
        took = time.perf_counter() - began
        return (_cpu_ms(pool.pids[0]) - before) / CHECKS, CHECKS / took
    finally:
        await pool.stop()


def _checks(url: str, first: int, count: int) -> list[Check]:
    team, kind = TeamId("bench"), TargetKind.SITE
    return [Check(TargetId(f"site:{n}"), team, kind, url, 10.0, Expect()) for n in range(first, first + count)]


async def _theirs(pid: int, port: int, url: str) -> float:
    """CPU ms of the exporter for each `/probe`, its own HTTP answer included, as it runs in real life."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        async def one() -> None:
            async with gate:
                answer = await client.get("/probe", params={"target": url, "module": "http"})
                assert "probe_success 1" in answer.text, answer.text[-500:]

        await asyncio.gather(*(one() for _ in range(WARM_UP)))
        before = _cpu_ms(pid)
        await asyncio.gather(*(one() for _ in range(CHECKS)))
        return (_cpu_ms(pid) - before) / CHECKS


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1000


def _web(folder: Path, nginx: str, stack: contextlib.ExitStack) -> tuple[int, int]:
    (folder / "www").mkdir()
    page = (
        "<html><head><title>Casino</title></head><body><h1>Casino</h1>" + "<p>An honest review of the games.</p>" * 250
    )
    (folder / "www/index.html").write_text(page)
    _certificates(folder)
    plain, tls = _free_port(), _free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, folder=folder, plain=plain, tls=tls))
    _start([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], plain, stack)
    return plain, tls


def _exporter(folder: Path, stack: contextlib.ExitStack) -> tuple[int, int] | None:
    binary = shutil.which(PEER)
    if binary is None:
        return None
    port = _free_port()
    (folder / "blackbox.yml").write_text(BLACKBOX.format(ca=folder / "ca.pem"))
    command = [
        binary,
        f"--config.file={folder / 'blackbox.yml'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    return _start(command, port, stack), port


def _start(command: list[str], port: int, stack: contextlib.ExitStack) -> int:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)
    for _ in range(200):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return process.pid
        time.sleep(0.05)
    raise RuntimeError(f"{command[0]} does not listen on {port}")


def _certificates(folder: Path) -> None:
    """An RSA-free chain of three, as most of the web has: root, intermediate, leaf."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Bench Root", "Bench Inter", "bench")
    ]
    now = dt.datetime.now(dt.UTC)
    made = []
    for level, signer in enumerate((0, 0, 1)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[level])
            .issuer_name(names[signer])
            .public_key(keys[level].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=200))
            .add_extension(x509.BasicConstraints(level < 2, None), critical=True)
        )
        if level == 2:
            loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        made.append(builder.sign(keys[signer], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "ca.pem").write_bytes(made[0])
    (folder / "chain.pem").write_bytes(made[2] + made[1])
    private = keys[2].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
