"""Questions about the feeds that only the truth can answer: are earlier states still there, was blindness called so, what is disputed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.demo.corrections import COMMISSION_CENTS, clawed_back_days
from checks.demo.script import Script
from data.model.delivery import RestatedAs
from data.model.target import TargetKind, kind_of, name_of

if TYPE_CHECKING:
    from checks.demo.report import Found
    from checks.demo.told import Day
    from checks.demo.truth import EventTruth, Truth
    from data.model.feed_view import RestatementRow
    from data.model.notice import Notice

CENT = Decimal("0.01")
BLIND_ECHO = timedelta(hours=2)
"""So long after P10 is seen again an alarm about its money would be the blindness's doing."""
NOTED_WITHIN = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of a row of the report. `yes` is `None` while there is nothing to say; `of` counts what was looked at."""

    asked: str
    yes: bool | None
    of: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """What the hub knows, as far as it is audited."""

    known: Mapping[str, Mapping[datetime, Mapping[date, Day]]]
    """Sums by partner, moment and day, as they were known at that moment."""
    ledger: Mapping[str, Sequence[RestatementRow]]
    """Restatements by partner."""
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What finance is told of a partner, by partner."""
    junk: Sequence[str] | None = None
    """What whoever buys traffic is told of clicks that are no people."""
    rates: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """By event: the loss an hour that its incidents said just before a plan was used, and a while after."""
    notices: Sequence[Notice] | None = None
    """What was said to whom; `None`: nobody asked."""


NOTHING = Books({}, {})


def moments(truth: Truth, partner: str) -> list[datetime]:
    """When the books of a partner must be looked at."""
    return [state.at for state in truth.states if state.partner == partner]


def answers(event: EventTruth, truth: Truth, found: Sequence[Found], books: Books) -> tuple[Answer, ...]:
    """What can be said about `event` beyond when and as what it was found."""
    began = event.began_at
    if began is None:
        return ()
    if event.id == "F4":
        return (_reproduced(truth, books, "P06"), _held_back(truth, books, "P06"), _complete(truth, books, "P06"))
    if event.id == "F15":
        return (_reproduced(truth, books, "P05"), *_disputed(truth, books))
    said: dict[str, Callable[[], tuple[Answer, ...]]] = {
        "F7": lambda: (_called_blind(event, found), _no_alarm(event, found)),
        "D3": lambda: (_told_as_junk(began, event, truth, books),),
        "D6": lambda: (_noted(began, truth, books),),
        "D7": lambda: (_corrected(books),),
    }
    return said[event.id]() if event.id in said else ()


def _reproduced(truth: Truth, books: Books, partner: str) -> Answer:
    """Whether every state that there ever was is still there, to the cent."""
    wrong, seen = _differing(truth, books, partner), books.known.get(partner, {})
    words = f"differs at {wrong[0]:%H:%MZ}" if wrong else ""
    return Answer("is every earlier state reproducible to the cent?", not wrong if seen else None, len(seen), words)


def _differing(truth: Truth, books: Books, partner: str) -> list[datetime]:
    seen = books.known.get(partner, {})
    expected: dict[date, Day] = {}
    wrong = []
    for state in (state for state in truth.states if state.partner == partner):
        expected |= state.changed
        if state.at in seen and not _same(expected, seen[state.at]):
            wrong.append(state.at)
    return wrong


def _same(expected: Mapping[date, Day], known: Mapping[date, Day]) -> bool:
    return expected.keys() == known.keys() and all(
        known[day].get(name, Decimal(0)).quantize(CENT) == figure.quantize(CENT)
        for day, sums in expected.items()
        for name, figure in sums.items()
    )


def _held_back(truth: Truth, books: Books, partner: str) -> Answer:
    """Whether nothing was stored while the answers were in another unit."""
    held = [state.at for state in truth.states if state.partner == partner and state.held]
    wrong = set(_differing(truth, books, partner)) & set(held)
    seen = [at for at in held if at in books.known.get(partner, {})]
    return Answer("was no figure stored in between?", not wrong if seen else None, len(seen))


