"""A platform's rows as canonical day figures: money in major units, and null, zero and not delivered kept apart."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from checks.feeds.decode import Record, at_path
from checks.feeds.drift import Use
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from checks.feeds.preset import Field, Preset

LIMIT = Decimal(10) ** 13
"""Figures that do not fit the store are not figures."""
GRAIN = Decimal("0.0001")
ANY = "*"
"""Among the words of a condition: whatever is not empty."""
_GAPS = ("\u00a0", "\u202f", " ", "'", "\u2019")
_MONEY_SIGN = re.compile(r"^(?:[A-Z]{3}\b|[€$£¥₽₹])\s*|\s*(?:\b[A-Z]{3}|[€$£¥₽₹])$")
_GROUPS = {
    mark: re.compile(rf"[+-]?\d{{1,3}}(?:[{re.escape(mark)}\u00a0\u202f '\u2019]\d{{3}})+|[+-]?\d+") for mark in ".,"
}


@dataclass(frozen=True, slots=True)
class Row:
    """One record as delivered and as understood."""

    day: date | None
    """In the partner's time zone; `None` when the record names none (totals, junk)."""
    dims: dict[str, str]
    measures: dict[str, Decimal | None]
    """A measure that was delivered empty is `None`; one that was not delivered at all is absent."""
    currency: str
    raw: Record
    unread: tuple[str, ...] = ()
    """Paths that held something which is no figure."""
    id: str = ""
    """The record's own, where each is one event."""

    @property
    def key(self) -> tuple[str, ...]:
        return (
            self.day.isoformat() if self.day else "",
            self.currency,
            *(f"{k}={self.dims[k]}" for k in sorted(self.dims)),
        )


def pivot_cells(rows: Iterable[object]) -> list[Record]:
    """Rows of cells `{name, value, ..}` as records."""
    return [
        {str(cell.get("name")): cell.get("value") for cell in row if isinstance(cell, dict)}
        for row in rows
        if isinstance(row, list)
    ]


def pivot_columns(rows: Iterable[object]) -> list[Record]:
    """Records whose list `columns` of `{column_type, label, id}` becomes `columns.TYPE`, the label or else the id."""
    found = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        columns = row.get("columns")
        named = {
            f"columns.{column.get('column_type')}": column.get("label") or column.get("id")
            for column in (columns if isinstance(columns, list) else [])
            if isinstance(column, dict)
        }
        found.append({**{name: value for name, value in row.items() if name != "columns"}, **named})
    return found


def canonical(records: Sequence[Record], preset: Preset) -> tuple[Row, ...]:
    """The rows of a report, without those that its preset says are none."""
    skip = re.compile(preset.rows.skip, re.IGNORECASE) if preset.rows.skip else None
    return tuple(
        _row(record, preset) for record in records if not skip or not skip.search(_text(_at(record, preset.rows.day)))
    )


