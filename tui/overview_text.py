"""The Overview as plain text, for pipes, CI and terminals that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import overview_lines as over
from tui.column import head_line, layout, row_line
from tui.format import clock
from tui.lines import crop, rule, to_ascii, wrap
from tui.look import Look

if TYPE_CHECKING:
    from data.model.snapshot import Snapshot
    from tui.lines import Line

PANE_ROWS = 6


def render(snapshot: Snapshot, width: int = 120, ascii_only: bool = False) -> str:  # noqa: FBT001, FBT002  # the call is a contract
    """The whole Overview in `width` columns, without colours; ends with a newline."""
    width = max(width, 40)
    look = Look(snapshot.at, snapshot.currency, snapshot.loss_per_hour is not None, ascii_only)
    lines = [over.header(snapshot, look, ((f"{clock(snapshot.at)} ", ""),), width)]
    lines += [crop(((" ", ""), *line), width) for line in over.calm_lines(snapshot)]
    if over.is_empty(snapshot):
        lines += wrap(over.NEXT_COMMAND, width - 1)
    else:
        for view in over.panes(snapshot):
            lines += _pane(view, look, width)
        lines += _incidents(snapshot, look, width)
    text = over.text_of(lines) + "\n"
    return "\n".join(map(to_ascii, text.split("\n"))) if ascii_only else text


def _pane(view: over.PaneView, look: Look, width: int) -> list[Line]:
    plan = layout(view.columns, width)
    rows = [row_line(row, plan, look, width) for row in view.rows[:PANE_ROWS]]
    return [rule(view.title, over.pane_note(view), width), *rows, over.pane_foot(view, PANE_ROWS, width)]


def _incidents(snapshot: Snapshot, look: Look, width: int) -> list[Line]:
    columns = over.INCIDENT_COLUMNS if width >= 100 else over.INCIDENT_COLUMNS_NARROW
    plan = layout(columns, width)
    lines = [rule("Incidents", over.incidents_note(snapshot, look, short=width < 70), width)]
    if not snapshot.incidents:
        return [*lines, (("   No open incident.", ""),)]
    lines.append(head_line(plan, width))
    return [*lines, *(row_line(incident, plan, look, width) for incident in snapshot.incidents)]
