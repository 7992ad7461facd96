"""The inventory's links as a page is compared with them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from data.model.target import Target, TargetKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

IDENTITIES = frozenset(
    {
        "a", "a_aid", "aff", "aff_id", "affid", "affiliate", "affiliate_id", "affiliateid", "aid", "btag", "mid", "partner",
        "partner_id", "partnerid", "pid", "pub", "pubid", "ref", "refid", "referrer", "stag", "tag", "trackid", "wm",
    }
)  # fmt: skip
"""Parameters by which platforms know whom to pay; for links whose row does not say which must survive."""
VARYING = frozenset(
    {
        "aff_click_id", "aff_sub", "anid", "cid", "click_id", "clickid", "clickref", "gclid", "msclkid", "payload", "s1", "s2",
        "s3", "sub", "sub1", "sub2", "sub3", "sub_id", "subid", "tid", "transaction_id", "var",
    }
)  # fmt: skip
"""Parameters that differ from visitor to visitor or page to page: their values accuse nobody."""


@dataclass(frozen=True, slots=True)
class Registry:
    """What a probe needs to know of the links; texts are shared with the targets."""

    pages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """URLs of the links that belong to a site, by the site's name, in the order of the inventory."""
    tracked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameters that must stand on a link to a host, by host."""


@dataclass(slots=True)
class Allowed:
    """Which affiliate ids are ours, over the whole company."""

    values: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """By (host, parameter)."""
    kept: set[str] = field(default_factory=set)
    """Parameters that some row says must survive."""
    partners: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Whose links belong to a site, in the order of `Registry.pages`, by the site's name."""

    def partner(self, site: str, links: int) -> str:
        """The one partner of the links in a mask; empty when there are several or none is known."""
        owners = self.partners.get(site, ())
        found = {owner for number, owner in enumerate(owners) if links >> number & 1}
        return found.pop() if len(found) == 1 else ""

    def ours(self, host: str, name: str, value: str) -> bool:
        """Also of a host or parameter that the inventory knows nothing of."""
        known = self.values.get((host, name))
        return known is None or value in known


def registry_of(targets: tuple[Target, ...]) -> tuple[Registry, Allowed]:
    """Both views of the links; paused links count, a page may go on showing them. The last answer is kept."""
    known = _last[0]
    if known is None or known[0] is not targets:
        known = _last[0] = (targets, *_registry_of(targets))
    return known[1], known[2]


_last: list[tuple[tuple[Target, ...], Registry, Allowed] | None] = [None]


def _registry_of(targets: Iterable[Target]) -> tuple[Registry, Allowed]:
    pages: dict[str, list[str]] = {}
    tracked: dict[str, set[str]] = {}
    partners: dict[str, list[str]] = {}
    allowed = Allowed()
    for target in targets:
        if target.kind is not TargetKind.LINK:
            continue
        if target.site:
            pages.setdefault(target.site, []).append(target.url)
            partners.setdefault(target.site, []).append(target.partner)
        host, _, query = place(target.url)
        keep = {name.lower() for name in target.expect.keep}
        allowed.kept |= keep
        for name, value in ids_of(query, keep or IDENTITIES).items():
            tracked.setdefault(host, set()).add(name)
            if name not in VARYING:
                allowed.values.setdefault((host, name), set()).add(value)
    allowed.partners = {site: tuple(owners) for site, owners in partners.items() if any(owners)}
    return Registry(
        {site: tuple(urls) for site, urls in pages.items()},
        {host: tuple(sorted(names)) for host, names in tracked.items()},
    ), allowed


def ids_of(query: str, names: Collection[str]) -> dict[str, str]:
    """Decoded values of the parameters among `names` (lower case) that are there and not empty; the last of each."""
    found: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        name = unquote_plus(name).lower()
        if value and name in names:
            found[name] = unquote_plus(value)
    return found


def place(url: str) -> tuple[str, str, str]:
    """(host with port and without `www.`, path without trailing slash, query) of an absolute URL, by plain cuts."""
    rest, _, query = url.partition("#")[0].partition("?")
    host, _, path = rest.partition("//")[2].partition("/")
    return host.rpartition("@")[2].lower().removeprefix("www."), "/" + path.rstrip("/"), query
