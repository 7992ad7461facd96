from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from data.config.importing.cells import COLUMNS, cell_fault
from data.config.table import is_name
from data.config.urls import url_fault
from data.model.target import TargetKind
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME_CHARS = 100
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """Sites or links found, and in words what was left out of the source."""

    sites: tuple[dict[str, str], ...]
    """Columns of sites.csv or links.csv; the name (`site` or `link`) and `url` always, others where the source had them."""
    skipped: tuple[str, ...] = ()
    """Entries that cannot be watched, a sentence each."""
    notes: tuple[str, ...] = ()
    """Parts of kept entries that cannot be carried over, a sentence for all entries that have one."""
    kind: TargetKind = TargetKind.SITE


@dataclass(slots=True)
class Collector:
    """Takes what a source says of each target: drops doubles and what cannot be watched, gives names of their own.

    A URL that carries a secret is never taken over: the inventory is a file that people share.
    """

    kind: TargetKind = TargetKind.SITE
    rows: list[dict[str, str]] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)
    _urls: set[str] = field(default_factory=set)
    _skipped: list[str] = field(default_factory=list)
    _notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, url: str, name: str = "", cells: Mapping[str, str] | None = None) -> str:
        """Take one target; returns its name, empty when it was left out."""
        url = with_scheme(url.strip())
        if fault := _url_fault(url):
            self.skip(url, fault)
            return ""
        if url in self._urls:
            if name:
                self.note("stand(s) twice with the same URL; taken once", name)
            return ""
        self._urls.add(url)
        free = self._free_name(name or name_of(url))
        self.rows.append({**self._good(cells or {}, free), self.kind.value: free, "url": url})
        return free

    def skip(self, what: str, why: str) -> None:
        self._skipped.append(f"{clean_text(redact(what), 80)!r} {why}")

    def note(self, words: str, name: str) -> None:
        """A part of the target `name` that cannot be carried over; equal words are told once for all of them."""
        self._notes[words].append(clean_text(name, 60))

    def imported(self) -> Imported:
        notes = tuple(f"{_some(names)}: {words}" for words, names in self._notes.items())
        return Imported(tuple(self.rows), tuple(self._skipped), notes, self.kind)

    def _good(self, cells: Mapping[str, str], name: str) -> dict[str, str]:
        """The cells that the inventory accepts."""
        kept = {}
        for column in COLUMNS[self.kind]:
            value = clean_text(cells.get(column, ""), 2_000)
            if not value or column in {self.kind.value, "url"}:
                continue
            if fault := cell_fault(column, value):
                self.note(f"{column} {clean_text(value, 40)!r} {fault}; left out", name)
            else:
                kept[column] = value
        return kept

    def _free_name(self, wanted: str) -> str:
        """A usable name that nobody has; `_names` counts how often each was wanted."""
        plain = re.sub(r"[\s,;=\"']+", "-", clean_text(wanted, 400))[:_NAME_CHARS]
        plain = plain if is_name(plain) else self.kind.value
        name = plain
        while name in self._names:
            self._names[plain] += 1
            name = f"{plain}~{self._names[plain]}"
        self._names[name] = 1
        return name


def _url_fault(url: str) -> str:
    if fault := url_fault(url):
        return fault
    if clean_text(url, 2_000) != url:
        return "is longer than 2,000 characters or holds one that no terminal shows"
    if redact(url) != url:
        return "carries a key, which no inventory may hold: ask for an address without one"
    return ""


def with_scheme(url: str) -> str:
    """`example.com/page` means HTTPS; anything with a scheme is taken at its word."""
    looks_bare = re.match(r"[\w-]+(\.[\w-]+)+(:\d+)?(/|$|\?)", url)
    return f"https://{url}" if looks_bare else url


def name_of(url: str) -> str:
    """`casino.example/bonus` of `https://www.casino.example/bonus/`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port else ""
    page = re.sub(r"[^\w./-]+", "-", unquote(parts.path)).strip("/-")
    query = re.sub(r"[^\w.-]+", "-", unquote(parts.query)).strip("-")
    return "/".join(part for part in (host + port, page, query) if part)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"
