"""How a parser's pages vary without being broken: results by hour of day, layouts and fields that come and go, places.

Information, never a reason to wake anybody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from checks.parsers.outside import is_good
from data.model.parser_view import VolatilityRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from data.model.fact import ParserRun

ENOUGH = 5
"""Runs, or pairs of days, below which nothing is called usual."""
NEAR_HOURS = 1
LATELY = timedelta(hours=24)
DAY = timedelta(days=1)
SLACK = timedelta(hours=2)
"""Yesterday's run is one so much before or after this time of day."""
TOP = 10
MOST_QUERIES = 6
MOST_FEATURES = 8
_STEADY = 0.95
"""What is there in this share of runs does not come and go."""


@dataclass(frozen=True, slots=True)
class Band:
    """Results usual at one time of day."""

    runs: int
    lo: float
    mid: float
    hi: float

    def __str__(self) -> str:
        return f"{self.mid:.0f} ({self.lo:.0f} to {self.hi:.0f})"


def volatility(runs: Sequence[ParserRun], now: datetime) -> tuple[VolatilityRow, ...]:
    """Rows to show of a parser's runs, in any order: counts and churn per query and country, then what comes and goes."""
    good = sorted((run for run in runs if is_good(run)), key=lambda run: run.at)
    by_query: dict[tuple[str, str], list[ParserRun]] = defaultdict(list)
    for run in good:
        by_query[run.query or run.url, run.geo].append(run)
    rows: list[VolatilityRow] = []
    largest = sorted(by_query.values(), key=len, reverse=True)
    for mine in largest[:MOST_QUERIES]:
        where = f" {_query(mine[-1])}" if len(largest) > 1 else ""
        rows += [row for row in (_count(mine, where, now), _churn(mine, where, now)) if row]
    layouts = _comings(good, now, "layout", lambda run: [run.family] if run.family else [])
    fields = _comings(good, now, "field", lambda run: [one.name for one in run.fields if one.fill > 0])
    return (*rows, *layouts, *fields)


def band(runs: Sequence[ParserRun], hour: int) -> Band | None:
    """What is usual around that hour of day, UTC; `None` below five runs."""
    counts = sorted(run.items for run in runs if (run.at.hour - hour + NEAR_HOURS) % 24 <= 2 * NEAR_HOURS)
    if len(counts) < ENOUGH:
        return None
    last = len(counts) - 1
    return Band(len(counts), counts[round(last * 0.1)], median(counts), counts[round(last * 0.9)])


def changed(run: ParserRun, yesterday: ParserRun) -> float | None:
    """Share of the first ten results' hosts that were not among yesterday's; `None` where the hosts are not known."""
    if not run.hosts or not yesterday.hosts:
        return None
    top = set(run.hosts[:TOP])
    return len(top - set(yesterday.hosts[:TOP])) / len(top)


def _count(runs: Sequence[ParserRun], where: str, now: datetime) -> VolatilityRow | None:
    last = runs[-1]
    if now - last.at > LATELY:
        return None
    usual = band(runs[:-1], last.at.hour)
    label = f"results at {last.at:%H}:00{where}"
    if usual is None:
        return VolatilityRow(label, str(last.items), "", "too few runs at this hour to say what is usual")
    words = "as usual at this hour"
    if last.items > usual.hi:
        words = "more than usual at this hour"
    elif last.items < usual.lo:
        words = "fewer than usual at this hour"
    return VolatilityRow(label, str(last.items), str(usual), words)


def _churn(runs: Sequence[ParserRun], where: str, now: datetime) -> VolatilityRow | None:
    """Today against yesterday, and what such a day usually brings; from counts alone nothing can be said of places."""
    shares = [(run.at, share) for run, before in _pairs(runs) if (share := changed(run, before)) is not None]
    if not shares or now - shares[-1][0] > LATELY:
        return None
    (_, last), earlier = shares[-1], sorted(share for _, share in shares[:-1])
    label = f"new in the first {TOP}{where}"
    if len(earlier) < ENOUGH:
        return VolatilityRow(label, f"{last:.0%}", "", "against yesterday; too few days to say what is usual")
    end = len(earlier) - 1
    lo, mid, hi = earlier[round(end * 0.1)], median(earlier), earlier[round(end * 0.9)]
    words = "more change than usual" if last > hi else "as usual" if last >= lo else "calmer than usual"
    return VolatilityRow(label, f"{last:.0%}", f"{mid:.0%} ({lo:.0%} to {hi:.0%})", f"against yesterday: {words}")


def _pairs(runs: Sequence[ParserRun]) -> list[tuple[ParserRun, ParserRun]]:
    """Each run with the one of the day before that is nearest to its time; `runs` are oldest first."""
    pairs, first = list[tuple["ParserRun", "ParserRun"]](), 0
    for run in runs:
        wanted = run.at - DAY
        while first < len(runs) and runs[first].at < wanted - SLACK:
            first += 1
        near = []
        for other in runs[first:]:
            if other.at > wanted + SLACK:
                break
            near.append(other)
        if near:
            pairs.append((run, min(near, key=lambda other: abs(other.at - wanted))))
    return pairs


def _comings(
    runs: Sequence[ParserRun], now: datetime, kind: str, pick: Callable[[ParserRun], list[str]]
) -> list[VolatilityRow]:
    """What some runs have and others have not: since when it is there, or when it was last seen."""
    told = [run for run in runs if run.items and pick(run)] if kind == "layout" else [run for run in runs if run.items]
    if len(told) < ENOUGH:
        return []
    seen = Counter(name for run in told for name in pick(run))
    moving = [name for name, count in seen.most_common() if count < _STEADY * len(told)]
    return [_coming(told, now, kind, name, seen[name] / len(told), pick) for name in moving[:MOST_FEATURES]]


def _coming(
    runs: Sequence[ParserRun], now: datetime, kind: str, name: str, share: float, pick: Callable[[ParserRun], list[str]]
) -> VolatilityRow:
    having = [run.at for run in runs if name in pick(run)]
    lately = [run for run in runs if now - run.at <= LATELY]
    count = sum(name in pick(run) for run in lately)
    if not count:
        words = f"vanished; last seen {having[-1]:%Y-%m-%d %H:%MZ}"
    elif now - having[0] <= LATELY < now - runs[0].at:
        words = f"appeared {having[0]:%H:%MZ}"
    else:
        words = "comes and goes"
    current = f"in {count} of {len(lately)} runs" if lately else ""
    return VolatilityRow(f"{kind} {name}", current, f"in {share:.0%} of runs", words)


def _query(run: ParserRun) -> str:
    """What a person calls the page: its query, else its path; and its country."""
    if run.query:
        return f"{run.query[:40]} {run.geo}".rstrip()
    parts = urlsplit(run.url)
    query = next(iter(parse_qs(parts.query).get("q", ())), "") or parts.path.strip("/") or parts.netloc
    return " ".join(part for part in (query[:40], run.geo) if part)
