"""Notices in words: what a receiver may know of an incident, and the message that is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.access.redaction import HIDDEN, band, redact_incident, redact_words
from data.config.units import format_duration
from data.model.cause import CAUSES
from data.model.incident import IncidentState, Severity
from data.model.money import ZERO
from data.model.notice import NoticeKind, Told
from data.model.principal import MoneyRight
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from checks.incidents.notify.labels import Labels
    from data.model.incident import Incident
    from data.model.money import Loss
    from data.model.notice import Notice
    from data.model.principal import Scope

TITLE = 200
LINE = 300
_CALM = str.maketrans({"<": "‹", ">": "›", "`": "'"})
_MENTION = re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)", re.IGNORECASE)
_HEADS = {
    NoticeKind.OPENING: "",
    NoticeKind.UPDATE: "update: ",
    NoticeKind.REPEAT: "still open: ",
    NoticeKind.ESCALATION: "nobody has it: ",
    NoticeKind.ACKNOWLEDGED: "taken: ",
    NoticeKind.RESOLVED: "over: ",
    NoticeKind.HANDOVER: "hand-over: ",
    NoticeKind.TRIAL: "",
}


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    """One line."""
    body: str
    severity: Severity
    """The worst that is open; of what is over, the worst there was."""
    is_over: bool
    """Nothing in it is open."""


def told(incident: Incident, labels: Labels, scope: Scope) -> Told:
    """The incident as a receiver of `scope` may know it: redacted words, money by right, teams by right."""
    seen = redact_incident(incident, scope)
    closed = incident.state is IncidentState.CLOSED
    return Told(
        incident=incident.id,
        state=incident.state,
        severity=incident.severity,
        cause=incident.cause,
        title=_line(seen.title, scope),
        where=_line(seen.where, scope),
        team=incident.team if incident.team == "*" or scope.sees(incident.team) else seen.teams[0],
        owner=labels.owner or incident.owner_role,
        started_at=incident.started_at,
        detected_at=incident.detected_at,
        members=incident.members,
        money=money(incident.loss, scope, is_over=closed),
        by=_line(incident.closed_by if closed else incident.acknowledged_by, scope),
        closed_at=incident.closed_at,
        merged=_line(seen.reason, scope) if incident.is_merged else "",
        labels=labels.shown(),
    )


def money(loss: Loss, scope: Scope, *, is_over: bool) -> str:
    """`EUR 320/h (250 to 410), EUR 80 so far`; the band alone, or nothing, for those who may not read figures."""
    if scope.money is MoneyRight.NONE or loss == HIDDEN:
        return ""
    if scope.money is MoneyRight.BAND:
        return "" if is_over else band(loss.per_hour)
    lost = f"{loss.currency} {loss.lost:,.0f} ({loss.lost_lo:,.0f} to {loss.lost_hi:,.0f})"
    unseen = f"{loss.currency} {loss.unseen_per_hour:,.0f}/h unseen" if loss.unseen_per_hour > ZERO else ""
    if is_over:
        return f"cost {lost}" if loss.lost > ZERO else ""
    rate = f"{loss.currency} {loss.per_hour:,.0f}/h ({loss.per_hour_lo:,.0f} to {loss.per_hour_hi:,.0f})"
    parts = (rate if loss.per_hour > ZERO else "", f"{lost} so far" if loss.lost > ZERO else "", unseen)
    return ", ".join(part for part in parts if part)


def message(notice: Notice, now: datetime, scope: Scope, room: int = 3_500) -> Message:
    """The words of a notice at the moment it is sent, at most `room` characters of body.

    `scope` is what the channel may see *now*: rights that were taken away since the notice was made count. What is late
    says of when it is, and what may have arrived before says so.
    """
    open_ones = [one for one in notice.told if one.closed_at is None]
    worst = min((one.severity for one in open_ones or notice.told), default=Severity.SEV4)
    marks = [
        f"late, of {notice.created_at:%d %b %H:%M}Z" if notice.is_late(now) else "",
        "may be a repeat" if notice.repeated else "",
        f"{notice.channel} got it for another channel that failed" if notice.instead_of else "",
    ]
    mark = "".join(f"[{words}] " for words in marks if words)
    title = clean_text(redact_words(f"{mark}{_HEADS[notice.kind]}{_subject(notice, open_ones)}", scope), TITLE)
    lines = [notice.text] if notice.text else [line for one in notice.told for line in _about(one)]
    lines += _tail(notice, open_ones)
    body = _fit([redact_words(line, scope) for line in lines], room)
    return Message(title, body, worst, not open_ones)


def _subject(notice: Notice, open_ones: list[Told]) -> str:
    shown = open_ones or list(notice.told)
    if not shown:
        return notice.receiver
    first, worst = shown[0], min(one.severity for one in shown)
    if len(shown) == 1:
        by = f" by {first.by}" if first.by and notice.kind is NoticeKind.ACKNOWLEDGED else ""
        return f"#{first.incident} {worst}{by} {first.title}, {first.where}"
    return f"{len(shown)} incidents, worst {worst}: {first.title}, {first.where} and others"


def _about(one: Told) -> list[str]:
    """Two to four lines about an incident."""
    many = f" ({one.members:,} members)" if one.members > 1 else ""
    head = f"#{one.incident} {one.severity} {one.title} ({one.cause}): {one.where}{many}"
    if one.closed_at is not None:
        lasted = _span(one.closed_at - one.started_at)
        how = one.merged or f"over at {one.closed_at:%H:%M}Z after {lasted}"
        return [head, "  " + ", ".join(part for part in (how, one.money) if part)]
    since = f"  since {one.started_at:%d %b %H:%M}Z, team {one.team}"
    lines = [head, ", ".join(part for part in (since, one.money) if part)]
    if one.by:
        lines.append(f"  {one.by} has it")
    elif one.owner:
        lines.append(f"  for: {one.owner}; first: {CAUSES[one.cause].plans[0] if one.cause in CAUSES else ''}")
    return lines


def _tail(notice: Notice, open_ones: list[Told]) -> list[str]:
    look = f"look: losswatch incidents show {open_ones[0].incident}" if open_ones else ""
    take = f"take: losswatch incidents ack {open_ones[0].incident}" if open_ones and not open_ones[0].by else ""
    why = f"to {notice.receiver} by {notice.route}" if notice.route else f"to {notice.receiver}"
    return ["; ".join(part for part in (look, take) if part), why] if look else [why]


def _fit(lines: list[str], room: int) -> str:
    """Whole lines as far as there is room, and how many are left out."""
    text = "\n".join(lines)
    if len(text) <= room:
        return text
    kept: list[str] = []
    left = room - 40
    for line in (part for one in lines for part in one.split("\n")):
        if len(line) + 1 > left:
            break
        kept.append(line)
        left -= len(line) + 1
    return "\n".join((*kept, f"… and {text.count(chr(10)) + 1 - len(kept):,} more lines"))[:room]


def digest(messages: list[Message], room: int = 3_500) -> Message:
    """Several messages as one, for a channel that takes no more: every title, the urgent first."""
    ordered = sorted(messages, key=lambda one: (one.is_over, one.severity))
    title = f"{len(messages)} messages: {ordered[0].title}"
    open_ones = [one.severity for one in messages if not one.is_over]
    worst = min(open_ones or [one.severity for one in messages])
    return Message(clean_text(title, TITLE), _fit([one.title for one in ordered], room), worst, not open_ones)


def as_seen(notice: Notice, scope: Scope) -> Notice:
    """A notice as a reader of `scope` may see it, whatever its channel may: no money but by full right, own teams only."""
    full = scope.money is MoneyRight.FULL
    rows = tuple(
        replace(
            one,
            title=redact_words(one.title, scope),
            where=redact_words(one.where, scope),
            merged=redact_words(one.merged, scope),
            money=one.money if full else "",
        )
        for one in notice.told
        if one.team == "*" or scope.sees(one.team)
    )
    teams = tuple(team for team in notice.teams if scope.sees(team))
    return replace(notice, told=rows, teams=teams, text=redact_words(notice.text, scope))


def _line(text: str, scope: Scope) -> str:
    """Foreign text as it may stand in a message: one line, no secret, no markup, nobody called by it."""
    plain = clean_text(redact(redact_words(text, scope)), LINE)
    return _MENTION.sub("＠", plain.translate(_CALM))


def _span(lasted: timedelta) -> str:
    seconds = max(lasted.total_seconds(), 0.0)
    return format_duration(round(seconds / 60) * 60 if seconds >= 60 else round(seconds))
