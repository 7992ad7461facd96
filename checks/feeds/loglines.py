"""One line of a click log: JSON, CSV, or whatever a regular expression reads. Pure."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import astuple

from data.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from checks.feeds.preset import Preset

COMBINED = (
    r'\S+ \S+ \S+ \[(?P<ts>[^\]]+)\] "\S+ (?P<placement>\S+)[^"]*" (?P<status>\d{3}) \S+'
    r'(?: "(?P<site>[^"]*)" "(?P<bot>[^"]*)")?'
)
"""What web servers write unless told otherwise: the path is the link, the referrer the site, the agent says who is a robot."""
_NAMES = ("at", "status", "bot", "site", "link", "partner", "offer", "brand", "geo", "host")
_MONTHS = {
    "Jan": 1,
    "Feb": 2,
    "Mar": 3,
    "Apr": 4,
    "May": 5,
    "Jun": 6,
    "Jul": 7,
    "Aug": 8,
    "Sep": 9,
    "Oct": 10,
    "Nov": 11,
    "Dec": 12,
}
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")

Parts = tuple[str, ...]
"""Texts in the order of `_NAMES`."""


def reader(preset: Preset, header: str = "") -> Callable[[bytes], Parts | None]:
    """Reads one line, or finds it is none; `header` names the columns of a CSV that has a first line of them."""
    log = preset.log
    wanted = [str(getattr(log, name)) for name in _NAMES]
    if log.pattern:
        return _by_pattern(COMBINED if log.pattern == "combined" else log.pattern, wanted)
    if preset.rows.format == "csv":
        return _by_columns([one.strip() for one in next(csv.reader([log.columns or header]), [])], wanted)
    return _by_json(wanted)


def nothing(_raw: bytes) -> Parts | None:
    """Reads no line: what stands until the first line says how."""
    return None


def needs_header(preset: Preset) -> bool:
    return preset.rows.format == "csv" and not preset.log.columns and not preset.log.pattern


def _by_pattern(pattern: str, wanted: list[str]) -> Callable[[bytes], Parts | None]:
    compiled = re.compile(pattern)
    if wanted[0] not in compiled.groupindex:
        raise ConfigError("losswatch.toml", None, "the pattern has no group for the time", value=pattern[:80], allowed=f"(?P<{wanted[0]}>...)")  # fmt: skip

    pick = itemgetter(*(compiled.groupindex.get(name, 0) - 1 for name in wanted))  # -1: the empty text behind them

    def read(raw: bytes) -> Parts | None:
        found = compiled.match(raw.decode("utf-8", "replace"))
        return pick((*found.groups(""), "")) if found else None

    return read


def _by_columns(columns: list[str], wanted: list[str]) -> Callable[[bytes], Parts | None]:
    places = [columns.index(name) if name in columns else -1 for name in wanted]
    width = len(columns)

    def read(raw: bytes) -> Parts | None:
        try:
            cells = next(csv.reader([raw.decode("utf-8", "replace")]), [])
        except csv.Error:
            return None
        if len(cells) != width or places[0] < 0 or cells == columns:
            return None
        return tuple(cells[n].strip() if n >= 0 else "" for n in places)

    return read


def _by_json(wanted: list[str]) -> Callable[[bytes], Parts | None]:
    names = list(dict.fromkeys(wanted))
    scalar = str | int | float | bool | None
    line = msgspec.defstruct(
        "Line",
        [(f"f{n}", scalar, "") for n in range(len(names))],
        rename={f"f{n}": name for n, name in enumerate(names)},
    )
    decode = msgspec.json.Decoder(line).decode
    pick = itemgetter(*(names.index(name) for name in wanted))

    def read(raw: bytes) -> Parts | None:
        try:
            found: Any = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return tuple([value if type(value) is str else _text(value) for value in pick(astuple(found))])

    return read


def _text(value: object) -> str:
    return "" if value is None else ("1" if value else "") if isinstance(value, bool) else str(value)


def moment(text: str, zone: ZoneInfo) -> float | None:
    """Seconds since 1970 of a time as logs write it; nothing for what is none."""
    try:
        if text[2:3] == "/" and (found := _CLF.fullmatch(text)):
            day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
            away = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
            at = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC)
            return (at - away).timestamp()
        if text[:1].isdigit() and text.replace(".", "", 1).isdigit() and len(text.partition(".")[0]) > 8:
            number = float(text)
            return number / 1000 if number > 1e11 else number
        stamp = datetime.fromisoformat(text)
        return (stamp.replace(tzinfo=zone) if stamp.tzinfo is None else stamp).timestamp()
    except (ValueError, KeyError, OverflowError):
        return None
