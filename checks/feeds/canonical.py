"""A platform's rows as canonical day figures: money in major units, and null, zero and not delivered kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
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

    @property
    def key(self) -> tuple[str, ...]:
        return (
            self.day.isoformat() if self.day else "",
            self.currency,
            *(f"{k}={self.dims[k]}" for k in sorted(self.dims)),
        )


def pivot(rows: Iterable[object]) -> list[Record]:
    """Rows of cells `{name, value, ..}` as records."""
    return [
        {str(cell.get("name")): cell.get("value") for cell in row if isinstance(cell, dict)}
        for row in rows
        if isinstance(row, list)
    ]


def canonical(records: Sequence[Record], preset: Preset) -> tuple[Row, ...]:
    return tuple(_row(record, preset) for record in records)


def _row(record: Record, preset: Preset) -> Row:
    dims = {name: _text(_at(record, path)) for name, path in preset.dims.items() if _at(record, path) is not _ABSENT}
    measures: dict[str, Decimal | None] = {}
    unread = []
    for name, field in preset.fields.items():
        if field.sum:
            continue
        value = _value(record, field)
        if value is _ABSENT:
            continue
        figure = _figure(value, field)
        measures[name] = figure
        if figure is None and value is not None and value != "":
            unread.append(field.source)
    for name, field in preset.fields.items():
        parts = [measures[part] for part in field.sum if part in measures]
        if parts:
            known = [part for part in parts if part is not None]
            measures[name] = sum(known, Decimal(0)) if known else None
    currency = _text(_at(record, preset.rows.currency)) if preset.rows.currency else ""
    return Row(
        _day(_at(record, preset.rows.day), preset), dims, measures, currency or preset.currency, record, tuple(unread)
    )


def _value(record: Record, field: Field) -> object:
    """What a record says of a field: nothing where a condition's path is not delivered, null where that is null."""
    value = _at(record, field.source) if field.source else 1
    for path, words in field.when.items():
        word = _at(record, path)
        if word is _ABSENT or word is None:
            return word
        if _text(word).lower() not in {one.lower() for one in words}:
            value = value if value is _ABSENT else 0
    return value


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


def _figure(value: object, field: Field) -> Decimal | None:
    """A finite decimal in major units; `None` for null, empty and whatever is no plain number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        figure = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        return None
    if not figure.is_finite() or abs(figure) >= LIMIT:
        return None
    return (figure / 100 if field.unit == "minor" else figure).quantize(GRAIN)


def _day(value: object, preset: Preset) -> date | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        if preset.rows.day_format:
            return datetime.strptime(text, preset.rows.day_format).date()  # noqa: DTZ007  # a calendar day has no zone
        if "T" in text or " " in text:
            return _zoned(datetime.fromisoformat(text), preset)
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None


def _zoned(moment: datetime, preset: Preset) -> date:
    """The calendar day of a timestamp: as written when it is midnight of its own zone, else in the partner's."""
    if moment.tzinfo is None or (moment.hour, moment.minute) == (0, 0):
        return moment.date()
    return moment.astimezone(preset.zone).date()


def uses(preset: Preset) -> dict[str, Use]:
    """What each path of a record is read for."""
    found = dict.fromkeys(preset.dims.values(), Use.DIM)
    found[preset.rows.day] = Use.DAY
    if preset.rows.currency:
        found[preset.rows.currency] = Use.MONEY
    for field in preset.fields.values():
        for path in field.when:
            found.setdefault(path, Use.DIM)
        if field.source:
            found[field.source] = Use.MONEY if field.type == "money" else Use.COUNT
    return found
