from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

START = datetime(2026, 10, 12, tzinfo=UTC)
"""A Monday."""
PARTNERS = {
    # clicks a day, registrations a click, FTD a registration, value of an FTD, teams
    "P01": (2400, 0.09, 0.28, 110.0, "aurora"),
    "P02": (1900, 0.08, 0.25, 140.0, "aurora"),
    "P03": (2100, 0.11, 0.34, 77.0, "baltic"),
    "P04": (1300, 0.07, 0.27, 95.0, "delta"),
    "P06": (2600, 0.13, 0.22, 38.0, "cedar"),
    "P07": (3100, 0.15, 0.26, 35.5, "cedar"),
    "P08": (1500, 0.10, 0.30, 60.0, "baltic"),
    "P09": (900, 0.06, 0.26, 190.0, "cedar"),
}
GEOS = {"aurora": ("FI", "NO", "DE"), "baltic": ("PL", "CZ"), "cedar": ("BR", "MX", "CA"), "delta": ("UK", "IE", "JP")}
SHAPE = np.array([3.4, 2.6, 2.0, 1.5, 1.2, 1.2, 1.6, 2.2, 2.9, 3.4, 3.8, 4.1, 4.4, 4.5, 4.6, 4.8, 5.1, 5.6, 6.2, 7.0, 7.6, 7.8, 6.9, 5.6])  # fmt: skip


class World:
    """The scenario company in small: Poisson clicks by hour, binomial registrations and FTD, reports an hour later."""

    def __init__(self, days: int = 35, seed: int = 7, sites: int = 2) -> None:
        self.hours, draw = days * 24, np.random.default_rng(seed)
        rows = [
            (partner, offer, geo, f"{team}-{site:03d}", team)
            for partner, (*_, team) in PARTNERS.items()
            for offer in ("casino", "sports")
            for geo in GEOS[team]
            for site in range(sites)
        ]
        self.leaves = rows
        share = {partner: 1.0 / sum(row[0] == partner for row in rows) for partner in PARTNERS}
        hour = np.arange(self.hours)
        shape = SHAPE[hour % 24] / SHAPE.sum()
        daily = np.array([PARTNERS[row[0]][0] * share[row[0]] for row in rows])
        self.clicks = draw.poisson(daily[:, None] * shape)
        self.regs = draw.binomial(self.clicks, np.array([PARTNERS[row[0]][1] for row in rows])[:, None])
        self.ftd = draw.binomial(self.regs, np.array([PARTNERS[row[0]][2] for row in rows])[:, None])
        spread = draw.gamma(4.0, 0.25, self.ftd.shape)
        self.revenue = self.ftd * np.array([PARTNERS[row[0]][3] for row in rows])[:, None] * spread
        self.lag = np.ones(self.clicks.shape, np.int64)
        self.told = {partner: np.ones(self.hours, np.int64) for partner in PARTNERS}
        self.draw = draw

    def at(self, hour: float) -> datetime:
        return START + timedelta(hours=hour)

    def inside(self, **where: str) -> np.ndarray:
        place = {"partner": 0, "offer": 1, "geo": 2, "site": 3, "team": 4}
        return np.array([all(row[place[dim]] == value for dim, value in where.items()) for row in self.leaves])

    def thin(self, since: int, until: int, keep: float, **where: str) -> float:
        """Lose conversions of a slice from hour to hour; returns the commission lost."""
        cells = np.ix_(self.inside(**where), np.arange(since, until))
        before, had = self.revenue[cells].copy(), self.ftd[cells]
        self.regs[cells] = self.draw.binomial(self.regs[cells], keep)
        kept = self.draw.binomial(had, keep)
        self.revenue[cells] = before * np.divide(kept, had, out=np.zeros(before.shape), where=had > 0)
        self.ftd[cells] = kept
        return float(before.sum() - self.revenue[cells].sum())

    def scale(self, since: int, until: int, clicks: float = 1.0, events: float = 1.0, **where: str) -> None:
        cells = np.ix_(self.inside(**where), np.arange(since, until))
        self.clicks[cells] = (
            self.draw.binomial(self.clicks[cells], clicks) if clicks < 1 else self.clicks[cells] * clicks
        )
        if events < 1:
            self.thin(since, until, events, **where)

    def facts(self) -> pl.DataFrame:
        leaf, hour = np.nonzero(self.clicks + self.regs + self.ftd)
        zero = np.zeros(len(leaf))
        own = self._rows(leaf, hour, hour + 1, self.clicks[leaf, hour], zero, zero, zero)
        told = np.stack([self.told[row[0]] for row in self.leaves])[leaf, hour] + hour
        seen = np.maximum(told, hour + self.lag[leaf, hour])
        theirs = self._rows(
            leaf, hour, seen, zero, self.regs[leaf, hour], self.ftd[leaf, hour], self.revenue[leaf, hour]
        )
        return pl.concat([own, theirs]).sort("seen_at", maintain_order=True)

    def receipts(self) -> pl.DataFrame:
        hour = np.arange(self.hours)
        return pl.concat(
            pl.DataFrame(
                {"partner": [name] * self.hours, "hour": self._times(hour), "seen_at": self._times(hour + lag)}
            )
            for name, lag in self.told.items()
        )

    def _rows(self, leaf, hour, seen, clicks, regs, ftd, revenue) -> pl.DataFrame:
        named = {
            dim: [self.leaves[number][place] for number in leaf]
            for place, dim in enumerate(("partner", "offer", "geo", "site", "team"))
        }
        counts = {"clicks": clicks, "regs": regs, "ftd": ftd}
        counts = {name: np.asarray(figures).astype(np.int64) for name, figures in counts.items()}
        times = {"hour": self._times(hour), "seen_at": self._times(seen)}
        return pl.DataFrame({**times, **named, **counts, "revenue": np.asarray(revenue, float)})

    def _times(self, hours) -> pl.Series:
        stamps = (np.asarray(hours) * 3600 + int(START.timestamp())) * 1_000_000
        return pl.Series(stamps).cast(pl.Datetime("us", "UTC"))


@pytest.fixture
def world():
    return World


@pytest.fixture(scope="session")
def make_world():
    return World
