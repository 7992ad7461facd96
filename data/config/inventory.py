"""inventory/sites.csv, links.csv and parsers.csv as targets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from data.config.problems import Problems
from data.config.rows import Row, reason, rows
from data.config.searches import Searches
from data.config.sections import COUNTRY_WORDS, TIERS, Defaults
from data.config.table import NAME_WORDS, is_country, is_name
from data.config.units import DURATION_WORDS, parse_duration
from data.config.urls import origin_fault, url_fault
from data.model.ids import PartnerId, TeamId
from data.model.target import Expect, Target, TargetKind, target_id

if TYPE_CHECKING:
    from collections.abc import Iterator


FILES = {TargetKind.SITE: "sites.csv", TargetKind.LINK: "links.csv", TargetKind.PARSER: "parsers.csv"}
REQUIRED = {
    TargetKind.SITE: ("site", "url", "team"),
    TargetKind.LINK: ("link", "url", "team"),
    TargetKind.PARSER: ("parser", "team"),
}
OPTIONAL = {
    TargetKind.SITE: (
        "tier",
        "geo",
        "project",
        "interval",
        "expect",
        "forbid",
        "status",
        "slow",
        "paused",
        "origin",
        "device",
    ),
    TargetKind.LINK: (
        *("site", "partner", "offer", "geo", "tier", "project", "interval", "final_host", "final_path", "keep"),
        *("expect", "forbid", "paused", "brand", "locale", "device", "depth"),
    ),
    TargetKind.PARSER: (
        *("url", "spec", "geo", "site", "interval", "project", "paused"),
        *("outside", "canary", "query"),
    ),
}

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2})?")
_YES = {"1", "true", "yes", "y"}
_NO = {"", "0", "false", "no", "n"}


@dataclass(slots=True)
class Inventory:
    """Reads the three files; problems are collected and a row that has one becomes no target."""

    home: Path
    folder: Path
    teams: Collection[str]
    partners: Collection[str]
    defaults: Mapping[str, Defaults]
    problems: Problems
    _sites: set[str] | None = None
    _specs: dict[str, str] = field(default_factory=dict)
    """What is wrong with a SPEC path, by path."""

    def targets(self) -> Iterator[Target]:
        there = self._files()
        for kind, name in FILES.items():
            if name in there:
                yield from self._read(kind, self.folder / name)

    def _read(self, kind: TargetKind, path: Path) -> Iterator[Target]:
        seen: dict[str, int] = {}
        alike: dict[tuple[str, ...], Target] = {}
        for row in self._rows(kind, path):
            name = row.cells[kind.value]
            _, url, *others = row.cells.values()
            known = alike.get(key := tuple(others))
            if known and name not in seen and is_name(name) and not url_fault(url):
                seen[name] = row.line
                yield _as(known, name, url)
                continue
            reader = _RowReader(path, row, self.problems)
            if seen.setdefault(name, row.line) != row.line:
                reader.wrong(f"{kind.value} stands already in line {seen[name]}", name)
            target = self._target(kind, name, reader)
            if reader.good:
                if kind is not TargetKind.PARSER:  # they are few, and what one must have depends on its other cells
                    alike[key] = target
                yield target
        if kind is TargetKind.SITE:
            self._sites = set(seen)

    def _rows(self, kind: TargetKind, path: Path) -> Iterator[Row]:
        """The rows of a file; one that stands for several searches as often as it has them."""
        found = rows(path, REQUIRED[kind], OPTIONAL[kind], self.problems)
        if kind is not TargetKind.PARSER:
            yield from found
            return
        searches = Searches(self.folder)
        for row in found:
            yield from searches.of(row, _RowReader(path, row, self.problems).wrong)

    def _target(self, kind: TargetKind, name: str, row: _RowReader) -> Target:
        defaults = self.defaults[kind.value]
        if not is_name(name):
            row.wrong(f"{kind.value} is not a usable name", name, NAME_WORDS)
        tier = row.tier()
        outside = row.flag("outside")
        return Target(
            id=target_id(kind, name),
            kind=kind,
            team=TeamId(row.one_of("team", self.teams)),
            name=name,
            url=row.url() if row.cell("url") or not outside else "",
            site=name if kind is TargetKind.SITE else self._site(row),
            partner=PartnerId(row.one_of("partner", self.partners)),
            offer=row.plain("offer"),
            geo=row.country(),
            tier=tier,
            project=row.plain("project"),
            interval_s=row.duration("interval", defaults.interval(tier)),
            timeout_s=defaults.timeout_s,
            expect=row.expect(defaults.slow_ms) if kind is not TargetKind.PARSER else Expect(),
            paused=row.flag("paused"),
            spec=self._spec(row) if kind is TargetKind.PARSER and (row.cell("spec") or not outside) else "",
            origin=row.origin(),
            device=row.device(),
            depth=row.depth(),
            outside=outside,
            canary=row.flag("canary"),
            query=row.cell("query"),
        )

    def _site(self, row: _RowReader) -> str:
        """A site of sites.csv; without that file any name will do, since facts may name sites nobody watches."""
        return row.one_of("site", self._sites) if self._sites is not None else row.plain("site")

    def _spec(self, row: _RowReader) -> str:
        spec = row.cell("spec")
        if spec not in self._specs:
            self._specs[spec] = _spec_fault(self.home, spec)
        if fault := self._specs[spec]:
            row.wrong(f"spec {fault}", spec)
        return spec

    def _files(self) -> set[str]:
        """Names in the folder; a CSV that nobody reads is reported."""
        try:
            names = {path.name for path in self.folder.iterdir()}
        except FileNotFoundError:
            return set()
        except OSError as error:
            self.problems.add(self.folder, None, f"cannot be read: {reason(error)}")
            return set()
        for name in sorted(names - set(FILES.values())):
            if name.endswith(".csv"):
                self.problems.add(
                    self.folder / name, None, "unknown inventory file", value=name, choices=list(FILES.values())
                )
        return names


@dataclass(slots=True)
class _RowReader:
    """Turns the cells of one row into values; `good` falls with the first problem."""

    path: Path
    row: Row
    problems: Problems
    good: bool = True

    def wrong(self, message: str, value: str, allowed: str = "", choices: Collection[str] = ()) -> None:
        self.good = False
        self.problems.add(self.path, self.row.line, message, value=value, allowed=allowed, choices=choices)

    def cell(self, column: str) -> str:
        return self.row.cells.get(column, "")

    def plain(self, column: str) -> str:
        """Free text that may stand in a slice's id."""
        value = self.cell(column)
        if "," in value or "=" in value:
            self.wrong(f"{column} may hold neither comma nor =", value)
        return value

    def one_of(self, column: str, choices: Collection[str]) -> str:
        value = self.cell(column)
        if value and value not in choices:
            self.wrong(
                f"no {column} of that name", value, "" if choices else f"none: no {column} is configured", choices
            )
        elif not value and column == "team":
            self.wrong("team is empty", "", choices=choices)
        return value

    def url(self) -> str:
        value = self.cell("url")
        if fault := url_fault(value):
            self.wrong(f"url {fault}", value)
        return value

    def country(self) -> str:
        value = self.cell("geo")
        if value and not is_country(value):
            self.wrong("geo is not a country code", value, COUNTRY_WORDS)
        return value.upper()

    def tier(self) -> int:
        value = self.cell("tier")
        if value in {"", "1", "2", "3"}:
            return int(value or TIERS[-1])
        self.wrong("tier is not a tier", value, "1, 2 or 3")
        return TIERS[-1]

    def origin(self) -> str:
        value = self.cell("origin")
        if value and (fault := origin_fault(value)):
            self.wrong(f"origin {fault}", value, "HOST or HOST:PORT, without a scheme")
        return value.lower()

    def device(self) -> str:
        value = self.cell("device").lower()
        if value not in {"", "desktop", "mobile"}:
            self.wrong("no device of that name", value, choices=["desktop", "mobile"])
        return "" if value == "desktop" else value

    def depth(self) -> int:
        value = self.cell("depth")
        if value and not (value.isascii() and value.isdigit() and int(value) <= 10):
            self.wrong("depth is not a number of hops", value, "0 (to the end) to 10")
            return 0
        return int(value or 0)

    def locale(self) -> str:
        value = self.cell("locale")
        if value and not _LOCALE.fullmatch(value):
            self.wrong("locale is not a language or a language and country", value, "de or de-AT")
            return ""
        return value

    def duration(self, column: str, default: float) -> float:
        value = self.cell(column)
        if not value:
            return default
        seconds = _seconds(value)
        if seconds is None or not 1.0 <= seconds <= 400 * 86_400.0:
            self.wrong(f"{column} is not a duration of at least 1s", value, DURATION_WORDS)
            return default
        return seconds

    def flag(self, column: str) -> bool:
        value = self.cell(column).lower()
        if value in _YES or value in _NO:
            return value in _YES
        self.wrong(f"{column} is neither yes nor no", value, "yes, no, true, false, 1, 0 or empty")
        return False

    def expect(self, slow_ms: int) -> Expect:
        slow = _seconds(self.cell("slow")) if self.cell("slow") else slow_ms / 1000
        if slow is None:
            self.wrong("slow is not a duration", self.cell("slow"), DURATION_WORDS)
        statuses = _split(self.cell("status"))
        if not all(_is_status(status) for status in statuses):
            self.wrong("status is not a list of HTTP statuses", self.cell("status"), "100 to 599, several with ;")
            statuses = ()
        return _expect(
            tuple(map(int, statuses)),
            self.cell("expect"),
            self.cell("forbid"),
            self.cell("final_host").lower(),
            self.cell("final_path"),
            self.cell("keep"),
            round((slow or 0.0) * 1000),
            self.cell("brand"),
            self.locale(),
        )


