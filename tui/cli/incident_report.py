"""One incident as a Markdown page for people who were not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from data.model.money import Loss
    from data.model.record import Report

_MEANS = re.compile(r"([\\`*_{}\[\]<>|#])")
_CERTAINTY = {"fact": "Known", "guess": "Likely", "unknown": "Not known"}


def markdown(report: Report) -> str:
    """The whole page; foreign text cannot become markup."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    incident, times = report.incident, report.times
    yield f"# Incident #{incident.id}: {_plain(incident.where)}, {_plain(incident.title)}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| severity | {incident.severity.value} |"
    yield f"| cause | {_plain(incident.cause)} |"
    yield f"| owner | {_plain(', '.join(filter(None, (incident.owner_role, *incident.teams))))} |"
    yield f"| began | {_when(incident.started_at)} |"
    yield f"| confirmed | {_when(incident.detected_at)}, {_took(times.to_detect)} after it began |"
    yield f"| verdict | {report.verdict or 'nobody gave one'} |"
    yield f"| acknowledged | {_done(incident.acknowledged_at, incident.acknowledged_by, times.to_acknowledge)} |"
    yield f"| mitigated | {_took(times.to_mitigate)}{' after its confirmation' if times.to_mitigate is not None else ''} |"
    yield f"| closed | {_done(incident.closed_at, incident.closed_by, times.to_resolve)} |"
    kinds = (f"{count:,} {_plain(kind)}{'' if count == 1 else 's'}" for kind, count in report.members)
    yield f"| affected | {', '.join(kinds)} |"
    if report.first:
        yield f"| first | {', '.join(map(_plain, report.first))} |"
    for name, words in _money(incident.loss):
        yield f"| {name} | {words} |"
    for certainty, title in _CERTAINTY.items():
        said = [one.text for one in report.statements if one.certainty == certainty]
        if said:
            yield from ("", f"## {title}", "", *(f"- {_plain(text)}" for text in said))
    if report.switches:
        yield from ("", "## Plans used", "")
        for use in reversed(report.switches):
            people = _plain(", ".join(use.approved) or use.asked_by)
            detail = f": {_plain(use.detail)}" if use.detail else ""
            yield f"- {_when(use.asked_at)} {use.letter} {_plain(use.title)}, {use.state.value} ({people}){detail}"
    if report.checklist:
        yield from ("", "## Checklist", "")
        for item in report.checklist:
            done = f" ({_plain(item.done_by)}, {_when(item.done_at)})" if item.done_at else ""
            yield f"- [{'x' if item.done_at else ' '}] {_plain(item.text)}{done}"
    yield from ("", "## Timeline", "")
    for entry in report.timeline:
        yield f"- {_when(entry.at)} **{_plain(entry.who)}** {_plain(entry.what)}"


def _money(loss: Loss) -> Iterator[tuple[str, str]]:
    """The four quantities, never added up; nothing for who may not see them."""
    if not loss.currency:
        return
    yield "lost", f"{loss.lost} {loss.currency} (80 %: {loss.lost_lo} to {loss.lost_hi})"
    for name, amount in (("at risk", loss.per_hour), ("recoverable", loss.recoverable), ("unseen", loss.unseen)):
        if amount > 0:
            yield name, f"{amount} {loss.currency}" + (" an hour" if name == "at risk" else "")


def _plain(text: str) -> str:
    """Text that Markdown takes as it stands, on one line."""
    return _MEANS.sub(r"\\\1", " ".join(text.split()))


def _done(at: datetime | None, who: str | None, seconds: float | None) -> str:
    """`2026-11-17 12:05:00Z by maria, 3m`."""
    if at is None:
        return _when(at)
    return f"{_when(at)}{f' by {_plain(who)}' if who else ''}{f', {_took(seconds)}' if seconds is not None else ''}"


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "not yet"


def _took(seconds: float | None) -> str:
    return fmt.age(seconds) if seconds is not None else "not yet"
