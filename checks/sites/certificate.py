from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from data.model.cause import cause

if TYPE_CHECKING:
    from data.model.ids import CauseId

CertInfo = tuple[tuple[tuple[str, str], ...], ...]
"""What libcurl's CERTINFO gives: one tuple of (field, value) pairs per certificate, the leaf first."""

EXPIRING_DAYS = 14.0
_SHORT_LIVED_DAYS = (5.0, 8.0)
_SHORT_LIVED_EXPIRING_DAYS = 2.0
_NOT_YET, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _NO_LEAF_PROOF = 9, 10, 18, 19, 20, 21


@dataclass(frozen=True, slots=True)
class Certificate:
    """The chain a server presented, also when it was refused."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """DNS and IP names of the leaf."""
    starts: datetime
    ends: datetime
    """Earliest end over every member of the chain."""
    length: int

    def days_left(self, now: datetime) -> float:
        return (self.ends - now).total_seconds() / 86_400

    def expiring(self, now: datetime) -> bool:
        """Ends within 14 days; six-day certificates renew half way, so for them 2 days."""
        life_days = (self.ends - self.starts).total_seconds() / 86_400
        shortest, longest = _SHORT_LIVED_DAYS
        limit = _SHORT_LIVED_EXPIRING_DAYS if shortest <= life_days <= longest else EXPIRING_DAYS
        return self.days_left(now) < limit

    def covers(self, host: str) -> bool:
        """Whether a name of the leaf is `host`, with a wildcard standing for exactly one leftmost label (RFC 6125)."""
        parent = host.partition(".")[2]
        return any(name == host or (name.startswith("*.") and parent and name[2:] == parent) for name in self.names)


def read_chain(info: CertInfo) -> Certificate | None:
    """The chain of a CERTINFO answer; `None` when there was none or it cannot be read."""
    try:
        members = [dict(member) for member in info]
        spans = [(_when(member["Start date"]), _when(member["Expire date"])) for member in members]
    except (KeyError, ValueError):
        return None
    if not members:
        return None
    leaf = members[0]
    names = tuple(
        part.partition(":")[2].lower()
        for part in leaf.get("X509v3 Subject Alternative Name", "").split(", ")
        if part.startswith(("DNS:", "IP Address:"))
    )
    ends = min(end for _, end in spans)
    return Certificate(_common(leaf["Subject"]), _common(leaf["Issuer"]), names, spans[0][0], ends, len(members))


def tls_cause(verify: int, chain: Certificate | None, host: str) -> CauseId:
    """The cause behind a refused certificate.

    `verify` is OpenSSL's verify result. 20 says "issuer not found": with a lone leaf that is a missing intermediate,
    with a longer chain an authority nobody here knows. A host mismatch carries no code of its own.
    """
    by_code = {_NOT_YET: "tls.not_yet_valid", _EXPIRED: "tls.expired", _SELF_SIGNED: "tls.self_signed"}
    if verify in by_code:
        return cause(by_code[verify])
    if verify in {_NO_ISSUER, _NO_LEAF_PROOF} and chain is not None and chain.length == 1:
        return cause("tls.incomplete_chain")
    if verify in {_SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _NO_LEAF_PROOF}:
        return cause("tls.untrusted")
    if chain is not None and not chain.covers(host):
        return cause("tls.hostname")
    return cause("tls.untrusted")


_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


@lru_cache(maxsize=4096)
def _when(text: str) -> datetime:
    """`Jan 11 12:20:40 2027 GMT`; the locale has no say in it."""
    month, day, clock, year = text.split()[:4]
    hour, minute, second = (int(part) for part in clock.split(":"))
    return datetime(int(year), _MONTHS[month], int(day), hour, minute, second, tzinfo=UTC)


def _common(name: str) -> str:
    """`O = Acme, CN = Acme R3` -> `Acme R3`."""
    parts = [part.partition("=") for part in name.split(", ")]
    return next((value.strip() for key, _, value in parts if key.strip() == "CN"), name)
