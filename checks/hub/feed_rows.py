"""What is known of a feed as the rows of its screen: each function turns records into rows and reads nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from checks.feeds.change import Use, use_of
from checks.feeds.kinds import SEVERITIES
from checks.feeds.past import past_of
from data.access.redaction import redact_words
from data.model.backfill import BackfillState
from data.model.feed_view import Backfill, ContractRow, DeliveryRow, RestatementRow
from data.model.principal import MoneyRight
from data.model.snapshot import ChangeRow
from data.text import MASK, clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.feeds.change import Uses
    from checks.feeds.contract import Contract
    from checks.feeds.past import Past
    from checks.feeds.preset import Preset
    from data.model import backfill
    from data.model.delivery import Delivery, Restatement
    from data.model.fact import FeedChange
    from data.model.principal import Scope

HASH = 12
"""Letters of a body's hash that tell it from others."""
PATHS = 200
WORDS = 4
"""Words of a closed set that are listed."""
HOUR = timedelta(hours=1)
_FIGURE = re.compile(r"(?<![×÷] )(?<![\d.,])[-−]?\d[\d.,]*(?![\d.,]*%)")


def readers(preset: Preset) -> dict[str, str]:
    """What is read from each path, by the names that `losswatch feeds map` takes."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = preset.rows
    named = (("day", rows.day), ("hour", rows.hour), ("currency_path", rows.currency))
    for name, path in (*named, *((f"dim.{name}", path) for name, path in preset.dims.items())):
        if path:
            found[path].append(name)
    for name, field in preset.fields.items():
        for path in dict.fromkeys((field.source, *field.plus, *field.when)):
            if path:
                found[path].append(name)
    return {path: ", ".join(dict.fromkeys(names)) for path, names in found.items()}


def read_from(path: str, by: Mapping[str, str]) -> str:
    """What is read from a path or from anything below it."""
    below = [names for source, names in by.items() if source == path or source.startswith((f"{path}.", f"{path}["))]
    return clean_text(", ".join(below), 120) if path else "every figure"


def change_rows(found: Iterable[FeedChange], preset: Preset | None, uses: Uses, scope: Scope) -> tuple[ChangeRow, ...]:
    """Open ones first, the worst first; then closed ones, the last closed first."""
    by = readers(preset) if preset else {}
    ordered = sorted(found, key=lambda one: one.first_seen)
    ordered.sort(key=lambda one: one.closed_at.timestamp() if one.closed_at else 0.0, reverse=True)
    ordered.sort(key=lambda one: SEVERITIES.index(one.severity) if one.severity in SEVERITIES else len(SEVERITIES))
    ordered.sort(key=lambda one: one.closed_at is not None)
    rows = []
    for one in ordered:
        was, now = (_words(text, one.path, uses, scope) for text in (one.was, one.now))
        times = one.first_seen, one.last_seen, one.closed_at
        reader = read_from(one.path, by) if by else ""
        rows.append(ChangeRow(one.severity, one.kind, one.path, was, now, one.n_after, *times, reader))
    return tuple(rows)


def _words(text: str, path: str, uses: Uses, scope: Scope) -> str:
    """Words of a change; amounts at a path of money only for who may see money."""
    if scope.money is not MoneyRight.FULL and use_of(path, uses) is Use.MONEY:
        text = _FIGURE.sub(MASK, text)
    return redact_words(text, scope)


def delivery_rows(found: Iterable[Delivery], sizes: Mapping[str, int], scope: Scope) -> tuple[DeliveryRow, ...]:
    return tuple(
        DeliveryRow(
            one.at, one.first, one.last, one.rows, one.outcome, redact_words(one.detail, scope),
            one.payloads[0][:HASH] if one.payloads else "", sum(sizes.get(name, 0) for name in one.payloads), one.decided_by,
        )
        for one in found
    )  # fmt: skip


def restatement_rows(found: Iterable[Restatement], preset: Preset | None, scope: Scope) -> tuple[RestatementRow, ...]:
    """The ledger; of a measure that is money, or that we do not know, figures only for who may see money."""
    fields = preset.fields if preset else {}
    rows = []
    for one in found:
        count = one.measure in fields and fields[one.measure].type == "count"
        seen = count or scope.money is MoneyRight.FULL
        share = float(one.delta / one.was) if one.was and seen else None
        was, now = (one.was, one.now) if seen else (None, None)
        rows.append(
            RestatementRow(
                one.day, one.measure, one.currency, was, now, share, one.kind, one.age_days, one.observed_at, one.rows, one.acknowledged_by,
            )
        )  # fmt: skip
    return tuple(rows)


def contract_rows(contract: Contract, preset: Preset | None, scope: Scope) -> tuple[ContractRow, ...]:
    """Read paths first, then by name; what a path usually holds is told of texts, and of figures to who may see them."""
    by = readers(preset) if preset else {}
    rows = [
        ContractRow(path, _types(past), past.presence, _blank(past), _usual(past, scope), by.get(path, ""))
        for path, past in past_of(contract).items()
    ]
    rows.sort(key=lambda row: (not row.used_by, row.path))
    return tuple(rows[:PATHS])


def _types(past: Past) -> str:
    """`integer`, `string decimal`, `number or string integer`; nulls are told by their share."""
    texts = _summed(profile.formats for profile in past.profiles)
    names = [name for name in _summed(profile.types for profile in past.profiles) if name != "string"]
    names += [f"string {name}" if name != "text" else "string" for name in list(texts)[:2]]
    return " or ".join(names[:3]) or "null"


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name, most first."""
    total: dict[str, int] = defaultdict(int)
    for some in counts:
        for name, count in some.items():
            total[name] += count
    return dict(sorted(total.items(), key=lambda pair: -pair[1]))


def _blank(past: Past) -> float:
    return sum(profile.blanks for profile in past.profiles) / past.n if past.n else 0.0


def _usual(past: Past, scope: Scope) -> str:
    """`3 words: approved, pending, ...`, `0 to 1,204, median 31`; empty where it says nothing."""
    lows, highs, medians = (
        [value for profile in past.profiles if (value := getattr(profile, name)) is not None]
        for name in ("low", "high", "log_median")
    )
    if medians and lows:
        if scope.money is not MoneyRight.FULL:
            return ""
        return f"{_figure(min(lows))} to {_figure(max(highs))}, median {_figure(10 ** median(medians))}"
    listed = {word for profile in past.profiles for word in profile.values or () if word}
    endless = any(profile.values is None and profile.types.get("string") for profile in past.profiles)
    if not listed or endless or any(profile.days for profile in past.profiles):
        return ""
    if len(listed) == 1:
        return redact_words(f"always {next(iter(listed))}", scope)
    more = ", ..." if len(listed) > WORDS else ""
    return redact_words(f"{len(listed)} words: {', '.join(sorted(listed)[:WORDS])}{more}", scope)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:,.2f}"


def backfill_of(one: backfill.Backfill | None, scope: Scope) -> Backfill | None:
    """How far a backfill came, in days."""
    if one is None:
        return None
    days = (one.last - one.first).days + 1
    left = (one.left - one.first).days + 1 if one.left else 0
    waits = one.state is BackfillState.RUNNING and one.detail
    held = f"{one.held} in quarantine" if one.held else ""
    words = redact_words(", ".join(filter(None, (f"{one.rows:,} rows", held, one.detail))), scope)
    return Backfill(one.first, one.last, days - left, days, "waiting" if waits else one.state.value, words)
