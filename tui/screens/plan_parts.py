"""Plans of an incident as lines: what each would bring, whether it may be used now, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.plan import SwitchState
from tui import format as fmt
from tui.lines import Line, spread, wrap

if TYPE_CHECKING:
    from data.model.plan import Rehearsed, Switch
    from data.model.snapshot import IncidentDetail, PlanRow
    from tui.lines import Span
    from tui.look import Look

MOST = 12
"""Lines above a question."""
_HELD = {True: "ok", False: "NO", None: "? "}
_SAID = {
    SwitchState.ASKED: ("asked for", "need"),
    SwitchState.APPLYING: ("being applied", "need"),
    SwitchState.APPLIED: ("applied", "need"),
    SwitchState.REVERTING: ("being taken back", "need"),
    SwitchState.STUCK: ("needs a person", "bad"),
    SwitchState.REVERTED: ("taken back", "dim"),
    SwitchState.FAILED: ("could not be applied", "warn"),
    SwitchState.WITHDRAWN: ("withdrawn", "dim"),
}


def plan(detail: IncidentDetail, look: Look, width: int, _height: int) -> list[Line]:
    """A letter, what it is and what it brings; below a declared one whether it may be used, or its use."""
    lines: list[Line] = []
    for row in detail.plans:
        gain: Line = ((f" ≈ {look.amount(row.gain_per_hour)}/h ", "money"),) if row.gain_per_hour and look.money else ()
        first, *rest = wrap(row.title, width - 5 - sum(len(text) for text, _ in gain))
        lines.append(spread(((f" {row.letter}  ", "focus"), *first), gain, width))
        lines += [(("    ", ""), *line) for line in rest]
        if row.id:
            lines += [
                (("    ", ""), *line) for words, role in _below(row, look) for line in wrap(words, width - 5, role)
            ]
    return lines or [((" no plan for this cause", "dim"),)]


def _below(row: PlanRow, look: Look) -> list[Span]:
    if row.switch is not None and (row.switch.is_running or row.switch.state is SwitchState.ASKED):
        return [used(row.switch, look)]
    last = [used(row.switch, look)] if row.switch is not None else []
    if row.refused:
        return [(f"not now: {row.refused}", "warn"), *last]
    doubt = next((one.detail for one in row.requires if one.held is None), "")
    words = [
        "for people to do" if row.does == "words" else "may be used",
        f"{row.keys} people must say yes" if row.keys > 1 else "",
        f"a {row.approve} must say yes" if row.approve else "",
        f"ends after {fmt.age(row.expires_s)}" if row.expires_s else "",
        f"unsure: {doubt}" if doubt else "",
        "goes by itself" if row.auto else "",
        _rehearsed(row),
    ]
    return [(" · ".join(filter(None, words)), "dim"), *last]


def _rehearsed(row: PlanRow) -> str:
    if row.rehearsed is None:
        return "never rehearsed"
    return f"rehearsed {row.rehearsed:%m-%d}" if row.fresh else f"last rehearsed {row.rehearsed:%Y-%m-%d}"


def used(switch: Switch, look: Look) -> Span:
    """`applied 12m ago by maria, jan, until 14:30Z: 3 lines of go.map were set`."""
    words, role = _SAID[switch.state]
    by = ", ".join(switch.approved) or switch.asked_by
    until = (
        f", until {fmt.short_clock(switch.expires_at)}"
        if switch.state is SwitchState.APPLIED and switch.expires_at
        else ""
    )
    yes = f", {len(switch.approved)} of {switch.keys} said yes" if switch.state is SwitchState.ASKED else ""
    detail = f": {switch.detail}" if switch.detail else ""
    return (f"{words} {look.since(switch.at)} ago by {by}{until}{yes}{detail}", role)


def dry_run(found: Rehearsed, look: Look) -> tuple[str, ...]:
    """What a yes would mean, for the lines above a question: changes, preconditions, clicks and money."""
    before = found.before or ("",) * len(found.after)
    changes = [
        line
        for was, now in zip(before, found.after, strict=False)
        if was != now
        for line in (f"- {was}" if was else "", f"+ {now}")
        if line
    ]
    needs = [f"{_HELD[one.held]} {one.detail}" for one in found.requires]
    brings = []
    if found.clicks_per_hour is not None:
        brings.append(f"moves about {found.clicks_per_hour:,.0f} clicks an hour")
    if found.gain_per_hour is not None and look.money:
        low, high = look.amount(found.gain_lo), look.amount(found.gain_hi)
        brings.append(f"brings about {look.amount(found.gain_per_hour)} an hour ({low} to {high})")
    if found.keys > 1:
        brings.append(f"needs the yes of {found.keys} people")
    tail = [*needs, *([", ".join(brings)] if brings else [])]
    room = MOST - len(tail)
    if len(changes) > room:
        changes = [*changes[: room - 1], f"… and {len(changes) - room + 1} more lines"]
    return (*changes, *tail)
