"""Records a second through profile and drift, beside a schema builder on the same records."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds.contract import KEEP, Contract, profile
from checks.feeds.drift import changes
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 11, 1, tzinfo=UTC)


def _payload(seed: int, n: int) -> list[dict[str, object]]:
    dice = random.Random(seed)
    return [
        {
            "dt": f"2026-11-{1 + k % 28:02}T00:00:00Z", "brand_name": "Zefirion", "afp": f"go-{k}", "visit_count": dice.randint(0, 900),
            "registration_count": dice.randint(0, 90), "ftd_count": dice.randint(0, 9), "deposit_total": round(dice.random() * 900, 2),
            "net_pl": round(dice.random() * 400, 2), "commissions_total": f"{dice.random() * 300:.2f}", "note": None,
        }
        for k in range(n)
    ]  # fmt: skip


def _seconds(work: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def run() -> list[Figure]:
    past = Contract()
    for seed in range(KEEP):
        past = past.learn(profile(_payload(seed, 500), payload=str(seed), at=AT + timedelta(days=seed)))
    figures = []
    for n in (2_000, 50_000):
        records = _payload(99, n)
        spent = _seconds(
            lambda records=records: changes(past, profile(records, payload="now", at=AT + timedelta(days=99)))
        )
        figures.append(Figure(f"profile + drift of {n:,} records x 10 fields", n / spent, "records/s", note=_note(n)))
    peer, seconds = _peer(_payload(99, 2_000))
    first = figures[0]
    figures[0] = Figure(first.what, first.value, first.unit, peer, 2_000 / seconds if seconds else None, first.note)
    return figures


def _note(n: int) -> str:
    return "every record" if n <= 2_000 else "2,000 sampled, keys and rows counted on all"


def _peer(records: list[dict[str, object]]) -> tuple[str, float]:
    try:
        from genson import SchemaBuilder
    except ImportError:
        return "", 0.0

    def build() -> None:
        builder = SchemaBuilder()
        for record in records:
            builder.add_object(record)
        builder.to_schema()

    return "genson (schema only)", _seconds(build)
