"""The lines of the Overview, pure functions of a snapshot: the screen and the plain-text rendering draw the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.model.cause import CAUSES, words_of
from data.model.incident import Incident, IncidentState, Severity
from data.model.snapshot import Snapshot, StateCount, TargetRow
from data.model.state import State
from data.model.target import TargetKind
from tui import format as fmt
from tui.column import Column
from tui.families import FAMILIES, seen
from tui.lines import Line, crop, fit, plain, spread, width_of, wrap
from tui.look import GLYPH, INCIDENT_WORD, ROLE, Look, glyph, lost_per_hour, lost_so_far
from tui.widgets.heat_strip import heat, spark

if TYPE_CHECKING:
    from data.model.snapshot import Pane

URGENT = (Severity.SEV1, Severity.SEV2)
PLAN_LETTERS = "ABC"
PREVIEW_LINES, LOG_LINES, LEAST_PANES_LINES = 7, 4, 12
"""Heights of the parts, as in losswatch.tcss."""
SLICE_ORDER = (State.FAILING, State.DEGRADED, State.OK, State.UNKNOWN, State.PAUSED)
"""A partner that has not reported yet is no news: it stands below those in band."""
NEXT_COMMAND = "Nothing is watched yet. Next: losswatch init, then losswatch apply"


@dataclass(frozen=True, slots=True)
class PaneView:
    """One of the four panes: which panes of the snapshot it shows and what it is called."""

    number: int
    title: str
    panes: tuple[Pane, ...]

    @property
    def counts(self) -> StateCount:
        parts = [pane.counts for pane in self.panes]
        return StateCount(*(sum(getattr(part, name) for part in parts) for name in StateCount.__slots__))

    @property
    def rows(self) -> tuple[TargetRow, ...]:
        rows = [row for pane in self.panes for row in pane.rows]
        if self.panes[0].kind is TargetKind.SLICE:
            return tuple(sorted(rows, key=lambda row: SLICE_ORDER.index(row.state)))
        return tuple(sorted(rows, key=_worst_first)) if len(self.panes) > 1 else self.panes[0].rows

    @property
    def columns(self) -> tuple[Column[TargetRow], ...]:
        return FAMILIES[self.panes[0].kind].pane

    @property
    def span(self) -> str:
        return self.panes[0].span


def _worst_first(row: TargetRow) -> tuple[int, float]:
    return -row.state.badness, -float(row.loss_per_hour or 0)


def panes_height(body: int, incidents: int, rows: int) -> int:
    """Lines for the four panes of a wide screen with `body` lines, `incidents` open and `rows` in the longest pane.

    Incidents come first, in steps of four so that one more or less does not move the picture.
    """
    kept = -(-(incidents + 3) // 4) * 4
    room = min(body - PREVIEW_LINES - LOG_LINES - kept, 2 * (rows + 2))
    return max(room // 2 * 2, LEAST_PANES_LINES)


def panes(snapshot: Snapshot) -> tuple[PaneView, ...]:
    return (
        PaneView(1, "Sites & links", (snapshot.sites, snapshot.links)),
        PaneView(2, "Parsers", (snapshot.parsers,)),
        PaneView(3, "Partner APIs", (snapshot.feeds,)),
        PaneView(4, "Revenue", (snapshot.slices,)),
    )


def pane_note(view: PaneView) -> str:
    """What is wrong in a pane; silence when nothing is."""
    count = view.counts
    parts = ((count.failing, "failing"), (count.degraded, "degraded"), (count.unknown, "unknown"))
    return " · ".join(f"{number:,} {name}" for number, name in parts if number)


def pane_foot(view: PaneView, shown: int, width: int) -> Line:
    """What is not shown and what the strips cover."""
    total = view.counts.total
    hidden = max(total - min(shown, len(view.rows)), 0)
    healthy = hidden <= view.counts.ok
    more = f"   + {hidden:,} more{' ok' if healthy else ''}" if hidden else ""
    span = f"−{view.span} ── now " if total else ""
    return spread(((more, "dim"),), ((span, "dim"),), width) if width > 40 else crop(((more, "dim"),), width)


def total_counts(snapshot: Snapshot) -> StateCount:
    parts = [view.counts for view in panes(snapshot)]
    return StateCount(*(sum(getattr(part, name) for part in parts) for name in StateCount.__slots__))


def is_empty(snapshot: Snapshot) -> bool:
    return total_counts(snapshot).total == 0


def header(snapshot: Snapshot, look: Look, freshness: Line, width: int) -> Line:
    """Company, counts by state, money and how fresh all this is."""
    if not snapshot.version:
        return spread(((" losswatch", "where"),), freshness, width)
    room = width - width_of(freshness) - 1
    wide = _standing(snapshot, look, narrow=False)
    left = wide if width >= 100 and width_of(wide) <= room else _standing(snapshot, look, narrow=True)
    return spread(left, freshness, width)


def _standing(snapshot: Snapshot, look: Look, *, narrow: bool) -> Line:
    count = total_counts(snapshot)
    left: list[tuple[str, str]] = [(" ", ""), (fit_name(snapshot.company, 14 if narrow else 28), "where"), ("  ", "")]
    gap = "" if narrow else " "
    for state, number in (
        (State.FAILING, count.failing),
        (State.DEGRADED, count.degraded),
        (State.UNKNOWN, count.unknown),
    ):
        if number or state is State.FAILING:
            role = ROLE[state] if number else "dim"
            left.append((f"{GLYPH[state]}{gap}{number:,}{'' if narrow else f' {state.value} '} ", role))
    left.append((f"{GLYPH[State.OK]}{gap}{count.ok:,}{'' if narrow else ' ok '} ", "dim"))
    left += _money(snapshot, look, narrow=narrow)
    if snapshot.speed != 1:
        left.append((f"  ×{snapshot.speed:g}", "need"))
    return tuple(left)


def fit_name(name: str, width: int) -> str:
    return fit(name, width).rstrip()


def _money(snapshot: Snapshot, look: Look, *, narrow: bool) -> list[tuple[str, str]]:
    if snapshot.loss_per_hour is None:
        return _severities(snapshot)
    losing = snapshot.loss_per_hour > 0
    rate = f"{look.loss(snapshot.loss_per_hour)}/h" if narrow else f"losing {look.amount(snapshot.loss_per_hour)}/h"
    spans = [(f" {rate} ", "money" if losing else "dim")]
    if snapshot.lost_today is not None:
        spans.append((f" today {look.loss(snapshot.lost_today)}", "strong" if snapshot.lost_today > 0 else "dim"))
    return spans


def _severities(snapshot: Snapshot) -> list[tuple[str, str]]:
    """For readers without money: how many open incidents of the two upper severities."""
    counts = severe(snapshot)
    if not counts.total():
        return [(" no severe incident", "dim")]
    return [(f" {counts.total():,} severe: {', '.join(sorted(+counts))}", "bad")]


def severe(snapshot: Snapshot) -> Counter[str]:
    """How many open incidents there are of the two upper severities, those included that the snapshot only counts."""
    counts: Counter[str] = Counter(one.severity.value for one in snapshot.incidents if one.severity in URGENT)
    counts.update(SEV1=snapshot.beyond.sev1, SEV2=snapshot.beyond.sev2)
    return counts


def summary(view: PaneView, look: Look, width: int) -> Line:
    """A pane in one line, for small terminals."""
    count = view.counts
    head: list[tuple[str, str]] = [(f" {view.number} ", "dim"), (fit(view.title, 14), "")]
    for state, number in ((State.FAILING, count.failing), (State.DEGRADED, count.degraded), (State.OK, count.ok)):
        head.append((f"{GLYPH[state]}{number:>6,} ", ROLE[state] if number else "rule"))
    if not view.rows:
        return crop((*head, ("  —", "dim")), width)
    worst = view.rows[0]
    strip_width = max(min(width // 4, 24), 8)
    room = width - width_of(tuple(head)) - strip_width - 3
    words = ((fit(f" {worst.name} {seen(worst)} {look.since(worst.since)}", room), ROLE[worst.state]),)
    tail = (
        spark(worst.trend, strip_width, ROLE[worst.state])
        if worst.kind is TargetKind.SLICE
        else heat(worst.strip, strip_width)
    )
    return crop((*head, *words, ("  ", ""), *tail), width)


# Incidents


def _state_cell(incident: Incident, _look: Look, _width: int) -> Line:
    role = "need" if incident.state is IncidentState.NEW else "dim"
    return ((INCIDENT_WORD[incident.state], role),)


def _lost_cell(incident: Incident, look: Look, _width: int) -> Line:
    text = lost_per_hour(incident, look)
    hidden = look.hides(incident)
    return ((text, "bad" if hidden else "money" if incident.loss.per_hour > 0 else "dim"),)


def _so_far_cell(incident: Incident, look: Look, _width: int) -> Line:
    return ((lost_so_far(incident, look), ""),)


def first_move(incident: Incident) -> str:
    """Plan A in words."""
    found = CAUSES.get(incident.cause)
    return found.plans[0] if found else fmt.NONE


def _who(incident: Incident, _look: Look, _width: int) -> Line:
    return (
        (incident.acknowledged_by, "")
        if incident.acknowledged_by
        else (incident.owner_role.removesuffix(" on call") or fmt.NONE, "dim"),
    )


INCIDENT_COLUMNS: tuple[Column[Incident], ...] = (
    Column("id", "#", 4, lambda row, _look, _width: ((str(row.id), "strong"),), "right"),
    Column("state", "state", 6, _state_cell),
    Column("lost_per_hour", "lost/h ↓", 8, _lost_cell, "right"),
    Column("lost", "lost", 7, _so_far_cell, "right"),
    Column("age", "age", 4, lambda row, look, _width: ((look.since(row.started_at), "dim"),), "right"),
    Column("where", "where", 18, lambda row, _look, _width: ((row.where, "strong"),), "left", 1),
    Column("what", "what", 22, lambda row, _look, _width: ((row.title or words_of(row.cause), ""),), "left", 3),
    Column("who", "who", 12, _who),
)
_NARROW = ("id", "lost_per_hour", "age", "where", "what")
INCIDENT_COLUMNS_NARROW = tuple(column for column in INCIDENT_COLUMNS if column.id in _NARROW)


def incident_title(incident: Incident | None) -> str:
    return "selected" if incident is None else f"#{incident.id} {incident.where}"


def incidents_note(snapshot: Snapshot, look: Look, *, short: bool = False) -> str:
    shown, beyond = len(snapshot.incidents), snapshot.beyond
    acked = sum(one.state is IncidentState.ACKNOWLEDGED for one in snapshot.incidents) + beyond.acknowledged
    order = "by money lost per hour ↓" if look.money else "by severity ↓"
    of = f"{shown:,} of " if beyond.open else ""
    number = f"{of}{shown + beyond.open:,} open" + (f" · {acked:,} acked" if acked else "")
    return number if short else f"{order} ── {number}"


def preview(incident: Incident | None, look: Look, width: int) -> list[Line]:
    """The selected incident: since when, what, how much, and what to do first."""
    if incident is None:
        return [((" No open incident.", "dim"),)]
    found = CAUSES.get(incident.cause)
    started = f"Since {fmt.day_clock(incident.started_at, look.now)} ({look.since(incident.started_at)})"
    what = found.words if found else incident.cause
    members = f" {incident.open_members:,} of {incident.members:,} still failing." if incident.members > 1 else ""
    blame = f" at {incident.blame}" if incident.blame else ""
    first = f"{started}. {what.capitalize()}{blame}.{members}"
    lines: list[Line] = [((" ", ""), *line) for line in wrap(first, width - 2)[:2]]
    lines.append(crop(_loss_line(incident, look), width))
    if incident.reason:
        lines.append(crop(((f" {incident.reason}", "dim"),), width))
    for letter, title in zip(PLAN_LETTERS, found.plans if found else (), strict=False):
        lines.append(crop(((f" {letter}  ", "focus"), (title, "")), width))
    return lines


def _loss_line(incident: Incident, look: Look) -> Line:
    if look.hides(incident):
        return ((f" Severity {incident.severity.value}.", "strong"),)
    loss = incident.loss
    if loss.per_hour == 0 and incident.counted_in is not None:
        return ((f" What it costs is counted in #{incident.counted_in}. {incident.severity.value}.", "strong"),)
    if loss.per_hour == 0 and loss.unseen_per_hour > 0:
        rate = look.amount(loss.unseen_per_hour)
        return ((f" Blind, not dead: {rate}/h unseen, {look.amount(loss.unseen)} so far. ", "strong"),)
    band = f" ({look.amount(loss.per_hour_lo)} to {look.amount(loss.per_hour_hi)})" if loss.per_hour_hi > 0 else ""
    rest = f", {look.amount(loss.recoverable)} recoverable" if loss.recoverable > 0 else ""
    return (
        (" Losing ", ""), (f"{look.amount(loss.per_hour)}/h", "money" if loss.per_hour > 0 else ""), (band, "dim"),
        (f", lost so far {look.amount(loss.lost)}{rest}. {incident.severity.value}.", ""),
    )  # fmt: skip


def log_lines(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """Newest first, as many as fit."""
    lines: list[Line] = []
    for entry in reversed(snapshot.log[-height:] if height > 0 else ()):
        head = f" {fmt.clock(entry.at)} {fit(entry.kind, 8)} "
        lines.append(crop(((head, "dim"), (f"{entry.who} ", "strong"), (entry.text, "")), width))
    return lines


def calm_lines(snapshot: Snapshot) -> list[Line]:
    """What losswatch has to say of itself: bad health, missing secrets, late partners."""
    health = snapshot.health
    lines: list[Line] = []
    if health.state is not State.OK:
        lines.append((glyph(health.state), (f" losswatch: {health.detail}", ROLE[health.state])))
    if health.missing_secrets:
        names = ", ".join(health.missing_secrets)
        lines.append((("▲", "warn"), (f" secrets missing: {names}. Next: losswatch secrets set NAME", "warn")))
    lines += [((f"· {text}", "dim"),) for text in snapshot.waiting]
    return lines


def text_of(lines: list[Line]) -> str:
    return "\n".join(plain(line).rstrip() for line in lines)
