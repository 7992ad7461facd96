"""The note that whoever comes on call gets: what is open, what was done, what is due. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.access.redaction import redact_words
from data.model.incident import IncidentState
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.model.incident import TimelineEntry
    from data.model.notice import Mute, Told
    from data.model.principal import Scope

SHOWN = 20
"""Of each kind; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A hand-over: from whom to whom, when, and since when the one who goes was there."""

    rota: str
    was: str
    now: str
    at: datetime
    began_at: datetime


def note(
    shift: Shift, still: Sequence[Told], done: Sequence[TimelineEntry], mutes: Sequence[Mute], scope: Scope
) -> str:
    """The note as text, for a reader of `scope`; `still` are open incidents as that reader may know them."""
    lines = [f"{shift.rota}: {shift.was or 'nobody'} -> {shift.now or 'nobody'}, {shift.at:%a %d %b %H:%M}Z", ""]
    lines += _section("open", [_open(one) for one in still])
    lines += _section("done", [_did(entry, scope) for entry in done])
    unseen = [one for one in still if one.state is IncidentState.NEW]
    due = [f"#{one.incident} {one.severity} nobody has it" for one in unseen]
    due += [f"until {mute.ends_at:%d %b %H:%M}Z muted by {mute.who}: {_words(mute, scope)}" for mute in mutes]
    return "\n".join([*lines, *_section("due", due)]).rstrip()


def _section(head: str, rows: Sequence[str]) -> list[str]:
    more = [f"  and {len(rows) - SHOWN:,} more"] if len(rows) > SHOWN else []
    shown = [f"  {row}" for row in rows[:SHOWN]] or ["  nothing"]
    return [f"{head}: {len(rows):,}" if rows else f"{head}:", *shown, *more]


def _open(one: Told) -> str:
    who = f"{one.by} has it" if one.by else "nobody has it"
    parts = (
        f"#{one.incident} {one.severity} {one.title}: {one.where}",
        f"since {one.started_at:%d %b %H:%M}Z",
        one.money,
    )
    return ", ".join(part for part in (*parts, who) if part)


def _did(entry: TimelineEntry, scope: Scope) -> str:
    return clean_text(redact_words(f"{entry.at:%d %b %H:%M}Z #{entry.incident} {entry.who}: {entry.what}", scope))


def _words(mute: Mute, scope: Scope) -> str:
    matched = " ".join(f"{name}={value}" for name, value in mute.matchers.items())
    return clean_text(redact_words(f"{matched} ({mute.reason})", scope))
