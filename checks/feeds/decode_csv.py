"""Tables with delimiters to plain records, row by row: titles, sections, totals and rows of another width included."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from checks.feeds.formats import EMPTY, TEXT, format_of
from checks.feeds.payload import Flaws, Reading, Record, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

CELL = 1024 * 1024
LINE = 16 * CELL
WIDEST = 200_000
"""Cells of a row."""
LOOK = 200
"""Lines by which a delimiter is chosen."""
TITLES = 10
"""Lines that may stand above a header."""
RAGGED, TWICE = "row-width-differs", "column-name-repeated"
_TOTAL = re.compile(r"(grand[ _-]?|sub[ _-]?)?totals?:?|sum:?|summe:?|gesamt:?|итого:?", re.IGNORECASE)
_TOLD = re.compile(r"sep=([,;|\t])", re.IGNORECASE)
"""The first line by which spreadsheets are told the delimiter."""
_SECTION = re.compile(r"[^\W\d][^:]{0,60}:\s.*", re.DOTALL)
_END = "\x02end of the table\x03"

csv.field_size_limit(max(CELL, csv.field_size_limit()))  # one limit a process: set once, never in between


def csv_of(text: str, *, section: str = "", flaws: Flaws | None = None) -> list[Record]:
    """Rows below the header as strings. Sections repeat the header under a line such as `Customer Group: NAME`.

    `section` names the column that a section's NAME is put into when the row itself has none. Cells beyond the header
    are kept as `column N`. Totals below the rows are not rows; `table` keeps them.
    """
    return list(table(lines_of(io.StringIO(text, newline="")), section=section, flaws=flaws).records)


def lines_of(text: TextIO) -> Iterator[str]:
    """Lines with their ends, none of them read further than may be."""
    return iter(partial(text.readline, LINE), "")


def table(lines: Iterable[str], *, section: str = "", flaws: Flaws | None = None) -> Reading:
    """A table on its way in. Totals stand in the envelope as `totals.COLUMN`, lines above the header as `title.N`."""
    noted = flaws if flaws is not None else Flaws()
    stream = iter(_bounded(lines))
    head = list(islice(stream, LOOK))
    told = _TOLD.fullmatch(head[0].strip(" \r\n")) if head else None
    head = head[1:] if told else head
    delimiter = told.group(1) if told else _delimiter(head)
    reading = Reading(iter(()), flaws=noted)
    reading.records = _Table(section, reading, _titles(head, delimiter)).rows(_cells(chain(head, stream), delimiter))
    return reading


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise Unreadable("binary, not a table")
        if len(line) >= LINE:
            raise Unreadable(f"a line longer than {LINE // CELL} MiB")
        yield line


def _cells(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, with the number of the line they end on; an open quote at the end is an error.

    A line of our own at the very end comes out as its own row, unless a quote that was never closed took it in and
    with it everything since: a table cut short, or rows that would be lost in one cell.
    """
    reader = csv.reader(chain(lines, ["\n", _END]), delimiter=delimiter)
    began = 0
    try:
        for cells in reader:
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):
                break
            if len(cells) > WIDEST:
                raise Unreadable(f"a row of more than {WIDEST:,} cells")
            if any(cells):
                yield reader.line_num, cells
            began = reader.line_num
    except csv.Error as problem:
        raise Unreadable(f"not valid CSV ({str(problem)[:80]})") from None
    raise Unreadable(f"not valid CSV (a quote is never closed, from line {began + 1})")


def _delimiter(head: list[str]) -> str:
    """The mark that cuts most of the lines into the same number of cells."""
    return max(",;\t|", key=lambda mark: _agreement(head, mark))


def _agreement(head: list[str], mark: str) -> tuple[float, int]:
    widths = Counter(map(len, _parsed(head, mark)))
    width = _usual(widths)
    return (widths[width] / max(widths.total(), 1) if width > 1 else 0.0, width)


def _titles(head: list[str], mark: str) -> int:
    """How many lines stand above the header: the first wide one that is all words, else the first of all."""
    rows = [cells for cells in _parsed(head, mark) if not _title(cells)]
    width = _usual(Counter(map(len, rows)))
    wordy = [(place, len(cells)) for place, cells in enumerate(rows[: TITLES + 1]) if _wordy(cells)]
    full = (place for place, cells in wordy if cells >= width)
    return next(full, next((place for place, cells in wordy if cells >= max(width - 1, 2)), 0))


