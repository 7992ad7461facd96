"""Certificate chains that are wrong in one way each."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import warnings
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

CIPHERS_ANY = "ALL:eNULL:@SECLEVEL=0"


@dataclass(frozen=True)
class Tls:
    """How a server's certificate, chain and handshake are; the defaults are a good one for shop.example."""

    names: tuple[str, ...] = ("shop.example",)
    start: float = -30
    end: float = 90
    """Days from now."""
    chain: str = "full"
    """What is sent: `full`, `leaf`, `self`, `foreign` (an unknown root, sent along), `unsent` (a leaf of an unknown root, alone),
    `private` (leaf and intermediate of an unknown root), `reversed`, `rooted`, `wrong` (another intermediate), `old` (an expired one),
    `young` (one not yet valid), `cafree` (one that may not sign), `crossed` (below two intermediates, the upper left out)."""
    aia: bool = False
    """The leaf says where its issuer's certificate lies, as every public authority's does."""
    key: str = "p256"
    """`p256`, `rsa2048` or `rsa1024`."""
    sha1: bool = False
    """The leaf is signed with a digest that is broken."""
    usage: str = "server"
    demands: bool = False
    """A client certificate is demanded."""
    versions: tuple[str, str] = ("TLSv1_2", "TLSv1_3")
    ciphers: str = ""


class Authority:
    """A root with its intermediates; issues chains."""

    def __init__(self, folder):
        self.folder, self.now = folder, dt.datetime.now(dt.UTC)
        self.root_key, self.inter_key, self.other_key = key(), key(), key()
        self.root = self.sign("Test Root", self.root_key, "Test Root", self.root_key, -10, 3000, ca=True)
        self.inter = self._between("Test Intermediate", self.inter_key)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(pem(self.root))

    def sign(self, subject, own, issuer, signer, start, end, names=(), *, ca=False, aia=False, usage=""):
        builder = (
            x509.CertificateBuilder()
            .subject_name(common(subject))
            .issuer_name(common(issuer))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + dt.timedelta(days=start))
            .not_valid_after(self.now + dt.timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([san(name) for name in names]), critical=False)
        if aia:
            where = x509.UniformResourceIdentifier("http://ca.example/intermediate.der")
            facts = [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)]
            builder = builder.add_extension(x509.AuthorityInformationAccess(facts), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGES[usage]]), critical=False)
        return builder.sign(signer, hashes.SHA256())

    def context(self, names=("shop.example",), start=-30, end=90, *, chain="full", client_auth=False):
        return self.secured(Tls(tuple(names), start, end, chain, demands=client_auth))

    def secured(self, tls):
        """A server's context as `tls` says."""
        own = _KEYS[tls.key]()
        path = self.folder / f"{x509.random_serial_number()}.pem"
        private = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(b"".join(map(pem, self._sent(tls, own))) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if tls.ciphers or tls.key == "rsa1024" or tls.sha1 or tls.versions[0] != "TLSv1_2":
            context.set_ciphers(tls.ciphers or CIPHERS_ANY)
        context.load_cert_chain(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # outdated versions are the point
            context.minimum_version, context.maximum_version = (getattr(ssl.TLSVersion, name) for name in tls.versions)
        if tls.demands:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_file)
        return context

    def _sent(self, tls, own):
        subject = tls.names[0] if tls.names else "shop.example"
        if tls.chain == "self":
            return [self.sign(subject, own, subject, own, tls.start, tls.end, tls.names)]

        def leaf(issuer, signer):
            kind = "" if tls.usage == "server" else tls.usage
            return self.sign(subject, own, issuer, signer, tls.start, tls.end, tls.names, aia=tls.aia, usage=kind)  # fmt: skip

        if tls.sha1:
            old = rsa.generate_private_key(65537, 2048)
            return [aged(leaf("Test Old", old), old), self._between("Test Old", old)]
        ours = leaf("Test Intermediate", self.inter_key)
        if tls.chain in {"foreign", "unsent", "private"}:
            return self._unknown(tls.chain, leaf)
        if tls.chain == "crossed":
            lower = self.sign(
                "Test Issuing", self.other_key, "Test Intermediate", self.inter_key, -10, 900, ca=True, aia=True
            )
            return [leaf("Test Issuing", self.other_key), lower]
        spoilt = {
            "old": lambda: self._between("Test Intermediate", self.inter_key, -60, -3),
            "young": lambda: self._between("Test Intermediate", self.inter_key, 3, 900),
            "cafree": lambda: self._between("Test Intermediate", self.inter_key, ca=False),
            "wrong": lambda: self._between("Test Other", self.other_key),
        }
        if tls.chain in spoilt:
            return [ours, spoilt[tls.chain]()]
        return {
            "full": [ours, self.inter], "leaf": [ours], "reversed": [ours, self.root, self.inter], "rooted": [ours, self.inter, self.root],
        }[tls.chain]  # fmt: skip

    def _between(self, name, own, start=-10, end=2000, *, ca=True):
        return self.sign(name, own, "Test Root", self.root_key, start, end, ca=ca)

    def _unknown(self, chain, leaf):
        nobody, between = key(), key()
        root = self.sign("Nobody Root", nobody, "Nobody Root", nobody, -10, 900, ca=True)
        if chain == "private":
            return [
                leaf("Nobody Issuing", between),
                self.sign("Nobody Issuing", between, "Nobody Root", nobody, -10, 900, ca=True),
            ]
        return [leaf("Nobody Root", nobody), root][: 2 if chain == "foreign" else 1]


def key():
    return ec.generate_private_key(ec.SECP256R1())


_KEYS = {
    "p256": key, "rsa2048": lambda: rsa.generate_private_key(65537, 2048), "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
}  # fmt: skip
_USAGES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


def aged(certificate, signer):
    """The same certificate signed with SHA-1, which the library no longer does: the two names are of one length."""
    new, old = (bytes.fromhex(f"2a864886f70d0101{number}") for number in ("0b", "05"))
    body = certificate.tbs_certificate_bytes.replace(new, old)
    signature = signer.sign(body, padding.PKCS1v15(), hashes.SHA1())
    der = certificate.public_bytes(serialization.Encoding.DER).replace(new, old)
    return x509.load_der_x509_certificate(der.replace(certificate.signature, signature))


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def common(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def san(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
