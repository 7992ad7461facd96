"""One large company in a process of its own: LEAVES PARTNERS SITES; prints its figures as JSON, peak memory included."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from checks.revenue.book import DIMS, RevenueBook

START = datetime(2026, 10, 12, tzinfo=UTC)
DAYS, TICKS = 35, 6
_CLICKS_H = 0.4
"""Clicks of a leaf in an hour, on average: a third of all hours have some."""


def facts(leaves: int, partners: int, sites: int, since: int, until: int) -> pl.DataFrame:
    """Deltas of some hours; six offers, forty GEOs, five sites to each team."""
    place, draw = np.random.default_rng(5), np.random.default_rng([7, since])
    codes = {
        "partner": place.integers(0, partners, leaves),
        "offer": place.integers(0, 6, leaves),
        "geo": place.integers(0, 40, leaves),
        "site": (site := place.integers(0, sites, leaves)),
        "team": site % max(sites // 5, 1) % 12,
    }
    leaf, hour = np.nonzero(clicks := draw.poisson(_CLICKS_H, (leaves, until - since)))
    regs = draw.binomial(clicks[leaf, hour], 0.1)
    ftd = draw.binomial(regs, 0.27)
    stamp = pl.Series(((hour + since) * 3600 + int(START.timestamp())) * 1_000_000).cast(pl.Datetime("us", "UTC"))
    names = {
        dim: pl.Series([f"{dim[0]}{number:04d}" for number in range(int(code.max()) + 1)])
        for dim, code in codes.items()
    }
    named = {dim: names[dim].gather(codes[dim][leaf]) for dim in DIMS}
    counts = {"clicks": clicks[leaf, hour], "regs": regs, "ftd": ftd, "revenue": ftd * 75.0}
    return pl.DataFrame({"hour": stamp, "seen_at": stamp + timedelta(hours=1), **named, **counts})


def main(leaves: int, partners: int, sites: int) -> dict[str, float]:
    book, first = RevenueBook(), START + timedelta(days=DAYS)
    for day in range(DAYS):
        book.add(facts(leaves, partners, sites, 24 * day, 24 * day + 24))
    loaded_mb = _peak_mb()
    begun = time.process_time()
    book.tick(first, with_slices=False)
    first_s = time.process_time() - begun
    spent = []
    for hour in range(1, TICKS + 1):
        book.add(facts(leaves, partners, sites, 24 * DAYS + hour - 1, 24 * DAYS + hour))
        begun = time.process_time()
        book.tick(first + timedelta(hours=hour), with_slices=False)
        spent.append(time.process_time() - begun)
    begun = time.process_time()
    kept = book.memory()
    memory_s = time.process_time() - begun
    return {
        "slices": len(book.lattice),
        "leaves": book.cube.leaves,
        "first_s": first_s,
        "tick_s": float(np.median(spent)),
        "peak_mb": _peak_mb(),
        "loaded_mb": loaded_mb,
        "memory_mb": len(kept) / 1e6,
        "memory_s": memory_s,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(main(*(int(word) for word in sys.argv[1:4]))))
