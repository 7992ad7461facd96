"""CSV for people: every row with its line, every oddity of a spreadsheet told in a sentence."""

from __future__ import annotations

import csv
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import ConfigError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from data.config.problems import Problems

MAX_FILE_BYTES = 256_000_000
MAX_LINE_CHARS = 65_536
_CELL_CHARS = 2_000
"""Longer cells are cut."""
_SAVE_AS_UTF8 = "save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    cells: dict[str, str]
    """By column; every column that the file may have is there, empty where it has no value. Cleaned."""


def read_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The file's bytes; raises `ConfigError` in a sentence when it is no readable, regular file of at most `limit`."""
    try:
        # O_NONBLOCK: a named pipe in place of a file must not hang us.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(path, None, f"cannot be read: {reason(error)}") from error
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            kind = "a directory" if stat.S_ISDIR(facts.st_mode) else "not a regular file"
            raise ConfigError(path, None, f"is {kind}")
        if facts.st_size > limit:
            raise ConfigError(path, None, f"is too large: {facts.st_size:,} bytes", allowed=f"up to {limit:,}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(handle)


def decode(path: Path, raw: bytes) -> str:
    """UTF-8 text, with or without BOM; raises `ConfigError` naming the line of the first byte that is none."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(path, 1, "is UTF-16", allowed=_SAVE_AS_UTF8)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{raw[error.start]:02x}"
        raise ConfigError(path, line, f"is not UTF-8 ({byte})", allowed=_SAVE_AS_UTF8) from None
    if "\0" in text:
        raise ConfigError(path, text.count("\n", 0, text.index("\0")) + 1, "holds a NUL byte")
    return text


def rows(path: Path, required: Collection[str], optional: Collection[str], problems: Problems) -> Iterator[Row]:
    """Rows of `path` in order; problems are collected and the row they spoil is left out."""
    try:
        text = decode(path, read_bytes(path))
    except ConfigError as error:
        problems.add(path, error.line, error.message, value=error.value, allowed=error.allowed)
        return
    lines = _lines(path, text, problems)
    columns = _header(path, lines, required, optional, problems)
    if not columns:
        return
    blank = dict.fromkeys((*required, *optional), "")
    for line, cells in lines:
        if len(cells) != len(columns):
            problems.add(
                path, line, f"row has {len(cells)} cells, the header {len(columns)}", value=",".join(cells)[:200]
            )
            continue
        yield Row(line, blank | dict(zip(columns, cells, strict=True)))


def _lines(path: Path, text: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Cleaned cells of every line that is not blank or a comment.

    A cell never spans lines, so one open quote spoils one row. A plain line, as most are, needs no CSV reader.
    """
    for line, content in enumerate(text.split("\n"), start=1):
        if not content or content.isspace() or content[0] == "#":
            continue
        if len(content) > MAX_LINE_CHARS:
            problems.add(
                path, line, f"line is too long: {len(content):,} characters", allowed=f"up to {MAX_LINE_CHARS:,}"
            )
            continue
        row = content.rstrip("\r")
        if len(row) <= _CELL_CHARS and '"' not in row and row.isascii() and row.isprintable() and "  " not in row:
            yield line, row.split(",") if " " not in row else [cell.strip() for cell in row.split(",")]
            continue
        try:
            yield line, list(map(_clean, next(csv.reader((row,), strict=True))))
        except csv.Error as error:
            words = "a quote is never closed" if "unexpected end" in str(error) else str(error)
            problems.add(path, line, f"row cannot be read: {words}", value=content[:200])


def _header(
    path: Path,
    lines: Iterator[tuple[int, list[str]]],
    required: Collection[str],
    optional: Collection[str],
    problems: Problems,
) -> list[str]:
    """The columns, or nothing when rows under them would make no sense."""
    line, cells = next(lines, (1, []))
    columns = [clean_text(cell).lower() for cell in cells]
    if not columns:
        problems.add(path, 1, "is empty", allowed=f"a header line: {','.join((*required, *optional))}")
        return []
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
        problems.add(path, line, "columns are not separated by commas", value=columns[0])
        return []
    known = (*required, *optional)
    for index, column in enumerate(columns):
        if column not in known:
            problems.add(
                path, line, "unknown column", value=column or "(empty)", allowed=", ".join(known), choices=known
            )
        elif column in columns[:index]:
            problems.add(path, line, "column stands twice", value=column)
    missing = [column for column in required if column not in columns]
    for column in missing:
        problems.add(path, line, f"column {column!r} is missing", allowed=", ".join(known))
    return [] if missing else columns


def _clean(cell: str) -> str:
    return clean_text(cell, _CELL_CHARS) if cell else ""


def reason(error: OSError) -> str:
    """The system's own words for what went wrong with a file."""
    return (error.strerror or "unknown reason").lower()
