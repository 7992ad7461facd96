"""Parts of a slice's screen: what it costs, what speaks for a failure, how its reports come in, and its parts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.cause import words_of
from data.model.state import State
from data.text import cells
from tui import format as fmt
from tui.column import Column
from tui.lines import Line, crop, fit, fit_to, safe, spread, width_of, wrap
from tui.screens import parts
from tui.screens.parts import Part
from tui.screens.revenue_funnel import funnel, moved_shares

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from data.model.money import Loss
    from data.model.revenue_view import EvidenceRow, PartRow, ReportRow, RevenueView
    from data.model.snapshot import TargetDetail
    from tui.lines import Span
    from tui.look import Look
    from tui.widgets.band_series import Bucket

_PARTNER, _NAMED = 16, 3
"""Cells of a partner's name in a sentence, and how many are named."""
_SHORT = {"regs": "regs", "value": "unpaid FTD"}
_UNIT = {"ftd": "FTD", "regs": "registrations", "value": "FTD that pay nothing", "clicks": "clicks"}
_GAUGE = 20
_STRONG = 6.0
"""Nats from which a part is coloured: one in four hundred by chance."""
_GAP = "   "
_WHY_LINES, _LEAST_WHY = 3, 12
"""Most lines of a reason, and fewest cells that are worth one."""
_STALE = timedelta(hours=24)
"""Evidence older than this says nothing of a bucket."""
_ROOMY = 100
"""Cells from which quantities are named that are nothing, and whole sentences are used."""
_ODD = 0.05
"""How far everybody has to move before it is told."""


def unit_of(channel: str, *, short: bool = False) -> str:
    """What a channel counts."""
    return (_SHORT if short else _UNIT).get(channel) or _UNIT.get(channel, channel)


# What it costs


def worth(detail: TargetDetail, look: Look, width: int) -> list[Line]:
    """Two lines: the four quantities of a loss, each by its name, and how sure it is."""
    return [crop(_money(detail, look, width), width), _sure(detail, width)]


def _money(detail: TargetDetail, look: Look, width: int) -> Line:
    view, row = detail.revenue, detail.row
    loss = view.loss if view is not None else None
    if loss is not None and look.money and loss.currency:
        return _quantities(loss, detail, look, width)
    if row.state is State.UNKNOWN:
        return ((f" not judged: {row.detail or words_of(row.cause)}", "dim"),)
    if row.state is State.OK:
        return ((f" no alarm: {row.detail or 'as expected'}", "dim"),)
    moved = moved_shares(view.funnel) if view is not None and view.funnel is not None else ""
    return ((" what is missing: ", "dim"), (moved or row.detail or words_of(row.cause), "bad"))


def _quantities(loss: Loss, detail: TargetDetail, look: Look, width: int) -> Line:
    """Lost, at risk, recoverable and unseen, never added up; on a narrow screen only those that are not nothing."""
    view, roomy = detail.revenue, width >= _ROOMY
    shared = view.counted_in if view is not None else None
    lost: Line = ((" lost ", "dim"), (look.amount(loss.lost), "money" if loss.lost else "dim"))
    lost = (*lost, *_between(loss.lost, loss.lost_lo, loss.lost_hi))
    if shared is not None:
        lost = ((" lost ", "dim"), (f"in #{shared}", "strong"), (", counted there", "dim"))
    rate: Line = (("at risk ", "dim"), (f"{look.amount(loss.per_hour)}/h", "money" if loss.per_hour else "dim"))
    risk = (*rate, *_between(loss.per_hour, loss.per_hour_lo, loss.per_hour_hi))
    others = [("recoverable", look.amount(loss.recoverable) if loss.recoverable else ""), ("unseen", _unseen(loss, look))]  # fmt: skip
    rest = [((f"{name} ", "dim"), (words or fmt.NONE, "strong" if words else "dim")) for name, words in others if words or roomy]  # fmt: skip
    whole = _apart(lost, risk, *rest)
    return whole if width_of(whole) <= width else _apart(lost, rate, *rest)


def _apart(*told: Line) -> Line:
    """Quantities beside each other with room between them."""
    return tuple(span for at, line in enumerate(told) for span in (*(((_GAP, ""),) if at else ()), *line))


def _between(value: Decimal, lo: Decimal, hi: Decimal) -> Line:
    """The ends of an interval, without the currency that stands before it."""
    return ((f" ({fmt.money(lo, '')} to {fmt.money(hi, '')})", "dim"),) if value else ()


def _unseen(loss: Loss, look: Look) -> str:
    if not loss.unseen_per_hour and not loss.unseen:
        return ""
    rate = f", {look.amount(loss.unseen_per_hour)}/h" if loss.unseen_per_hour else ""
    return f"{look.amount(loss.unseen)}{rate}, blind and not dead"


