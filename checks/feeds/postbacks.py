"""Calls about one player's step: what one says, what is wrong with it, and what many of them say together. Pure.

Ids belong to people: they are hashed with a key of this home before anything is kept, and told by nobody. A call is the same
call when partner, event, click and transaction are the same; deposits without a transaction are never taken for one another.
"""

from __future__ import annotations

import hashlib
import re
import statistics
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING
from urllib.parse import unquote

from checks.feeds.canonical import LIMIT
from checks.feeds.chance import beta_binomial_rare
from checks.feeds.heartbeat import HOUR, SIGNIFICANT, Rhythm, Verdict, floor
from data.model.cause import cause
from data.model.delivery import Postback
from data.model.feed_view import HourOfPostbacks
from data.model.observation import NO_CAUSE
from data.model.state import State
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from checks.feeds.preset import Postback as Names
    from data.config.settings import Feed

MACRO, EMPTY, DUPLICATE, UNREADABLE, TRANSITION = "macro", "empty", "duplicate", "unreadable", "transition"
REPEATABLE = frozenset({"deposit", "rebill"})
"""Events that one player has again and again: without a transaction they cannot be told apart."""
SILENT_AFTER_REJECTED = frozenset({"registration", "ftd", "qftd"})
"""What may not follow the rejection of the same transaction."""
LATEST = 20
"""Newest calls that a broken macro is looked for in..."""
BROKEN = 2
"""...of which so many must have one: partners try an address out from their panel."""
FEW_DUPLICATES = 5
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=400)
_MACRO = re.compile(
    r"\{\{?\s*[\w.|:\[\] -]{1,60}\s*\}?\}|\[\[?\s*[A-Za-z_][\w.-]{0,60}\s*\]?\]|\$\{[^}]{1,60}\}|<[A-Za-z_]\w{0,40}>|#[A-Za-z_]\w{0,40}#|%[A-Za-z_]{3,40}%"
)
_NOTHING = frozenset({"", "null", "none", "nil", "undefined", "nan", "-", "0", "n/a"})
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two calls the same."""

    event: str
    click: str
    transaction: str


def parse(given: Mapping[str, str], names: Names, feed: Feed, now: datetime, salt: bytes) -> Postback:
    """One call's parameters as an event; never raises. `salt` keys the hashes of its ids."""
    lower = {name.lower(): value.strip() for name, value in given.items()}

    def said(name: str) -> str:
        return lower.get(name.lower(), "") if name else ""

    click, transaction = said(names.click), said(names.transaction)
    event = _event(said(names.event) or said(names.status), names)
    if _event(said(names.status), names) == "rejected":
        event = "rejected"
    amount, readable = _amount(said(names.amount))
    at = _moment(said(names.at), now)
    fault = ""
    if not event or not readable or len(click) > _LONGEST or len(transaction) > _LONGEST:
        fault = UNREADABLE
    if click.lower() in _NOTHING:
        fault, click = EMPTY, ""
    if is_macro(click) or is_macro(transaction) or is_macro(event):
        fault, event = MACRO, "" if is_macro(event) else event
    return Postback(
        feed.name, feed.team, feed.partner, now, at, clean_text(event, 40), hashed(click, salt), hashed(transaction, salt), amount,
        clean_text(said(names.currency).upper(), 8), fault,
    )  # fmt: skip


def is_macro(value: str) -> bool:
    """Whether the sender's own placeholder stands where its value should: `{clickid}`, `{{afp}}`, `%7Bclickid%7D`, `[[sub1]]`."""
    return bool(_MACRO.fullmatch(unquote(unquote(value)).strip())) if value else False


def hashed(value: str, salt: bytes) -> str:
    """Sixteen bytes in hexadecimal; equal for equal ids of one home, of no use elsewhere. Empty for nothing."""
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=salt[:64], digest_size=16).hexdigest() if value else ""  # fmt: skip


def key_of(event: Postback) -> Key | None:
    """Nothing where another call may say the same and mean another event."""
    if not event.click or (event.event in REPEATABLE and not event.transaction):
        return None
    return Key(event.event, event.click, event.transaction)


def placed(event: Postback, known: Collection[Key]) -> Postback:
    """The call among those before it: one that came before is a duplicate, one that no order of steps allows is told so."""
    key = key_of(event)
    if event.fault or key is None:
        return event
    if key in known:
        return replace(event, fault=DUPLICATE)
    if event.event in SILENT_AFTER_REJECTED and Key("rejected", key.click, key.transaction) in known:
        return replace(event, fault=TRANSITION)
    return event


def _event(word: str, names: Names) -> str:
    """Their word in ours; a foreign word stays as it is, none is what the sender usually means."""
    if not word:
        return names.usual
    return names.events.get(word.lower(), word.lower() if not is_macro(word) else word)


def _amount(text: str) -> tuple[Decimal | None, bool]:
    """A finite figure, or none; and whether what stood there could be read. A macro in its place is no figure and no harm."""
    if text.lower() in _NOTHING - {"0"} or is_macro(text):
        return None, True
    try:
        figure = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except (InvalidOperation, ValueError):
        return None, False
    fits = figure.is_finite() and abs(figure) < LIMIT
    return (figure.quantize(Decimal("0.0001")) if fits else None), fits


