from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from data.model.snapshot import IncidentDetail, TargetRow
from data.model.verdict import verdict_named
from tui import keys
from tui.families import GEO, GLYPH, LOST, PARTNER, SEEN, SINCE, STRIP, name
from tui.lines import fit
from tui.look import incident_word, loss_rate, lost_so_far
from tui.overview_lines import first_move
from tui.screens import parts
from tui.screens.incident_plans import PlanScreen
from tui.screens.place import NARROW
from tui.widgets.ask import Question, agreed
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.lines import Line, Span

_WHERE_SHARE = 0.3
"""Of the first line for where it burns, so that what it costs still stands beside it."""
MEMBER_COLUMNS = (name(20, grow=1, title="affected"), GLYPH, SEEN, SINCE, LOST, STRIP, PARTNER, GEO)


class IncidentScreen(PlanScreen):
    """One incident: what to do, what is known, its story, its money and everything it affects."""

    SCOPES: ClassVar[tuple[str, ...]] = ("incident", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("incident")

    def __init__(self, number: int) -> None:
        super().__init__(parts.OF_INCIDENT)
        self.number = number

    async def fetch(self) -> IncidentDetail:
        return await self.losswatch.service.incident(self.number)

    def _side(self, side: str) -> list[Widget]:
        panels = super()._side(side)
        if side == "left":
            members: RowTable[TargetRow] = RowTable(
                MEMBER_COLUMNS, lambda row: row.target, "affected", id="members", always_mark=True
            )
            panels.append(members)
        return panels

    @property
    def members(self) -> RowTable[TargetRow]:
        return self.query_one("#members", RowTable)

    def settle(self, size: str) -> None:
        super().settle(size)
        if self.query("#members"):
            self.members.display = size not in NARROW or self.tab <= 2

    def arrived(self, detail: IncidentDetail) -> None:
        incident = detail.incident
        self.members.note = f"{incident.open_members:,} of {incident.members:,} still failing"
        self.members.empty = "no member on record"
        self.members.present(detail.members)

    def trail(self) -> list[Span]:
        spans: list[Span] = [("Incidents › ", "dim"), (f"#{self.number} ", "where")]
        if self.detail is None:
            return [*spans, (self.problem, "warn")]
        incident, look = self.detail.incident, self.losswatch.look()
        is_open, narrow = incident.closed_at is None, self.size_name in NARROW
        where = fit(incident.where, int(self.app.size.width * _WHERE_SHARE)).rstrip()
        rate: Line = ((f"{loss_rate(incident, look)} ", "money"),) if is_open else ()
        return [
            *(spans[1:] if narrow else spans), (where, "where"), (f"   {incident_word(incident)} {incident.severity.value} ", "need" if is_open else "dim"),
            (f"{look.since(incident.started_at)}  ", "dim"), *rate, (f" lost {lost_so_far(incident, look)}", "strong"),
        ]  # fmt: skip

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.losswatch.open_target(message.key, message.table)

    # Actions

    def action_acknowledge(self) -> None:
        self.losswatch.give("acknowledge", incident=self.number)

    def action_note(self) -> None:
        self.ask(Question(f"note on #{self.number}:", submit=self._note))

    def _note(self, text: str) -> None:
        if text.strip():
            self.losswatch.give("note", incident=self.number, text=text.strip())

    def action_close_incident(self) -> None:
        where = self.detail.incident.where if self.detail else ""
        self.ask(
            Question(
                f"close #{self.number} {where}? type yes, or whether it was right, false or not ours:",
                submit=self._close,
            )
        )

    def _close(self, answer: str) -> None:
        said = verdict_named(answer) if len(answer.strip()) > 1 else None  # a single n is a no
        if said is not None:
            self.losswatch.give("close", incident=self.number, verdict=said)
        elif agreed(answer):
            self.losswatch.give("close", incident=self.number)
        else:
            self.losswatch.say(f"#{self.number} stays open")

    def action_verdict(self) -> None:
        self.ask(Question(f"was #{self.number} right, false or not ours?", submit=self._judge))

    def _judge(self, answer: str) -> None:
        said = verdict_named(answer)
        if said is None:
            self.losswatch.say("say right, false or not ours")
        else:
            self.losswatch.give("verdict", incident=self.number, verdict=said)

    def selected_target(self) -> str | None:
        return self.members.selected_key if self.focused is self.members else None

    def copyable(self) -> tuple[str, str] | None:
        if self.selected_target():
            return super().copyable()
        if self.detail is None:
            return None
        incident = self.detail.incident
        facts = "\n".join(f"{said.certainty}: {said.text}" for said in self.detail.statements)
        return (
            f"#{incident.id} {incident.where}: {incident.title}\n{facts}\nplan A: {first_move(incident)}",
            f"summary of #{incident.id}",
        )

    def command_line(self) -> str | None:
        return f"losswatch incidents show {self.number}"
