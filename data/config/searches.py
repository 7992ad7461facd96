"""A row of parsers.csv that stands for many searches: each query in each country is a parser of its own.

1. `query` names one search or several, `a|b|c`, or `@FILE`, a text file beside parsers.csv with one a line. 2. `geo` names
one country or several, `DE|AT`. 3. `url` says where: `{query}` is the query, `{geo}` the country in small letters, `{GEO}`
in capitals. 4. `canary` is yes or no for all of the row, or names further queries, which always have results.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from data.config.rows import Row, decode, read_bytes
from data.errors import ConfigError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Wrong = Callable[..., None]

MOST = 5_000
"""Searches of one row."""
MOST_BYTES = 2_000_000
PLACES = ("{query}", "{geo}", "{GEO}")
FLAGS = frozenset({"", "yes", "no", "y", "n", "true", "false", "1", "0"})
_PLACE = re.compile(r"\{[^{}]*\}")
_QUERY_CHARS = 300
_NAME_CHARS = 120
_UNFIT = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Searches:
    """Expands rows of one folder's parsers.csv."""

    folder: Path

    def of(self, row: Row, wrong: Wrong) -> list[Row]:
        """`row` for each of its searches, itself where it is one; nothing once `wrong(message, value, ...)` was told why."""
        cells = row.cells
        if not _is_many(cells):
            return [row]
        if cells["outside"].strip().lower() in {"yes", "y", "true", "1"}:
            wrong("a parser that others run has one query; its runs say which they are of", cells["query"])
            return []
        named = cells["canary"].strip().lower() not in FLAGS
        if named and "{query}" not in cells["url"]:
            wrong("canary is neither yes nor no", cells["canary"], "yes, no, or queries where the url holds {query}")
            return []
        canaries = self._queries("canary", cells["canary"], wrong) if named else []
        queries = self._queries("query", cells["query"], wrong)
        geos = _split(cells["geo"]) or [""]
        if canaries is None or queries is None or not _fits(cells, [*queries, *canaries], geos, wrong):
            return []
        flag = "" if named else cells["canary"]
        pairs = [(query, flag) for query in queries or ([] if canaries else [""])]
        pairs += [(query, "yes") for query in canaries]
        if len(pairs) * len(geos) > MOST:
            wrong(f"{len(pairs) * len(geos):,} searches in one row", "", f"up to {MOST:,}; use several rows")
            return []
        return [_search(row, query, geo, canary, many=len(geos) > 1) for geo in geos for query, canary in pairs]

    def _queries(self, column: str, cell: str, wrong: Wrong) -> list[str] | None:
        """Queries of a cell or of the file it names; `None` once it was told why there are none."""
        found = _split(cell)
        if cell.startswith("@"):
            read = self._file(column, cell, wrong)
            if read is None:
                return None
            found = read
        seen = set[str]()
        for query in found:
            if query.lower() in seen:
                wrong(f"{column} names a search twice", query)
                return None
            seen.add(query.lower())
        return found

    def _file(self, column: str, cell: str, wrong: Wrong) -> list[str] | None:
        name = cell.removeprefix("@").strip()
        if not name.endswith(".txt") or "/" in name or "\\" in name:
            wrong(f"{column} names no file beside parsers.csv", cell, "@NAME.txt with one query a line")
            return None
        path = self.folder / name
        try:
            lines = decode(path, read_bytes(path, MOST_BYTES)).splitlines()
        except ConfigError as error:
            where = f"line {error.line} " if error.line else ""
            wrong(f"{column}: {name} {where}{error.message}", cell, error.allowed)
            return None
        found = [query for line in lines if (query := clean_text(line, _QUERY_CHARS).strip())]
        if not found:
            wrong(f"{column}: {name} names no query", cell, "one query a line")
            return None
        return found


def _is_many(cells: dict[str, str]) -> bool:
    """Whether the row is written for several searches; most rows are one page."""
    canary = cells["canary"].strip().lower()
    several = "|" in cells["query"] or "|" in cells["geo"] or cells["query"].startswith("@")
    return several or canary not in FLAGS or "{" in cells["url"]


def _fits(cells: dict[str, str], queries: Sequence[str], geos: Sequence[str], wrong: Wrong) -> bool:
    """Whether the URL has a place for what differs, and there is something for every place."""
    url = cells["url"]
    strange = next((place for place in _PLACE.findall(url) if place not in PLACES), "")
    if strange:
        wrong("url has no place of that name", strange, choices=PLACES)
    elif "{query}" in url and not queries:
        wrong("url holds {query} and query names none", url)
    elif len(queries) > 1 and "{query}" not in url:
        wrong("several queries need {query} in the url", url)
    elif "{geo}" in url.lower() and not geos[0]:
        wrong("url holds {geo} and geo names no country", url)
    elif len({geo.upper() for geo in geos}) < len(geos):
        wrong("geo names a country twice", cells["geo"])
    else:
        return True
    return False


def _search(row: Row, query: str, geo: str, canary: str, *, many: bool) -> Row:
    url = row.cells["url"]
    parts = [row.cells["parser"]]
    if many or "{geo}" in url.lower():
        parts.append(geo.lower())
    if "{query}" in url:
        parts.append(_slug(query))
    filled = {"{query}": quote(query, safe=""), "{geo}": geo.lower(), "{GEO}": geo.upper()}
    address = _PLACE.sub(lambda place: filled.get(place[0], place[0]), url)
    cells = {"parser": _short("-".join(parts)), "url": address, "query": query, "geo": geo, "canary": canary}
    return replace(row, cells=row.cells | cells)


def _slug(query: str) -> str:
    """The query as part of a name; with a check sum where something of it had to go."""
    slug = _UNFIT.sub("-", query.lower()).strip("-")
    return slug if slug.replace("-", " ") == query.lower() else f"{slug}-{_sum(query)}".strip("-")


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 7].rstrip('-')}-{_sum(name)}"


def _sum(text: str) -> str:
    return f"{zlib.crc32(text.encode()) & 0xFFFFFF:06x}"


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]
