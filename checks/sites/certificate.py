from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from data.model.cause import cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import CauseId

CertInfo = tuple[tuple[tuple[str, str], ...], ...]
"""What libcurl's CERTINFO gives: one tuple of (field, value) pairs per certificate, the leaf first."""

WARN_DAYS = (21, 7, 2)
_LAST_PART = 0.3
"""Of a life that is too short for the configured warnings: renewal comes with a third of it left."""
_BY_CODE = {
    9: ("tls.not_yet_valid", "has a certificate that is not yet valid"),
    10: ("tls.expired", "has an expired certificate"),
    18: ("tls.self_signed", "has a self-signed certificate"),
    23: ("tls.untrusted", "has a revoked certificate"),
    24: ("tls.untrusted", "has a certificate of an authority that may not sign"),
    25: ("tls.untrusted", "has a chain longer than its authority allows"),
    26: ("tls.untrusted", "has a certificate that is not meant for servers"),
    47: ("tls.untrusted", "has a certificate for names its authority may not sign"),
    66: ("tls.untrusted", "has a certificate with a weak key"),
    67: ("tls.untrusted", "has a certificate of an authority with a weak key"),
    68: ("tls.untrusted", "has a certificate signed with a broken digest"),
    79: ("tls.untrusted", "has a certificate of an authority that may not sign"),
}
_NO_ISSUER = frozenset({20, 21})
_HOST = frozenset({0, 1, 62, 64})
"""libcurl leaves OpenSSL's result at 0 or 1 where only the name is wrong."""


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
    authority: str = ""
    """Who issued the last certificate on the way up from the leaf: nobody sent his own."""
    lone: bool = False
    """The leaf's own issuer was not sent."""
    fetched: bool = False
    """The last certificate on the way up says where its issuer's lies, as those below a public authority do."""
    shortest: str = ""
    """The member that ends first when it is not the leaf."""

    def days_left(self, now: datetime) -> float:
        return (self.ends - now).total_seconds() / 86_400

    def warned_at(self, now: datetime, warn_days: Iterable[int]) -> int | None:
        """The last of `warn_days` that has been crossed, if the certificate should have been renewed by now.

        None is while more than three tenths of its life are left: those of 6 or 45 days are renewed late.
        """
        left, life_days = self.days_left(now), (self.ends - self.starts).total_seconds() / 86_400
        crossed = min((days for days in warn_days if left < days), default=None)
        return None if left > _LAST_PART * life_days else crossed

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
    top = _climb(members)
    ends, first = min((end, number) for number, (_, end) in enumerate(spans))
    return Certificate(
        subject=_common(leaf["Subject"]),
        issuer=_common(leaf["Issuer"]),
        names=names,
        starts=spans[0][0],
        ends=ends,
        length=len(members),
        authority=_common(top["Issuer"]),
        lone=top is leaf,
        fetched="CA Issuers" in top.get("Authority Information Access", ""),
        shortest=_common(members[first]["Subject"]) if first else "",
    )


def _climb(members: list[dict[str, str]]) -> dict[str, str]:
    """The last member on the way from the leaf to its issuer, and on to his."""
    top, above = members[0], members[1:]
    while found := next((member for member in above if member["Subject"] == top["Issuer"]), None):
        above = [member for member in above if member is not found]
        top = found
    return top


def refusal(verify: int, chain: Certificate | None) -> tuple[CauseId, str]:
    """The cause behind a refused certificate and what to say of its host; `verify` is OpenSSL's verify result.

    "Issuer not found" is a missing intermediate or an unknown root. Roots need not be sent: where the issuer calls itself
    one, the authority is unknown. Else a lone leaf lacks its intermediate, and so does a chain whose end says where to
    fetch the next. A private authority's intermediate that nobody sends is told as missing, too: no evidence parts the two.
    """
    if verify in _BY_CODE:
        name, words = _BY_CODE[verify]
        return cause(name), words
    if verify in _HOST and chain is not None:
        names = ", ".join(chain.names[:3]) or chain.subject
        return cause("tls.hostname"), f"has a certificate for another host ({names})"
    whose = f" ({chain.authority})" if chain and chain.authority else ""
    rootless = chain is not None and "root" not in chain.authority.lower() and (chain.lone or chain.fetched)
    if verify in _NO_ISSUER and rootless:
        return cause("tls.incomplete_chain"), f"leaves out the intermediate certificate{whose}"
    return cause("tls.untrusted"), f"has a certificate of an unknown authority{whose}"


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