def _complete(truth: Truth, books: Books, partner: str) -> Answer:
    """Whether the first state after the replay has all that was held back."""
    mine = [state for state in truth.states if state.partner == partner]
    last_held = max((n for n, state in enumerate(mine) if state.held), default=-1)
    after = mine[last_held + 1 : last_held + 2] if last_held >= 0 else []
    if not after or after[0].at not in books.known.get(partner, {}):
        return Answer("is the day complete after the replay?", None, 0)
    whole = after[0].at not in _differing(truth, books, partner)
    return Answer("is the day complete after the replay?", whole, len(after[0].changed))


def _called_blind(event: EventTruth, found: Sequence[Found]) -> Answer:
    mine = [one.incident for one in found if one.incident.cause == "feed.auth" and _of_partner(one, "P10")]
    worth = sum((one.loss.unseen for one in mine), Decimal(0))
    clean = all(one.loss.lost == 0 for one in mine)
    return Answer(
        "is the value called unseen, and not lost?", bool(worth > 0 and clean) if mine else None, len(mine),
        f"{worth:,.2f} unseen from {event.began_at:%H:%MZ}" if mine else "",
    )  # fmt: skip


def _no_alarm(event: EventTruth, found: Sequence[Found]) -> Answer:
    """No alarm about P10's money while it could not be seen, nor soon after."""
    assert event.began_at is not None
    until = (event.ended_at or event.began_at) + BLIND_ECHO
    loud = [
        one.incident
        for one in found
        if one.incident.cause.startswith("revenue.")
        and event.began_at <= one.incident.started_at <= until
        and _of_partner(one, "P10")
    ]
    words = ", ".join(f"#{one.id} {one.cause}" for one in loud)
    return Answer("did no alarm about its revenue go off?", not loud, len(loud), words)


def _of_partner(found: Found, partner: str) -> bool:
    for member in found.members:
        name = name_of(member.target)
        if member.partner == partner or (
            kind_of(member.target) is TargetKind.SLICE and f"partner={partner}" in name.split(",")
        ):
            return True
        if kind_of(member.target) is TargetKind.FEED and name.partition("-")[0].upper() == partner:
            return True
    return False


def _disputed(truth: Truth, books: Books) -> tuple[Answer, ...]:
    """The claw-back's class, and its sum against what was really taken back."""
    days = clawed_back_days(Script(_day(truth)))
    entries = [one for one in books.ledger.get("P05", ()) if one.day in days and one.measure == "commission_total"]
    if not entries:
        return (Answer("is it a claw-back in the ledger?", None, 0), Answer("is the disputed sum right?", None, 0))
    taken, due = (
        sum(((one.now or Decimal(0)) - (one.was or Decimal(0)) for one in entries), Decimal(0)),
        Decimal(-COMMISSION_CENTS) / 100,
    )
    classes = {one.kind for one in entries}
    words = ", ".join(sorted(kind.value for kind in classes))
    return (
        Answer("is it a claw-back in the ledger?", classes == {RestatedAs.CLAW_BACK}, len(entries), words),
        Answer("is the disputed sum right?", taken == due, len(entries), f"{taken:,.2f} of {due:,.2f} EUR"),
    )


def _day(truth: Truth) -> datetime:
    return truth.started_at.replace(hour=6, minute=0, second=0, microsecond=0)


def _noted(began: datetime, truth: Truth, books: Books) -> Answer:
    told = books.notes.get("P05", ())
    late = truth.at > began + NOTED_WITHIN and "P05" in books.notes
    yes = True if told else False if late else None
    return Answer("is it a note for finance?", yes, len(told), next(iter(told), ""))


def _told_as_junk(began: datetime, event: EventTruth, truth: Truth, books: Books) -> Answer:
    told = [words for words in books.junk or () if words.startswith(event.reach.site)]
    late = truth.at > began + NOTED_WITHIN and books.junk is not None
    yes = True if told else False if late else None
    return Answer("is it a note for the media buyer?", yes, len(told), next(iter(told), ""))


def _corrected(books: Books) -> Answer:
    """Whether the ledger has the correction, as one."""
    entries = books.ledger.get("P02", ())
    asked = "is it a correction in the ledger?"
    if not entries:
        return Answer(asked, None, 0)
    return Answer(asked, {one.kind for one in entries} <= {RestatedAs.CORRECTION, RestatedAs.LATE_DATA}, len(entries))