def once(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows without events that came again, of which the last word counts: the pages of a log slip while they are read."""
    return tuple({row.id or place: row for place, row in enumerate(rows)}.values())


def summed(record: Record, preset: Preset) -> dict[str, Decimal | None]:
    """The figures of a record of totals."""
    return _row(record, preset).measures


def lacking(rows: Sequence[Row], preset: Preset) -> dict[str, list[str]]:
    """Paths that no row has and the required fields read from them; where there is no row, nothing can be lacking.

    A sum lacks its parts when it lacks all of them.
    """
    found: dict[str, list[str]] = {}
    for name in preset.required:
        field = preset.fields[name]
        parts = [preset.fields[part] for part in field.sum] or [field]
        paths = [path for part in parts for path in (part.source, *part.when) if path]
        gone = [path for path in paths if all(_at(row.raw, path) is _ABSENT for row in rows)]
        if rows and (len(gone) == len(paths) if field.sum else gone):
            found.setdefault(gone[0], []).append(name)
    return found


def _row(record: Record, preset: Preset) -> Row:
    dims = {name: _text(value) for name, path in preset.dims.items() if (value := _at(record, path)) is not _ABSENT}
    measures: dict[str, Decimal | None] = {}
    unread: list[str] = []
    for name, field in preset.fields.items():
        if not field.sum:
            found = _measure(record, field, preset.rows.decimal, unread)
            if not isinstance(found, _Absent):
                measures[name] = found
    for name, field in preset.fields.items():
        parts = [measures[part] for part in field.sum if part in measures]
        if parts:
            known = [part for part in parts if part is not None]
            measures[name] = sum(known, Decimal(0)) if known else None
    moment = moment_of(_at(record, preset.rows.day), preset)
    if preset.rows.hour:
        hour = hour_of(_at(record, preset.rows.hour), moment, preset)
        dims |= {"hour": hour} if hour else {}
    currency = _text(_at(record, preset.rows.currency)) if preset.rows.currency else ""
    day = moment.date() if isinstance(moment, datetime) else moment
    own = _text(_at(record, preset.rows.id)) if preset.rows.id else ""
    return Row(day, dims, measures, currency or preset.currency, record, tuple(unread), own)


def _measure(record: Record, field: Field, decimal: str, unread: list[str]) -> Decimal | _Absent | None:
    """A figure with what is to be added to it; null or `_ABSENT` where it was delivered so, whatever there is to add."""
    paths = (field.source, *field.plus) if field.source else ()
    values = {path: value for path in paths if (value := _at(record, path)) is not _ABSENT}
    if paths and field.source not in values:
        return Decimal(0).quantize(GRAIN) if field.missing == "zero" else _ABSENT
    spoken = _spoken_of(record, field)
    if not isinstance(spoken, bool):
        return spoken
    figures = {path: _figure(value, field, decimal) for path, value in values.items()}
    broken = [path for path, value in values.items() if figures[path] is None and value is not None and value != ""]
    unread += broken
    known = [figure for figure in figures.values() if figure is not None]
    if not spoken or not paths:
        return Decimal(int(spoken)).quantize(GRAIN)
    return None if broken or figures[field.source] is None else sum(known, Decimal(0))


def _spoken_of(record: Record, field: Field) -> bool | _Absent | None:
    """Whether the record meets the field's conditions; `_ABSENT` or null where one of them was delivered so."""
    met = True
    for path, words in field.when.items():
        word = _at(record, path)
        if isinstance(word, _Absent) or word is None:
            return word
        said = _text(word).lower()
        met = met and (said in {one.lower() for one in words} or (ANY in words and bool(said)))
    return met


class _Absent:
    pass


_ABSENT = _Absent()


def _at(record: Record, path: str) -> object:
    """The value at a path, or `_ABSENT` where nothing was delivered: a null is a delivery."""
    if path in record:
        return record[path]
    above, _, name = path.rpartition(".")
    holder = at_path(record, above) if above else None
    return holder[name] if isinstance(holder, dict) and name in holder else _ABSENT


def _text(value: object) -> str:
    return clean_text(str(value), 120) if value is not None and value is not _ABSENT else ""


def _figure(value: object, field: Field, decimal: str) -> Decimal | None:
    """A finite decimal in major units; `None` for null, empty and whatever is no plain number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        figure = Decimal(_plain(value, field, decimal) if isinstance(value, str) else str(value))
    except (InvalidOperation, ValueError):
        return None
    if not figure.is_finite() or abs(figure) >= LIMIT:
        return None
    return (figure / 100 if field.unit == "minor" else figure).quantize(GRAIN)


def _plain(text: str, field: Field, decimal: str) -> str:
    """A number as written for people in the form that `Decimal` reads: `€ 1.234,50`, `(12.00)`, `1,234`.

    Groups of thousands are taken for such only where they cannot be anything else: with a fraction behind them, or in a
    count. `1,234` in a column of money may as well be a decimal comma and stays unread.
    """
    text = _MONEY_SIGN.sub("", text.strip().replace("\u2212", "-")).strip()
    if text.startswith("(") and text.endswith(")"):
        text = f"-{_MONEY_SIGN.sub('', text[1:-1])}"
    group = "." if decimal == "," else ","
    if group in text or any(mark in text for mark in _GAPS):
        whole, point, fraction = text.partition(decimal)
        if not _GROUPS[group].fullmatch(whole) or (group in whole and not point and field.type == "money"):
            raise ValueError(text)
        text = re.sub(r"[^\d+-]", "", whole) + point + fraction
    if "_" in text:  # Python's own grouping, nobody else's
        raise ValueError(text)
    return text.replace(decimal, ".") if decimal != "." else text


def moment_of(value: object, preset: Preset) -> datetime | date | None:
    """The day of a row, with its time where it has one, in the partner's zone; `None` for what is neither."""
    form = preset.rows.day_format
    if form == "unix":
        return _since_1970(value, preset)
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        if form:
            found = datetime.strptime(text, form)  # noqa: DTZ007  # a calendar day has no zone
            return found if found.tzinfo is None else _zoned(found, preset)
        if "T" in text or " " in text or ":" in text:
            return _zoned(datetime.fromisoformat(text.replace("/", "-")), preset)
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None


def _since_1970(value: object, preset: Preset) -> datetime | None:
    """Seconds, or milliseconds where seconds would be in a far future. In a report by day, midnight UTC names that day."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
        seconds = seconds / 1000 if abs(seconds) > 1e11 else seconds
        return datetime.fromtimestamp(seconds, UTC if _by_day(preset) and seconds % 86_400 == 0 else preset.zone)
    except (ValueError, OverflowError, OSError):
        return None


def _zoned(moment: datetime, preset: Preset) -> datetime:
    """A timestamp in the partner's zone. In a report by day, midnight of its own zone says the day and not the moment."""
    names_day = _by_day(preset) and (moment.hour, moment.minute) == (0, 0)
    return moment if moment.tzinfo is None or names_day else moment.astimezone(preset.zone)


def _by_day(preset: Preset) -> bool:
    """Whether a time in a row stands for its day: neither by hour nor the moment of an event."""
    return not preset.rows.hour and not preset.rows.id


def hour_of(value: object, moment: datetime | date | None, preset: Preset) -> str:
    """`00`..`23` in the partner's zone: of the row's own timestamp, or a number, `13:00` or a timestamp of its own."""
    if preset.rows.hour == preset.rows.day:
        return f"{moment.hour:02}" if isinstance(moment, datetime) else ""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    head = text.partition(":")[0]
    if head.isascii() and head.isdigit() and len(head) <= 2 and int(head) < 24:
        return f"{int(head):02}"
    stamp = moment_of(value, preset)
    return f"{stamp.hour:02}" if isinstance(stamp, datetime) else ""


def uses(preset: Preset) -> dict[str, Use]:
    """What each path of a record is read for."""
    found = dict.fromkeys(preset.dims.values(), Use.DIM)
    found[preset.rows.day] = Use.DAY
    if preset.rows.currency:
        found[preset.rows.currency] = Use.MONEY
    for field in preset.fields.values():
        for path in field.when:
            found.setdefault(path, Use.DIM)
        for path in (field.source, *field.plus):
            if path:
                found[path] = Use.MONEY if field.type == "money" else Use.COUNT
    return found
