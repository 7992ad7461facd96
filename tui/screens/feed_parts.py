"""Parts of a feed's screen: what changed, what came, what was restated, what is usual, and how well it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.delivery import Outcome, RestatedAs
from data.text import cells
from tui import format as fmt
from tui.column import Column
from tui.lines import Line, crop, fit, merged, spread, width_of
from tui.look import CHANGE_ROLE
from tui.screens import parts
from tui.screens.parts import Part
from tui.widgets.heat_strip import heat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from data.model.feed_view import (
        Backfill,
        ContractRow,
        DeliveryRow,
        FeedView,
        HourOfPostbacks,
        Reconciled,
        RestatementRow,
    )
    from data.model.snapshot import ChangeRow, TargetDetail
    from tui.look import Look

_OUTCOME = {
    Outcome.STORED: ("●", "dim"), Outcome.QUARANTINED: ("✖", "bad"), Outcome.RELEASED: ("●", "dim"), Outcome.SUPERSEDED: ("░", "dim"),
    Outcome.FAILED: ("▲", "warn"),
}  # fmt: skip
_RESTATED = {
    RestatedAs.LATE_DATA: "dim", RestatedAs.CORRECTION: "dim", RestatedAs.CLAW_BACK: "bad", RestatedAs.DELETION: "bad",
    RestatedAs.UNIT_CHANGE: "warn", RestatedAs.DEFINITION_CHANGE: "warn",
}  # fmt: skip
_BAR = 24
"""Cells of the bar of a backfill."""
WIDE = 76
"""Cells from which a delivery has room for its body."""
_HOURS_BAR = 12
"""Cells of the bar of an hour's postbacks."""


# Changes


def _severity(one: ChangeRow, _look: Look, _width: int) -> Line:
    role = "dim" if one.closed_at else CHANGE_ROLE.get(one.severity, "")
    return ((one.severity.upper(), role),)


def _text(text: str, one: ChangeRow, role: str = "") -> Line:
    return ((text or fmt.NONE, "dim" if one.closed_at or not text else role),)


def _first_seen(one: ChangeRow, look: Look, _width: int) -> Line:
    if one.closed_at:
        return ((f"over {fmt.day_clock(one.closed_at, look.now)}", "dim"),)
    today = one.first_seen.date() == look.now.date()
    when = fmt.short_clock(one.first_seen) if today else f"{one.first_seen:%d %b}"
    return ((f"{when} ({look.since(one.first_seen)})", ""),)


def change_columns(rows: int, *, narrow: bool) -> tuple[Column[ChangeRow], ...]:
    """Columns of the table of changes; `rows` is how many the report has, of which a change concerns a share."""

    def share(one: ChangeRow, _look: Look, _width: int) -> Line:
        part = fmt.pct(min(one.n_after / rows, 1.0), 0) if rows and one.n_after else fmt.NONE
        return ((part, "dim" if one.closed_at else ""),)

    path: Column[ChangeRow] = Column(
        "path", "path", 18 if narrow else 20, lambda one, _l, _w: _text(one.path or "report", one, "strong"), grow=1
    )
    was: Column[ChangeRow] = Column(
        "expected", "expected", 14 if narrow else 16, lambda one, _l, _w: _text(one.was, one, "dim"), grow=1
    )
    now: Column[ChangeRow] = Column(
        "seen", "seen", 17 if narrow else 22, lambda one, _l, _w: _text(one.now, one), grow=1
    )
    used: Column[ChangeRow] = Column("used", "used by", 16, lambda one, _l, _w: _text(one.used_by, one))
    return (
        Column("severity", "severity" if not narrow else "sev", 8, _severity), path, was, now, Column("in", "in", 5, share, "right"),
        Column("first", "first seen", 14, _first_seen), used,
    )  # fmt: skip


def key_of_change(one: ChangeRow) -> str:
    """What stays of a change while its figures move; a closed one may come back."""
    return f"{one.kind}\n{one.path}\n{one.first_seen.isoformat()}"


def chosen(one: ChangeRow | None, look: Look, width: int) -> list[Line]:
    """The selected change in a line: its kind, who reads the path, since when."""
    if one is None:
        return []
    reads = f"read as {one.used_by}" if one.used_by else "nobody reads it"
    words = f" {one.kind}  {reads}, first seen {fmt.day_clock(one.first_seen, look.now)}"
    return [crop(((words, "dim"),), width)]


# Health


