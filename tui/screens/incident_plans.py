"""The keys that use plans: a dry run is shown before anybody is asked, and nothing goes without a typed yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work

from data.errors import LosswatchError
from data.model.plan import SwitchState
from data.model.snapshot import IncidentDetail
from tui.screens.detail import DetailScreen
from tui.screens.plan_parts import dry_run
from tui.widgets.ask import Question, agreed

if TYPE_CHECKING:
    from data.model.snapshot import PlanRow


class PlanScreen(DetailScreen[IncidentDetail]):
    """What the screen of an incident can do with plans A, B and C."""

    number: int
    KEPT: ClassVar[str] = "nothing was changed"

    def action_choose(self, letter: str) -> None:
        """Use the first declared plan of that letter, or give the further yes it waits for."""
        app = self.losswatch
        row = next((one for one in self._plans if one.letter == letter and one.id), None)
        if row is None:
            app.say(f"Plan {letter} is words: for people to do. Declare one in losswatch.toml, see [[plans]]")
        elif row.switch is not None and row.switch.state is SwitchState.ASKED:
            self._ask_yes(f"say yes to plan {letter} {row.title}?", "plan_approve", plan=row.switch.id)
        elif row.switch is not None and row.switch.is_running:
            app.say(f"Plan {letter} is {row.switch.state.value}: u takes it back")
        elif app.showing.at is not None:
            app.say("Nothing can be done in the past")
        elif row.does == "words":
            app.say(f"Plan {letter} is for people to do")
        else:
            self._rehearse(row)

    def action_undo_plan(self) -> None:
        """Take back the plan that runs, or withdraw the one that waits for a yes."""
        row = next((one for one in self._plans if one.switch and (one.switch.is_running or _waits(one))), None)
        if row is None or row.switch is None:
            self.losswatch.say("No plan of this incident is in use")
        else:
            verb = "withdraw" if _waits(row) else "take back"
            self._ask_yes(f"{verb} plan {row.letter} {row.title}?", "plan_revert", plan=row.switch.id)

    @property
    def _plans(self) -> tuple[PlanRow, ...]:
        return self.detail.plans if self.detail else ()

    @work(group="plans", exclusive=True, exit_on_error=False)
    async def _rehearse(self, row: PlanRow) -> None:
        try:
            found = await self.losswatch.service.rehearse(self.number, row.id)
        except LosswatchError as problem:
            self.losswatch.say(str(problem), warn=True)
            return
        if found.refused:
            self.losswatch.say(f"Not now: {found.refused}", warn=True)
            return
        lines = dry_run(found, self.losswatch.look())
        self._ask_yes(f"use plan {row.letter} {row.title}?", "plan_use", lines, plan=row.id, incident=self.number)

    def _ask_yes(self, prompt: str, command: str, lines: tuple[str, ...] = (), **about: object) -> None:
        def answered(text: str) -> None:
            if agreed(text):
                self.losswatch.give(command, **about)
            else:
                self.losswatch.say(self.KEPT)

        self.ask(Question(f"{prompt} type yes:", submit=answered, lines=lines))


def _waits(row: PlanRow) -> bool:
    return row.switch is not None and row.switch.state is SwitchState.ASKED
