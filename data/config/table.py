from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from data.config.lines import KeyPath, LineIndex
from data.config.problems import Problems
from data.config.units import DURATION_WORDS, SIZE_WORDS, parse_duration, parse_size
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator


T = TypeVar("T")
NAME_WORDS = "up to 120 letters, digits and marks without spaces, commas, semicolons, quotes or ="
_NEVER = r"\s,;=\"'\x00-\x1f\x7f-\x9f\u2400-\u2421\ufffd"
_NAME = re.compile(rf"[^#{_NEVER}][^{_NEVER}]{{0,119}}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


def is_name(text: str) -> bool:
    """Whether `text` can name a target, team or partner: it must survive in ids, filters and CSV cells."""
    # of ASCII the pattern lets nothing pass that would be cleaned away
    return _NAME.fullmatch(text) is not None and (text.isascii() or clean_text(text, 200) == text)


def is_country(text: str) -> bool:
    return _COUNTRY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Source:
    """One TOML file being read."""

    file: Path
    lines: LineIndex
    problems: Problems


@dataclass(slots=True)
class Table:
    """A table of a TOML file: every read is checked, and what nobody asked for is reported by `done()`.

    A value that is missing or wrong is read as the default, so that one pass finds every problem.
    """

    source: Source
    path: KeyPath
    values: dict[str, object]
    _asked: set[str] = field(default_factory=set)

    def wrong(
        self, key: str, message: str, *, value: object = "", allowed: str = "", choices: Collection[str] = ()
    ) -> None:
        line = self.source.lines.line((*self.path, key))
        self.source.problems.add(
            self.source.file,
            line,
            f"{self._label(key)} {message}",
            value=_shown(value),
            allowed=allowed,
            choices=choices,
        )

    def text(self, key: str, default: str = "", *, required: bool = False, limit: int = 300) -> str:
        value = self._take(key, str, "a text in quotes", required=required)
        if value is None:
            return default
        if required and not value.strip():
            self.wrong(key, "is empty")
        return clean_text(value, limit)

    def name(self, key: str, *, required: bool = True) -> str:
        value = self.text(key, required=required)
        if value and not is_name(value):
            self.wrong(key, "is not a usable name", value=value, allowed=NAME_WORDS)
            return ""
        return value

    def choice(
        self, key: str, choices: Collection[str], what: str, default: str = "", *, required: bool = False
    ) -> str:
        """A text that is one of `choices`; `what` names them in the message."""
        value = self.text(key, default, required=required)
        if value and value not in choices:
            allowed = "" if choices else f"none: no {what} is configured"
            self.wrong(key, f"names no known {what}", value=value, allowed=allowed, choices=choices)
            return default
        return value

    def checked(self, key: str, fault: Callable[[str], str], *, required: bool = False) -> str:
        """A text that `fault` finds nothing wrong with."""
        raw = self._take(key, str, "a text in quotes", required=required)
        if raw and (words := fault(raw)):
            self.wrong(key, words, value=raw)
            return ""
        return raw or ""

    def texts(self, key: str, fault: Callable[[str], str] | None = None) -> tuple[str, ...]:
        values = self._take(key, list, "a list of texts")
        kept = []
        for value in values or ():
            if not isinstance(value, str):
                self.wrong(key, "holds something that is not a text", value=value, allowed="a list of texts")
            elif fault and (words := fault(value)):
                self.wrong(key, words, value=value)
            else:
                kept.append(clean_text(value, 2_000))
        return tuple(kept)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self._take(key, int, "a whole number")
        if value is None:
            return default
        if not low <= value <= high:
            self.wrong(key, "is out of range", value=value, allowed=f"{low} to {high}")
            return default
        return value

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        values = self._take(key, list, "a list of whole numbers") or []
        fitting = [one for one in values if isinstance(one, int) and not isinstance(one, bool) and low <= one <= high]
        if len(fitting) < len(values):
            self.wrong(key, "holds something else", value=values, allowed=f"whole numbers, {low} to {high}")
        return tuple(fitting)

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._take(key, (int, float), "a number")
        if value is None:
            return default
        if not low <= value <= high:  # also NaN
            self.wrong(key, "is out of range", value=value, allowed=f"{low:g} to {high:g}")
            return default
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, bool, "true or false")
        return default if value is None else value

    def duration(self, key: str, default: float, low: float = 0.0, high: float = 4_000 * 86_400.0) -> float:
        """Seconds of a text such as `"5m"`."""
        value = self._take(key, str, DURATION_WORDS)
        if value is None:
            return default
        try:
            seconds = parse_duration(value)
        except ValueError:
            self.wrong(key, "is not a duration", value=value, allowed=DURATION_WORDS)
            return default
        if not low <= seconds <= high:
            self.wrong(key, "is too short" if seconds < low else "is too long", value=value)
            return default
        return seconds

    def size(self, key: str, default: int) -> int:
        """Bytes of a text such as `"200MB"`."""
        value = self._take(key, str, SIZE_WORDS)
        if value is None:
            return default
        try:
            return parse_size(value)
        except ValueError:
            self.wrong(key, "is not a size", value=value, allowed=SIZE_WORDS)
            return default

    def moment(self, key: str) -> datetime | None:
        """Aware UTC."""
        value = self._take(key, datetime, "a time such as 2026-11-17T06:00:00Z", required=True)
        if value is None:
            return None
        if value.tzinfo is None:
            self.wrong(
                key, "has no time zone", value=value, allowed="a time that ends in Z, such as 2026-11-17T06:00:00Z"
            )
            return None
        return value.astimezone(UTC)

    def day(self, key: str) -> date | None:
        value = self._take(key, date, "a day without quotes, such as 2026-11-17")
        if isinstance(value, datetime):
            self.wrong(key, "has a time of day", value=value, allowed="a day alone, such as 2026-11-17")
            return None
        return value

    @property
    def line(self) -> int:
        """Where the table begins in its file; 0 where that is not known."""
        return self.source.lines.line(self.path) or 0

    def pairs(self, key: str) -> dict[str, str]:
        """A table of plain values, each as the text it would be written as."""
        values = self._take(key, dict, "a table of texts") or {}
        kept = {}
        for name, value in values.items():
            if isinstance(value, bool):
                kept[name] = "true" if value else "false"
            elif isinstance(value, str | int | float):
                kept[name] = clean_text(str(value), 2_000)
            else:
                self.wrong(key, f"holds {name!r}, which is not a plain value", value=value, allowed="texts and numbers")
        return kept

    def table(self, key: str) -> Table:
        """The table below `key`; an empty one when there is none."""
        values = self._take(key, dict, f"a table: [{self._label(key)}]")
        return Table(self.source, (*self.path, key), values or {})

    def tables(self, key: str) -> Iterator[Table]:
        """The elements of an array of tables."""
        elements = self._take(key, list, f"tables, each under [[{key}]]") or []
        for index, values in enumerate(elements):
            if isinstance(values, dict):
                yield Table(self.source, (*self.path, key, index), values)
            else:
                self.wrong(key, f"holds something that is not a table: write [[{key}]]", value=values)

    def done(self) -> None:
        """Report keys that were never asked for."""
        for key in self.values.keys() - self._asked:
            kind = "table" if isinstance(self.values[key], dict | list) else "key"
            line = self.source.lines.line((*self.path, key))
            inside = f" in {self._label()}" if self.path else ""
            self.source.problems.add(
                self.source.file, line, f"unknown {kind}{inside}", value=key, choices=sorted(self._asked)
            )

    def _take(self, key: str, kind: type[T] | tuple[type[T], ...], words: str, *, required: bool = False) -> T | None:
        self._asked.add(key)
        if key not in self.values:
            if required:
                line = self.source.lines.line(self.path)
                self.source.problems.add(self.source.file, line, f"{self._label()} lacks {key!r}", allowed=words)
            return None
        value = self.values[key]
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.wrong(key, f"is {_kind_words(value)}", value=value, allowed=words)
            return None
        return value

    def _label(self, *more: str) -> str:
        words = ".".join(str(part) for part in (*self.path, *more) if not isinstance(part, int))
        return words or "the file"


def _shown(value: object) -> str:
    return "" if isinstance(value, dict | list) else str(value)


def _kind_words(value: object) -> str:
    words = {
        str: "a text",
        bool: "a true or false",
        int: "a number",
        float: "a number",
        dict: "a table",
        list: "a list",
    }
    return words.get(type(value), "a date or time")