def health(detail: TargetDetail, width: int) -> Line:
    """One rule with how well it is read: latency, failures, patience asked for, what is left of a limit, the day's strip."""
    view, row = detail.feed, detail.row
    if view is None:
        return ()
    said = [
        f"p50 {fmt.ms(row.p50_ms)}  p95 {fmt.ms(row.p95_ms)}" if row.p50_ms is not None else f"p95 {fmt.ms(row.p95_ms)}"
    ]
    said += [f"failed {fmt.pct(view.failed, 1)}", f"throttled {view.throttled}"]
    said += [f"quota {view.quota}"] if view.quota else []
    roles = ["", "warn" if view.failed else "", "warn" if view.throttled else "", ""]
    left: Line = (("─ health ─ ", "title"), *((f"{text}   ", role) for text, role in zip(said, roles, strict=False)))
    room = min(max(width - width_of(left) - 12, 0), 60)
    if room < 8:
        return crop(left, width)
    strip: Line = (*heat(detail.strip_day, room), (" 24 h ─", "rule"))
    dashes = width - width_of(left) - width_of(strip) - 1
    return crop((*left, ("─" * max(dashes, 0), "rule"), (" ", ""), *strip), width)


# Deliveries and what waits


def deliveries(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """What waits, how far a backfill came, when the report usually is here, and the last deliveries."""
    view = detail.feed
    if view is None:
        return [crop(((" the hub does not know this feed", "dim"),), width)]
    lines = waiting(view, look, width)
    if view.backfill is not None:
        lines.append(backfill(view.backfill, width))
    if view.arrival:
        lines.append(crop(((f" {view.arrival}", "dim"),), width))
    if not view.deliveries:
        words = "its calls come to us: see below" if view.postbacks else "nothing was delivered yet"
        return [*lines, crop(((f" {words}", "dim"),), width)]
    wide = width >= WIDE
    head = (
        f"   {'asked for':<13} {'days':<13} {'rows':>6}  " + (f"{'body':<12} {'size':>6}  " if wide else "") + "outcome"
    )
    return [
        *lines,
        crop(((head, "head"),), width),
        *(_delivery(one, look, width, wide=wide) for one in view.deliveries),
    ]


def waiting(view: FeedView, look: Look, width: int) -> list[Line]:
    """The quarantine: how many wait, since when, and what nobody sees meanwhile."""
    held = [one for one in view.deliveries if one.outcome is Outcome.QUARANTINED]
    lines: list[Line] = []
    if view.waiting:
        noun = "delivery waits" if view.waiting == 1 else "deliveries wait"
        since = f" since {fmt.day_clock(min(one.at for one in held), look.now)}" if held else ""
        left: Line = ((f" ✖ {view.waiting} {noun} in quarantine{since}", "bad"),)
        keys: Line = (("m map  p replay  A accept ", "dim"),) if width >= WIDE else ()
        lines.append(spread(left, keys, width))
    if view.unseen:
        lines.append(crop(((f"   {view.unseen}", "money"),), width))
    return lines


def _delivery(one: DeliveryRow, look: Look, width: int, *, wide: bool) -> Line:
    mark, role = _OUTCOME[one.outcome]
    body: Line = ((f"{one.payload or fmt.NONE:<12} {size(one.bytes):>6}  ", "dim"),) if wide else ()
    by = f" by {one.decided_by}" if one.decided_by and one.decided_by != "hub" else ""
    said = "" if one.outcome is Outcome.STORED and one.detail.startswith(f"{one.rows} rows") else f": {one.detail}"
    when = fmt.short_clock(one.at) if one.at.date() == look.now.date() else f"{one.at:%d %b %H:%M}Z"
    return crop(
        ((f" {mark} ", role), (f"{when:<13} ", "dim"), (f"{span(one.first, one.last):<13} ", ""), (f"{fmt.number(one.rows):>6}  ", ""), *body,
         (f"{one.outcome.value}{by}", role), (said, "" if role != "dim" else "dim")), width,
    )  # fmt: skip


def span(first: date, last: date) -> str:
    """`17 Nov`, `15-17 Nov`, `30 Oct-2 Nov`."""
    if first == last:
        return f"{first.day} {first:%b}"
    head = f"{first.day}" if (first.year, first.month) == (last.year, last.month) else f"{first.day} {first:%b}"
    return f"{head}-{last.day} {last:%b}"


def size(count: int) -> str:
    """`812`, `81k`, `1.2M`; `—` where nothing is kept."""
    if count <= 0:
        return fmt.NONE
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1e6:.1f}M"


