"""Whether a channel can be reached at all: its address is connected to, and nothing is said."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.incidents.notify.delivery import DeliveryFailed
from checks.incidents.notify.send import plugin

if TYPE_CHECKING:
    import apprise

    from data.config.notifying import Channel

WAIT_S = 3.0
_OF_THE_SERVICE = ("notify_url", "webhook_url", "api_url")
"""Where services of one provider keep its address; for the others the URL's host is the address."""


def unreachable(channel: Channel, secret: str) -> str:
    """Why nothing answers there, in words; empty when something does, or when its address is not known. Blocks."""
    try:
        where = _of_url(channel.url) if channel.url else _of_service(plugin(secret))
    except DeliveryFailed as problem:
        return str(problem)
    if where is None:
        return ""
    try:
        socket.create_connection(where, timeout=WAIT_S).close()
    except (OSError, UnicodeError) as problem:
        return f"{where[0]}:{where[1]}: {getattr(problem, 'strerror', None) or problem}"
    return ""


def _of_service(service: apprise.NotifyBase) -> tuple[str, int] | None:
    for name in _OF_THE_SERVICE:
        url = getattr(type(service), name, None)
        if isinstance(url, str) and url.startswith("http"):
            return _of_url(url)
    host = str(getattr(service, "smtp_host", "") or service.host or "")
    known = "." in host or ":" in host or host == "localhost"
    return (host, int(service.port or (443 if service.secure else 80))) if known else None


def _of_url(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
