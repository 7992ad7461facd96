"""What leaves the hub for a reader: money and partner names only by right."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from data.model.money import Loss
from data.model.principal import MoneyRight, Scope
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Container
    from decimal import Decimal

    from data.model.ids import IncidentId
    from data.model.incident import Incident
    from data.model.observation import Hop, Observation
    from data.model.snapshot import TargetDetail, TargetRow

HIDDEN = Loss(currency="")
"""Stands where a reader may not see the loss; recognised by its empty currency."""

_CURRENCY = r"(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|TRY|CAD|AUD|NZD|BRL|MXN|INR|JPY|ZAR|[€$£¥])"
_NUMBER = r"[-+−]?\d(?:[\d.,'\u00a0\u202f ]*\d)?(?:\s?[kM]\b)?"
_MONEY = re.compile(rf"(?<![A-Z]){_CURRENCY}\s?{_NUMBER}|{_NUMBER}\s?{_CURRENCY}(?![A-Za-z])")
_MASK = "•••"


def band(per_hour: Decimal) -> str:
    """The severity words that stand for a loss per hour."""
    if per_hour > 200:
        return "over 200/h"
    if per_hour >= 50:
        return "50 to 200/h"
    return "under 50/h" if per_hour > 0 else "none"


def redact_words(text: str, scope: Scope) -> str:
    """`text` without amounts of money and partner names, as far as `scope` may not see them."""
    if scope.money is not MoneyRight.FULL:
        text = _MONEY.sub(_MASK, text)
    if scope.hidden_names:
        names, aliases = _hider(scope.hidden_names)
        text = names.sub(lambda found: aliases.get(found[0].lower(), _MASK), text)
    return text


@lru_cache(maxsize=64)
def _hider(hidden: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """All names at once, longer ones first, and what is shown instead."""
    longest = sorted((name for name, _ in hidden), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)), re.IGNORECASE), {name.lower(): alias for name, alias in hidden}


def redact_incident(incident: Incident, scope: Scope, visible: Container[IncidentId] = ()) -> Incident:
    """The incident as `scope` may see it. Severity stays: everybody on call sees that.

    `visible`: other incidents that the scope sees; another one that counts this one's loss is named only if it is there.
    """
    if sees_all(scope):
        return incident
    return replace(
        incident,
        counted_in=incident.counted_in if scope.teams is None or incident.counted_in in visible else None,
        loss=incident.loss if scope.money is MoneyRight.FULL else HIDDEN,
        title=redact_words(incident.title, scope),
        where=redact_words(incident.where, scope),
        blame=redact_words(incident.blame, scope),
        reason=redact_words(incident.reason, scope),
        upstream=redact_words(incident.upstream, scope),
        evidence={name: redact_words(words, scope) for name, words in incident.evidence.items()},
        teams=tuple(team for team in incident.teams if scope.sees(team)),
    )


def redact_row(row: TargetRow, scope: Scope) -> TargetRow:
    """The row as `scope` may see it; a slice's figures are money too. Sort and filter what this returns, not the original."""
    if sees_all(scope):
        return row
    plain = replace(
        row,
        name=redact_words(row.name, scope),
        detail=redact_words(row.detail, scope),
        offer=redact_words(row.offer, scope),
    )
    if scope.money is MoneyRight.FULL:
        return plain
    if row.kind is TargetKind.SLICE:
        plain = replace(plain, value=None, expected=None, trend=())
    return replace(plain, loss_per_hour=None)


def redact_detail(detail: TargetDetail, scope: Scope) -> TargetDetail:
    """What the screen of a target shows, hosts and addresses of its way included."""
    if scope.money is MoneyRight.FULL and not scope.hidden_names:
        return detail

    def calm(text: str) -> str:
        return redact_words(text, scope)

    def hop(one: Hop) -> Hop:
        return replace(
            one, url=calm(one.url), location=calm(one.location), issuer=calm(one.issuer), params=calm(one.params)
        )

    def seen(one: Observation) -> Observation:
        evidence = {name: calm(words) for name, words in one.evidence.items()}
        hops = tuple(map(hop, one.hops))
        return replace(one, detail=calm(one.detail), blame=calm(one.blame), evidence=evidence, hops=hops)

    return replace(
        detail,
        url=calm(detail.url),
        check=tuple((label, calm(value)) for label, value in detail.check),
        hops=tuple(map(hop, detail.hops)),
        observations=tuple(map(seen, detail.observations)),
        flips=tuple(replace(one, reason=calm(one.reason)) for one in detail.flips),
        notes=tuple(map(calm, detail.notes)),
        aspects=tuple(replace(one, value=calm(one.value), expect=calm(one.expect)) for one in detail.aspects),
        before=tuple(replace(one, who=calm(one.who), text=calm(one.text)) for one in detail.before),
    )


def sees_all(scope: Scope) -> bool:
    return scope.teams is None and scope.money is MoneyRight.FULL and not scope.hidden_names
