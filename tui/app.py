from __future__ import annotations

import gc
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from rich.style import Style
from textual import work
from textual.app import App
from textual.message import Message

from data.errors import LosswatchError
from data.model.snapshot import Hello, Snapshot
from data.text import clean_text
from tui import keys
from tui import theme as looks
from tui.bell import Bell
from tui.look import Look
from tui.screens.overview import OverviewScreen
from tui.screens.place import Place
from tui.service import HubService, Service, Update
from tui.showing import Showing
from tui.travel import stepped

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from textual.binding import BindingType
    from textual.screen import Screen
    from textual.theme import Theme

    from data.model.snapshot import TargetRow
    from data.model.target import TargetKind
    from tui.column import Column
    from tui.widgets.row_table import RowTable


class HasSocket(Protocol):
    """All the dashboard needs of a home: `data.config.home.Home` has it."""

    @property
    def socket(self) -> Path: ...


@dataclass
class SnapshotReady(Message, bubble=False):
    """A newer snapshot arrived."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)


class LosswatchApp(App[int]):
    """The dashboard: attaches to a service, draws its snapshots, gives its commands.

    Screens other than the Overview are imported when somebody goes there: the first frame does not wait for them.
    """

    CSS_PATH = "losswatch.tcss"
    TITLE = "losswatch"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("app")

    def __init__(
        self, service: Service, *, ascii_only: bool = False, theme: str = "", lite: bool = False,
        monotonic: Callable[[], float] = time.monotonic, bell: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self._bell = Bell(bell)
        self.service = service
        self.ascii_only = ascii_only
        self.hello: Hello | None = None
        self.animation_level = "none"
        self.showing = Showing(monotonic, lite)
        self.columns: dict[TargetKind, tuple[Column[TargetRow], ...]] = {}
        """Columns that were chosen for a list, for as long as this dashboard lives."""
        self._styles: dict[str, Style] = {}
        self._last_place: Callable[[], Place] | None = None
        self._ticks = 0
        for one in looks.themes():
            self.register_theme(one)
        wanted = looks.fitting(self.console.color_system, theme)
        self.theme = wanted if wanted in self.available_themes else looks.fitting(self.console.color_system)

    def get_default_screen(self) -> Screen[object]:
        return cast("Screen[object]", OverviewScreen())

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda _theme: self._restyle())
        self._listen()
        if self.showing.at is not None:
            self.travel(self.showing.at)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._collect_again)

    def _collect_again(self) -> None:
        """What was imported stays for good: the collector, off until the first frame, need not walk through it."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    # Facts in

    @work(group="updates", exit_on_error=False)
    async def _listen(self) -> None:
        async with aclosing(self.service.updates()) as updates:
            async for update in updates:
                self._hear(update)

    def _hear(self, update: Update) -> None:
        changed = self.showing.hear(update)
        if isinstance(update, Hello):
            self.hello = update
        if isinstance(update, Snapshot):
            self._ring(update)
            self.post_message(SnapshotReady(update))
        elif changed:
            self._retick()

    def _ring(self, snapshot: Snapshot) -> None:
        """Whatever is on the screen, paused or past: this is about now."""
        if self._bell.rings(snapshot):
            self.bell()
        self._to_terminal(self._bell.title(snapshot))

    def _to_terminal(self, codes: str) -> None:
        if codes and self._driver is not None:
            self._driver.write(codes)

    def on_unmount(self) -> None:
        self._to_terminal(self._bell.farewell)

    def on_snapshot_ready(self, message: SnapshotReady) -> None:
        if self.showing.take(message.snapshot):
            self._draw()

    def _draw(self) -> None:
        if (place := self.place) is not None:
            place.apply(self.snapshot)

    @property
    def snapshot(self) -> Snapshot:
        """What every screen draws."""
        return self.showing.snapshot

    @property
    def place(self) -> Place | None:
        screen = self.screen
        return screen if isinstance(screen, Place) and screen._ready else None  # noqa: SLF001  # the app drives its screens

    # Time

    def now(self) -> datetime:
        """The hub's clock; stands still while the picture does."""
        return self.showing.now()

    def look(self) -> Look:
        return Look(self.now(), self.snapshot.currency, self.snapshot.loss_per_hour is not None, self.ascii_only)

    def _tick(self) -> None:
        """One timer for all ages: each second while something is young, held or stale, else every ten."""
        self._ticks += 1
        if self.showing.take_waiting():
            self._draw()
        if self._ticks % 10 == 0 or self.showing.ages_move():
            self._retick()

    def _retick(self) -> None:
        if (place := self.place) is not None:
            place.tick()

    # Colours

    def get_theme(self, theme_name: str) -> Theme | None:
        """Textual asks for every strip it draws and copies all themes each time."""
        return self._registered_themes.get(theme_name) or super().get_theme(theme_name)

    def role_style(self, role: str) -> Style:
        """The style of a role in the theme that is on; `role+cursor` is that role on the selected row."""
        if not self._styles:
            self._styles = looks.styles(self.theme, self.theme_variables)
        if role not in self._styles:
            self._styles[role] = looks.layered(self._styles, self.theme, role)
        return self._styles[role]

    def _restyle(self) -> None:
        self._styles = {}
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.query("Panel"):
                widget.refresh()

    # Going places

    def open_list(self, kind: TargetKind) -> None:
        from tui.screens.listing import list_of

        self._go(lambda: list_of(kind))

    def open_watchlist(self) -> None:
        from tui.screens.revenue_book import WatchScreen

        self._go(WatchScreen)

    def open_calibration(self) -> None:
        from tui.screens.calibration import CalibrationScreen

        self._go(CalibrationScreen)

    def open_target(self, target: str, siblings: RowTable[TargetRow] | None = None) -> None:
        from tui.screens.target import screen_of

        self._go(lambda: screen_of(target, siblings))

    def replace_target(self, target: str, siblings: RowTable[TargetRow] | None) -> None:
        self.pop_screen()
        self.open_target(target, siblings)

    def open_incident(self, number: int) -> None:
        from tui.screens.incident import IncidentScreen

        self._go(lambda: IncidentScreen(number))

    def _go(self, place: Callable[[], Place]) -> None:
        fresh = place()
        fresh.made_by = place
        self.push_screen(fresh)

    def go_back(self) -> None:
        if len(self.screen_stack) > 1:
            left = self.screen
            if isinstance(left, Place) and left.made_by is not None:
                self._last_place = left.made_by
            self.pop_screen()

    def action_back_or_quit(self) -> None:
        if len(self.screen_stack) > 1:
            self.go_back()
        else:
            self.exit(0)

    async def action_quit(self) -> None:
        self.exit(0)

    def action_last_place(self) -> None:
        if self._last_place is None:
            self.say("No other place to go back to yet")
        else:
            self._go(self._last_place)

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.go_back()
        elif isinstance(self.screen, Place):
            self.push_screen(HelpScreen(self.screen.SCOPES))

    def action_full_log(self) -> None:
        from tui.screens.log import LogScreen

        if not isinstance(self.screen, LogScreen):
            self._go(LogScreen)

    def action_palette(self) -> None:
        from tui.palette import ask

        ask(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "palette" and isinstance(self.screen, Place) and self.screen.typing:
            return False  # a priority binding would take the colon out of the answer
        return super().check_action(action, parameters)

    # Doing

    def say(self, sentence: str, *, warn: bool = False) -> None:
        """One calm line at the corner; never markup."""
        self.notify(clean_text(sentence), severity="warning" if warn else "information", timeout=4, markup=False)

    @work(group="commands", exit_on_error=False)
    async def give(self, name: str, **args: object) -> None:
        """Give the hub one command and say what came of it, in its own words."""
        if (at := self.showing.at) is not None:
            self.say(f"This is {at:%m-%d %H:%MZ}, where nothing can be done any more: 0 for the present", warn=True)
            return
        try:
            reply = await self.service.command(name, **args)
        except LosswatchError as problem:
            self.say(str(problem), warn=True)
        else:
            self.say(reply.message, warn=not reply.ok)

    # Another time

    def action_step(self, minutes: int) -> None:
        """So many minutes on, or back."""
        self.travel(stepped(self.showing.at, self.showing.present, minutes))

    def action_live(self) -> None:
        self.travel(None)

    def travel(self, at: datetime | None) -> None:
        """Look at an earlier moment; `None` is the present again."""
        self.service.travel(at)
        if at is not None:
            self.showing.leave_for(at)
            self._picture_of(at)
            return
        if self.showing.come_back():
            self._draw()
        if self.place is not None:
            self.place.refetch()
        self._retick()

    @work(group="travel", exclusive=True, exit_on_error=False)
    async def _picture_of(self, at: datetime) -> None:
        try:
            picture = await self.service.snapshot()
        except LosswatchError as problem:
            self.say(str(problem), warn=True)
            if self.showing.at == at:
                self.travel(None)  # no other moment's picture may stand under that time
            return
        if self.showing.show_past(picture, at):
            self._draw()
            if self.place is not None:
                self.place.refetch()

    def action_pause(self) -> None:
        self.showing.pause_or_go_on()
        if self.showing.take_waiting():
            self._draw()
        self._retick()

    def action_refresh_all(self) -> None:
        if self.place is not None:
            self.place.refetch()
        self.say("Asked the hub again")

    def action_recheck(self) -> None:
        target = self.place.selected_target() if self.place else None
        if target is None:
            self.say("Nothing that can be re-checked is selected: choose a target with 1-4 first")
        else:
            self.give("recheck", target=target)

    def action_copy(self) -> None:
        self._copy(self.place.copyable() if self.place else None)

    def action_copy_command(self) -> None:
        self._copy(self.place.copyable_text() if self.place else None)

    def action_copy_url(self) -> None:
        target = self.place.selected_target() if self.place else None
        if target is None:
            self.say("No target is selected: choose one with 1-4 first")
        else:
            self._copy_url(target)

    @work(group="commands", exit_on_error=False)
    async def _copy_url(self, target: str) -> None:
        try:
            detail = await self.service.target(target)
        except LosswatchError as problem:
            self.say(str(problem), warn=True)
        else:
            self._copy((detail.url, "URL") if detail.url else None)

    def _copy(self, found: tuple[str, str] | None) -> None:
        from tui.clipboard import copy

        copy(self, found)


def run(
    home: HasSocket,
    *,
    mouse: bool = True,
    ascii_only: bool = False,
    lite: bool = False,
    theme: str = "",
    at: datetime | None = None,
    bell: bool = True,
) -> int:
    """Attach to the hub of `home` and draw until the person leaves; returns the exit code. `at` is where it begins."""
    app = LosswatchApp(HubService(home.socket), ascii_only=ascii_only, theme=theme, lite=lite, bell=bell)
    app.showing.at = at
    return app.run(mouse=mouse) or app.return_code or 0
