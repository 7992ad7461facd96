"""What is a URL that can be watched, and what is a `HOST:PORT`."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_NO_HOST = "is not a URL with a valid host and port"
_HOST = re.compile(r"[^\s/?#@\\<>\"^`{|}%:\[\]]+")
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_PLAIN = re.compile(rf"https?://(?:{_LABEL}\.)*{_LABEL}(?::[1-9][0-9]{{0,3}})?(?:[/?#][!#-;=?-\[\]_a-z~]*)?")
"""What most URLs look like; nothing that it matches within `_PLAIN_CHARS` has a fault."""
_PLAIN_CHARS = 250
_SCHEMES = ("http", "https")
_BROKEN = re.compile(r"[\x00-\x20\x7f-\xa0<>\"\\^`{|}\u2028\u2029\u2400-\u2421\ufffd\ud800-\udfff]")


def url_fault(url: str, schemes: tuple[str, ...] = _SCHEMES, *, login: bool = False) -> str:
    """What is wrong with `url`, as the end of a sentence; empty when it can be requested."""
    if schemes is _SCHEMES and len(url) <= _PLAIN_CHARS and _PLAIN.fullmatch(url):
        return ""
    if not url or _BROKEN.search(url):
        return "contains a space or another character that no URL has" if url else "is empty"
    try:
        parts = urlsplit(url)
        usable = parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:
        return _NO_HOST
    if parts.scheme not in schemes:
        return f"does not start with {' or '.join(f'{scheme}://' for scheme in schemes[:2])}"
    if "@" in parts.netloc and not login:
        return "carries a user name or password, which belong in the keyring"
    return "" if usable else _NO_HOST


def proxy_fault(url: str) -> str:
    """Like `url_fault`, for the proxy of a vantage: SOCKS and a login are fine, a port is a must."""
    fault = url_fault(url, _PROXY_SCHEMES, login=True)
    return fault or ("" if urlsplit(url).port else "names no port")


def address_fault(address: str) -> str:
    """What is wrong with `HOST:PORT` (`[v6]:PORT`), as the end of a sentence."""
    host, _, port = address.rpartition(":")
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65_536:
        return "has no port between 1 and 65535"
    return "" if inner and _is_host(inner) and (":" not in inner or inner != host) else "has no valid host"


def host_fault(host: str) -> str:
    """What is wrong with a bare host name, as the end of a sentence."""
    return "" if host and ":" not in host and _is_host(host) else "is not a host name, without scheme, port and path"


def origin_fault(origin: str) -> str:
    """What is wrong with `HOST` or `HOST:PORT`, as the end of a sentence."""
    if _is_host(origin.strip("[]")) and (":" not in origin or origin.startswith("[") == origin.endswith("]")):
        return ""
    return address_fault(origin)


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host.partition("%")[0])
        except ValueError:
            return False
        return True
    labels = host.rstrip(".").split(".")
    return len(host) < 254 and all(0 < len(label) < 64 and _HOST.fullmatch(label) for label in labels)
