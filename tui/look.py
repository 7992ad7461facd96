"""How to write and mark what is shown: the moment, the money and the words and glyphs of every state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.model.incident import IncidentState
from data.model.state import State
from tui import format as fmt

if TYPE_CHECKING:
    from decimal import Decimal

    from data.model.incident import Incident
    from data.model.snapshot import StateCount
    from tui.lines import Span

GLYPH = {State.FAILING: "✖", State.DEGRADED: "▲", State.UNKNOWN: "╌", State.OK: "●", State.PAUSED: "░"}
ROLE = {State.FAILING: "bad", State.DEGRADED: "warn", State.UNKNOWN: "dim", State.OK: "dim", State.PAUSED: "dim"}
WORD = {
    State.FAILING: "FAILING", State.DEGRADED: "DEGRADED", State.UNKNOWN: "UNKNOWN", State.OK: "OK",
    State.PAUSED: "PAUSED",
}  # fmt: skip
INCIDENT_WORD = {IncidentState.NEW: "NEW", IncidentState.ACKNOWLEDGED: "ACK", IncidentState.CLOSED: "CLOSED"}
CERTAINTY_ROLE = {"fact": "", "guess": "need", "unknown": "dim"}
CHANGE_ROLE = {"breaking": "bad", "risky": "warn", "harmless": "dim"}


@dataclass(frozen=True, slots=True)
class Look:
    """What a line needs to know beside its own facts."""

    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The hub's clock, so that ages mean the same on every screen."""
    currency: str = "EUR"
    money: bool = True
    """False: this reader sees severities instead of figures."""
    ascii_only: bool = False

    @property
    def symbol(self) -> str:
        return fmt.symbol_of(self.currency, ascii_only=self.ascii_only)

    def since(self, moment: datetime | None) -> str:
        return fmt.since(moment, self.now)

    def hides(self, incident: Incident) -> bool:
        """Whether this reader may not see what the incident costs; the hub marks that by an empty currency."""
        return not self.money or not incident.loss.currency

    def amount(self, value: Decimal | float | None) -> str:
        return fmt.money(value, self.symbol)

    def loss(self, value: Decimal | None) -> str:
        return fmt.loss(value, self.symbol)


def glyph(state: State) -> Span:
    return GLYPH[state], ROLE[state]


def word(state: State) -> Span:
    return WORD[state], ROLE[state]


def incident_word(incident: Incident) -> str:
    """`NEW`, `ACK`, `CLOSED`, or `CLOSED, 3 fail` where a person closed what still fails."""
    fails = incident.state is IncidentState.CLOSED and incident.open_members
    return f"{INCIDENT_WORD[incident.state]}{f', {incident.open_members:,} fail' if fails else ''}"


def lost_per_hour(incident: Incident, look: Look) -> str:
    """`€1,390`, `unseen` where we are blind, `in #409` where another counts it, or the severity for readers without money."""
    if look.hides(incident):
        return incident.severity.value
    if incident.counted_in is not None and incident.loss.per_hour == 0:
        return f"in #{incident.counted_in}"
    if incident.loss.per_hour == 0 and incident.loss.unseen_per_hour > 0:
        return "unseen"
    return look.amount(incident.loss.per_hour)


def loss_rate(incident: Incident, look: Look) -> str:
    """The same with its unit where it has one: `€1,390/h`, `€30/h (more in #409)`."""
    text, elsewhere = lost_per_hour(incident, look), incident.counted_in
    if look.hides(incident) or text in {"unseen", f"in #{elsewhere}"}:
        return text
    return f"{text}/h" if elsewhere is None else f"{text}/h (more in #{elsewhere})"


def lost_so_far(incident: Incident, look: Look) -> str:
    if look.hides(incident):
        return fmt.NONE
    if incident.loss.lost == 0 and (incident.loss.unseen > 0 or incident.counted_in is not None):
        return fmt.NONE
    return look.amount(incident.loss.lost)


def owner(incident: Incident) -> str:
    """`developer on call, team aurora; maria has it`."""
    teams = f"team{'s' if len(incident.teams) > 1 else ''} {', '.join(incident.teams)}"
    by = f"; {incident.acknowledged_by} has it" if incident.acknowledged_by and incident.closed_at is None else ""
    return f"{incident.owner_role or 'nobody'}, {teams}{by}"


def counts(count: StateCount, *, ok_too: bool = True) -> str:
    """`3 failing · 1 degraded`, worst first; zeros are left out."""
    parts = (("failing", count.failing), ("degraded", count.degraded), ("unknown", count.unknown), ("ok", count.ok))
    shown = [f"{number:,} {name}" for name, number in parts if number and (ok_too or name != "ok")]
    if count.paused:
        shown.append(f"{count.paused:,} paused")
    return " · ".join(shown) or "none"
