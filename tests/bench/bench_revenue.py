"""CPU time of a revenue tick per 10,000 slices, beside a plain group_by of the same hours (no statistics at all).

`--large` adds a company of 100,000 slices, in a process of its own, with its peak memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from checks.revenue.book import DIMS, RevenueBook
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (("1000", "20", "150"), ("8000", "60", "1000"))
LARGE = ("39000", "60", "1000")
"""Leaves, partners and sites: about 3,000, 23,000 and 100,000 slices."""
START = datetime(2026, 10, 12, tzinfo=UTC)
LEAVES, DAYS, TICKS = 2_400, 35, 12


def facts() -> pl.DataFrame:
    """Deltas of 2,400 leaves over 35 days: 20 partners x 6 offers x 20 GEOs, sites and teams following from them."""
    draw = np.random.default_rng(5)
    hours = DAYS * 24
    clicks = draw.poisson(0.4, (LEAVES, hours))
    leaf, hour = np.nonzero(clicks)
    seen = clicks[leaf, hour]
    regs = draw.binomial(seen, 0.1)
    ftd = draw.binomial(regs, 0.27)
    partner, offer, geo = leaf % 20, leaf // 20 % 6, leaf // 120
    stamp = pl.Series((hour * 3600 + int(START.timestamp())) * 1_000_000).cast(pl.Datetime("us", "UTC"))
    codes = {"partner": partner, "offer": offer, "geo": geo, "site": (offer * 20 + geo) % 150, "team": partner % 4}
    named = {dim: pl.Series([f"{dim[0]}{code:03d}" for code in codes[dim]]) for dim in DIMS}
    counts = {"clicks": seen, "regs": regs, "ftd": ftd, "revenue": ftd * 75.0}
    return pl.DataFrame({"hour": stamp, "seen_at": stamp + timedelta(hours=1), **named, **counts}).sort("seen_at")


def run(options: Sequence[str] = ()) -> list[Figure]:
    sizes = (*SIZES, LARGE) if "--large" in options else SIZES
    return [*_beside_group_by(), *(figure for size in sizes for figure in _sized(*size))]


def _sized(*size: str) -> list[Figure]:
    """One company in a process of its own."""
    ran = subprocess.run([sys.executable, "-m", "tests.bench.revenue_size", *size], check=True, stdout=subprocess.PIPE)
    told = json.loads(ran.stdout)
    what = f"revenue, {told['slices']:,} slices"
    return [
        Figure(f"{what}: tick, CPU", told["tick_s"], "s", note=f"{told['leaves']:,} leaves, 35 days"),
        Figure(f"{what}: first tick, CPU", told["first_s"], "s", note="load, fit, caution"),
        Figure(
            f"{what}: peak memory", told["peak_mb"], "MB", note=f"{told['loaded_mb']:,.0f} MB before the first tick"
        ),
        Figure(
            f"{what}: its memory as bytes", told["memory_mb"], "MB", note=f"taken in {told['memory_s']:.2f} s of CPU"
        ),
    ]


def _beside_group_by() -> list[Figure]:
    frame, start = facts(), START + timedelta(days=DAYS) - timedelta(hours=TICKS)
    book = RevenueBook()
    began = time.process_time()
    book.add(frame)
    book.tick(start)
    first_s = time.process_time() - began
    slices = len(book.lattice)
    spent = []
    for hour in range(1, TICKS + 1):
        began = time.process_time()
        book.tick(start + timedelta(hours=hour), with_slices=False)
        spent.append(time.process_time() - began)
    recent = frame.filter(pl.col("hour") >= start - timedelta(hours=120))
    began = time.process_time()
    for count in (1, 2, 3):
        for dims in combinations(DIMS, count):
            recent.group_by(dims).agg(pl.col("clicks", "ftd", "revenue").sum())
    peer = time.process_time() - began
    scale = 10_000 / slices
    note = f"{slices:,} slices, {LEAVES:,} leaves, 14 windows"
    return [
        Figure("revenue tick, CPU per 10,000 slices", float(np.median(spent)) * scale, "s", "polars group_by of 5 days", peer * scale, note),
        Figure("revenue first tick, CPU: load 35 days, fit, scan", first_s, "s", note=f"{len(frame):,} deltas"),
    ]  # fmt: skip
