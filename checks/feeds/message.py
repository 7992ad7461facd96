"""What to write to a partner when its data changed: short, factual, and the same facts that its support will ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from data.model.ids import CauseId

MOST = 5
"""Changes, and days of a ledger, that are told one by one."""


@dataclass(frozen=True, slots=True)
class Template:
    """One family of causes: what the first line says, what happened, what we ask."""

    subject: str
    opening: str
    """After the time it began: `From 17 Nov 2026 09:16 UTC ...`."""
    ask: str


TEMPLATES: dict[str, Template] = {
    "feed.scale": Template(
        "amounts in another unit or currency",
        "the amounts in your report differ by the factor below from those before, while the counts beside them do not.",
        "Please tell us which unit and currency the report is in, from which moment on, and whether this is intended. "
        "If it is not, please correct the report and tell us when it may be read again.",
    ),
    "feed.contract": Template(
        "the report changed shape",
        "your report is no longer built as before:",
        "Please confirm whether this is intended and final, send us the current documentation of these fields, and tell us "
        "how earlier days are to be read.",
    ),
    "feed.timezone": Template(
        "the days of the report moved",
        "the times in your report moved together, so that its days begin and end at another moment:",
        "Please confirm the time zone of the report and whether past days were moved with it.",
    ),
    "feed.paging": Template(
        "the report is not complete",
        "your report brings fewer rows than there are:",
        "Please tell us whether the number of rows or pages was limited, and how the rest is to be asked for.",
    ),
    "feed.restated": Template(
        "figures of past days were lowered",
        "figures that your report had given for closed days were changed:",
        "Please send us the reason for each of these corrections, with the records they concern, and the clause they rest on. "
        "Until then we do not accept them. What the report said before and when is kept and can be sent to you.",
    ),
    "feed.auth": Template(
        "access is refused",
        "our requests are refused:",
        "Please tell us whether the key was revoked or has expired, and issue a new one through the usual safe way (not by "
        "answering this message).",
    ),
    "feed.throttled": Template(
        "requests are throttled",
        "your API answers that we ask too often:",
        "Please tell us the limit that applies to this account, and whether it was changed.",
    ),
    "feed.late": Template(
        "the report is late",
        "the newest day of your report is missing:",
        "Please tell us when it will be there, and whether the days before are complete.",
    ),
    "feed.deprecated": Template(
        "the API is announced to end",
        "your API announces its end in its answers:",
        "Please tell us what replaces it, from when on, and until when both can be read.",
    ),
    "": Template(
        "the API cannot be read",
        "your API cannot be read by us:",
        "Please tell us whether this is known, and when it will be mended.",
    ),
}
"""By cause; the empty one is for whatever keeps us from reading at all."""


@dataclass(frozen=True, slots=True)
class Told:
    """One change as it is written down. Samples are one value before and one now, empty where none may be shown."""

    path: str
    expected: str
    seen: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """One figure of a closed day, before and after."""

    day: date
    words: str
    """`ngr 19,760.00 -> 17,880.00 EUR`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a message is made of."""

    cause: CauseId
    platform: str
    account: str
    zone: ZoneInfo
    since: datetime
    """Aware; told in UTC and in `zone`, the one of the report."""
    detail: str
    """What was seen, in one sentence, for causes without a change."""
    rows: int = 0
    first: date | None = None
    last: date | None = None
    changes: tuple[Told, ...] = ()
    corrections: tuple[Correction, ...] = ()
    held: bool = False
    """Whether we keep the figures back."""


def message(facts: Facts) -> str:
    """The message; its first line is the subject. Every word of the partner's own is cleaned, none is a secret."""
    template = TEMPLATES.get(facts.cause, TEMPLATES[""])
    account = f", account {facts.account}" if facts.account else ""
    points = [*map(_change, facts.changes[:MOST]), *(f"{one.day}: {one.words}" for one in facts.corrections[:MOST])]
    more = len(facts.changes[MOST:]) + len(facts.corrections[MOST:])
    points += [f"{more} more, which we can send you"] if more > 0 else []
    points = points or [facts.detail or "no further details"]
    parts = [
        f"Subject: {facts.platform}{account}: {template.subject}",
        "Hello,",
        f"from {_when(facts)} on {template.opening}",
        "\n".join(f"- {_plain(point)}" for point in points),
        _extent(facts),
        template.ask,
        "Thank you.",
    ]
    return "\n\n".join(filter(None, map(str.strip, parts)))


def _when(facts: Facts) -> str:
    """The moment in UTC and, where that is another, in the zone of the report."""
    said = f"{facts.since:%d %b %Y %H:%M} UTC"
    local = facts.since.astimezone(facts.zone)
    same = local.utcoffset() == facts.since.utcoffset()
    return said if same else f"{said} ({local:%d %b %H:%M} {facts.zone.key})"


def _change(one: Told) -> str:
    where = f"{one.path}: " if one.path else ""
    example = f"; for example {one.before} before, {one.after} now" if one.before and one.before != one.after else ""
    return f"{where}expected {one.expected or 'as before'}, received {one.seen or 'something else'}{example}"


def _extent(facts: Facts) -> str:
    """How many rows of which days, and what we do meanwhile."""
    said = []
    if facts.rows and facts.first and facts.last:
        days = f"{facts.first}" if facts.first == facts.last else f"{facts.first} to {facts.last}"
        said.append(f"It concerns a report of {facts.rows:,} rows for {days}.")
    if facts.held:
        said.append("We hold these figures back until this is clear; earlier ones stand.")
    return " ".join(said)


def _plain(text: str) -> str:
    return redact(clean_text(text, 240))
