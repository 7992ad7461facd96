"""A real nginx from the distribution, with the pages and mistakes that real ones show."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import dns.message
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.sites.oneshot import CheckOptions, check_link, check_site
from data.model.state import State
from data.model.target import Expect

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")

CONFIG = """
{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; server_tokens off; gzip on; gzip_min_length 100;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  types {{ text/html html; }} default_type text/html;
  ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
  server {{
    listen 127.0.0.1:{tls} ssl http2 default_server; server_name good.example;
    root {folder}/www;
    location = /old {{ return 301 /index.html; }}
    location = /out {{ return 302 https://expired.example:{tls}/; }}
    location = /strip {{ return 302 https://good.example:{tls}/index.html; }}
    location = /keep {{ return 302 https://good.example:{tls}/index.html?$args; }}
    location = /loop {{ return 302 /loop; }}
    location = /down {{ return 503; }}
    location = /secret {{ auth_basic "x"; auth_basic_user_file /dev/null; }}
    location = /limited {{ return 429; }}
    location = /drop {{ return 444; }}
    location = /dead {{ proxy_pass http://127.0.0.1:9; }}
    error_page 503 /maintenance.html;
    location = /maintenance.html {{ internal; }}
  }}
  server {{
    listen 127.0.0.1:{tls} ssl; server_name expired.example;
    ssl_certificate {folder}/expired.pem; ssl_certificate_key {folder}/expired.key;
    return 200 "never seen";
  }}
  server {{
    listen 127.0.0.1:{tls} ssl; server_name alone.example;
    ssl_certificate {folder}/alone.pem; ssl_certificate_key {folder}/alone.key;
    return 200 "never seen";
  }}
  server {{ listen 127.0.0.1:{plain}; root /usr/share/nginx/html; index index.nginx-debian.html index.html; }}
}}
"""
PAGE = "<html><head><title>Good casino</title></head><body><h1>Good</h1>" + "<p>An honest review of the games.</p>" * 50


class World:
    def __init__(self, folder):
        self.folder = folder
        (folder / "www").mkdir()
        (folder / "www/index.html").write_text(PAGE)
        (folder / "www/maintenance.html").write_text("<h1>Scheduled maintenance</h1>")
        self._certificates()
        self.tls, self.plain = free_port(), free_port()
        (folder / "nginx.conf").write_text(
            CONFIG.format(user="user root;" if os.geteuid() == 0 else "", folder=folder, tls=self.tls, plain=self.plain)
        )
        self.names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.names.bind(("127.0.0.1", 0))
        threading.Thread(target=self._answer_names, daemon=True).start()
        self.nginx = subprocess.Popen(
            [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def close(self):
        self.nginx.terminate()
        self.nginx.wait(timeout=10)
        self.names.close()

    def options(self, **expect):
        resolver = f"127.0.0.1:{self.names.getsockname()[1]}"
        return replace(CheckOptions(), expect=Expect(**expect), ca_file=str(self.folder / "ca.pem"), resolver=resolver)

    def url(self, path="/", host="good.example"):
        return f"https://{host}:{self.tls}{path}"

    def _wait(self):
        for _ in range(100):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.plain)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "error.log").read_text())

    def _answer_names(self):
        while True:
            try:
                raw, peer = self.names.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(raw)
            reply = dns.message.make_response(query)
            if query.question[0].rdtype.name == "A":
                reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "127.0.0.1"))
            self.names.sendto(reply.to_wire(), peer)

    def _certificates(self):
        root_key, inter_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = sign("Root", root_key, "Root", root_key, ca=True)
        inter = sign("Inter", inter_key, "Root", root_key, ca=True)
        (self.folder / "ca.pem").write_bytes(pem(root))
        for name, days, chain in (("good", 60, [inter]), ("expired", -2, [inter]), ("alone", 60, [])):
            leaf_key = ec.generate_private_key(ec.SECP256R1())
            leaf = sign(f"{name}.example", leaf_key, "Inter", inter_key, days=days)
            (self.folder / f"{name}.pem").write_bytes(b"".join(map(pem, [leaf, *chain])))
            (self.folder / f"{name}.key").write_bytes(
                leaf_key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )


def sign(subject, public, issuer, signer, *, days=900, ca=False):
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("nginx"))
    yield made
    made.close()


def test_a_good_vhost_is_ok_over_tls_with_compression(world):
    found = check_site(world.url(), world.options(text=("honest review",)))
    assert (found.state, found.cause) == (State.OK, "")
    assert 59 < found.hops[0].cert_days_left < 61
    assert None not in {found.timing.dns_ms, found.timing.connect_ms, found.timing.tls_ms, found.timing.ttfb_ms}


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/old", ""),
        ("/no-such-page", "http.4xx"),
        ("/down", "http.maintenance"),
        ("/secret", "http.auth"),
        ("/limited", "http.rate_limited"),
        ("/loop", "redirect.loop"),
        ("/dead", "http.5xx"),
    ],
)
def test_each_answer_of_nginx_has_its_cause(world, path, cause):
    assert check_site(world.url(path), world.options()).cause == cause


def test_a_dropped_connection_is_told_from_an_answer(world):
    assert check_site(world.url("/drop"), world.options()).cause in {
        "proto.empty_reply",
        "tcp.reset",
        "proto.malformed",
    }


@pytest.mark.parametrize(
    ("host", "cause"),
    [("expired.example", "tls.expired"), ("alone.example", "tls.incomplete_chain"), ("other.example", "tls.hostname")],
)
def test_the_certificate_is_chosen_by_name_and_judged(world, host, cause):
    assert check_site(world.url(host=host), world.options()).cause == cause


def test_a_chain_into_an_expired_host_blames_that_host(world):
    found = check_link(world.url("/out"), world.options())
    assert (found.cause, found.blame, len(found.hops)) == ("tls.expired", "expired.example", 2)


def test_a_parameter_is_followed_through_nginx(world):
    assert check_link(world.url("/keep?btag=1"), world.options(keep=("btag",))).state is State.OK
    assert check_link(world.url("/strip?btag=1"), world.options(keep=("btag",))).cause == "link.param_lost"


def test_the_welcome_page_of_the_package_is_no_site(world):
    if not Path("/usr/share/nginx/html").is_dir():
        pytest.skip("the package's default page is not where Debian puts it")
    assert check_site(f"http://127.0.0.1:{world.plain}/", world.options()).cause == "content.default_page"


def test_a_plain_request_to_the_tls_port_is_a_client_error(world):
    assert check_site(f"http://127.0.0.1:{world.tls}/", world.options()).cause == "http.4xx"
