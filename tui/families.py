"""What each family of targets is called and shows: columns of its list, of its pane, and the orders that make sense."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.model.cause import words_of
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import TargetKind
from tui import format as fmt
from tui.column import Column
from tui.look import ROLE, Look, glyph, word
from tui.widgets.heat_strip import heat, spark

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.lines import Align, Line

Row = TargetRow
BELOW = "▼"


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of target as the screens know it."""

    kind: TargetKind
    title: str
    one: str
    columns: tuple[Column[Row], ...]
    pane: tuple[Column[Row], ...]
    orders: tuple[tuple[str, str], ...]
    """(sort field, words); the first is the hub's own order: worst first, then money lost per hour."""


def seen(row: Row) -> str:
    """What is seen, in short words; a healthy row shows its usual figure."""
    if row.state is not State.OK:
        return row.detail or words_of(row.cause)
    if row.kind is TargetKind.PARSER and row.value is not None:
        return fmt.number(row.value)
    if row.kind is TargetKind.FEED and row.value is not None:
        return f"{fmt.number(row.value)} rows"
    if row.p95_ms is not None:
        return f"p95 {fmt.ms(row.p95_ms)}"
    return row.detail or "ok"


def state_role(row: Row) -> str:
    return "" if row.state is State.OK else ROLE[row.state]


def _text(
    id_: str, title: str, width: int, value: Callable[[Row], str], align: Align = "left", *, grow: int = 0,
    role: Callable[[Row], str] = lambda _row: "",
) -> Column[Row]:  # fmt: skip
    def cell(row: Row, _look: Look, _width: int) -> Line:
        text = value(row)
        return ((text, "dim" if text == fmt.NONE else role(row)),)

    return Column(id_, title, width, cell, align, grow)


def _lost(row: Row, look: Look, _width: int) -> Line:
    if row.loss_per_hour is None or row.loss_per_hour == 0:
        return ((fmt.NONE, "dim"),)
    return ((look.amount(row.loss_per_hour), "money"),)


def _expected(row: Row, look: Look, _width: int) -> Line:
    return ((look.amount(row.expected) if look.money else fmt.NONE, "dim"),)


def _actual(row: Row, look: Look, _width: int) -> Line:
    return ((look.amount(row.value) if look.money else fmt.NONE, ""),)


def _below(row: Row, look: Look, _width: int) -> Line:
    if row.state is State.OK:
        return (("in band", "dim"),)
    if row.state is State.UNKNOWN or row.loss_per_hour is None:
        return ((seen(row), "dim" if row.state is State.UNKNOWN else "bad"),)
    return ((f"{look.loss(row.loss_per_hour)}/h", "money"),)


def _slice_glyph(row: Row, _look: Look, _width: int) -> Line:
    return ((BELOW, "bad"),) if row.state is State.FAILING else (glyph(row.state),)


def name(width: int, *, grow: int = 0, title: str = "") -> Column[Row]:
    return _text(
        "name",
        title,
        width,
        lambda row: row.name,
        grow=grow,
        role=lambda row: "strong" if row.state in {State.FAILING, State.DEGRADED} else "",
    )