def backfill(one: Backfill, width: int) -> Line:
    """` backfill ███████░░░░░ 31 of 90 days  2026-08-01 .. 2026-10-30  running`."""
    full = round(_BAR * one.done_days / one.days) if one.days else _BAR
    running = one.state in {"running", "waiting"}
    role = "bad" if one.state == "failed" else "" if running else "dim"
    words = f" {one.done_days:,} of {one.days:,} days  {one.first} .. {one.last}  "
    return crop(
        ((" backfill ", "dim"), ("█" * full, "focus" if running else "dim"), ("░" * (_BAR - full), "dim"), (words, "" if running else "dim"),
         (one.state, role), (f"  {one.detail}", "dim")), width,
    )  # fmt: skip


# Postbacks


def postbacks(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """Calls by hour beside what is usual, the newest first, under what two counts of the same thing say."""
    view = detail.feed
    if view is None or not (view.postbacks or view.reconciled):
        return [crop(((" nothing is pushed to us here", "dim"),), width)]
    lines = [_reconciled(one, width) for one in view.reconciled]
    most = max((one.good for one in view.postbacks), default=0)
    if view.postbacks:
        lines.append(
            crop(((f"   {'hour':<13} {'calls':>5} {'usual':>6}  {'':<{_HOURS_BAR}}  dup  faulty", "head"),), width)
        )
    return [*lines, *(_hour(one, most, look, width) for one in reversed(view.postbacks))]


def _hour(one: HourOfPostbacks, most: int, look: Look, width: int) -> Line:
    full = round(_HOURS_BAR * one.good / most) if most else 0
    when = f"{one.at:%H:%M}Z" if one.at.date() == look.now.date() else f"{one.at:%d %b %H:%M}Z"
    silent = one.usual is not None and one.good == 0 and one.usual >= 1
    return crop(
        ((" ✖ " if silent else "   ", "bad"), (f"{when:<13} ", "dim"), (f"{one.good:>5,} ", "bad" if silent else ""),
         (f"{fmt.NONE if one.usual is None else fmt.number(one.usual):>6}  ", "dim"), ("█" * full, "dim"), (" " * (_HOURS_BAR - full), ""),
         (f"  {one.duplicate:>3,}", "warn" if one.duplicate else "dim"), (f"  {one.faulty:>6,}", "bad" if one.faulty else "dim")), width,
    )  # fmt: skip


def _reconciled(one: Reconciled, width: int) -> Line:
    mark: Line = ((" ● ", "dim"),) if one.fits else ((" ▲ ", "warn"),)
    words = f"ours {fmt.number(one.ours)}  theirs {fmt.number(one.theirs)}"
    usual = f"  usual {one.usual}" if one.usual else ""
    return crop(
        (*mark, (f"{one.what}  ", "" if one.fits else "strong"), (words, "" if one.fits else "warn"), (usual, "dim")),
        width,
    )


# The ledger


_COUNTS = ("clicks", "registrations", "impressions")


def _is_count(one: RestatementRow) -> bool:
    return one.measure in _COUNTS or one.measure.endswith("_count")


def _figure(value: Decimal | None, one: RestatementRow) -> str:
    if value is None:
        return fmt.NONE
    return (f"{value:,.0f}" if _is_count(one) else f"{value:,.2f}").replace("-", fmt.MINUS)


def _delta(one: RestatementRow) -> str:
    if one.was is None or one.now is None:
        return fmt.NONE
    return ("+" if one.now > one.was else "") + _figure(one.now - one.was, one)


def _share(one: RestatementRow) -> str:
    return fmt.NONE if one.share is None else f"{one.share:+.1%}".replace("-", fmt.MINUS)


def _cell(text: str, one: RestatementRow, role: str = "") -> Line:
    return ((text, "dim" if one.acknowledged_by else role),)


LEDGER_COLUMNS: tuple[Column[RestatementRow], ...] = (
    Column("day", "day", 10, lambda one, _l, _w: _cell(f"{one.day}", one)),
    Column("measure", "measure", 12, lambda one, _l, _w: _cell(one.measure, one, "strong"), grow=1),
    Column("was", "was", 10, lambda one, _l, _w: _cell(_figure(one.was, one), one), "right"),
    Column("now", "now", 10, lambda one, _l, _w: _cell(_figure(one.now, one), one), "right"),
    Column("share", "change", 7, lambda one, _l, _w: _cell(_share(one), one), "right"),
    Column("class", "class", 10, lambda one, _l, _w: _cell(one.kind.value.replace("_", " "), one, _RESTATED[one.kind])),
    Column("delta", "delta", 10, lambda one, _l, _w: _cell(_delta(one), one), "right"),
    Column("age", "age", 4, lambda one, _l, _w: _cell(f"{one.age_days}d", one), "right"),
    Column("currency", "in", 4, lambda one, _l, _w: _cell("" if _is_count(one) else one.currency, one, "dim")),
    Column("signed", "signed by", 10, lambda one, _l, _w: _cell(one.acknowledged_by or "open", one, "need")),
)


def key_of_entry(one: RestatementRow) -> str:
    return f"{one.day}\n{one.measure}\n{one.currency}\n{one.observed_at.isoformat()}"


# The contract


def contract(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """Every path with its types, how often it is there, and who reads it; then changes that are over."""
    view = detail.feed
    if view is None or not view.contract:
        words = " nothing is known yet: the first good delivery makes the contract"
        return [crop(((words, "dim"),), width), *history(detail, look, width)]
    longest = max(cells(row.path) for row in view.contract)
    path = min(max(longest, 8), max(width // 3, 8))
    used = min(max(cells(row.used_by) for row in view.contract) or 7, max(width // 4, 7))
    blanks = any(row.blank for row in view.contract)
    head = (
        f" {fit('path', path)} {fit('read as', used)} {'there':>5}"
        + (f" {'blank':>6}" if blanks else "")
        + "  types, usual"
    )
    rows = [_contract(row, (path, used), width, blanks=blanks) for row in view.contract]
    return [crop(((head, "head"),), width), *rows, *history(detail, look, width)]


def _contract(row: ContractRow, sizes: tuple[int, int], width: int, *, blanks: bool) -> Line:
    path, used = sizes
    blank = f" {fmt.pct(row.blank, 0) if row.blank else fmt.NONE:>6}" if blanks else ""
    usual = f"   {row.usual}" if row.usual else ""
    return crop(
        ((f" {fit(row.path, path)} ", "" if row.used_by else "dim"), (f"{fit(row.used_by or fmt.NONE, used)} ", "strong" if row.used_by else "dim"),
         (f"{fmt.pct(row.presence, 0):>5}{blank}  ", "dim"), (row.types, "" if row.used_by else "dim"), (usual, "dim")), width,
    )  # fmt: skip


def history(detail: TargetDetail, look: Look, width: int) -> list[Line]:
    """Changes that are over: how the contract came to be what it is."""
    closed = [one for one in detail.changes if one.closed_at is not None]
    if not closed:
        return []
    lines: list[Line] = [crop(((" changes that are over", "head"),), width)]
    for one in closed:
        when = f" {fmt.day_clock(one.first_seen, look.now):<14} "
        words: Line = merged(
            (
                (when, "dim"),
                (f"{one.path or 'report'}  ", ""),
                (f"{one.was or fmt.NONE} → {one.now or fmt.NONE}", "dim"),
            )
        )
        lines.append(spread(words, ((f"{one.severity} ", "dim"),), width))
    return lines


def summary(detail: TargetDetail, look: Look, width: int, tab: int) -> list[Line]:
    """Two lines for a small terminal: what waits or what is not seen, and how well it is read.

    The deliveries say themselves what waits; over them stands what was seen.
    """
    view = detail.feed
    if view is None:
        return []
    said = detail.row.detail if tab == DELIVERIES and detail.row.detail else view.arrival or view.platform
    told = waiting(view, look, width) if tab != DELIVERIES else []
    return [told[0] if told else crop(((f" {said}", "dim"),), width), health(detail, width)]


def _nothing(_detail: TargetDetail, _look: Look, _width: int, _height: int) -> Sequence[Line]:
    """A part that is a widget of its own and draws itself."""
    return []


CHANGES, DELIVERIES, LEDGER, CONTRACT, DIFF, POSTBACKS, INCIDENTS, OBSERVED, EXPECTED = range(1, 10)
PARTS: tuple[Part[TargetDetail], ...] = (
    Part("changes", _nothing), Part("deliveries", deliveries), Part("restatements", _nothing), Part("contract", contract), Part("one record, masked", _nothing),
    Part("postbacks by hour", postbacks), Part("incidents and notes", parts.incidents), Part("observations", parts.observations), Part("expected", parts.expectation),
)  # fmt: skip
"""In the order of their numbers; the first four are tabs on a small terminal."""
