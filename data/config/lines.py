"""Where each key of a TOML text stands: `tomllib` gives values only, people want line numbers."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]
"""Keys from the top; an element of an array of tables has its index in it: `("feeds", 0, "preset")`."""

_KEY = r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEYS = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEYS})[ \t]*\]\]?")
_PAIR = re.compile(rf"[ \t]*({_KEYS})[ \t]*=")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'|#[^\n]*|[\[\]{}\n]|[^\[\]{}\n\"'#]+|.",
    re.DOTALL,
)


@dataclass(slots=True)
class LineIndex:
    """Lines (from 1) of the tables and keys of one TOML text that `tomllib` has accepted."""

    _lines: dict[KeyPath, int] = field(default_factory=dict)
    _sizes: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """Line of `path`, or of the nearest table above it that has one."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None

    def note(self, path: KeyPath, line: int) -> None:
        self._lines.setdefault(path, line)

    def open_table(self, keys: tuple[str, ...], line: int, *, array: bool) -> KeyPath:
        """Path of a table header, with the index of every array of tables on the way."""
        path: KeyPath = ()
        for depth, key in enumerate(keys):
            path = (*path, key)
            if array and depth == len(keys) - 1:
                self._sizes[path] = self._sizes.get(path, 0) + 1
            if path in self._sizes:
                path = (*path, self._sizes[path] - 1)
        self.note(path, line)
        return path


def index_lines(text: str) -> LineIndex:
    """Walk the text statement by statement, skipping values by their brackets and quotes."""
    index, at, line = LineIndex(), 0, 1
    table: KeyPath = ()
    text = text.replace("\r\n", "\n")
    while at < len(text):
        if header := _HEADER.match(text, at):
            table = index.open_table(_split(header[2]), line, array=header[1] == "[[")
            end = header.end()
        elif pair := _PAIR.match(text, at):
            keys = _split(pair[1])
            for depth in range(len(keys)):
                index.note((*table, *keys[: depth + 1]), line)
            end = pair.end()
        else:
            end = at
        after = _end_of_value(text, end)
        line += text.count("\n", at, after)
        at = after
    return index


def _split(keys: str) -> tuple[str, ...]:
    found = re.findall(_KEY, keys)
    return tuple(next(iter(tomllib.loads(f"{key} = 0"))) for key in found)


def _end_of_value(text: str, at: int) -> int:
    """Offset just after the line break that ends the statement."""
    depth = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None
        at = token.end()
        match token[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case "\n" if depth <= 0:
                return at
            case _:
                pass
    return at