def _wordy(cells: list[str]) -> bool:
    return all(format_of(cell) in {TEXT, EMPTY} for cell in cells)


def _usual(widths: Counter[int]) -> int:
    return max((width for width in widths if width > 1), key=lambda width: (widths[width], width), default=1)


def _parsed(head: list[str], mark: str) -> list[list[str]]:
    try:
        return [cells for cells in csv.reader(head, delimiter=mark) if any(cells)]
    except csv.Error:
        return []


class _Table:
    """Where in a table a row stands: above the header, under a section's title, among the rows."""

    def __init__(self, section: str, reading: Reading, titles: int) -> None:
        self.section, self.reading, self.titles = section, reading, titles
        self.header: list[str] = []
        self.known: frozenset[str] = frozenset()
        self.names: list[str] = []
        self.name = ""
        self.opened = True

    def rows(self, numbered: Iterable[tuple[int, list[str]]]) -> Iterator[Record]:
        """Records. A row of totals is known as such only by what follows: nothing, a title or a header."""
        waiting: Record | None = None
        for number, cells in numbered:
            record = self._row(number, cells)
            if waiting is not None:
                if record is None or _is_total(cells):
                    self._total(waiting)
                else:
                    yield waiting
                waiting = None
            if record is not None and _is_total(cells):
                waiting = record
            elif record is not None:
                yield record
        if waiting is not None:
            self._total(waiting)

    def _row(self, number: int, cells: list[str]) -> Record | None:
        """A record, or nothing for a line that is none: a title, a section's name, a header."""
        title = len(self.header) != 1 and _title(cells)
        if title:
            self.name, self.opened = title.partition(":")[2].strip(), True
        elif self._heads(cells):
            self._head(cells)
        elif not self.header:
            self.titles -= 1
            shown = " ".join(cell.strip() for cell in cells if cell.strip())
            self.reading.envelope[f"title.{len(self.reading.envelope) + 1}"] = shown
        else:
            self.opened = False
            return self._record(number, cells)
        return None

    def _heads(self, cells: list[str]) -> bool:
        """Whether a row is a header: the first, the same again, or other words most of which the last one had too.

        A section may begin without a title, and have fewer columns than the one before it.
        """
        if not self.header:
            return not self.titles
        if cells == self.header:
            return True
        return 2 * len(self.known.intersection(cells)) > len(self.header) and (self.opened or _wordy(cells))

    def _head(self, cells: list[str]) -> None:
        self.header, self.known, self.opened = cells, frozenset(cells), False
        names: dict[str, int] = {}
        for place, cell in enumerate(cells, 1):
            name = cell.strip() or f"column {place}"
            if name in names:
                self.reading.flaws.note(TWICE, name, "two columns of one name")
                name = f"{name}#{place}"
            names[name] = place
        self.names = list(names)

    def _record(self, number: int, cells: list[str]) -> Record:
        record: Record = dict(zip(self.names, map(str.strip, cells), strict=False))
        if len(cells) != len(self.names):
            words = f"line {number}: {len(cells)} cells where the header has {len(self.names)}"
            self.reading.flaws.note(RAGGED, "", words)
            record.update({f"column {n}": cells[n - 1].strip() for n in range(len(self.names) + 1, len(cells) + 1)})
        if self.section and not record.get(self.section):
            record[self.section] = self.name
        return record

    def _total(self, record: Record) -> None:
        self.reading.totals.append(record)
        self.reading.envelope.update({f"totals.{name}": cell for name, cell in record.items() if cell})


def _title(cells: list[str]) -> str:
    """`Group: NAME` when that is all there is in a line, however many delimiters follow it."""
    first, *rest = cells
    if not rest and ":" in first:
        return first
    return first if not any(rest) and _SECTION.fullmatch(first.strip()) else ""


def _is_total(cells: list[str]) -> bool:
    """Whether the first word of a row says total and the rest are figures or nothing."""
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    return bool(_TOTAL.fullmatch(first)) and all(format_of(cell) != TEXT for cell in cells if cell.strip() != first)
