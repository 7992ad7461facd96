"""The funnel of a slice as of now: the book's steps, and the partner's own count of our clicks where it has one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from checks.feeds import precedence
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.arrival import DAY, day_end
from checks.revenue import views
from checks.revenue.cube import hour_of
from checks.revenue.funnel import COMMISSION, OWN, Counted, funnel, words
from checks.revenue.stages import counted
from data.model.principal import MoneyRight
from data.store import facts, partner_stats

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from checks.hub.hub import Hub
    from data.config.settings import Feed
    from data.model.principal import Scope
    from data.model.revenue_view import Funnel, FunnelStep

USUAL_DAYS = 14
LEAST_DAYS = 3
"""Whole days of both counts from which the partner's usual share of our clicks is known."""


def funnel_of(hub: Hub, where: Mapping[str, str], scope: Scope, since: datetime, until: datetime) -> Funnel | None:
    """What each step brought between two moments, which moved first and what that usually means; in a thread.

    `None` while nothing is known of the slice.
    """
    with hub.book.at_rest():
        reader = hub.book.reader()
        leaves = views.leaves_of(hub.book.cube, where, scope.teams)
        if reader is None or not len(leaves):
            return None
        first, last = hour_of(since), max(hour_of(until - timedelta(microseconds=1)) + 1, hour_of(since) + 1)
        common = np.array([reader.common.get(hour, 1.0) for hour in range(first, last)])
        steps = counted(reader.cube, reader.model, leaves, first, last, common)
    if theirs := _partner_clicks(hub, where, scope, steps[OWN].seen or 0.0, since, until):
        steps |= theirs
    found = funnel(steps, since, until, only={name: where[name] for name in ("geo",) if name in where})
    return found if scope.money is MoneyRight.FULL else replace(found, steps=tuple(map(_as_share, found.steps)))


def _as_share(step: FunnelStep) -> FunnelStep:
    """Commission as a multiple of what was expected, for who may not see money."""
    if step.name != COMMISSION or not step.expected or step.lo is None or step.hi is None:
        return step if step.name != COMMISSION else replace(step, seen=None, expected=None, lo=None, hi=None)
    usual = step.expected
    seen = None if step.seen is None else round(step.seen / usual, 3)
    return replace(step, seen=seen, expected=1.0, lo=round(step.lo / usual, 3), hi=round(step.hi / usual, 3))


def guess(hub: Hub, where: Mapping[str, str], scope: Scope, since: datetime, until: datetime) -> str:
    """What an incident may say of it: `registrations are flat, first deposits fell: ...`; empty where no step moved."""
    found = funnel_of(hub, where, scope, since, until)
    return words(found) if found else ""


def _partner_clicks(
    hub: Hub, where: Mapping[str, str], scope: Scope, own: float, since: datetime, until: datetime
) -> dict[str, Counted]:
    """The partner's clicks in the measure of ours: reports are by day and know no more than the partner."""
    partner = where.get("partner", "")
    if not partner or not where.keys() <= {"partner", "team"} or not own:
        return {}
    feeds = hub.settings.feeds
    asked = [one for one in feeds if one.partner == partner and where.get("team", one.team) == one.team]
    mine = [one for one in asked if scope.sees(one.team) and precedence.is_report(one)]
    if len(mine) != 1:
        return {}
    now, usual = _shares(hub, mine[0], scope, since, until)
    return {"partner clicks": Counted(round(own * now), own * usual)} if usual > 0 else {}


def _shares(hub: Hub, feed: Feed, scope: Scope, since: datetime, until: datetime) -> tuple[float, float]:
    """The partner's clicks over ours: on the days between two moments, and on the whole days before; 0 where unknown."""
    preset = adapt(presets.load(feed.preset), feed.options)
    begun, ended = since.astimezone(preset.zone).date(), until.astimezone(preset.zone).date()
    first = begun - USUAL_DAYS * DAY
    theirs: dict[date, float] = {}
    for stat in partner_stats.current(hub.store, scope, feed.name, first):
        if (figure := stat.measures.get("clicks")) is not None:
            theirs[stat.day] = theirs.get(stat.day, 0.0) + float(figure)
    ours: dict[date, float] = {}
    start = day_end(first - DAY, preset)
    for hour, count in facts.clicks_of_partner(
        hub.store, feed.partner, start, precedence.of_partners(hub.settings.feeds)
    ).items():
        day = hour.astimezone(preset.zone).date()
        ours[day] = ours.get(day, 0.0) + count
    before = [day for day in ours.keys() & theirs.keys() if first <= day < begun]
    during = [day for day in ours.keys() & theirs.keys() if begun <= day <= ended]
    if len(before) < LEAST_DAYS or not during:
        return 0.0, 0.0
    usual = sum(theirs[day] for day in before) / sum(ours[day] for day in before)
    return sum(theirs[day] for day in during) / sum(ours[day] for day in during), usual
