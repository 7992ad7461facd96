"""From click to commission: what was seen of what each step should have brought, and which one moved first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import format as fmt
from tui.lines import Line, crop, wrap

if TYPE_CHECKING:
    from data.model.revenue_view import Funnel, FunnelStep
    from data.model.snapshot import TargetDetail
    from tui.look import Look

_STEP = 15
_BAR = 12
"""Cells of a bar; two thirds of it are what was expected."""
_FULL = 8
_MONEY = "commission"


def funnel(detail: TargetDetail, look: Look, width: int, _height: int) -> list[Line]:
    """One line a step, the one that moved marked; below them what usually moves it and who looks there first."""
    view = detail.revenue
    found = view.funnel if view is not None else None
    if found is None or not found.steps:
        return [crop(((" too few events to say which step moved", "dim"),), width)]
    head = f"   {'step':<{_STEP}} {'seen':>9} {'expected':>9}"
    room = width - len(head) - 1
    titles = f"  {'of expected':<{_BAR + 6}}" if room >= _BAR + 8 else f" {'':>5}"
    titles += f" {'80 %':>13}" if room >= _BAR + 24 else ""
    lines = [crop(((head + titles, "head"),), width)]
    lines += [_step(one, first=one.name == found.step, look=look, width=width, room=room) for one in found.steps]
    return [*lines, *_likely(found, width)]


def _step(one: FunnelStep, *, first: bool, look: Look, width: int, room: int) -> Line:
    role = "bad" if first else "warn" if one.moved else ""
    mark = (" ▸ ", "bad") if first else ("   ", "")
    share = one.seen / one.expected if one.seen is not None and one.expected else None
    if one.name == _MONEY and not look.money:
        seen = expected = ends = ""
    else:
        seen, expected = _figure(one.seen, one, look), _figure(one.expected, one, look)
        ends = (
            "" if one.lo is None or one.hi is None else f"{_figure(one.lo, one, look)} to {_figure(one.hi, one, look)}"
        )
    line: list[tuple[str, str]] = [mark, (f"{one.name:<{_STEP}} ", "strong" if first else ""), (f"{seen:>9} ", role), (f"{expected:>9} ", "dim")]  # fmt: skip
    percent = f"{fmt.NONE if share is None else _percent(share):>5}"
    if room >= _BAR + 8:
        line += [(" ", ""), *_bar(share, role), (f" {percent}", role or "dim")]
    else:
        line.append((percent, role or "dim"))
    if room >= _BAR + 24:
        line.append((f" {ends:>13}", "dim"))
    return crop(tuple(line), width)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share < 9.995 else f"×{share:.0f}"


def _figure(value: float | None, one: FunnelStep, look: Look) -> str:
    if value is None:
        return fmt.NONE
    return look.amount(value) if one.name == _MONEY else fmt.events(value)


def _bar(share: float | None, role: str) -> list[tuple[str, str]]:
    """What was seen as a bar, `│` where it should reach."""
    full = 0 if share is None else min(max(round(share * _FULL), int(share > 0)), _BAR)
    cells = ["█" if at < full else "·" if share is None and at < _FULL else " " for at in range(_BAR)]
    if full <= _FULL:
        cells[_FULL] = "│"
    drawn = "".join(cells)
    return [(drawn[:full], role or "actual"), (drawn[full:], "dim")]


def period(found: Funnel) -> str:
    """What the steps are about: `17 Nov 08:00 to 11:00Z`."""
    same = found.since.date() == found.until.date()
    until = f"{found.until:%H:%M}Z" if same else f"{found.until.day} {found.until:%b %H:%M}Z"
    return f"{found.since.day} {found.since:%b %H:%M} to {until}"


def moved_shares(found: Funnel) -> str:
    """`FTD 0%, commission 4% of expected, 17 Nov 08:00 to 11:00Z`; empty where no step moved."""
    moved = [one for one in found.steps if one.moved and one.seen is not None and one.expected]
    shares = ", ".join(f"{one.name} {_percent((one.seen or 0.0) / (one.expected or 1.0))}" for one in moved)
    return f"{shares} of expected, {period(found)}" if shares else ""


def _likely(found: Funnel, width: int) -> list[Line]:
    if not found.step:
        return [((" no step moved", "dim"),)]
    words = f"likely: {found.likely}" if found.likely else f"{found.step} moved first; nothing usual explains it"
    owner = f"{found.owner} looks there first" if found.owner else ""
    lines = [*wrap(words, width - 2), *(wrap(owner, width - 2, "dim") if owner else [])]
    return [((" ", ""), *line) for line in lines]
