"""Kept bodies read anew: what was held back and is released, and what was stored with a mapping that was wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import zstandard

from checks.feeds.adapt import adapt
from checks.feeds.canonical import canonical, lacking
from checks.feeds.judge import accept, judge
from checks.feeds.payload import Flaws
from checks.feeds.pull import Pulled
from checks.feeds.report import reply_of
from data.errors import UsageError
from data.model.delivery import Delivery, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from checks.feeds.canonical import Row
    from checks.feeds.judge import FeedOutcome
    from checks.feeds.preset import Preset
    from checks.feeds.report import Report
    from data.config.settings import Feed, Partner
    from data.model.fact import PartnerStat, Payload

MOST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery and its bodies, in the order they came."""

    delivery: Delivery
    bodies: tuple[Payload, ...]


def kept(deliveries: Sequence[Delivery], bodies: Mapping[str, Payload]) -> tuple[tuple[Kept, ...], int]:
    """Deliveries of which every body is still there, and how many are not."""
    there = tuple(
        Kept(one, tuple(bodies[name] for name in one.payloads))
        for one in deliveries
        if one.payloads and all(name in bodies for name in one.payloads)
    )
    return there, len(deliveries) - len(there)


def reread(feed: Feed, preset: Preset, found: Sequence[Kept]) -> Pulled:
    """Deliveries as one, with today's mapping: of each day the newest that holds it.

    Raises `Unreadable` for a body that cannot be read this way, `ConfigError` for options that no preset has.
    """
    adapted = adapt(preset, feed.options)
    ordered = sorted(found, key=lambda one: one.delivery.at)
    if not ordered:
        raise UsageError(f"nothing of {feed.name} is kept that could be read again")
    by_day: dict[date | None, tuple[Row, ...]] = {}
    flaws, missing = Flaws(), dict[str, list[str]]()
    reports: list[Report] = []
    for one in ordered:
        reports = [_report(body, adapted) for body in one.bodies]
        rows: tuple[Row, ...] = ()
        for report in reports:
            flaws.add(report.flaws)
            page = canonical(report.records, adapted)
            missing |= lacking(page, adapted)
            rows += page
        days = {row.day for row in rows}
        by_day.update({day: tuple(row for row in rows if row.day == day) for day in days})
    return Pulled(
        host=urlsplit(feed.base_url).hostname or "",
        first=min(one.delivery.first for one in ordered),
        last=max(one.delivery.last for one in ordered),
        payloads=tuple({body.hash: body for one in ordered for body in one.bodies}.values()),
        rows=tuple(row for rows in by_day.values() for row in rows),
        total=_total(reports) if len(ordered) == 1 else None,
        lacking=missing,
        flaws=tuple(flaws),
    )


def _report(body: Payload, preset: Preset) -> Report:
    plain = zstandard.decompress(body.body, max_output_size=MOST_BODY)
    return reply_of(plain, body.content_type, preset).report()


def _total(reports: Sequence[Report]) -> int | None:
    """Rows that the pages of one report announce together; nothing where they are of several reports."""
    claims = {report.claimed for report in reports}
    return claims.pop() if len(claims) == 1 else None


def rows_of(bodies: Sequence[Payload], preset: Preset) -> tuple[Row, ...]:
    """The rows of one delivery, in the order of its bodies; raises `Unreadable`."""
    return tuple(row for body in bodies for row in canonical(_report(body, preset).records, preset))


def release(
    feed: Feed,
    preset: Preset,
    found: Sequence[Kept],
    baseline: bytes | None,
    known: Sequence[PartnerStat],
    now: datetime,
    who: str,
    *,
    partner: Partner | None = None,
    trusted: bool = False,
) -> FeedOutcome:
    """What becomes of quarantined deliveries under today's mapping; `trusted` on a person's word, whatever they hold.

    Raises `UsageError` with the reason when they would be held back again.
    """
    pulled = reread(feed, preset, found)
    made = (accept if trusted else judge)(feed, preset, pulled, baseline, known, now, partner=partner)
    if made.outcome is Outcome.QUARANTINED:
        raise UsageError(
            f"{feed.name} would be held back again: {made.observation.detail}. Map it first, or accept it as it is"
        )
    settled = tuple(replace(one.delivery, outcome=Outcome.RELEASED, decided_at=now, decided_by=who) for one in found)
    return replace(made, deliveries=settled, payloads=())
