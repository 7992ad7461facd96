from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NAMES_PER_CERTIFICATE = 100
"""Hosting companies put many customers on one certificate; so do we, which keeps 1,180 hosts to a dozen contexts."""


class Authority:
    """A certificate authority of the simulated world, made anew at each start. Its keys never leave the folder given."""

    def __init__(self, folder: Path, now: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._now = folder, now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Demo Trust Services Root")
        self._root = self._self_signed()
        self._serials = 0

    @property
    def pem(self) -> bytes:
        """The root certificate: what the hub trusts."""
        return self._root.public_bytes(serialization.Encoding.PEM)

    def context(self, hosts: Sequence[str], *, began: timedelta, ends: timedelta) -> ssl.SSLContext:
        """A server context whose certificate names `hosts` and is valid from `now - began` to `now + ends` (wall clock)."""
        certificate = (
            self._builder(_name(hosts[0]), self._leaf_key.public_key(), self._now - began, self._now + ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._serials += 1
        place = self._folder / f"server-{self._serials:03}.pem"
        place.touch(mode=0o600)
        place.write_bytes(
            self._leaf_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place)
        place.unlink()
        # A resumed session skips the certificate: an expiry would go unseen by a client that keeps sessions.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        return context

    def _self_signed(self) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            self._builder(
                self._name, self._key.public_key(), self._now - timedelta(days=400), self._now + timedelta(days=400)
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def front(contexts: dict[str, ssl.SSLContext], choose: Callable[[str], ssl.SSLContext | None]) -> ssl.SSLContext:
    """The context to listen with: SNI picks one of `contexts`, unless `choose` names another for that host right now."""
    base = next(iter(contexts.values()))

    def pick(connection: ssl.SSLObject | ssl.SSLSocket, host: str | None, _context: ssl.SSLContext) -> None:
        wanted = choose(host) if host else None
        connection.context = wanted or contexts.get(host or "", base)

    base.sni_callback = pick
    return base


def shared_contexts(authority: Authority, hosts: Sequence[str]) -> dict[str, ssl.SSLContext]:
    """One context for each hundred of `hosts`, by host, with 50 to 85 days left."""
    contexts: dict[str, ssl.SSLContext] = {}
    for n, start in enumerate(range(0, len(hosts), NAMES_PER_CERTIFICATE)):
        group = hosts[start : start + NAMES_PER_CERTIFICATE]
        context = authority.context(group, began=timedelta(days=5 + n), ends=timedelta(days=50 + n % 36))
        contexts.update(dict.fromkeys(group, context))
    return contexts


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
