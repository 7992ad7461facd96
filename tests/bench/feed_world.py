"""Made-up partner feeds whose truth is known: one payload a day, 25 fields, levels that wander, and faults put in."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, object]
START = datetime(2026, 6, 1, tzinfo=UTC)
CURVE = np.array([.45, .3, .2, .16, .15, .2, .35, .55, .75, .9, 1, 1.05, 1.1, 1.1, 1.1, 1.15, 1.2, 1.35, 1.6, 1.85, 2, 1.9, 1.5, .9])  # fmt: skip
MONEY = (
    "deposit_amount",
    "ngr",
    "commission_cpa",
    "commission_revshare",
    "commission_total",
    "balance",
    "deal.cpa.amount",
)
DATES = ("day", "booked_on", "clicked_on")
BLANKABLE = ("bonus", "subid", "note", "deposit_amount", "commission_total", "country", "player_id", "level")
FIELDS = 25


@dataclass(frozen=True)
class World:
    """One account: its own level, mix and unrest. A day's payload depends on (seed, day) alone."""

    seed: int
    rows: int = 120
    correlation: float = 0.002
    """Between the hours of two events of one day, beyond a multinomial."""

    def payload(self, day: int) -> list[Record]:
        """The records of a day."""
        own = np.random.default_rng(self.seed)
        level, mix = own.lognormal(0, 0.5), own.dirichlet(np.full(12, 0.6))
        walk = np.exp(np.cumsum(np.random.default_rng(self.seed + 1).normal(0, 0.03, 400)))[day % 400]
        draw = np.random.default_rng((self.seed + 7) * 100_003 + day)
        unrest, blank = level * walk * draw.lognormal(0, 0.12), float(draw.beta(50, 200))
        return [self._record(draw, day, k, hour, unrest, blank, mix) for k, hour in enumerate(self._hours(day))]

    def clocks(self, day: int, *, shift: int = 0) -> list[Record]:
        """Only key and clock of the records of a day, written `shift` hours later."""
        draw = np.random.default_rng((self.seed + 11) * 100_003 + day)
        return [
            {"id": f"{self.seed}-{day}-{k}", "at": _moment(draw, day, hour + shift)}
            for k, hour in enumerate(self._hours(day))
        ]

    def _hours(self, day: int) -> list[int]:
        """The hour of each event of a day: the account's own curve, with weekends and unrest."""
        own = np.random.default_rng(self.seed + 3)
        curve = np.roll(CURVE, int(own.integers(-2, 3))) * own.lognormal(0, 0.15, 24)
        draw = np.random.default_rng((self.seed + 5) * 100_003 + day)
        weekend = 1.25 if (day % 7) in {5, 6} else 1.0
        n = max(int(draw.normal(self.rows * weekend / 1.07, 0.12 * self.rows)), self.rows // 3)
        shares = draw.dirichlet(curve / curve.sum() * (1 / self.correlation - 1))
        return [int(hour) for hour in draw.choice(24, n, p=shares)]

    def _record(self, draw: np.random.Generator, day: int, k: int, hour: int, unrest: float, blank: float, mix: np.ndarray) -> Record:  # fmt: skip
        today = START + timedelta(days=day)
        clicks = int(draw.negative_binomial(2, 2 / (2 + 30 * unrest)))
        regs = int(draw.binomial(clicks, 0.12))
        ftd = int(draw.binomial(regs, 0.3))
        deposit = round(float(draw.lognormal(3.6, 1.1)) * (ftd or 1), 2) if draw.random() < 0.6 else 0
        ngr = round(deposit * float(draw.normal(0.35, 0.5)), 2)
        cpa = round(ftd * 55.0, 2)
        share = round(max(ngr, 0) * 0.3, 2)
        return {
            "id": f"{self.seed}-{day}-{k}", "at": _moment(draw, day, hour), "day": today.strftime("%Y-%m-%d"),
            "booked_on": today.strftime("%d/%m/%Y"), "clicked_on": (today - timedelta(days=int(draw.integers(0, 6)))).strftime("%Y-%m-%d"),
            "tracker": f"go-{int(draw.zipf(1.6)) % 40}", "country": "DEATPLFIBRCAMXCZROHUNZIN"[2 * (c := int(draw.choice(12, p=mix))) : 2 * c + 2],
            "device": ("mobile", "desktop", "tablet")[int(draw.choice(3, p=(0.7, 0.26, 0.04)))], "status": "approved" if draw.random() < 0.8 else "pending",
            "brand": "Zefirion", "clicks": clicks, "registrations": regs, "ftd": ftd, "deposits": ftd + int(draw.poisson(0.4)),
            "deposit_amount": deposit, "ngr": ngr, "commission_cpa": cpa, "commission_revshare": share, "commission_total": f"{cpa + share:.2f}",
            "balance": round(float(draw.lognormal(6, 1.6)), 2), "bonus": None if draw.random() < blank else round(float(draw.lognormal(2, 0.8)), 2),
            "subid": "" if draw.random() < 0.03 else f"s{int(draw.integers(10**6))}", "note": None if draw.random() < 0.7 else "ok",
            "player_id": int(draw.integers(10**6, 10**7)), "level": int(draw.integers(1, 6)),
            "deal": {"cpa": {"amount": 55.0 if draw.random() < 0.9 else 70.0, "currency": "EUR"}},
        }  # fmt: skip


def _moment(draw: np.random.Generator, day: int, hour: int) -> str:
    at = START + timedelta(days=day, hours=hour, minutes=int(draw.integers(60)), seconds=int(draw.integers(60)))
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Fault:
    """What was done to a payload, to which path, and the kinds that name it rightly."""

    name: str
    path: str
    kinds: frozenset[str]
    records: list[Record]


def faults(records: list[Record], seed: int) -> list[Fault]:
    """One of each fault on its own copy of the records, fields drawn by `seed`."""
    dice = random.Random(seed)
    money, cents, blank = dice.choice(MONEY), dice.choice(MONEY), dice.choice(BLANKABLE)
    written, swapped = dice.choice(DATES), dice.choice(DATES)
    blanked = {"null-share-rose", "response-property-became-nullable"}
    return [
        Fault("x 100", money, frozenset({"scale-changed"}), each(records, money, lambda v: _times(v, 100))),
        Fault("/ 100", cents, frozenset({"scale-changed"}), each(records, cents, lambda v: _times(v, 0.01))),
        Fault("date format", written, frozenset({"date-format-changed"}), each(records, written, _other_format)),
        Fault("day/month swap", swapped, frozenset({"day-month-swapped", "date-format-changed"}), each(records, swapped, _swapped)),
        Fault("null + 30 points", blank, frozenset(blanked), each(records, blank, lambda v: None if dice.random() < 0.3 / (1 - _BLANK.get(blank, 0.0)) else v)),
    ]  # fmt: skip


_BLANK = {"bonus": 0.2, "subid": 0.03, "note": 0.7}


def each(records: list[Record], path: str, change: Callable[[object], object]) -> list[Record]:
    """Copies of the records with one path changed."""
    return [_with(record, path.split("."), change) for record in records]


def _with(record: Record, path: list[str], change: Callable[[object], object]) -> Record:
    name, *rest = path
    value = record[name]
    inner = _with(value, rest, change) if rest and isinstance(value, dict) else change(value)
    return {**record, name: inner}


def _times(value: object, factor: float) -> object:
    if isinstance(value, str):
        return f"{float(value) * factor:.2f}"
    return round(value * factor, 4) if isinstance(value, int | float) else value


def _other_format(value: object) -> object:
    text = str(value)
    if "/" in text:
        return "-".join(reversed(text.split("/")))
    year, month, day = text.split("-")
    return f"{day}.{month}.{year}"


def _swapped(value: object) -> object:
    """Day and month the other way round where both orders are dates, else as it was."""
    text = str(value)
    mark = "/" if "/" in text else "-"
    parts = text.split(mark)
    day, month = (0, 1) if mark == "/" else (2, 1)
    if int(parts[day]) <= 12:
        parts[day], parts[month] = parts[month], parts[day]
    return mark.join(parts)
