"""Parts of the detail screens as data: a title and a function from (detail, look, width, height) to lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from data.model.cause import words_of
from data.model.state import State
from data.text import cells
from tui import format as fmt
from tui.families import seen
from tui.lines import Line, crop, fit, spread, wrap
from tui.look import CERTAINTY_ROLE, ROLE, Look, glyph, loss_rate, owner, word
from tui.screens.chain_picture import picture
from tui.screens.plan_parts import plan
from tui.widgets.band_chart import band_chart
from tui.widgets.heat_strip import heat

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.incident import Incident
    from data.model.observation import Observation
    from data.model.snapshot import Aspect, IncidentDetail, LogLine, TargetDetail, UpstreamRow

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Part(Generic[D]):
    """One panel of a detail screen. `weight` is its share of the height; 0 takes what its lines need."""

    title: str
    lines: Callable[[D, Look, int, int], Sequence[Line]]
    side: str = "left"
    weight: int = 1


def availability(detail: TargetDetail, _look: Look, width: int, _height: int) -> list[Line]:
    """Strips, and the share of the last day that lists show too: one of a strip's cells would count a minute as its whole."""
    up = "" if detail.row.uptime is None else fmt.pct(detail.row.uptime)
    strips = (
        ("last hour", detail.strip_hour, ""),
        ("last 24 h", detail.strip_day, up),
        ("last 90 d", detail.strip_90d, ""),
    )
    room = max(width - 24, 8)
    return [((f" {label:<10} ", "dim"), *heat(strip, room), (f"  {share:>8}", "")) for label, strip, share in strips]


def expectation(detail: TargetDetail, _look: Look, width: int, _height: int) -> list[Line]:
    lines = [crop(((f" {label:<14} ", "dim"), (value, "")), width) for label, value in detail.check]
    if detail.url:
        lines.insert(0, crop(((" url            ", "dim"), (detail.url, "")), width))
    return lines or [((" no expectations", "dim"),)]


def history(detail: TargetDetail, look: Look, width: int, height: int) -> list[Line]:
    return band_chart(detail.band, width - 1, height, detail.band_unit, look.symbol)


def chain(detail: TargetDetail, _look: Look, width: int, _height: int) -> list[Line]:
    """The redirect chain as a picture; the guilty hop is marked."""
    if not detail.hops:
        return [((" no chain recorded yet", "dim"),)]
    seen = next((one.state for one in detail.observations if one.hops), detail.row.state)
    return picture(detail.hops, seen, width)


