"""What the status and the outer shape of a final answer say by themselves. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data.model.cause import cause

if TYPE_CHECKING:
    from checks.sites.exchange import Exchange
    from data.model.ids import CauseId

_BY_STATUS = {401: "http.auth", 407: "http.auth", 410: "http.gone", 429: "http.rate_limited", 451: "http.legal_block"}
_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+)\s*\Z", re.IGNORECASE)
_PACKED = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How packed bytes begin; no text does."""


def by_status(exchange: Exchange) -> tuple[CauseId, str]:
    """Cause and words of an answer that is neither a success nor a redirect that leads anywhere."""
    status = exchange.status
    if status >= 600 or status < 200:
        return cause("proto.malformed"), f"answers {status}"
    if status == 304:
        return cause("proto.malformed"), "answers 304 (not modified) to a request without conditions"
    if status < 400:
        return cause("redirect.no_location"), f"redirects ({status}) without a target"
    if status == 503 and exchange.header("retry-after"):
        return cause("http.maintenance"), "answers 503 and says when to come back"
    name = _BY_STATUS.get(status) or ("http.5xx" if status >= 500 else "http.4xx")
    return cause(name), f"answers {status}"


def no_success(exchange: Exchange, accepted: tuple[int, ...]) -> tuple[CauseId, str] | None:
    """Cause and words of a 2xx answer that brings no page: a part that nobody asked for, a body packed once too often."""
    if not 200 <= exchange.status < 300:
        return None
    if exchange.status == 206 and 206 not in accepted and (part := _part(exchange.header("content-range"))):
        return cause("proto.truncated"), f"answers with {part} unasked"
    name = next((name for mark, name in _PACKED.items() if exchange.body.startswith(mark)), "")
    if name and exchange.header("content-type").lower().startswith("text/"):
        return cause("proto.decode"), f"sends {name} where its headers say text"
    return None


def _part(content_range: str) -> str:
    """`100 of 5,000 bytes`; empty when it is the whole or cannot be read."""
    found = _RANGE.match(content_range.strip())
    if found is None:
        return ""
    first, last, total = map(int, found.groups())
    size = last - first + 1
    return f"{size:,} of {total:,} bytes" if size < total else ""
