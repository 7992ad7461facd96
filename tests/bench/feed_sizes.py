"""Payloads of 25 fields, and how fast all their records are profiled."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from checks.feeds.columns import format_of
from checks.feeds.contract import profile
from tests.bench.figure import Figure

AT = datetime(2026, 11, 1, tzinfo=UTC)


def records(seed: int, n: int) -> list[dict[str, object]]:
    """Rows as a platform gives them: 24 fields and an object of two, nine of the fields texts, three of them endless."""
    dice = random.Random(seed)
    return [
        {
            "id": 10**6 * seed + k, "dt": f"2026-11-{1 + k % 28:02}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00Z",
            "day": f"2026-11-{1 + k % 28:02}", "brand": dice.choice(("Zefirion", "Luxora", "Vantic")), "campaign": f"c-{k % 97}",
            "afp": f"go-{dice.randrange(10**9):09}", "country": dice.choice(("DE", "AT", "FI", "NO")), "currency": "EUR",
            "site": f"site-{k % 500}.example", "status": dice.choice(("approved", "pending")),
            "impressions": dice.randint(0, 90_000), "clicks": dice.randint(0, 900), "uniques": dice.randint(0, 700),
            "registrations": dice.randint(0, 90), "ftd": dice.randint(0, 9), "qftd": dice.randint(0, 5),
            "deposits": dice.randint(0, 40), "deposit_total": round(dice.random() * 900, 2),
            "withdrawal_total": round(dice.random() * 300, 2), "ggr": round(dice.random() * 500, 2),
            "ngr": round(dice.random() * 400, 2), "cpa": f"{dice.randint(0, 9) * 120}.00",
            "revshare": f"{dice.random() * 300:.2f}", "note": None, "deal": {"cpa": 120, "share": 35.0},
        }
        for k in range(n)
    ]  # fmt: skip


def speed() -> list[Figure]:
    """Records a second through the profile at 25 fields, each record counted, nothing cached from before."""
    figures = []
    for n in (2_000, 50_000):
        rows, best = records(7, n), float("inf")
        for _ in range(3):
            format_of.cache_clear()
            began = time.perf_counter()
            profile(rows, payload="now", at=AT)
            best = min(best, time.perf_counter() - began)
        figures.append(Figure(f"profile of {n:,} records x 25 fields", n / best, "records/s", "wanted", 40_000.0))
    return figures
