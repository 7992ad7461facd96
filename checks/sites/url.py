from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

import idna

_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
LONGEST = 16_384
"""Characters of a URL; servers refuse half of it."""
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_SAFE = "!#$%&'()*+,/:;=?@[]~|{}^`\"<>-._"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http(s) URL as it goes on the wire: ASCII host, no credentials, the fragment set apart."""

    scheme: str
    host: str
    """Lower case, IDNA-encoded; an IPv6 literal without brackets."""
    port: int
    target: str
    """Path and query."""
    literal: bool
    """The host is an IP address."""
    fragment: str = field(default="", compare=False)
    """What stood behind `#`: kept by the visitor's browser, never sent."""

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class BadUrl:
    """Why a text is not a URL that can be checked."""

    reason: str
    scheme: str = ""
    """Set when it is a URL of another scheme (`market`, `javascript`, ...)."""


def parse(text: str) -> Url | BadUrl:
    """Read the URL of a check strictly; whatever is wrong with it comes back as a sentence, never as an exception."""
    stripped = text.strip()
    if not stripped:
        return BadUrl("the URL is empty")
    if len(stripped) > LONGEST:
        return BadUrl(f"the URL is longer than {LONGEST:,} characters")
    if _LONE_SURROGATE.search(stripped):
        return BadUrl("the URL is not valid UTF-8")
    if _SPACE_OR_CONTROL.search(stripped):
        return BadUrl("the URL contains spaces or control characters")
    return _split(stripped, credentials=False)


def follow(base: Url, location: str) -> Url | BadUrl:
    """Resolve a Location as browsers do: relative allowed, spaces and non-ASCII encoded, credentials dropped."""
    wanted = location.strip().replace("\\", "/")
    wanted = "".join(quote(char) if char == " " or ord(char) > 126 else char for char in _utf8(wanted) if char >= " ")
    scheme = _SCHEME.match(wanted)
    if scheme and scheme.group(0)[:-1].lower() not in DEFAULT_PORTS:
        return BadUrl("it leaves the web", scheme.group(0)[:-1].lower())
    if scheme:  # urljoin would take `http://` for the base itself
        return _split(wanted, credentials=True)
    try:
        return _split(urljoin(base.text, wanted), credentials=True)
    except ValueError as problem:
        return BadUrl(f"the target is malformed ({problem})")


def with_probe(url: str, mark: str) -> str:
    """`url` with the query parameter of `mark` (`NAME=VALUE`) set to its value; the rest stays as it was, byte for byte."""
    name, _, _ = mark.partition("=")
    if not name:
        return url
    whole, hash_mark, fragment = url.partition("#")
    base, question, query = whole.partition("?")
    fields = query.split("&") if question and query else []
    marked = [mark if part.partition("=")[0].lower() == name.lower() else part for part in fields]
    if mark not in marked:
        marked.append(mark)
    return f"{base}?{'&'.join(marked)}{hash_mark}{fragment}"


def on_host(host: str, wanted: str) -> bool:
    """`host` is `wanted` or below it; `www.` and letter case do not matter."""
    name, below = _plain_host(wanted)
    return host == name or host.endswith(below)


@lru_cache(maxsize=16_384)
def _plain_host(wanted: str) -> tuple[str, str]:
    name = wanted.lower().strip("[]").removeprefix("www.").removesuffix(".")
    return name, f".{name}"


def _utf8(raw: str) -> str:
    """Header bytes arrive as latin-1; most servers mean UTF-8."""
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw


def _split(text: str, *, credentials: bool) -> Url | BadUrl:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as problem:
        return BadUrl(f"the URL is malformed ({problem})")
    if parts.scheme not in DEFAULT_PORTS:
        return BadUrl("the URL must begin with http:// or https://", parts.scheme)
    if not credentials and "@" in parts.netloc:
        return BadUrl("the URL carries a user name or password")
    if port == 0:
        return BadUrl("the port must be between 1 and 65535")
    host = _host(parts.hostname or "")
    if isinstance(host, BadUrl):
        return host
    name, literal = host
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    return Url(parts.scheme, name, port or DEFAULT_PORTS[parts.scheme], target, literal, parts.fragment)


def _host(name: str) -> tuple[str, bool] | BadUrl:
    if not name:
        return BadUrl("the URL has no host")
    try:
        return str(ipaddress.ip_address(name)), True
    except ValueError:
        pass
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return BadUrl("the host is not a valid internationalised name")
    labels = name.lower().removesuffix(".").split(".")
    if len(name) > 253 or not all(_LABEL.match(label) for label in labels):
        return BadUrl("the host is not a valid name")
    if labels[-1].isdigit():
        return BadUrl("the host is not a valid IPv4 address")
    return ".".join(labels), False
