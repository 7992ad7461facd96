from __future__ import annotations

import difflib
import re
import tomllib
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, cast

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from data.errors import ConfigError

_PARSER_KEYS = ("name", "items", "min_items", "fields")
_FIELD_KEYS = ("css", "attr", "type", "many", "required")


class FieldKind(StrEnum):
    TEXT = "text"
    URL = "url"
    NUMBER = "number"
    DATE = "date"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    name: str
    css: str
    """Within each item where the SPEC has items, else within the page. Empty is the item itself."""
    attr: str = ""
    """Attribute to read; empty reads the text."""
    kind: FieldKind = FieldKind.TEXT
    many: bool = False
    required: bool | None = None
    """True: empty on a whole page is a failure by itself. False: may be empty on a page. None: history decides."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a parser takes from a page."""

    name: str
    fields: tuple[FieldSpec, ...]
    items: str = ""
    """Selector of the repeated item; empty where fields belong to the page as a whole."""
    min_items: int = 0

    @property
    def fingerprint(self) -> str:
        """Changes when what is extracted changes: history of one fingerprint says nothing about another."""
        parts = [self.items, *(f"{f.name}|{f.css}|{f.attr}|{f.kind}|{f.many}" for f in self.fields)]
        return f"{zlib.crc32(chr(10).join(parts).encode()):08x}"


def load_spec(path: Path) -> Spec:
    """Read a SPEC.toml; raises `ConfigError` for everything that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8"
        raise ConfigError(path, None, f"cannot read this SPEC: {reason}") from problem
    return parse_spec(text, path)


def parse_spec(text: str, file: Path | str = "SPEC.toml") -> Spec:
    """The SPEC in `text`; `file` is only for messages."""
    return _Reader(text, file).spec()


def valid_css(selector: str) -> bool:
    try:
        LexborHTMLParser("<p>").css(selector)
    except (SelectolaxError, ValueError, RuntimeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks the TOML and names the line of whatever it refuses."""

    text: str
    file: Path | str

    def spec(self) -> Spec:
        try:
            top: dict[str, object] = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as problem:
            found = re.search(r"line (\d+)", str(problem))
            raise ConfigError(self.file, int(found[1]) if found else None, f"not TOML: {problem}") from problem
        for key in top.keys() - {"parser"}:
            self._unknown(key, ("parser",), "")
        table = self._table(top.get("parser"), "parser")
        for key in table.keys() - set(_PARSER_KEYS):
            self._unknown(key, _PARSER_KEYS, "parser")
        fields = self._table(table.get("fields"), "parser.fields")
        items = self._css(table.get("items", ""), "parser", "items")
        read = tuple(
            self._field(name, self._table(body, f"parser.fields.{name}"), items) for name, body in fields.items()
        )
        if not read:
            raise ConfigError(self.file, self._line("parser", ""), "a parser needs at least one [parser.fields.NAME]")
        return Spec(self._str(table, "parser", "name") or Path(self.file).stem, read, items, self._count(table))

    def _field(self, name: str, table: dict[str, object], items: str) -> FieldSpec:
        where = f"parser.fields.{name}"
        for key in table.keys() - set(_FIELD_KEYS):
            self._unknown(key, _FIELD_KEYS, where)
        css = self._css(table.get("css", ""), where, "css")
        if not css and not items:
            raise ConfigError(self.file, self._line(where, ""), f"field {name!r} has no css and the SPEC has no items")
        kind = self._str(table, where, "type") or "text"
        if kind not in set(FieldKind):
            allowed = tuple(FieldKind)
            raise ConfigError(
                self.file, self._line(where, "type"), "no such field type",
                value=kind, allowed=", ".join(allowed), nearest=_nearest(kind, allowed),
            )  # fmt: skip
        required = self._bool(table, where, "required") if "required" in table else None
        many = self._bool(table, where, "many")
        return FieldSpec(name, css, self._str(table, where, "attr"), FieldKind(kind), many, required)

    def _css(self, selector: object, where: str, key: str) -> str:
        if not isinstance(selector, str):
            self._wrong(where, key, selector, "a CSS selector as a string")
        if selector and not valid_css(selector):
            hint = 'attributes are read by attr = "..."' if "::" in selector else "a CSS selector"
            self._wrong(where, key, selector, hint)
        return selector

    def _str(self, table: dict[str, object], where: str, key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._wrong(where, key, value, "a string")
        return value

    def _bool(self, table: dict[str, object], where: str, key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self._wrong(where, key, value, "true or false")
        return value

    def _count(self, table: dict[str, object]) -> int:
        value = table.get("min_items", 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self._wrong("parser", "min_items", value, "a whole number, 0 or more")
        return value

    def _table(self, value: object, where: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise ConfigError(self.file, self._line(where, ""), f"[{where}] is missing or not a table")
        return cast("dict[str, object]", value)

    def _wrong(self, where: str, key: str, value: object, allowed: str) -> NoReturn:
        raise ConfigError(
            self.file,
            self._line(where, key),
            f"{key} of [{where}] is not usable",
            value=str(value)[:80],
            allowed=allowed,
        )

    def _unknown(self, key: str, known: tuple[str, ...], where: str) -> NoReturn:
        raise ConfigError(
            self.file, self._line(where, key), f"unknown key in [{where}]" if where else "unknown table",
            value=key, allowed=", ".join(known), nearest=_nearest(key, known),
        )  # fmt: skip

    def _line(self, where: str, key: str) -> int | None:
        """First line of `key` inside the table `where`; the table's own line when the key is not found there."""
        table_line, here = None, ""
        for number, line in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
            if header:
                here = header[1].replace('"', "")
                table_line = number if here == (f"{where}.{key}" if where else key) else table_line
            if here == where and not header and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line) and key:
                return number
            if header and here == where and table_line is None:
                table_line = number
        return table_line


def _nearest(word: str, known: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(word, known, n=1)), "")
