"""Exchange rates from a file that somebody keeps up to date: `[company] rates = "rates.csv"`."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from data.errors import ConfigError
from data.model.fact import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

OLD_DAYS = 10
"""A rate quoted longer ago is no rate of that day; weekends and holidays have none of their own."""
EURO = "EUR"
ABSENT = frozenset({"", "N/A", "-"})
_COLUMNS = ("day", "currency", "rate")
_GRAIN = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Rates:
    """Units of the company's currency for one of another, as they were quoted."""

    currency: str = EURO
    """The company's own."""
    quoted: Mapping[str, tuple[tuple[date, Decimal], ...]] = field(default_factory=dict)
    """By currency, oldest day first."""

    def at(self, currency: str, day: date) -> Exchange | None:
        """The last rate quoted on or before `day`, at most ten days earlier; our own currency is worth itself."""
        if currency == self.currency:
            return Exchange(Decimal(1), day)
        rates = self.quoted.get(currency, ())
        place = bisect_right(rates, day, key=lambda one: one[0])
        if not place or (day - rates[place - 1][0]).days > OLD_DAYS:
            return None
        quoted, rate = rates[place - 1]
        return Exchange(rate, quoted)


def read_rates(path: Path, currency: str) -> Rates:
    """Rates from one of two forms of file; raises `ConfigError` that names line and value.

    Lines of `day,currency,rate` (ours for one of theirs), or the European Central Bank's table of reference rates
    (`Date,USD,JPY,...`, theirs for one euro), which is turned into the company's currency.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *lines = [[cell.strip() for cell in cells] for cells in csv.reader(file) if cells] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ConfigError(path.name, None, f"cannot be read: {problem}") from None
    if tuple(name.lower() for name in head[:3]) == _COLUMNS:
        found = _listed(path.name, lines)
    elif head and head[0].lower() == "date":
        found = _tabled(path.name, head[1:], lines, currency)
    else:
        raise ConfigError(path.name, 1, "is no table of rates", value=",".join(head)[:60], allowed="day,currency,rate")
    return Rates(currency, {name: tuple(sorted(rates.items())) for name, rates in found.items()})


def _listed(name: str, lines: Iterable[Sequence[str]]) -> dict[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for number, cells in enumerate(lines, 2):
        if len(cells) < len(_COLUMNS):
            raise ConfigError(name, number, "is no rate", value=",".join(cells)[:60], allowed="day,currency,rate")
        found[cells[1].upper()][_day(name, number, cells[0])] = _rate(name, number, cells[2])
    return found


def _tabled(
    name: str, currencies: Sequence[str], lines: Iterable[Sequence[str]], own: str
) -> dict[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for number, (first, *cells) in enumerate(lines, 2):
        day = _day(name, number, first)
        euros = {EURO: Decimal(1)} | {
            currency: _rate(name, number, cell)
            for currency, cell in zip(currencies, cells, strict=False)
            if currency and cell.upper() not in ABSENT
        }
        if own in euros:
            for currency, rate in euros.items():
                found[currency][day] = (euros[own] / rate).quantize(_GRAIN)
    return found


def _day(name: str, number: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(name, number, "is no day", value=text[:40], allowed="such as 2026-11-17") from None


def _rate(name: str, number: int, text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not Decimal("1e-8") <= rate <= Decimal("1e8"):
        raise ConfigError(name, number, "is no rate", value=text[:40], allowed="a number above 0 with a decimal point")
    return rate
