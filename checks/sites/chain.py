"""What a hop says about the next one. Pure: nothing here touches the network."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from checks.sites.exchange import Exchange, Fault
from checks.sites.url import BadUrl, Url, follow
from data.model.cause import cause

if TYPE_CHECKING:
    from data.model.target import Expect

MAX_REDIRECTS = 10
_CLIENT_SIDE_TEXT = 300
"""A page that shows more than this many characters is a page, whatever its scripts may do."""
_REFRESH_S = 5.0
_HEAD = 65_536
_META = re.compile(rb"<meta\b[^>]*\bhttp-equiv\s*=\s*[\"']?refresh\b[^>]*>", re.IGNORECASE)
_CONTENT = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_DELAY_URL = re.compile(r"\s*([\d.]+)\s*[;,]?\s*(?:url\s*=\s*)?[\"']?\s*([^\"']+?)\s*[\"']?\s*\Z", re.IGNORECASE)
_SCRIPT = re.compile(
    rb"(?:window\.|document\.|top\.|self\.)?location(?:\.href)?\s*(?:=|\.(?:replace|assign)\()\s*[\"']([^\"'\\]{1,2000})[\"']"
)
_INVISIBLE = re.compile(
    rb"<(script|style|noscript|title|head)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Next:
    """Where the chain goes on; `client_side` when a page, not the protocol, says so."""

    url: Url
    client_side: bool = False


def next_step(exchange: Exchange, expect: Expect) -> Next | Fault | None:
    """The next hop, why there can be none, or `None` when this answer is the end.

    1. A fault ends the chain. 2. So does a status that the check expressly accepts. 3. A redirect status needs a
    Location that is a URL of the web. 4. A short page may send the visitor on by meta refresh or script.
    """
    if exchange.fault or exchange.status in expect.status:
        return None
    if exchange.redirects:
        return _redirect(exchange)
    if 200 <= exchange.status < 300 and exchange.body:
        return _client_side(exchange)
    return None


def _redirect(exchange: Exchange) -> Next | Fault | None:
    location = exchange.header("location").strip()
    if not location:
        if exchange.status == 300:  # a list of choices is a page
            return None
        return Fault(
            cause("redirect.no_location"), f"{exchange.url.netloc} redirects ({exchange.status}) without a target"
        )
    target = follow(exchange.url, location)
    if isinstance(target, Url):
        return Next(target)
    if target.scheme and target.scheme not in {"http", "https"}:
        return Fault(
            cause("redirect.non_http"), f"{exchange.url.netloc} redirects to an app or script ({target.scheme}:)"
        )
    return Fault(cause("redirect.bad_location"), f"{exchange.url.netloc} redirects to a broken URL: {target.reason}")


def _client_side(exchange: Exchange) -> Next | None:
    head = exchange.body[:_HEAD]
    wanted = _meta_refresh(head) or _script_location(exchange.body)
    if not wanted:
        return None
    target = follow(exchange.url, wanted)
    return None if isinstance(target, BadUrl) or target == exchange.url else Next(target, client_side=True)


def _meta_refresh(head: bytes) -> str:
    found = _META.search(head) if b"efresh" in head or b"EFRESH" in head else None
    content = _CONTENT.search(found.group(0).decode("utf-8", "replace")) if found else None
    if content is None:
        return ""
    parts = _DELAY_URL.match(html.unescape(next(group for group in content.groups() if group is not None)))
    try:
        return parts.group(2) if parts and float(parts.group(1)) <= _REFRESH_S else ""
    except ValueError:
        return ""


def _script_location(body: bytes) -> str:
    """A literal assigned to `location` on a page that shows next to nothing else."""
    if len(body) > _HEAD or b"location" not in body:
        return ""
    found = _SCRIPT.search(body)
    if found is None or len(b" ".join(_INVISIBLE.sub(b" ", body).split())) > _CLIENT_SIDE_TEXT:
        return ""
    if re.search(rb"<(?:a|form|img|iframe)\b", body, re.IGNORECASE) and b"onclick" in body:
        return ""
    return found.group(1).decode("utf-8", "replace")


def lost_parameters(walk: tuple[Exchange, ...], keep: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """(parameter, index of the hop that dropped it) for each of `keep` whose value does not stand on the last URL.

    The dropper is the last hop whose own URL still carries the value.
    """
    lost: list[tuple[str, int]] = []
    for name in keep:
        wanted = values(walk[0].url, name)
        holders = [index for index, hop in enumerate(walk) if wanted and values(hop.url, name) == wanted]
        if wanted and holders[-1] != len(walk) - 1:
            lost.append((name, holders[-1]))
    return tuple(lost)


def values(url: Url, name: str) -> tuple[str, ...]:
    """All decoded values of a query parameter."""
    return tuple(
        value for key, value in parse_qsl(url.query, keep_blank_values=True, max_num_fields=None) if key == name
    )
