"""Drift of partner payloads: real feeds with known changes, faults put into made-up ones beside usual tests, and speed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds.contract import KEEP, Contract, profile
from checks.feeds.drift import changes
from tests.bench import feed_real, feed_sizes
from tests.bench.feed_trial import PEERS, Tally, clock_trial, trial
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 11, 1, tzinfo=UTC)
WORLDS, DAYS = range(9_000, 9_030), 60
"""Seeds that nothing was tuned on: tuning used worlds below 1,000, and one look at 7,000 to 8,300."""
CLOCKS = {150: range(9_100, 9_140), 500: range(9_200, 9_240), 2_000: range(9_300, 9_315)}


def run() -> list[Figure]:
    return [*_real(), *_faults(), *_clock(), *_speed()]


def _real() -> list[Figure]:
    root = feed_real.corpora()
    if root is None:
        return [Figure("real feeds with known changes", 0, "payloads", note="not here: set LOSSWATCH_CORPORA")]
    feed, versions = feed_real.practice_feed(root), feed_real.fixtures(root)
    days = f"{feed.payloads} payloads, {feed.found} of {feed.known} fields"
    return [
        Figure("practice feed: schema batches on their day", feed.on_its_day, "batches", "there are", feed.batches, days),
        Figure("practice feed: claims beside them", feed.spurious, "claims", "wanted", 0.0, "every kind counts"),
        Figure("versioned fixtures: fields and resources found", versions.found, "fields", "there are", versions.known, f"{versions.payloads} versions"),
        Figure("versioned fixtures: claimed and not so", versions.spurious, "fields", "wanted", 0.0),
        Figure("versioned fixtures: false type changes", versions.retyped, "fields", "wanted", 0.0, f"{versions.compared:,} paths compared"),
    ]  # fmt: skip


def _faults() -> list[Figure]:
    tally = trial(WORLDS, DAYS)
    figures = []
    for name in tally.tried:
        peers = ", ".join(f"{test} {tally.recall(name, test):.2f}" for test in PEERS)
        tried = tally.tried[name]
        note = f"{tally.hits[name, '']} of {tried} at ~120 rows a day; {peers}"
        figures.append(Figure(f"recall, {name}", 100 * tally.recall(name), "%", "wanted", 99.0, note))
    return [*figures, _false(tally)]


def _false(tally: Tally) -> Figure:
    peers = ", ".join(f"{test} {tally.per_10k(test):,.0f}" for test in PEERS)
    note = f"{tally.field_days:,} field-days, {tally.false['']} false; {peers}"
    return Figure("false alarms per 10,000 field-days", tally.per_10k(), "alarms", "wanted at most", 1.0, note)


def _clock() -> list[Figure]:
    figures = []
    for rows, worlds in CLOCKS.items():
        found = clock_trial(worlds, rows)
        peers = ", ".join(f"{test} {share:.2f}" for test, share in found.peers.items())
        note = f"first day {found.one:.2f}, hours exact {found.exact:.2f}, {found.false} false in {found.quiet_days} quiet days; {peers}"
        wanted = 95.0 if rows >= 500 else None
        what = f"clock shifted 2-3 h, {rows:,} rows a day, in two days"
        figures.append(Figure(what, 100 * found.two, "%", "wanted" if wanted else "", wanted, note))
    return figures


def _speed() -> list[Figure]:
    past = Contract()
    for seed in range(KEEP):
        past = past.learn(profile(feed_sizes.records(seed, 500), payload=str(seed), at=AT + timedelta(days=seed)))
    figures = []
    for n in (2_000, 50_000):
        records = feed_sizes.records(99, n)
        spent = _seconds(
            lambda records=records: changes(past, profile(records, payload="now", at=AT + timedelta(days=99)))
        )
        figures.append(Figure(f"profile + drift of {n:,} records x 25 fields", n / spent, "records/s", *_peer(records)))
    return [*figures, *feed_sizes.speed()]


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def _peer(records: list[dict[str, object]]) -> tuple[str, float | None]:
    try:
        from genson import SchemaBuilder
    except ImportError:
        return "", None

    def build() -> None:
        builder = SchemaBuilder()
        for record in records[:2_000]:
            builder.add_object(record)
        builder.to_schema()

    return "genson (schema only)", min(len(records), 2_000) / _seconds(build)
