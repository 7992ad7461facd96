"""Questions about people: did the money clock stop when they used a plan, and who was told what."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.demo.audit import Answer, Books
from data.model.notice import NoticeKind, NoticeState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.demo.report import Found
    from checks.demo.truth import EventTruth, Truth
    from data.model.notice import Notice

JUST_BEFORE = timedelta(minutes=2)
LOOKED = timedelta(minutes=45)
"""So long after a plan was used its effect is looked at: the first ticks of the clock still see what was before."""
STOPPED = 0.2
"""Share of the loss per hour that may go on: the edge's reserve takes the best sites, not the long tail."""
PATIENCE = timedelta(minutes=30)
"""Within this everybody has heard that something is over."""


def questions(event: EventTruth, truth: Truth, mine: Sequence[Found], books: Books) -> tuple[Answer, ...]:
    """What can be asked of a failure that was found; `mine` are its incidents."""
    if event.kind != "failure" or not mine:
        return ()
    said = _stopped(event, books) if event.relief else ()
    return (*said, *_told(truth, mine, books))


def _stopped(event: EventTruth, books: Books) -> tuple[Answer, ...]:
    assert event.relief is not None
    asked, relief, told = "did the money clock stop when the plan was applied?", event.relief, books.rates.get(event.id)
    truly = f"in truth {relief.before:,.0f} and {relief.after:,.0f}"
    if told is None:
        return (Answer(asked, None, 0),)
    before, after = told
    words = f"{relief.at:%H:%MZ}, {before:,.0f} an hour before and {after:,.0f} after, {truly}"
    return (Answer(asked, before > 0 and float(after) <= STOPPED * float(before), 2, words),)


def _told(truth: Truth, mine: Sequence[Found], books: Books) -> tuple[Answer, ...]:
    if books.notices is None:
        return ()
    numbers = {int(one.incident.id) for one in mine}
    notices = [one for one in books.notices if numbers & set(map(int, one.incidents))]
    wrong = [problem for one in mine if (problem := _silence(one, truth, notices))]
    first = min(
        (one for one in notices if one.kind is NoticeKind.OPENING), key=lambda one: one.created_at, default=None
    )
    words = f"{first.receiver} first, {first.created_at:%H:%MZ}" if first else ""
    heard = [one for one in truth.heard if numbers & set(one.incidents)]
    leaked = sorted({f"{one.channel} read {what}" for one in heard for what in one.leaked})
    return (
        Answer("was each channel told once, and that it is over?", not wrong if notices else None, len(notices), "; ".join(wrong) or words),
        Answer("did nobody read what they may not?", not leaked if heard else None, len(heard), "; ".join(leaked[:3])),
    )  # fmt: skip


def _silence(found: Found, truth: Truth, notices: Sequence[Notice]) -> str:
    """What is wrong with how an incident was told, in words; empty when nothing is."""
    incident, name = found.incident, f"#{found.incident.id}"
    mine = [one for one in notices if incident.id in one.incidents]
    opened = Counter(one.channel for one in mine if one.kind is NoticeKind.OPENING)
    if twice := [channel for channel, count in opened.items() if count > 1]:
        return f"{name} was told twice to {', '.join(twice)}"
    if dead := [one.channel for one in mine if one.state is NoticeState.DEAD]:
        return f"{name} did not reach {', '.join(sorted(set(dead)))}"
    ended = {one.channel for one in mine if one.kind is NoticeKind.RESOLVED}
    over = incident.closed_at is not None and truth.at - incident.closed_at > PATIENCE
    missing = sorted(opened.keys() - ended) if over else []
    return f"{', '.join(missing)} did not hear that {name} is over" if missing else ""
