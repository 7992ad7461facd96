"""Whether a delivery makes sense beside everything else that is known: its own days, the deal, the other partners."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.feeds import identities
from checks.feeds.control import Moved, control
from checks.feeds.kinds import HARMLESS, RISKY
from checks.feeds.ratios import parted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from checks.feeds.canonical import Row
    from checks.feeds.change import Change
    from checks.feeds.preset import Preset
    from data.config.settings import Feed
    from data.model.fact import PartnerStat

Day = dict[str, Decimal | None]
SPAN_DAYS = 45
UNIQUE = frozenset({"clicks", "impressions"})
"""What some platforms count by visitor: the total of two rows is then less than their sum."""


def day_totals(known: Iterable[PartnerStat], rows: Iterable[Row], today: date) -> dict[date, Day]:
    """Figures by complete day, all currencies alike: the delivered rows in place of the known ones of their days."""
    fresh = [(row.day, row.measures) for row in rows if row.day is not None]
    there = {day for day, _ in fresh}
    found: dict[date, Day] = defaultdict(dict)
    for day, measures in (*((stat.day, stat.measures) for stat in known if stat.day not in there), *fresh):
        if day >= today:
            continue
        for name, figure in measures.items():
            before = found[day].get(name)
            found[day][name] = before if figure is None else figure + (before or 0)
    return {day: found[day] for day in sorted(found)}


def senses(
    feed: Feed, preset: Preset, rows: Sequence[Row], totals: Mapping[str, Decimal | None], days: Mapping[date, Day]
) -> list[Change]:
    """Identities that a delivery breaks and ratios that it parts, one of a kind and path."""
    measures = [row.measures for row in rows if row.day is not None]
    checks = [*identities.funnel(list(days.values())[-SPAN_DAYS:])]
    if feed.cpa:
        checks.append(identities.cpa_whole(measures, feed.cpa))
    if feed.revshare:
        checks.append(identities.share_kept(measures, feed.revshare))
    found = [change for check in checks if (change := check.change())]
    return [*_totals(preset, measures, totals), *found, *parted(list(days.values()))]


def _totals(
    preset: Preset, rows: Sequence[Mapping[str, Decimal | None]], totals: Mapping[str, Decimal | None]
) -> Iterable[Change]:
    """Totals that the rows do not add up to, at the path they were read from: of money they hold the delivery back."""
    additive = {name: total for name, total in totals.items() if name not in UNIQUE}
    for check in identities.adds_up(rows, additive):
        if change := check.change():
            field = preset.fields[check.path]
            severity = change.severity if field.type == "money" else RISKY
            yield replace(change, path=field.source or check.path, severity=severity)


def beside_our_clicks(own: Mapping[date, int], days: Mapping[date, Day]) -> list[Change]:
    """The partner's count of our clicks against our own, on the complete days that both know: a note, no more.

    Dead links, bots and consent walls part the two as well; what is to blame is for the link's and the page's checks to say.
    """
    both = [(own[day], clicks) for day, one in days.items() if day in own and (clicks := one.get("clicks")) is not None]
    change = identities.clicks_matched([ours for ours, _ in both], [int(theirs) for _, theirs in both]).change()
    return [replace(change, severity=HARMLESS)] if change else []


def beside_others(
    found: Sequence[Change], partner: str, totals: Mapping[str, Mapping[date, float]]
) -> tuple[Change, ...]:
    """Changes of size with what the other partners say: a step that all made together is no partner's fault.

    `totals` are commissions by partner and complete day. A ratio that stepped with everybody's is left out; a unit or a
    currency stays, and says that only this partner moved.
    """
    days = sorted(set().union(*(by_day.keys() for by_day in totals.values()))) if totals else []
    said = control({name: [by_day.get(day, 0.0) for day in days] for name, by_day in totals.items()}, partner)
    kept = [change for change in found if not (change.kind == "ratio-shifted" and said.moved is Moved.TOGETHER)]
    if said.moved is not Moved.ALONE:
        return tuple(kept)
    sized = {"scale-changed", "currency-switched", "ratio-shifted"}
    return tuple(replace(one, now=f"{one.now}; {said.words}") if one.kind in sized else one for one in kept)
