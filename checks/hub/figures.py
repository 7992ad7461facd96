"""What was known of a feed's days at any earlier moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from data.errors import NotAllowed, UsageError
from data.model.known import KnownAt, KnownDay
from data.model.principal import MoneyRight
from data.model.target import TargetKind, target_id
from data.store import partner_stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from checks.hub.hub import Hub
    from data.model.fact import PartnerStat
    from data.model.principal import Principal

MOST = 500
"""Moments of one question."""


async def known_at(hub: Hub, who: Principal, feed: str, moments: Sequence[str]) -> tuple[KnownAt, ...]:
    """The feed's figures by day as they were known at each of `moments` (ISO, with a zone).

    Raises:
        UsageError: no such feed in scope, or a moment that is none.
        NotAllowed: the role does not see all money.
    """
    target = hub.board.targets.get(target_id(TargetKind.FEED, feed))
    if target is None or not who.scope.sees(target.team):
        raise UsageError(f"no feed {feed!r} in your scope")
    if who.scope.money is not MoneyRight.FULL:
        raise NotAllowed(f"{who.name} ({who.role}) may not see what partners pay; ask a lead or an admin")
    if len(moments) > MOST:
        raise UsageError(f"{len(moments)} moments are more than {MOST}")
    wanted = [_moment(text) for text in moments]

    def read() -> tuple[KnownAt, ...]:
        return tuple(KnownAt(at, _by_day(partner_stats.as_of(hub.store, who.scope, feed, at))) for at in wanted)

    return await asyncio.to_thread(read)


def _by_day(stats: Iterable[PartnerStat]) -> tuple[KnownDay, ...]:
    found: dict[tuple[date, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for stat in stats:
        sums = found[stat.day, stat.currency]
        for name, figure in stat.measures.items():
            if figure is not None:
                sums[name] += figure
    return tuple(KnownDay(day, currency, dict(sums)) for (day, currency), sums in sorted(found.items()))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"{text!r} is no moment; write it as 2026-01-31T09:15:00Z")
    return moment
