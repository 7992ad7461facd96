"""Rows of inventory/sites.csv out of what people have: a sitemap, a list of URLs, somebody's CSV."""

from __future__ import annotations

import csv
import io
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from data.config.inventory import OPTIONAL, REQUIRED
from data.config.rows import decode, read_bytes
from data.config.table import is_name
from data.config.urls import url_fault
from data.errors import ConfigError
from data.model.target import TargetKind
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BYTES = 52_428_800
"""The most that a sitemap may have, unpacked, by its own standard; nothing longer is read."""

COLUMNS = (*REQUIRED[TargetKind.SITE], *OPTIONAL[TargetKind.SITE])
_URL_COLUMNS = ("url", "loc", "link", "address", "domain", "website", "site_url")
_NAME_COLUMNS = ("site", "name", "id")
_GZIP = b"\x1f\x8b"
_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class Imported:
    """Sites found, and in words what was left out."""

    sites: tuple[dict[str, str], ...]
    """Columns of sites.csv; `site` and `url` always, others where the source had them."""
    skipped: tuple[str, ...] = ()


def read_sites(path: Path) -> Imported:
    """Sites of a sitemap (or an index of sitemaps that lie beside it), a CSV or a list of URLs; .gz is unpacked.

    Raises `ConfigError` when the file cannot be read or is none of these.
    """
    raw = _unpacked(path, read_bytes(path))
    return _sites(_entries(path, raw))


def parse_sites(raw: bytes, path: Path) -> Imported:
    """Like `read_sites`, for bytes that came from elsewhere; `path` names them in messages."""
    return _sites(_entries(path, _unpacked(path, raw)))


def sites_of_urls(urls: Iterable[str]) -> Imported:
    """Sites of URLs that a person typed."""
    return _sites({"url": url} for url in urls)


def _entries(path: Path, raw: bytes) -> Iterator[dict[str, str]]:
    start = raw[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        yield from _sitemap(path, raw)
    else:
        yield from _listed(path, decode(path, raw))


def _sites(entries: Iterable[dict[str, str]]) -> Imported:
    """Give every entry a URL with a scheme and a name of its own; drop doubles and what cannot be watched."""
    sites: list[dict[str, str]] = []
    names: dict[str, int] = {}
    urls: set[str] = set()
    skipped: list[str] = []
    for entry in entries:
        url = _with_scheme(entry["url"].strip())
        if fault := url_fault(url):
            skipped.append(f"{clean_text(entry['url'], 80)!r} {fault}")
        elif url not in urls:
            urls.add(url)
            name = _free_name(entry.get("site", "") or _name_of(url), names)
            sites.append({**entry, "site": name, "url": clean_text(url, 2_000)})
    return Imported(tuple(sites), tuple(skipped))


def _listed(path: Path, text: str) -> Iterator[dict[str, str]]:
    """A CSV when its first line has a column of URLs, else one URL a line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise ConfigError(path, None, "holds no URL", allowed="a sitemap, a CSV with a column 'url' or one URL a line")
    mark = max(",;\t", key=lines[0].count)
    header = [clean_text(cell).lower() for cell in lines[0].split(mark)]
    header = [cell.strip('"').strip() for cell in header]
    url_column = next((name for name in _URL_COLUMNS if name in header), "")
    if not url_column:
        yield from ({"url": line.split(mark)[0].strip().strip('"')} for line in lines)
        return
    name_column = next((name for name in _NAME_COLUMNS if name in header), "")
    try:
        for cells in csv.DictReader(io.StringIO("\n".join(lines[1:])), header, delimiter=mark, restval=""):
            kept = {key: clean_text(value, 2_000) for key, value in cells.items() if key in COLUMNS and value}
            yield kept | {"url": cells[url_column] or "", "site": cells[name_column] or "" if name_column else ""}
    except csv.Error as error:
        raise ConfigError(path, None, f"is no CSV that can be read: {error}") from None


@dataclass(slots=True)
class _Sitemap:
    """Collects `<loc>`; a document type is refused, and with it every entity that could grow or point elsewhere."""

    path: Path
    root: str = ""
    locations: list[str] = field(default_factory=list)
    _text: list[str] | None = None

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        plain = name.rpartition(":")[2]
        self.root = self.root or plain
        if plain == "loc":
            self._text = []

    def text(self, characters: str) -> None:
        if self._text is not None:
            self._text.append(characters)

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "loc" and self._text is not None:
            self.locations.append("".join(self._text).strip())
            self._text = None

    def doctype(self, *_: object) -> None:
        raise ConfigError(self.path, None, "has a document type, which a sitemap never needs; refused")


def _sitemap(path: Path, raw: bytes, *, nested: bool = False) -> Iterator[dict[str, str]]:
    found = _Sitemap(path)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = found.text, found.doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise ConfigError(path, error.lineno, f"is no XML that can be read: {expat.ErrorString(error.code)}") from None
    if found.root == "sitemapindex" and not nested:
        for location in found.locations:
            yield from _child(path, location)
    elif found.root == "urlset":
        yield from ({"url": location} for location in found.locations)
    else:
        raise ConfigError(path, None, "is not a sitemap", value=f"<{found.root}>", allowed="<urlset> or <sitemapindex>")


def _child(index: Path, location: str) -> Iterator[dict[str, str]]:
    """A sitemap of an index: the file of that name beside it, since nothing is fetched while files are read."""
    name = PurePosixPath(unquote(urlsplit(location).path)).name
    child = index.parent / name
    if not name or not child.is_file() or child.resolve() == index.resolve():
        words = f"is an index; put {clean_text(name, 80) or 'its sitemaps'} beside it"
        raise ConfigError(index, None, words, value=clean_text(location, 120))
    yield from _sitemap(child, _unpacked(child, read_bytes(child)), nested=True)


def _unpacked(path: Path, raw: bytes) -> bytes:
    if not raw.startswith(_GZIP):
        unpacked = raw
    else:
        try:
            unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw, MAX_BYTES + 1)
        except zlib.error:
            raise ConfigError(path, None, "is no gzip file that can be unpacked") from None
    if len(unpacked) > MAX_BYTES:
        raise ConfigError(path, None, "is too large", allowed=f"up to {MAX_BYTES:,} bytes unpacked")
    return unpacked


def _with_scheme(url: str) -> str:
    """`example.com/page` means HTTPS; anything with a scheme is taken at its word."""
    looks_bare = re.match(r"[\w-]+(\.[\w-]+)+(:\d+)?(/|$|\?)", url)
    return f"https://{url}" if looks_bare else url


def _name_of(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port else ""
    page = re.sub(r"[^\w./-]+", "-", unquote(parts.path)).strip("/-")
    query = re.sub(r"[^\w.-]+", "-", unquote(parts.query)).strip("-")
    return "/".join(part for part in (host + port, page, query) if part)


def _free_name(wanted: str, taken: dict[str, int]) -> str:
    """A usable name that nobody has; `taken` counts how often each was wanted."""
    plain = re.sub(r"[\s,;=\"']+", "-", clean_text(wanted, 400))[:_NAME_CHARS]
    plain = plain if is_name(plain) else "site"
    name = plain
    while name in taken:
        taken[plain] += 1
        name = f"{plain}~{taken[plain]}"
    taken[name] = 1
    return name