_OWN = ("id", "kind", "team", "name", "url", "site")
"""The first fields of a target."""
_shared = attrgetter(*(one.name for one in fields(Target) if one.name not in _OWN))


def _as(known: Target, name: str, url: str) -> Target:
    """What another row with the same cells beside name and URL becomes: most rows need not be judged anew."""
    site = name if known.kind is TargetKind.SITE else known.site
    return Target(target_id(known.kind, name), known.kind, known.team, name, url, site, *_shared(known))


@lru_cache(maxsize=4_096)
def _expect(  # one argument a column: they are the key of the cache
    status: tuple[int, ...],
    text: str,
    forbid: str,
    host: str,
    path: str,
    keep: str,
    slow_ms: int,
    brand: str,
    locale: str,
) -> Expect:
    """Most rows expect the same; they share one record."""
    return Expect(
        status, _split(text), _split(forbid), host, path, _split(keep), slow_ms, brand=_split(brand), locale=locale
    )


@lru_cache(maxsize=1_024)
def _seconds(text: str) -> float | None:
    try:
        return parse_duration(text)
    except ValueError:
        return None


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip()) if cell else ()


def _is_status(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) == 3 and 100 <= int(text) <= 599


def _spec_fault(home: Path, spec: str) -> str:
    if not spec:
        return "is empty"
    try:
        path = (home / spec).resolve()
        inside, there = path.is_relative_to(home.resolve()), path.is_file()
    except (OSError, ValueError, RuntimeError):
        return "is not the name of a file"
    if not inside:
        return "leads out of the home folder"
    return "" if there else f"names no file in {home}"
