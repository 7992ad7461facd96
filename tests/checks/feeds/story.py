"""A feed over time, judged pull by pull."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds import preset as presets
from checks.feeds.canonical import canonical
from checks.feeds.fetch import Problem
from checks.feeds.judge import judge
from checks.feeds.memory import Memory
from checks.feeds.pull import Pulled
from data.model.cause import cause
from data.model.fact import Payload
from data.model.ids import TeamId

from .conftest import NOW, feed

if TYPE_CHECKING:
    from checks.feeds.decode import Record

STEP = timedelta(minutes=15)


class Story:
    """One feed over time: each `pull` judges rows with what the pulls before left behind."""

    def __init__(self, preset="smartico", partner=None, **changed) -> None:
        self.preset, self.partner = presets.load(preset), partner
        self.feed = feed(preset=preset, **changed)
        self.baseline: bytes | None = None
        self.known: dict = {}

    def pull(self, records: list[Record], now: datetime = NOW, problem: str = "", **more):
        today = now.astimezone(self.preset.zone).date()
        rows = canonical(records, self.preset)
        body = Payload("hash", "p01", TeamId("aurora"), now, "application/json", b"")
        found = Pulled("api.example", today - timedelta(days=2), today, (body,), rows, **more)
        if problem:
            found = replace(found, rows=(), problem=Problem(cause(problem), "no"))
        return self.take(found, now)

    def take(self, found: Pulled, now: datetime):
        outcome = judge(
            self.feed, self.preset, found, self.baseline, tuple(self.known.values()), now, partner=self.partner
        )
        self.baseline = outcome.baseline
        self.known |= {(stat.day, stat.currency, tuple(sorted(stat.dims.items()))): stat for stat in outcome.stats}
        return outcome

    def contract(self):
        return Memory.from_bytes(self.baseline).contract


def day(moment: datetime, back: int) -> str:
    return (moment.date() - timedelta(days=back)).isoformat()


def rows(now: datetime = NOW, *, money: float = 1, growth: float = 1.0, afps: int = 8, **changed) -> list[Record]:
    """Three days of an account; today has grown by `growth`."""
    found: list[Record] = []
    for back in (2, 1, 0):
        for n in range(afps):
            grown = growth if back == 0 else 1.0
            ftd = int((3 + n) * grown)
            found.append({
                "dt": day(now, back) + "T00:00:00Z", "brand_name": "Zefirion", "afp": f"go-{n}",
                "visit_count": int((90 + 7 * n) * grown), "registration_count": 12 + n, "ftd_count": ftd,
                "ftd_total": round(20.37 * ftd * money, 2), "deposit_total": round(41.93 * ftd * money, 2),
                "net_pl": round(33.11 * ftd * money, 2), "commissions_total": round(38.03 * ftd * money, 2), **changed,
            })  # fmt: skip
    return found


def told(outcome):
    return outcome.observation.state, outcome.observation.cause
