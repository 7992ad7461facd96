"""Imported rows into a file of the inventory: people's lines, order and comments stay as they are."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.config.importing.cells import COLUMNS
from data.config.inventory import REQUIRED
from data.config.problems import Problems
from data.config.rows import decode, read_bytes, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from data.config.rows import Row
    from data.model.target import TargetKind


@dataclass(frozen=True, slots=True)
class Merged:
    """What a file of the inventory becomes."""

    text: str
    added: int = 0
    changed: int = 0
    known: tuple[str, ...] = ()
    """Imported names whose URL stands in the file under another name; they are left alone."""


@dataclass(slots=True)
class _File:
    """The file as it is: its lines, and the row of each name."""

    lines: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    header: int = 0
    """Index of the header among the lines."""
    by_name: dict[str, Row] = field(default_factory=dict)
    by_url: dict[str, str] = field(default_factory=dict)


def merge(path: Path, kind: TargetKind, imported: Iterable[Mapping[str, str]]) -> Merged:
    """The file at `path` with the imported rows in it.

    1. A name that stands in the file takes the cells that the source gives; its other cells stay. 2. A URL that stands
    there under another name is left alone. 3. Everything else is appended. Nothing is ever removed.

    Raises `ConfigErrors` when the file is there and cannot be read.
    """
    file = _read(path, kind)
    fresh: list[dict[str, str]] = []
    changed: dict[int, dict[str, str]] = {}
    known: list[str] = []
    for entry in imported:
        name, given = entry[kind.value], {column: value for column, value in entry.items() if value}
        row = file.by_name.get(name)
        if row is not None:
            cells = row.cells | given
            if cells != row.cells:
                changed[row.line] = cells
        elif entry["url"] in file.by_url:
            known.append(name)
        else:
            fresh.append(given)
    columns = _columns(file.columns, kind, [*fresh, *changed.values()])
    text = _text(file, columns, changed, fresh)
    return Merged(text, len(fresh), len(changed), tuple(known))


def _read(path: Path, kind: TargetKind) -> _File:
    if not path.exists():
        return _File()
    problems = Problems()
    known = COLUMNS[kind]
    needed = REQUIRED[kind]
    found = list(rows(path, needed, [column for column in known if column not in needed], problems))
    problems.raise_any()
    file = _File(decode(path, read_bytes(path)).removesuffix("\n").split("\n"))
    file.header = next(index for index, line in enumerate(file.lines) if line.strip() and line[0] != "#")
    file.columns = [cell.strip().lower() for cell in next(csv.reader((file.lines[file.header],)))]
    for row in found:
        file.by_name.setdefault(row.cells[kind.value], row)
        file.by_url.setdefault(row.cells["url"], row.cells[kind.value])
    return file


def _columns(there: Sequence[str], kind: TargetKind, filled: Sequence[Mapping[str, str]]) -> list[str]:
    """The file's columns in their order, then those that a row now needs."""
    used = {column for row in filled for column, value in row.items() if value} | set(REQUIRED[kind])
    return [*there, *(column for column in COLUMNS[kind] if column in used and column not in there)]


def _text(
    file: _File, columns: Sequence[str], changed: Mapping[int, Mapping[str, str]], fresh: Iterable[Mapping[str, str]]
) -> str:
    wider = "," * (len(columns) - len(file.columns)) if file.columns else ""
    out: list[str] = []
    for index, line in enumerate(file.lines):
        if index == file.header:
            out.append(",".join(columns))
        elif index + 1 in changed:
            out.append(_line(columns, changed[index + 1]))
        else:
            plain = line.rstrip("\r")
            out.append(plain + wider if plain.strip() and plain[0] != "#" else plain)
    if not file.lines:
        out.append(",".join(columns))
    out += (_line(columns, row) for row in fresh)
    return "\n".join(out) + "\n"


def _line(columns: Sequence[str], cells: Mapping[str, str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([cells.get(column, "") for column in columns])
    line = out.getvalue()
    return line if line[:1] != "#" else f'"{cells[columns[0]]}"{line[len(cells[columns[0]]) :]}'
