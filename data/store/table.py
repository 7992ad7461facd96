"""How a record of `data.model` becomes a row and back: one column a field, by the field's type."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import pyarrow as pa

from data.model.money import Loss, cents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

R = TypeVar("R")
MONEY = pa.decimal128(18, 4)
_GRAIN = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Column:
    """A field's place in a table: `dump` makes what Arrow takes, `load` what the record takes; `None` is as it is."""

    name: str
    type: pa.DataType
    dump: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None

    def array(self, records: Sequence[object]) -> pa.Array:
        values: Iterable[Any] = map(attrgetter(self.name), records)
        if self.dump is not None:
            values = map(self.dump, values)
        return pa.array(list(values), self.type)


@dataclass(frozen=True)
class Table(Generic[R]):
    """One table, named, of records of one kind. With a `key`, a row replaces the one of the same key."""

    name: str
    kind: type[R]
    key: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        hints = typing.get_type_hints(self.kind)
        return tuple(
            _column(field.name, hints[field.name]) for field in dataclasses.fields(typing.cast("Any", self.kind))
        )

    @cached_property
    def select(self) -> str:
        """The columns, in the order of the record's fields, for `SELECT`."""
        return ", ".join(f'"{column.name}"' for column in self.columns)

    def arrow(self, records: Sequence[R]) -> pa.Table:
        """Columns of `records`; raises `ValueError`, `TypeError` or `pa.ArrowException` for a value that does not fit."""
        return pa.table({column.name: column.array(records) for column in self.columns})

    def record(self, row: Sequence[Any]) -> R:
        """The record of one row of `select`."""
        values = list(row)
        for place, load in self._loads:
            values[place] = load(values[place])
        return self.kind(*values)

    @cached_property
    def _loads(self) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        return tuple((place, column.load) for place, column in enumerate(self.columns) if column.load is not None)


def utc(value: datetime) -> datetime:
    """As the database keeps it: UTC without a zone. A time without a zone would be a guess, so it is an error."""
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(UTC).replace(tzinfo=None)


def aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


_PLAIN: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
    date: pa.date32(),
}


def _column(name: str, hint: Any) -> Column:
    plain = _bare(hint)
    if plain in _PLAIN:
        return Column(name, _PLAIN[plain])
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return Column(name, pa.string(), None, plain)
    if plain in _CONVERTED:
        return Column(name, *_CONVERTED[plain])
    if typing.get_origin(hint) is tuple and _bare(typing.get_args(hint)[0]) is str:
        return Column(name, pa.list_(pa.string()), list, tuple)
    dump = _dump_measures if hint == dict[str, Decimal | None] else _dump_json
    return Column(name, pa.string(), dump, msgspec.json.Decoder(hint).decode)


def _bare(hint: Any) -> Any:
    """The type below `NewType` and `| None`."""
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    return hint


def _optional(convert: Callable[[datetime], datetime]) -> Callable[[datetime | None], datetime | None]:
    return lambda value: None if value is None else convert(value)


def _grain(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(_GRAIN)


_ENCODER = msgspec.json.Encoder(order="deterministic")


def _dump_json(value: object) -> str:
    """Dictionaries with sorted keys, so that equal values are equal text."""
    return _ENCODER.encode(value).decode()


def _dump_measures(measures: dict[str, Decimal | None]) -> str:
    """As `_dump_json`, and 1.50 is the same text as 1.5: a partner's formatting is no new version."""
    return _dump_json({name: None if value is None else value.normalize() + 0 for name, value in measures.items()})


def _loss_type() -> pa.DataType:
    return pa.struct(
        [(field.name, pa.string() if field.name == "currency" else MONEY) for field in dataclasses.fields(Loss)]
    )


def _dump_loss(loss: Loss) -> dict[str, object]:
    return {field.name: getattr(loss, field.name) for field in dataclasses.fields(loss)}


def _load_loss(row: dict[str, Any]) -> Loss:
    currency = str(row.pop("currency"))
    return Loss(**{name: cents(amount) for name, amount in row.items()}, currency=currency)


_CONVERTED: dict[object, tuple[pa.DataType, Callable[[Any], Any], Callable[[Any], Any] | None]] = {
    datetime: (pa.timestamp("us"), _optional(utc), _optional(aware)),
    Decimal: (MONEY, _grain, None),
    Loss: (_loss_type(), _dump_loss, _load_loss),
}
