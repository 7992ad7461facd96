"""Hours from the beginning of a silence to its alarm with nats lent by other checks, beside none; and what is cried for nothing.

`--seeds N` companies (2 by default). Lent are the nats of a sign that begins with the silence; in the null the same slices
borrow for two days although nothing is wrong there.
"""

from __future__ import annotations

import pickle
from statistics import mean
from typing import TYPE_CHECKING

from checks.revenue.belief import Prior
from checks.revenue.book import RevenueBook
from tests.bench.figure import Figure
from tests.checks.revenue.conftest import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LENT = (2.0, 2.5, 5.0, 6.0)
LINES = (7.5, 13.0)
"""Beside the line that the company draws for itself: the lowest and the highest there is."""
SLICES = (
    {"partner": "P08", "geo": "PL"}, {"partner": "P02"}, {"partner": "P03", "geo": "CZ"}, {"partner": "P09"},
    {"partner": "P04", "geo": "UK"},
)  # fmt: skip
BEGAN_H, QUIET_H, LAST_H = 30 * 24 + 17, 30 * 24, 24


def run(options: Sequence[str] = ()) -> list[Figure]:
    seeds = range(1, 1 + int(options[-1]) if options and options[-1].isdigit() else 3)
    return [figure for line in (None, *LINES) for figure in _at(line, seeds)]


def _at(line: float | None, seeds: Sequence[int]) -> list[Figure]:
    """Of companies that page at `line`; by themselves where there is none."""
    delays: dict[float, list[float]] = {nats: [] for nats in (0.0, *LENT)}
    cried, own = dict.fromkeys(delays, 0), list[float]()
    for seed in seeds:
        for where in SLICES:
            world = World(days=32, seed=seed)
            world.thin(BEGAN_H, BEGAN_H + LAST_H, 0.0, **where)
            for nats, known in _with_each(world, BEGAN_H, line):
                own.append(known.page_nats)
                delays[nats].append(_delay(world, known, [Prior(where, nats, world.at(BEGAN_H), "a sign")]))
        world = World(days=32, seed=1000 + seed)
        for nats, known in _with_each(world, QUIET_H, line):
            cried[nats] += _alarms(world, known, [Prior(where, nats, world.at(QUIET_H), "a sign") for where in SLICES])
    lent_h = len(seeds) * len(SLICES) * 47
    found = []
    for nats in LENT:
        name = f"line {mean(own):.1f}, {nats:g} nats lent"
        found.append(Figure(f"{name}: mean delay", mean(delays[nats]), "h", "none lent", mean(delays[0.0])))
        found.append(Figure(f"{name}: cried for nothing", 1000 * cried[nats] / lent_h, "per 1,000 slice-hours", "none lent", 1000 * cried[0.0] / lent_h))  # fmt: skip
    return found


def _with_each(world: World, hour: int, line: float | None) -> Iterator[tuple[float, RevenueBook]]:
    """The same book, told of the world and judged at `hour`, for each amount of nats."""
    book = RevenueBook()
    book.add(world.facts())
    book.add_receipts(world.receipts())
    book.tick(world.at(hour))
    kept = pickle.dumps(book)
    for nats in (0.0, *LENT):
        book = pickle.loads(kept)  # our own, of a moment ago
        if line is not None:
            book.page_nats = line
        yield nats, book


def _delay(world: World, book: RevenueBook, priors: list[Prior]) -> float:
    """Hours until the first alarm; a day where there was none."""
    book.believe([prior for prior in priors if prior.nats])
    for hour in range(1, LAST_H + 1):
        if any(alarm.status == "open" for alarm in book.tick(world.at(BEGAN_H + hour), with_slices=False).alarms):
            return float(hour)
    return float(LAST_H)


def _alarms(world: World, book: RevenueBook, priors: list[Prior]) -> int:
    """Alarms of two quiet days."""
    book.believe([prior for prior in priors if prior.nats])
    seen = set()
    for hour in range(QUIET_H + 1, QUIET_H + 48):
        seen |= {alarm.id for alarm in book.tick(world.at(hour), with_slices=False).alarms}
    return len(seen)
