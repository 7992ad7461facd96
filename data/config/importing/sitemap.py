from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from data.config.rows import read_bytes
from data.errors import ConfigError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 52_428_800
"""The most that a sitemap may have, unpacked, by its own standard; nothing longer is read of any source."""
_GZIP = b"\x1f\x8b"


def locations(path: Path, raw: bytes, *, nested: bool = False) -> Iterator[str]:
    """Every `<loc>` of a sitemap, or of the sitemaps beside an index of them; raises `ConfigError`."""
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
        yield from found.locations
    else:
        raise ConfigError(path, None, "is not a sitemap", value=f"<{found.root}>", allowed="<urlset> or <sitemapindex>")


def unpacked(path: Path, raw: bytes) -> bytes:
    """The bytes of a file that may be gzip; raises `ConfigError` for one that is too large unpacked."""
    plain = raw
    if raw.startswith(_GZIP):
        try:
            plain = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw, MAX_BYTES + 1)
        except zlib.error:
            raise ConfigError(path, None, "is no gzip file that can be unpacked") from None
    if len(plain) > MAX_BYTES:
        raise ConfigError(path, None, "is too large", allowed=f"up to {MAX_BYTES:,} bytes unpacked")
    return plain


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


def _child(index: Path, location: str) -> Iterator[str]:
    """A sitemap of an index: the file of that name beside it, since nothing is fetched while files are read."""
    name = PurePosixPath(unquote(urlsplit(location).path)).name
    child = index.parent / name
    if not name or not child.is_file() or child.resolve() == index.resolve():
        words = f"is an index; put {clean_text(name, 80) or 'its sitemaps'} beside it"
        raise ConfigError(index, None, words, value=clean_text(location, 120))
    yield from locations(child, unpacked(child, read_bytes(child)), nested=True)
