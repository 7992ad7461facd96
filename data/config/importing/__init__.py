"""Rows of the inventory out of what people have: a sitemap, a list of URLs, a CSV, another monitor's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.config.importing import file_sd, gatus, kuma, listed, sitemap
from data.config.importing.cells import COLUMNS as _COLUMNS
from data.config.importing.imported import Collector, Imported
from data.config.importing.sitemap import MAX_BYTES, unpacked
from data.config.rows import decode, read_bytes
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["COLUMNS", "FORMATS", "MAX_BYTES", "Imported", "parse_sites", "read_sites", "recognised", "sites_of_urls"]

COLUMNS = _COLUMNS[TargetKind.SITE]
FORMATS = ("csv", "sitemap", "kuma", "gatus", "file_sd")


def read_sites(path: Path, form: str = "", kind: TargetKind | None = None) -> Imported:
    """Targets of a file, `.gz` unpacked; `form` is one of `FORMATS`, empty recognises it.

    Raises `ConfigError` when the file cannot be read or is none of these.
    """
    return parse_sites(read_bytes(path), path, form, kind)


def parse_sites(raw: bytes, path: Path, form: str = "", kind: TargetKind | None = None) -> Imported:
    """Like `read_sites`, for bytes that came from elsewhere; `path` names them in messages."""
    raw = unpacked(path, raw)
    form = form or recognised(raw, path)
    into = Collector(kind or _kind_of(raw, form))
    match form:
        case "sitemap":
            for location in sitemap.locations(path, raw):
                into.add(location)
        case "kuma":
            kuma.collect(path, raw, into)
        case "gatus":
            gatus.collect(path, raw, into)
        case "file_sd":
            file_sd.collect(path, raw, into)
        case _:
            listed.collect(path, decode(path, raw), into)
    return into.imported()


def sites_of_urls(urls: Iterable[str]) -> Imported:
    """Sites of URLs that a person typed."""
    into = Collector()
    for url in urls:
        into.add(url)
    return into.imported()


def recognised(raw: bytes, path: Path) -> str:
    """What the bytes are, by their first ones and the file's name."""
    start = raw[:200_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return "sitemap"
    if start.startswith(b"{"):
        return "kuma"
    if start.startswith(b"["):
        return "file_sd"
    suffixes = {suffix.lower() for suffix in path.suffixes}
    yaml = bool(suffixes & {".yaml", ".yml"})
    if yaml or b"\nendpoints:" in b"\n" + start or start.startswith((b"- targets:", b"---")):
        return "gatus" if b"\nendpoints:" in b"\n" + start or b"\nservices:" in b"\n" + start else "file_sd"
    return "csv"


def _kind_of(raw: bytes, form: str) -> TargetKind:
    first = raw[:65_536].decode("utf-8-sig", "replace")
    return TargetKind.LINK if form == "csv" and listed.holds_links(first) else TargetKind.SITE
