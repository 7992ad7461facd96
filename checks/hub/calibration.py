"""Whether the detector keeps its word: how often its bands and its first estimates held, and what it took back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from checks.revenue.cube import AGES_H, hour_of
from data.model.money import ZERO
from data.model.principal import MoneyRight
from data.model.revenue_view import AlarmRow, Calibration, Held
from data.model.verdict import Verdict
from data.store import alarms, incidents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from checks.hub.hub import Hub
    from data.model.alarm import AlarmEntry
    from data.model.ids import TargetId, TeamId
    from data.model.money import Loss
    from data.model.principal import Scope

OVER = timedelta(days=28)
AIM = 0.8
FIRST_AFTER = timedelta(hours=2)
"""Before that an estimate rests on the very hours that raised the alarm."""
MOST = 200
_WORDS = {Verdict.RIGHT: "confirmed", Verdict.FALSE: "false"}
ALL = "all together"


@dataclass(slots=True)
class Word:
    """Makes the page of calibration; the bands once an hour for each set of teams."""

    hub: Hub
    _bands: dict[tuple[frozenset[TeamId] | None, int], tuple[Held, ...]] = field(default_factory=dict)

    def kept(self, scope: Scope, now: datetime) -> Calibration:
        """Over the last four weeks, as the scope may see it. Reads the store: in a thread."""
        since = now - OVER
        words = alarms.all_words(self.hub.store, scope, since)
        words.sort(key=lambda entry: entry.id)
        histories = [list(said) for _, said in groupby(words, key=lambda entry: entry.id)]
        histories.sort(key=lambda said: (said[0].detected_at, said[0].id), reverse=True)
        first = [(said[-1], _first(said)) for said in histories]
        judged = [held for last, estimate in first if estimate and (held := _holds(estimate, last)) is not None]
        full = scope.money is MoneyRight.FULL
        said = incidents.verdicts_of_slices(self.hub.store, scope, since)
        return Calibration(
            since=since.date(),
            until=now.date(),
            raised=len(histories),
            withdrawn=sum(said[-1].status == "withdrawn" for said in histories),
            bands=self._held(scope, now),
            intervals=Held("first estimates of a loss", len(judged), sum(judged), AIM),
            alarms=tuple(_row(last, estimate, _verdict(last, said), full=full) for last, estimate in first[:MOST]),
        )

    def _held(self, scope: Scope, now: datetime) -> tuple[Held, ...]:
        """By partner and for all together; days whose late conversions may still come are left out."""
        top = hour_of(now)
        key = scope.teams, top
        if key not in self._bands:
            self._bands = {known: made for known, made in self._bands.items() if known[1] == top}
            since, until = hour_of(now - OVER), top - AGES_H
            book = self.hub.book
            slices = [(partner, {"partner": partner}) for partner in book.partners()]
            counted = [
                (name, *book.days_held(where, scope.teams, since, until)) for name, where in [*slices, (ALL, {})]
            ]
            self._bands[key] = tuple(Held(name, of, held, AIM) for name, of, held in counted if of)
        return self._bands[key]


def _first(said: Sequence[AlarmEntry]) -> Loss | None:
    """The first estimate that counts, oldest word first."""
    return next(
        (one.loss for one in said if one.at - one.detected_at >= FIRST_AFTER and one.status != "withdrawn"), None
    )


def _hours(last: AlarmEntry) -> float:
    return max(((last.end or last.at) - last.start) / timedelta(hours=1), 1.0)


def _holds(first: Loss, last: AlarmEntry) -> bool | None:
    """Whether the first estimate's interval holds what is known now; `None` while that may still change."""
    if last.status != "closed":
        return None
    per_hour = float(last.loss.lost) / _hours(last)
    return float(first.per_hour_lo) <= per_hour <= float(first.per_hour_hi)


def _verdict(last: AlarmEntry, said: Sequence[tuple[TargetId, datetime, Verdict]]) -> str:
    """What people said of the incident that the alarm became."""
    its = (verdict for target, at, verdict in said if target == last.target and last.detected_at <= at <= last.at)
    first = next(its, None)
    return "" if first is None else _WORDS.get(first, first)


def _row(last: AlarmEntry, first: Loss | None, verdict: str, *, full: bool) -> AlarmRow:
    hours = _hours(last)

    def over(per_hour: Decimal) -> Decimal:
        return (per_hour * round(hours)).quantize(ZERO)

    shown = first if full else None
    return AlarmRow(
        id=last.id,
        target=last.target,
        cause=last.cause,
        detected_at=last.detected_at,
        start=last.start,
        end=last.end,
        status=last.status,
        nats=last.nats,
        first=over(shown.per_hour) if shown else None,
        first_lo=over(shown.per_hour_lo) if shown else None,
        first_hi=over(shown.per_hour_hi) if shown else None,
        last=last.loss.lost if full else None,
        verdict=verdict,
    )