def aspects(detail: TargetDetail, _look: Look, width: int, _height: int) -> list[Line]:
    """The check taken apart: what was seen beside what was expected, one line each."""
    if not detail.aspects:
        return [((" not observed yet", "dim"),)]
    longest = max(cells(one.name) for one in detail.aspects)
    named = min(max(longest, 12), max(width // 3, 12))
    room = max((width - named - 12) // 2, 8)
    head = ((f"   {fit('check', named)}  {fit('seen', room)}  {fit('expected', room)}  row", "head"),)
    return [crop(head, width), *(_aspect(one, named, room, width) for one in detail.aspects)]


def _aspect(one: Aspect, named: int, room: int, width: int) -> Line:
    bad = one.state in {State.FAILING, State.DEGRADED}
    seen = (fit(one.value or fmt.NONE, room), ROLE[one.state] if bad else "" if one.value else "dim")
    streak = f"{one.streak:>3}" if one.streak else ""
    return crop(
        ((" ", ""), glyph(one.state), (f" {fit(one.name, named)}  ", "strong" if bad else ""), seen, (f"  {fit(one.expect, room)}  {streak}", "dim")),
        width,
    )  # fmt: skip


def before(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """What happened around the beginning of the present state, with its distance from it."""
    since = detail.row.since
    if detail.row.state is State.OK or since is None:
        return [((" all is well", "dim"),)]
    if not detail.before:
        return [((" nothing on record in the half hour before", "dim"),)]
    return [_before(line, since, look, width) for line in detail.before]


def _before(line: LogLine, since: datetime, look: Look, width: int) -> Line:
    apart = (line.at - since).total_seconds()
    distance = "at once" if abs(apart) < 1 else f"{fmt.MINUS if apart < 0 else '+'}{fmt.age(abs(apart))}"
    left: Line = ((f" {fmt.day_clock(line.at, look.now):<10} ", "dim"), (f"{line.who} ", "strong"), (line.text, ""))
    return spread(left, ((f"{distance} ", "dim"),), width)


def same_cause(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """Others that the incident holds."""
    rows = [
        crop(((" ", ""), glyph(row.state), (f" {fit(row.name, 24)} ", ""), (seen(row), "dim"), (f"  {look.since(row.since)}", "dim")), width)
        for row in detail.same
    ]  # fmt: skip
    return rows or [((" nothing else fails with it", "dim"),)]


def observations(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    if not detail.observations:
        return [((" not observed yet", "dim"),)]
    return [_observation(one, look, width) for one in detail.observations]


def _observation(one: Observation, look: Look, width: int) -> Line:
    said = one.detail or words_of(one.cause)
    when = fmt.day_clock(one.started_at, look.now)
    return crop(
        ((f" {when:<14} ", "dim"), glyph(one.state), (f" {fit(one.region, 8)} ", "dim"), (f"{fmt.ms(one.total_ms):>7}  ", ""),
         (said, ROLE[one.state] if one.state is not State.OK else "dim")), width,
    )  # fmt: skip


def flips(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    if not detail.flips:
        return [((" no change of state on record", "dim"),)]
    return [
        crop(
            ((f" {fmt.day_clock(flip.at, look.now):<14} ", "dim"), glyph(flip.old), (" → ", "rule"), glyph(flip.new), (" ", ""),
             (words_of(flip.cause) if flip.cause else flip.new.value, ROLE[flip.new]), (f"  {flip.reason}", "dim")), width,
        )
        for flip in detail.flips
    ]  # fmt: skip


def incidents(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    lines = [_incident(incident, look, width) for incident in detail.incidents]
    notes = [line for note in detail.notes for line in wrap(f"· {note}", width - 1, "dim", "  ")]
    return [*(lines or [((" no incident", "dim"),)]), *(((" ", ""), *note) for note in notes)]


def _incident(incident: Incident, look: Look, width: int) -> Line:
    closed = incident.closed_at is not None
    return crop(
        ((f" #{incident.id} ", "dim" if closed else "strong"), (f"{incident.state.value:<13}", "dim"),
         (f"{loss_rate(incident, look):>{4 if look.hides(incident) else 10}} ",
          "dim" if closed or not incident.loss.per_hour else "money"),
         (f"{look.since(incident.started_at):>4}  ", "dim"), (incident.title, "")), width,
    )  # fmt: skip


def headline(detail: TargetDetail, look: Look) -> Line:
    """State, since when, what is seen and what it costs: the end of the first line."""
    row = detail.row
    cost = row.loss_per_hour
    money: Line = ((f"  {look.loss(cost)}/h", "money"),) if cost else ()
    return (
        glyph(row.state),
        (" ", ""),
        word(row.state),
        (f" {look.since(row.since)}  ", "dim"),
        (seen(row), ROLE[row.state]),
        *money,
    )


# One incident


def known(detail: IncidentDetail, _look: Look, width: int, _height: int) -> list[Line]:
    """Whose it is, then what is known, labelled by how sure we are."""
    lines: list[Line] = []
    for label, text in (
        ("owner", owner(detail.incident)),
        *((said.certainty, said.text) for said in detail.statements),
    ):
        first, *rest = wrap(text, width - 10)
        lines.append(((f" {label:<8} ", CERTAINTY_ROLE.get(label) or "dim"), *first))
        lines += [((" " * 10, ""), *line) for line in rest]
    return lines


def shared(detail: IncidentDetail, _look: Look, width: int, _height: int) -> list[Line]:
    """What the members have in common, the blamed one first: how much of each fails, and how much does not."""
    if not detail.upstreams:
        alone = detail.incident.members == 1
        return [
            ((" one target, nothing shared" if alone else f" {detail.incident.reason or 'nothing on record'}", "dim"),)
        ]
    named = min(max(cells(row.name) for row in detail.upstreams), max(width - 43, 12))
    return [_shared(row, named, width) for row in detail.upstreams]


def _shared(row: UpstreamRow, named: int, width: int) -> Line:
    seen = row.failing + row.fine
    full = round(_BAR * row.failing / seen) if seen else 0
    full = min(max(full, int(row.failing > 0)), _BAR - int(row.fine > 0))
    mark = (" ▸ ", "bad") if row.chosen else ("   ", "")
    return crop(
        (mark, (fit(row.kind, 14), "strong" if row.chosen else "dim"), (f" {fit(row.name, named)} ", "strong" if row.chosen else ""),
         ("█" * full, "bad" if row.chosen else "dim"), ("▁" * (_BAR - full), "dim"), (f" {row.failing:,} fail {row.fine:,} fine", "dim")), width,
    )  # fmt: skip


def timeline(detail: IncidentDetail, look: Look, width: int, _height: int) -> list[Line]:
    lines: list[Line] = []
    for entry in detail.timeline:
        when = f" {fmt.day_clock(entry.at, look.now):<14} "
        first, *rest = wrap(entry.what, width - len(when) - 1)
        who = "" if entry.who == "losswatch" else f"{entry.who}: "
        lines.append(crop(((when, "dim"), (who, "strong"), *first), width))
        lines += [((" " * len(when), ""), *line) for line in rest]
    return lines or [((" no story yet", "dim"),)]


def commission(detail: IncidentDetail, look: Look, width: int, height: int) -> list[Line]:
    """Expected and actual commission of what is affected."""
    if not look.money:
        return [((" money is hidden for your role", "dim"),)]
    return band_chart(detail.band, width - 1, height, "money", look.symbol)


OF_TARGET: tuple[Part[TargetDetail], ...] = (
    Part("chain", chain, "left", 0), Part("checks", aspects, "left", 0), Part("latency", history, "right", 2),
    Part("just before", before, "right", 0), Part("same cause", same_cause, "right", 0), Part("observations", observations, "right", 2),
    Part("availability", availability, "left", 0), Part("changes of state", flips, "left", 1),
    Part("incidents and notes", incidents, "right", 0), Part("expected", expectation, "left", 0),
)  # fmt: skip
"""Of a site or a link, in the order of their numbers; parsers, feeds and slices have screens of their own."""
_BAR = 8
OF_INCIDENT: tuple[Part[IncidentDetail], ...] = (
    Part("what to do", plan, "left", 0),
    Part("what we know", known, "left", 2),
    Part("timeline", timeline, "right", 2),
    Part("commission per hour   ░ expected   █ actual   ▒ lost", commission, "right", 2),
    Part("what they share", shared, "right", 0),
)