def _sure(detail: TargetDetail, width: int) -> Line:
    view = detail.revenue
    if view is None:
        return crop(((f" {detail.notes[0]}" if detail.notes else "", "dim"),), width)
    left = _odds(view, detail.row.state, roomy=width >= _ROOMY)
    right: Line = ((f"{fires(view, detail.row.state)} ", "dim"),)
    return spread(left, right, width) if width_of(left) + width_of(right) + 3 <= width else crop(left, width)


def _odds(view: RevenueView, state: State, *, roomy: bool) -> Line:
    """How much likelier a failure is than chance, and what of; calm where it is next to nothing."""
    if state is State.UNKNOWN:
        return ()
    sure = view.odds or fmt.odds(view.nats)
    if view.nats <= view.page_nats / 2:
        return ((f" nothing speaks for a failure{f': {sure}' if view.nats > 0 and roomy else ''}", "dim"),)
    left: Line = ((f" {sure}", "strong"), (" for a failure against chance" if roomy else " for a failure", "dim"))
    if view.funnel is not None and view.funnel.likely:
        left = left if roomy else left[:1]
        return (*left, (f"{_GAP}likely: ", "dim"), (view.funnel.likely, ""))
    return (*left, (f"{_GAP}{said(view.evidence[0])}", "")) if view.evidence else left


def fires(view: RevenueView, state: State) -> str:
    """How soon silence can be told from chance here; nothing where an alarm is open or nothing is judged."""
    if view.cause or state is State.UNKNOWN:
        return ""
    if view.fires_after_h is None:
        return "too quiet: a week of silence raises no alarm here"
    return f"an alarm can fire after {fmt.hours(view.fires_after_h)} of silence here"


def said(one: EvidenceRow, room: int = 80) -> str:
    """`0 of 10.8 FTD in 6 h`; of FTD that pay nothing, how many more than usual. In short words where they must fit."""
    seen, expected = fmt.events(one.seen), fmt.events(one.expected)
    for unit in (unit_of(one.channel), unit_of(one.channel, short=True)):
        words = f"{seen} {unit}, {expected} usual" if one.channel == "value" else f"{seen} of {expected} {unit}"
        if cells(words) + 9 <= room:
            break
    return f"{words} in {one.window_h} h" if one.window_h else words


# What speaks for a failure