GLYPH: Column[Row] = Column("glyph", "", 1, lambda row, _look, _width: (glyph(row.state),))
STATE: Column[Row] = Column(
    "state", "state", 10, lambda row, _look, _width: (glyph(row.state), (" ", ""), word(row.state))
)
SINCE: Column[Row] = Column("since", "since", 5, lambda row, look, _width: ((look.since(row.since), "dim"),), "right")
LAST: Column[Row] = Column("last_at", "last", 5, lambda row, look, _width: ((look.since(row.last_at), "dim"),), "right")
STRIP: Column[Row] = Column("strip", "", 12, lambda row, _look, width: heat(row.strip, width), "left", 3)
TREND: Column[Row] = Column(
    "trend",
    "",
    12,
    lambda row, _look, width: spark(row.trend, width, "bad" if row.state is State.FAILING else "dim"),
    "right",
    2,
)
FIRES = _text(
    "fires_after_h", "alarm after", 11, lambda row: fmt.hours(row.fires_after_h), "right", role=lambda _row: "dim"
)
LOST: Column[Row] = Column("loss_per_hour", "lost/h", 8, _lost, "right")
SEEN = _text("detail", "what is seen", 20, seen, grow=3, role=state_role)
P50 = _text("p50_ms", "p50", 7, lambda row: fmt.ms(row.p50_ms), "right")
P95 = _text("p95_ms", "p95", 7, lambda row: fmt.ms(row.p95_ms), "right")
UPTIME = _text("uptime", "up 24 h", 7, lambda row: fmt.pct(row.uptime), "right")
TEAM = _text("team", "team", 8, lambda row: row.team, role=lambda _row: "dim")
GEO = _text("geo", "geo", 3, lambda row: row.geo or fmt.NONE)
PARTNER = _text("partner", "partner", 7, lambda row: row.partner or fmt.NONE)
OFFER = _text("offer", "offer", 10, lambda row: row.offer or fmt.NONE)
SITE = _text("site", "site", 14, lambda row: row.site or fmt.NONE)
TIER = _text("tier", "tier", 4, lambda row: str(row.tier), "right", role=lambda _row: "dim")
INCIDENT = _text("incident", "incident", 8, lambda row: fmt.NONE if row.incident is None else f"#{row.incident}")
ITEMS = _text("value", "items", 6, lambda row: fmt.number(row.value), "right")
ROWS = _text("value", "rows", 7, lambda row: fmt.number(row.value), "right")

_WORST = ("", "state, then lost/h ↓")
_COMMON = (("name", "name"), ("since", "since"))
_PANE = (GLYPH, name(16, grow=1), Column("detail", "", 15, SEEN.cell, "left", 2), replace(SINCE, width=4), STRIP)

FAMILIES: dict[TargetKind, Family] = {
    TargetKind.SITE: Family(
        TargetKind.SITE, "Sites", "site",
        (name(18, title="site"), STATE, SINCE, STRIP, SEEN, P50, P95, UPTIME, LOST, INCIDENT, TEAM, GEO, TIER, LAST), _PANE,
        (_WORST, ("loss_per_hour", "lost/h"), ("p95_ms", "p95"), ("uptime", "up 24 h"), *_COMMON),
    ),
    TargetKind.LINK: Family(
        TargetKind.LINK, "Links", "link",
        (name(22, title="link"), STATE, SINCE, STRIP, SEEN, PARTNER, GEO, LOST, P95, UPTIME, INCIDENT, OFFER, SITE, TEAM, LAST), _PANE,
        (_WORST, ("loss_per_hour", "lost/h"), ("partner", "partner"), ("geo", "geo"), ("p95_ms", "p95"), *_COMMON),
    ),
    TargetKind.PARSER: Family(
        TargetKind.PARSER, "Parsers", "parser",
        (name(20, title="parser"), STATE, SINCE, STRIP, ITEMS, SEEN, GEO, INCIDENT, TEAM, P95, LAST), _PANE,
        (_WORST, ("value", "items"), ("geo", "geo"), *_COMMON),
    ),
    TargetKind.FEED: Family(
        TargetKind.FEED, "Partner APIs", "feed",
        (name(18, title="feed"), STATE, SINCE, STRIP, ROWS, SEEN, PARTNER, LOST, P95, UPTIME, INCIDENT, TEAM, LAST), _PANE,
        (_WORST, ("value", "rows"), ("partner", "partner"), ("p95_ms", "p95"), *_COMMON),
    ),
    TargetKind.SLICE: Family(
        TargetKind.SLICE, "Revenue", "slice",
        (name(28, title="slice"), STATE, SINCE, TREND, Column("value", "now/h", 8, _actual, "right"),
         Column("expected", "expected/h", 10, _expected, "right"), LOST, SEEN, FIRES, PARTNER, OFFER, GEO, SITE, INCIDENT, TEAM),
        (Column("glyph", "", 1, _slice_glyph), name(16, grow=2), Column("value", "", 7, _actual, "right"),
         Column("below", "", 11, _below, "right"), TREND),
        (_WORST, ("loss_per_hour", "lost/h"), ("value", "now/h"), ("expected", "expected/h"), *_COMMON),
    ),
}  # fmt: skip