def _moment(text: str, now: datetime) -> datetime | None:
    """When it happened, as the sender says: ISO, or seconds or milliseconds since 1970; what cannot be is nothing."""
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            number = float(text)
            found = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
        else:
            found = datetime.fromisoformat(text.replace("/", "-"))
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if now - OLDEST <= found <= now + AHEAD else None


# Many of them together


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls of one hour by what is wrong with them; good ones under the empty word."""

    at: datetime
    faults: Mapping[str, int]

    @property
    def good(self) -> int:
        return self.faults.get("", 0)

    @property
    def duplicate(self) -> int:
        return self.faults.get(DUPLICATE, 0)

    @property
    def faulty(self) -> int:
        return sum(self.faults.values()) - self.good - self.duplicate

    @property
    def calls(self) -> int:
        return sum(self.faults.values())


@dataclass(frozen=True, slots=True)
class Lag:
    """From the event to its call, in seconds."""

    median_s: float
    p90_s: float
    n: int

    @property
    def words(self) -> str:
        return f"calls come {_span(self.median_s)} after the event, nine of ten within {_span(self.p90_s)}"


def lag_of(events: Sequence[Postback]) -> Lag | None:
    """Of good calls that say when it happened; nothing with fewer than ten."""
    waits = sorted(max((one.received_at - one.at).total_seconds(), 0.0) for one in events if one.at and not one.fault)
    if len(waits) < 10:
        return None
    return Lag(statistics.median(waits), waits[min(int(len(waits) * 0.9), len(waits) - 1)], len(waits))


def hours_of(tallies: Sequence[Tally], beat: Rhythm, now: datetime, hours: int = 48) -> tuple[HourOfPostbacks, ...]:
    """The last hours, the running one included, oldest first."""
    known = {tally.at: tally for tally in tallies}
    nothing: dict[str, int] = {}
    found = []
    for back in reversed(range(hours)):
        at = floor(now) - back * HOUR
        tally = known.get(at, Tally(at, nothing))
        usual = round(beat.usual(at), 2) if beat.known else None
        found.append(HourOfPostbacks(at, tally.good, tally.duplicate, tally.faulty, usual))
    return tuple(found)


def judge(
    latest: Sequence[Postback], tallies: Sequence[Tally], beat: Rhythm, last_good: datetime | None, now: datetime
) -> Verdict:
    """What the calls of one feed say of its sender: silent, broken macros, repeats, or fine.

    `latest` are the newest calls, oldest first; `tallies` the hours of the last weeks. Silence is told at 6.9 nats of the
    hours of the week since the last good call; repeats where a day has more than its days before explain.
    """
    nats = beat.nats(last_good, now) if last_good else 0.0
    told = _macros(latest[-LATEST:]) or _emptied(tallies, now) or _silent(beat, last_good, nats, now)
    told = told or _repeats(tallies, now)
    if told:
        return Verdict(State.FAILING, cause(told[0]), told[1], nats)
    if last_good is None:
        return Verdict(State.OK, NO_CAUSE, "no call yet", nats)
    today = sum(tally.good for tally in tallies if tally.at > now - timedelta(hours=24))
    return Verdict(State.OK, NO_CAUSE, f"{today:,} in 24 h, last {last_good:%H:%M}Z", nats)


def _silent(beat: Rhythm, last_good: datetime | None, nats: float, now: datetime) -> tuple[str, str] | None:
    if last_good is None or nats < SIGNIFICANT:
        return None
    awaited = beat.expected(last_good, now)
    return "postback.silent", f"none since {last_good:%a %H:%M}Z, {awaited:.0f} expected by now"


def _macros(latest: Sequence[Postback]) -> tuple[str, str] | None:
    broken = sum(one.fault == MACRO for one in latest)
    if broken < BROKEN or latest[-1].fault in {"", DUPLICATE}:
        return None
    return "postback.macro", f"{broken} of the last {len(latest)} calls hold the placeholder in place of its value"


def _emptied(tallies: Sequence[Tally], now: datetime) -> tuple[str, str] | None:
    found = _beyond(tallies, EMPTY, now)
    return ("postback.macro", f"{found[0]} of {found[1]} calls of 24 h name no click") if found else None


def _repeats(tallies: Sequence[Tally], now: datetime) -> tuple[str, str] | None:
    found = _beyond(tallies, DUPLICATE, now)
    return ("postback.duplicate", f"{found[0]} of {found[1]} calls of 24 h came before") if found else None


def _beyond(tallies: Sequence[Tally], fault: str, now: datetime) -> tuple[int, int] | None:
    """Calls with a fault and all calls of the last 24 hours, where that is beyond what the days before explain."""
    days: dict[int, list[int]] = {}
    for tally in tallies:
        day = days.setdefault(int((now - tally.at) / timedelta(days=1)), [0, 0])
        day[0] += tally.faults.get(fault, 0)
        day[1] += tally.calls
    hits, calls = days.pop(0, [0, 0])
    before = [(one, n) for one, n in days.values() if n]
    if hits < FEW_DUPLICATES or (not before and hits * 2 < calls):
        return None
    if before and not beta_binomial_rare(hits, calls, before):
        return None
    return hits, calls


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
