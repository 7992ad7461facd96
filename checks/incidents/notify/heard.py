"""Who was told of an incident, over which channel and when, as lines of its timeline. Pure; derived from the notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM
from data.config.units import format_duration
from data.model.incident import TimelineEntry
from data.model.notice import NoticeKind, NoticeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from data.model.ids import IncidentId
    from data.model.notice import Notice, Told

_LISTED = 6
"""Receivers named in one line."""
_TOGETHER = timedelta(seconds=5)
_KINDS = {
    NoticeKind.REPEAT: "that it goes on",
    NoticeKind.ESCALATION: "because nobody has it",
}


@dataclass(frozen=True, slots=True)
class _Line:
    at: datetime
    before: str
    receiver: str
    after: str


def heard(notices: Sequence[Notice], incident: IncidentId, at: datetime) -> tuple[TimelineEntry, ...]:
    """Lines about one incident as they stood at `at`, oldest first; `notices` are those that tell of it.

    A notice tells of other incidents, too: one that only mentions this one, with nothing new, has no line. What reached
    several receivers within seconds is one line.
    """
    by_id = {notice.id: notice for notice in notices}
    known: dict[tuple[str, str], tuple[object, ...]] = {}
    lines: list[_Line] = []
    for notice in sorted(notices, key=lambda one: (one.created_at, one.id)):
        row = next((one for one in notice.told if one.incident == incident), None)
        if row is None or notice.created_at > at:
            continue
        believed = (row.closed_at is None, row.severity, row.by)
        news = _news(notice, row, known.get((notice.channel, notice.receiver)))
        known[notice.channel, notice.receiver] = believed
        if news:
            lines += _lines(notice, news, by_id, at)
    return tuple(
        TimelineEntry(incident, moment, SYSTEM, what)
        for moment, what in sorted(_together(lines), key=lambda one: one[0])
    )


def _news(notice: Notice, row: Told, before: tuple[object, ...] | None) -> str:
    """What this receiver learned of the incident; empty when it was only mentioned."""
    if row.closed_at is not None:
        return "that it is over"
    if notice.kind in _KINDS:
        return _KINDS[notice.kind]
    if before is None or before[0] is False:
        return f"that {row.by} has it" if notice.kind is NoticeKind.ACKNOWLEDGED and row.by else "that it began"
    if row.by and row.by != before[2]:
        return f"that {row.by} has it"
    return f"that it is {row.severity}" if row.severity != before[1] else ""


def _lines(notice: Notice, news: str, by_id: Mapping[str, Notice], at: datetime) -> Iterable[_Line]:
    """What was tried in vain, and what became of it by then."""
    named = notice.receiver if notice.receiver == notice.channel else f"{notice.receiver} on {notice.channel}"
    sent = notice.state is NoticeState.SENT and notice.sent_at is not None and notice.sent_at <= at
    failed = notice.failed_at is not None and notice.failed_at <= at
    if failed and notice.failed_at is not None:
        yield _Line(notice.failed_at, "could not tell ", named, f" {news}: {notice.problem}")
    if sent and notice.sent_at is not None:
        yield _Line(notice.sent_at, "told ", named, f" {news}{_marks(notice, by_id)}")
    elif notice.state is NoticeState.DEAD and notice.tried_at is not None and notice.tried_at <= at:
        yield _Line(notice.tried_at, "gave up telling ", named, f" {news} after {_tries(notice.attempts)}")
    elif notice.state is NoticeState.DEAD and notice.tried_at is None:  # its channel is gone
        yield _Line(notice.created_at, "never told ", named, f" {news}: {notice.problem}")
    elif not failed:
        late = ", late already" if notice.is_late(at) else ""
        yield _Line(notice.created_at, "not told yet: ", named, f" {news}{late}")


def _marks(notice: Notice, by_id: Mapping[str, Notice]) -> str:
    assert notice.sent_at is not None
    waited = (notice.sent_at - notice.created_at).total_seconds()
    first = by_id.get(notice.instead_of)
    marks = (
        f"{format_duration(round(waited / 60) * 60)} late" if notice.is_late(notice.sent_at) else "",
        f"at the {notice.attempts}. try" if notice.attempts > 1 else "",
        "perhaps a repeat" if notice.repeated else "",
        f"because {first.channel if first else 'another channel'} did not take it" if notice.instead_of else "",
    )
    return "".join(f", {mark}" for mark in marks if mark)


def _tries(count: int) -> str:
    return f"{count} tries" if count != 1 else "one try"


def _together(lines: Iterable[_Line]) -> Iterable[tuple[datetime, str]]:
    """What differs in the receiver alone and happened within seconds becomes one line, of the last of them."""
    groups: dict[tuple[str, str], list[list[_Line]]] = {}
    for line in sorted(lines, key=lambda one: one.at):
        alike = groups.setdefault((line.before, line.after), [])
        if alike and line.at - alike[-1][0].at <= _TOGETHER:
            alike[-1].append(line)
        else:
            alike.append([line])
    for (before, after), alike in groups.items():
        for some in alike:
            names = sorted({line.receiver for line in some})
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            yield some[-1].at, f"{before}{', '.join(names[:_LISTED])}{more}{after}"