def evidence(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """How far the evidence is from the line where people are called, each strongest window, and what else was told."""
    view = detail.revenue
    if view is None:
        return [crop(((" the hub keeps no evidence of this slice", "dim"),), width)]
    lines = [] if detail.row.state is State.UNKNOWN else [_gauge(view, width)]
    if view.evidence:
        lines.append(_head(width))
        for newer, one in zip((None, *view.evidence), view.evidence, strict=False):
            repeated = newer is not None and (newer.why, newer.prior_nats) == (one.why, one.prior_nats)
            lines += _evidence(one, look, width, why=not repeated)
    elif detail.row.state is State.UNKNOWN:
        lines.append(crop(((f" {detail.row.detail or 'nothing can be said yet'}", "dim"),), width))
    else:
        lines.append(((" no window stands out", "dim"),))
    soon = fires(view, detail.row.state)
    lines += told(soon, width, "dim") if soon else []
    if abs(view.common - 1.0) >= _ODD:
        words = f"everybody moves now, × {view.common:.2f}: taken out of what is expected"
        lines += told(words, width, "dim")
    return [crop(line, width) for line in lines]


def told(words: str, width: int, role: str = "") -> list[Line]:
    """A sentence over as many lines as it needs, one cell from the edge."""
    return [((" ", ""), *line) for line in wrap(words, width - 2, role)]


def _gauge(view: RevenueView, width: int) -> Line:
    """The evidence against the line where an alarm is raised."""
    if view.page_nats <= 0:
        return crop(((f" {view.nats:.1f} nats", "dim"),), width)
    full = min(max(round(_GAUGE * view.nats / view.page_nats), 0), _GAUGE)
    over = view.nats >= view.page_nats
    role = "bad" if over else "actual"
    words = f" {view.nats:.1f} nats, an alarm at {view.page_nats:.0f}"
    sure = f"{view.odds or fmt.odds(view.nats)} " if view.nats > 0 else ""
    left: Line = ((" ", ""), ("█" * full, role), ("░" * (_GAUGE - full), "dim"), ("│", "dim"), (words, ""))
    return spread(left, ((sure, "strong" if over else ""),), width) if width >= 60 else crop(left, width)


def _head(width: int) -> Line:
    return crop(
        ((f" {'at':<10} {fit('seen of expected', _words_room(width))} {'odds to 1':>14} {'nats':>5}", "head"),), width
    )


def _words_room(width: int) -> int:
    return max(width - 34, 18)


def _evidence(one: EvidenceRow, look: Look, width: int, *, why: bool) -> list[Line]:
    whole = one.nats + one.prior_nats
    when = fmt.short_clock(one.at) if one.at.date() == look.now.date() else f"{one.at.day} {one.at:%b %H}h"
    first = crop(
        ((f" {when:<10} ", "dim"), (f"{fit(said(one, _words_room(width)), _words_room(width))} ", ""), (f"{fmt.odds(whole).removesuffix(' to 1'):>14}", "strong"), (f" {whole:>5.1f}", "dim")), width,
    )  # fmt: skip
    more = ([f"{one.prior_nats:.1f} of it lent"] if one.prior_nats else []) + ([one.why] if one.why else [])
    room = width - 13
    if not why or not more or room < _LEAST_WHY:
        return [first]
    lines = wrap(": ".join(more), room, "dim")
    kept = lines if len(lines) <= _WHY_LINES else [*lines[: _WHY_LINES - 1], (("…", "dim"),)]
    return [first, *(((" " * 12, ""), *line) for line in kept)]


# One hour


def reading(bucket: Bucket, detail: TargetDetail, look: Look, width: int) -> list[Line]:
    """Two lines: what was expected and came in the hours under the cursor, and what was known of them then."""
    unit = "share" if detail.band_unit == "share" else "money"
    left: list[Span] = [(" ▴ ", "focus"), (f"{between(bucket)}  ", "strong")]
    left += [("expected ", "dim"), (_figure(bucket.expected, unit, look), "")]
    left += [(f" ({_end(bucket.lo, unit)} to {_end(bucket.hi, unit)})", "dim")]
    if bucket.actual is None:
        left += [(f"{_GAP}not reported yet", "dim")]
    else:
        low = bucket.actual < bucket.lo
        left += [(f"{_GAP}actual ", "dim"), (_figure(bucket.actual, unit, look), "bad" if low else "strong")]
        left += [(f"  {_against(bucket)}", "bad" if low else "dim")]
        if width >= 110:
            left += [(f"{_GAP}per hour", "dim")] if bucket.until - bucket.at > timedelta(hours=1) else []
    return [crop(tuple(left), width), crop(_then(bucket, detail, look), width)]


def between(bucket: Bucket) -> str:
    """`17 Nov 09:00-10:00Z`, `3-4 Nov 20:00-08:00Z`, `17 Nov` for a whole day."""
    at, until = bucket.at, bucket.until
    day = f"{at.day} {at:%b}"
    if until - at >= timedelta(days=1):
        last = until - timedelta(seconds=1)
        return day if last.date() == at.date() else f"{day} to {last.day} {last:%b}"
    return f"{day} {at:%H:%M}-{until:%H:%M}Z"


def _figure(value: float, unit: str, look: Look) -> str:
    return fmt.pct(value, 0) if unit == "share" else look.amount(round(value, 2))


def _end(value: float, unit: str) -> str:
    """The end of an interval: the unit stands before it."""
    return fmt.pct(value, 0) if unit == "share" else fmt.money(round(value, 2), "")


def _against(bucket: Bucket) -> str:
    """How far from what was expected, in words of the band."""
    actual = bucket.actual or 0.0
    if bucket.lo <= actual <= bucket.hi:
        return "in the band"
    if bucket.expected <= 0:
        return "above the band"
    apart = actual / bucket.expected - 1.0
    return f"{fmt.MINUS if apart < 0 else '+'}{abs(apart):.0%}"


def _then(bucket: Bucket, detail: TargetDetail, look: Look) -> Line:
    """What happened in it, and the evidence as it stood."""
    view = detail.revenue
    if view is None:
        return ()
    happened = [one.text for one in view.marks if bucket.at <= one.at < bucket.until]
    stood = next((one for one in view.evidence if bucket.at - _STALE < one.at <= bucket.until), None)
    known = f"then {said(stood)}, {fmt.odds(stood.nats + stood.prior_nats)}" if stood is not None else ""
    if not known:
        known = "nothing stood out then" if bucket.until <= look.now - timedelta(hours=1) else ""
    spans: list[Span] = [("   ", "")]
    if happened:
        spans += [("▼ ", "focus"), (" · ".join(happened), ""), (_GAP if known else "", "")]
    return (*spans, (known, "dim"))


# Reports


def reports(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """How each partner's reports come in; those that are late first."""
    view = detail.revenue
    if view is None or not view.reports:
        return [crop(((" no report is tracked here: figures come as they are pushed", "dim"),), width)]
    named = min(max(*(cells(one.partner) for one in view.reports), 7), max(width - 50, 7))
    head = f"   {fit('partner', named)}  {'complete until':<15} {'last':>5}  usually"
    rows = sorted(view.reports, key=lambda one: not one.waiting)
    return [crop(((head, "head"),), width), *(_report(one, named, look, width) for one in rows)]


def _report(one: ReportRow, named: int, look: Look, width: int) -> Line:
    mark: Span = (" ╌ ", "warn") if one.waiting else (" ● ", "dim")
    until = fmt.NONE if one.covered is None else _when(one, look)
    late: Span = ("   waiting", "warn") if one.waiting else ("", "")
    return crop(
        (mark, (f"{fit(one.partner, named)}  ", "strong" if one.waiting else ""), (f"{until:<15} ", "warn" if one.waiting else ""),
         (f"{look.since(one.last_at):>5}  ", "dim"), (f"{fmt.hours(one.usual_h)} after", "dim"), late), width,
    )  # fmt: skip


def _when(one: ReportRow, look: Look) -> str:
    at = one.covered
    if at is None:
        return fmt.NONE
    return fmt.short_clock(at) if at.date() == look.now.date() else f"{at.day} {at:%b %H:%M}Z"


def reach(reports_: Sequence[ReportRow], look: Look) -> str:
    """How far every report reaches, in a few words; empty where none is tracked."""
    if not reports_:
        return ""
    late = [one for one in reports_ if one.waiting]
    slowest = min(reports_, key=lambda one: (one.covered is not None, one.covered or look.now))
    until = "nothing reported yet" if slowest.covered is None else f"reported until {_when(slowest, look)}"
    if late:
        names = ", ".join(fit_to(safe(one.partner), _PARTNER) for one in late[:_NAMED])
        return f"{until}, waiting for {names}{' …' if len(late) > _NAMED else ''}"
    return f"{until}, usually {fmt.hours(max(one.usual_h for one in reports_))} later"


# Parts


def _share(one: PartRow) -> Line:
    if one.share is None:
        return (("too few", "dim"),)
    return ((fmt.pct(one.share, 0), "bad" if one.nats >= _STRONG and one.share < 1 else ""),)


def _lost(one: PartRow, look: Look) -> Line:
    if one.lost is None or one.lost == 0:
        return ((fmt.NONE, "dim"),)
    return (
        (look.amount(one.lost), "money" if one.lost > 0 and one.nats >= _STRONG else "" if one.lost > 0 else "dim"),
    )


_NAME: Column[PartRow] = Column("value", "part", 16, lambda one, _l, _w: ((one.value, "strong"),), grow=1)
_DIM: Column[PartRow] = Column("dim", "by", 7, lambda one, _l, _w: ((one.dim, "dim"),))
_OF: Column[PartRow] = Column("share", "FTD seen", 8, lambda one, _l, _w: _share(one), "right")
_NATS: Column[PartRow] = Column("nats", "nats", 5, lambda one, _l, _w: ((f"{one.nats:.1f}" if one.nats > 0 else fmt.NONE, "dim"),), "right")  # fmt: skip
_ODDS: Column[PartRow] = Column(
    "odds", "odds to 1", 14, lambda one, _l, _w: ((fmt.odds(one.nats).removesuffix(" to 1"), "dim"),), "right"
)


def _amount(id_: str, title: str, role: str) -> Column[PartRow]:
    return Column(id_, title, 8, lambda one, look, _w: ((look.amount(getattr(one, id_)), role),), "right")


_LOST: Column[PartRow] = Column("lost", "lost", 8, lambda one, look, _w: _lost(one, look), "right")
WITH_MONEY: tuple[Column[PartRow], ...] = (_NAME, _DIM, _LOST, _OF, _NATS, _amount("expected", "expected", "dim"), _amount("seen", "seen", ""))  # fmt: skip
WITHOUT_MONEY: tuple[Column[PartRow], ...] = (_NAME, _DIM, _OF, _ODDS, _NATS)


def key_of_part(one: PartRow) -> str:
    return one.target


SERIES, EVIDENCE, PARTS, FUNNEL, REPORTS, INCIDENTS, FLIPS = range(1, 8)


def _nothing(_detail: TargetDetail, _look: Look, _width: int, _height: int) -> Sequence[Line]:
    """A part that is a widget of its own and draws itself."""
    return []


OF_SLICE: tuple[Part[TargetDetail], ...] = (
    Part("per hour", _nothing), Part("evidence", evidence), Part("parts", _nothing), Part("funnel", funnel), Part("reports", reports),
    Part("incidents and notes", parts.incidents), Part("changes of state", parts.flips),
)  # fmt: skip
"""In the order of their numbers; the first four are tabs on a small terminal."""
