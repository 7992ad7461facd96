"""Every key of losswatch in one table; bindings, the footer, the help screen and the palette are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One key of one scope. `show` puts it on the key line at the bottom, in table order."""

    id: str
    key: str
    action: str
    label: str
    tooltip: str
    scope: str
    show: bool = True
    face: str = ""
    """How the key is written; empty is the key itself."""
    group: str = ""
    """How the key line writes it together with its likes, which it does not show."""
    priority: bool = False

    @property
    def written(self) -> str:
        return self.face or self.key


KEYS: tuple[Key, ...] = (
    # Everywhere
    Key("app.help", "question_mark", "help", "help", "what every key does here", "app", face="?"),
    Key("app.palette", "colon", "palette", "go to", "go anywhere: site NAME, inc N, theme X", "app", face=":", priority=True),
    Key("app.palette2", "ctrl+p", "palette", "go to", "same as :", "app", show=False, face="^p", priority=True),
    Key("app.pause", "space", "pause", "pause", "hold the picture still, or let it go on", "app", face="space"),
    Key("app.refresh", "R", "refresh_all", "refresh", "ask the hub for everything again", "app", show=False),
    Key("app.last", "minus", "last_place", "last place", "back to where you were before", "app", show=False, face="-"),
    Key("app.copy", "y", "copy", "copy", "copy the URL, name or summary of what is selected", "app"),
    Key("app.copy_url", "o", "copy_url", "copy URL", "copy the URL of the selected target", "app", show=False),
    Key("app.earlier", "less_than_sign", "step(-10)", "earlier", "the picture of ten minutes before", "app", show=False, face="<"),
    Key("app.later", "greater_than_sign", "step(10)", "later", "the picture of ten minutes after", "app", show=False, face=">"),
    Key("app.hour_earlier", "left_curly_bracket", "step(-60)", "hour back", "the picture of an hour before", "app", show=False, face="{"),
    Key("app.hour_later", "right_curly_bracket", "step(60)", "hour on", "the picture of an hour after", "app", show=False, face="}"),
    Key("app.live", "0", "live", "present", "back to the present", "app", show=False),
    Key("app.log", "L", "full_log", "log", "the whole log", "app", show=False),
    Key("app.copy_command", "Y", "copy_command", "copy command", "copy a command for the shell; of a feed that is wrong, the message to its partner", "app", show=False),
    Key("app.recheck", "r", "recheck", "re-check", "check the selected item now", "app"),
    Key("app.back", "q", "back_or_quit", "back", "one step back; on the Overview, leave", "app", show=False),
    Key("app.quit", "ctrl+q", "quit", "quit", "leave at once", "app", show=False, face="^q", priority=True),
    # Lists of rows, wherever they stand
    Key("table.down", "j,down", "down", "down", "next row", "table", show=False, face="j ↓"),
    Key("table.up", "k,up", "up", "up", "row above", "table", show=False, face="k ↑"),
    Key("table.top", "g,home", "top", "top", "first row", "table", show=False, face="g"),
    Key("table.bottom", "G,end", "bottom", "bottom", "last row", "table", show=False, face="G"),
    Key("table.page_down", "ctrl+d,pagedown", "page_down", "page down", "half a page down", "table", show=False, face="^d"),
    Key("table.page_up", "ctrl+u,pageup", "page_up", "page up", "half a page up", "table", show=False, face="^u"),
    Key("table.right", "right", "columns_right", "columns", "columns further right", "table", show=False, face="→"),
    Key("table.left", "left", "columns_left", "columns", "columns further left", "table", show=False, face="←"),
    Key("table.open", "enter", "open", "open", "open the selected row", "table", face="⏎"),
    # Parts that only scroll
    Key("panel.down", "j,down", "down", "down", "line down", "panel", show=False, face="j ↓"),
    Key("panel.up", "k,up", "up", "up", "line up", "panel", show=False, face="k ↑"),
    Key("panel.top", "g,home", "top", "top", "first line", "panel", show=False, face="g"),
    Key("panel.bottom", "G,end", "bottom", "bottom", "last line", "panel", show=False, face="G"),
    # Overview
    Key("overview.1", "1", "pane(1)", "sites", "sites and links; again for the whole list", "overview", show=False),
    Key("overview.2", "2", "pane(2)", "parsers", "parsers; again for the whole list", "overview", show=False),
    Key("overview.3", "3", "pane(3)", "partner APIs", "partner APIs; again for the whole list", "overview", show=False),
    Key("overview.4", "4", "pane(4)", "revenue", "revenue; again for the whole list", "overview", show=False),
    Key("overview.5", "5", "pane(5)", "incidents", "incidents by money lost per hour", "overview", group="1-5"),
    Key("overview.links", "l", "links", "links", "the list of all links", "overview", show=False),
    Key("overview.zoom", "plus", "zoom", "whole list", "the whole list of the focused pane", "overview", face="+"),
    Key("overview.acknowledge", "K", "acknowledge", "acknowledge", "say that you are on it", "overview"),
    # Lists
    Key("list.filter", "slash", "filter", "filter", "words, !word, state!=ok, team=, geo=, partner=, cause=", "list", face="/", priority=True),
    Key("list.sort", "s", "sort", "sort", "sort by the next column", "list"),
    Key("list.reverse", "S", "reverse", "reverse", "turn the order round", "list"),
    Key("list.columns", "f", "columns", "columns", "choose the columns, and their order", "list"),
    Key("list.export", "e", "export", "export", "write every row of this list to a CSV file", "list"),
    Key("list.back", "escape", "back", "back", "clear the filter, then back", "list", face="esc"),
    # One target
    Key("target.1", "1", "panel(1)", "panels", "first part", "target", show=False),
    Key("target.2", "2", "panel(2)", "panels", "second part", "target", show=False),
    Key("target.3", "3", "panel(3)", "panels", "third part", "target", show=False),
    Key("target.4", "4", "panel(4)", "panels", "fourth part", "target", group="1-4"),
    Key("target.incident", "i", "incident", "incident", "the incident this belongs to", "target"),
    Key("target.previous", "left_square_bracket", "sibling(-1)", "previous", "the row above in its list", "target", show=False, face="["),
    Key("target.next", "right_square_bracket", "sibling(1)", "next", "the next row in its list", "target", face="]", group="[ ]"),
    Key("target.back", "escape", "back", "back", "one step back", "target", face="esc"),
    # One parser, beside the keys of every target
    Key("parser.accept", "A", "accept", "accept", "write the selected candidate into the SPEC, after asking", "parser"),
    Key("parser.undo", "U", "undo", "undo", "take the last change of the SPEC back, after asking", "parser"),
    Key("parser.turn", "d", "turn_diff", "two sides", "the diff side by side, or one below the other", "parser"),
    Key("parser.next", "n", "change(1)", "next change", "the next change of the diff", "parser", group="n/N"),
    Key("parser.previous", "N", "change(-1)", "previous change", "the change of the diff before", "parser", show=False),
    # One feed, beside the keys of every target
    Key("feed.map", "m", "map", "map", "change how it is read: tried first, then in force and read again, after asking", "feed"),
    Key("feed.replay", "p", "replay", "replay", "read the quarantine again with today's mapping, after asking", "feed"),
    Key("feed.accept", "A", "accept", "accept", "store the quarantine as it is: their data are so from now on, after asking", "feed"),
    Key("feed.acknowledge", "K", "acknowledge", "acknowledge", "sign the selected restatement, or all open ones, with the number of a dispute", "feed"),
    Key("feed.evidence", "e", "evidence", "evidence", "write the evidence pack to a file", "feed"),
    Key("feed.backfill", "b", "backfill", "backfill", "read the history from a day on, in the hub", "feed"),
    Key("feed.turn", "d", "turn_diff", "two sides", "the record side by side, or one below the other", "feed", show=False),
    Key("feed.next", "n", "change(1)", "next change", "the next change of the record", "feed", show=False),
    Key("feed.previous", "N", "change(-1)", "previous change", "the change of the record before", "feed", show=False),
    # One slice of the revenue, beside the keys of every target
    Key("revenue.left", "left", "cursor(-1)", "read", "read the hours before", "revenue", show=False, face="←"),
    Key("revenue.right", "right", "cursor(1)", "read", "read the hours after", "revenue", face="→", group="← →"),
    Key("revenue.window", "w", "window", "window", "the next window: 24 h, 6 h, 7 days, 28 days", "revenue"),
    Key("revenue.band", "b", "band", "band", "show what was expected, or only what came", "revenue"),
    Key("revenue.dimension", "d", "dimension", "by", "parts by the next dimension: all, partner, offer, geo, site, team", "revenue", show=False),
    Key("revenue.note", "n", "note", "note", "add a line to the story of its incident", "revenue", show=False),
    Key("revenue.export", "e", "export", "export", "write the series to a CSV file, or the parts where they are selected", "revenue"),
    # The list of slices, beside the keys of every list
    Key("revenues.watchlist", "w", "watchlist", "watched", "slices under suspicion: too little to call anybody, too much to forget", "revenues"),
    Key("revenues.calibration", "c", "calibration", "calibration", "how often the detector kept its word, and all its alarms", "revenues"),
    # Slices under suspicion, and the book of alarms
    Key("book.export", "e", "export", "export", "write every row of this table to a CSV file", "book"),
    Key("book.back", "escape", "back", "back", "one step back", "book", face="esc"),
    # One incident
    Key("incident.1", "1", "panel(1)", "panels", "first part", "incident", show=False),
    Key("incident.2", "2", "panel(2)", "panels", "second part", "incident", show=False),
    Key("incident.3", "3", "panel(3)", "panels", "third part", "incident", show=False),
    Key("incident.4", "4", "panel(4)", "panels", "fourth part", "incident", group="1-4"),
    Key("incident.a", "a", "choose('A')", "plans", "plan A: show what it would do, then ask", "incident", show=False),
    Key("incident.b", "b", "choose('B')", "plans", "plan B: show what it would do, then ask", "incident", show=False),
    Key("incident.c", "c", "choose('C')", "plans", "plan C: show what it would do, then ask", "incident", group="a b c"),
    Key("incident.undo", "u", "undo_plan", "undo", "take the plan that runs back, after asking", "incident"),
    Key("incident.acknowledge", "K", "acknowledge", "acknowledge", "say that you are on it", "incident"),
    Key("incident.note", "n", "note", "note", "add a line to its story", "incident"),
    Key("incident.verdict", "v", "verdict", "verdict", "say whether the alarm was right, false or not ours", "incident", show=False),
    Key("incident.close", "x", "close_incident", "close", "close it, after asking", "incident"),
    Key("incident.back", "escape", "back", "back", "one step back", "incident", face="esc"),
    # Questions and overlays
    Key("overlay.close", "escape", "dismiss_none", "close", "leave without doing anything", "overlay", face="esc"),
)  # fmt: skip

SCOPES = {
    "app": "Everywhere", "table": "Rows", "panel": "Scrolling parts", "overview": "Overview", "list": "Lists",
    "target": "One target", "parser": "One parser", "feed": "One feed", "revenue": "One slice", "revenues": "Revenue", "book": "Watched, calibration", "incident": "One incident", "overlay": "Questions",
}  # fmt: skip


def of(scope: str) -> list[Key]:
    return [key for key in KEYS if key.scope == scope]


def bindings(scope: str) -> list[BindingType]:
    """Textual's bindings of one scope."""
    return [
        Binding(key.key, key.action, key.label, show=key.show, tooltip=key.tooltip, id=key.id, priority=key.priority)
        for key in of(scope)
    ]


def shown(*scopes: str) -> list[tuple[str, str]]:
    """(face, label) of the key line for a screen, its own keys before those of everywhere."""
    ordered = [key for scope in scopes for key in of(scope) if key.show]
    return [(key.group or key.written, key.label) for key in ordered]
