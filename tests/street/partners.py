"""Partners' APIs as they really answer: each dialect is an application with a good day, and with its ways of misleading."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

NOW = datetime(2026, 11, 17, 9, 15, tzinfo=UTC)
"""When the accounts are read, unless a trap says otherwise: with three days that is the 15th to the 17th."""
GOOD_DAY = date(2026, 11, 16)
SECRET = "s3cret-token"  # made up
ACCOUNT = "4711"
LOGIN = "<!DOCTYPE html><html><head><title>Login</title></head><body><form action='/login'></form></body></html>"


@dataclass(frozen=True)
class Row:
    """One record as it must be understood. Money in major units; `None`: delivered empty; left out: not delivered."""

    measures: Mapping[str, str | None]
    """Decimals as text: `{"clicks": "120", "commission_total": "76.50", "ngr": None}`."""
    dims: Mapping[str, str] = field(default_factory=dict)
    day: date = GOOD_DAY
    currency: str = "EUR"

    @property
    def figures(self) -> dict[str, Decimal | None]:
        return {name: None if text is None else Decimal(text) for name, text in self.measures.items()}


@dataclass(frozen=True)
class Trap:
    """One way in which the platform misleads, and what must come of it.

    With a cause: that cause, those words, no figures. Without: the rows of `rows`, nothing else on their days.
    """

    name: str
    """Given to `Dialect.serve`, which then answers so."""
    cause: str = ""
    words: str = ""
    """Part of what is said of it."""
    rows: tuple[Row, ...] | None = None
    """Without a cause: what must be delivered; `None`: the dialect's good rows. `()`: nothing, and no problem either."""
    delivered: tuple[date, ...] | None = None
    """Without a cause: the days that must have rows; `None`: is not looked at."""
    secret: str | None = None
    """In place of the dialect's."""
    options: Mapping[str, str] = field(default_factory=dict)
    days: int = 3
    now: datetime = NOW


@dataclass(frozen=True)
class Dialect:
    """One platform, for one preset that ships."""

    preset: str
    serve: Callable[[str], ASGIApp]
    """A fresh application that answers as the trap of this name does; the empty name is a good day."""
    good: tuple[Row, ...]
    """All rows of `GOOD_DAY`."""
    traps: tuple[Trap, ...]
    delivered: tuple[date, ...] = (GOOD_DAY - timedelta(1), GOOD_DAY, GOOD_DAY + timedelta(1))
    """Days with rows when the 15th to the 17th are asked for."""
    secret: str = SECRET
    account: str = ACCOUNT
    options: Mapping[str, str] = field(default_factory=dict)
    """What the account says beyond its preset: generic presets need some."""
    name: str = ""
    """Where one preset has more than one dialect."""

    @property
    def title(self) -> str:
        return self.name or self.preset


def days(first: str, last: str) -> list[date]:
    """ISO days from `first` to `last`, both included."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(n) for n in range((end - start).days + 1)]


@cache
def dialects() -> tuple[Dialect, ...]:
    """Those of every `partners_*.py` beside this file (its `DIALECTS`)."""
    files = sorted(Path(__file__).parent.glob("partners_*.py"))
    modules = [importlib.import_module(f"tests.street.{file.stem}") for file in files]
    return tuple(dialect for module in modules for dialect in module.DIALECTS)
