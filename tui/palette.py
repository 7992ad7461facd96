"""The bottom line after `:`: offers what could be meant and goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.target import TargetKind
from tui import goto
from tui.screens.place import Place
from tui.widgets.ask import Ask, Question

if TYPE_CHECKING:
    from tui.app import LosswatchApp


def ask(app: LosswatchApp) -> None:
    """Ask where to go."""
    if isinstance(app.screen, Place):
        app.screen.ask(Question(":", submit=lambda text: _aim(app, text), change=lambda text: _offer(app, text)))
        _offer(app, "")


def _offer(app: LosswatchApp, text: str) -> None:
    app.screen.query_one(Ask).offer(goto.candidates(text, app.snapshot, app.available_themes))


def _aim(app: LosswatchApp, text: str) -> None:
    aim = goto.aim(text)
    if aim.what == "unknown":
        near = goto.candidates(text, app.snapshot, app.available_themes)
        aim = goto.aim(near[0].text) if near and text.strip() else aim
    match aim.what:
        case "overview":
            while len(app.screen_stack) > 1:
                app.pop_screen()
        case "list":
            app.open_list(TargetKind(aim.value))
        case "target":
            app.open_target(aim.value)
        case "incident":
            app.open_incident(int(aim.value))
        case "theme":
            _wear(app, aim.value)
        case "help":
            app.action_help()
        case "quit":
            app.exit(0)
        case _:
            app.say(aim.value)


def _wear(app: LosswatchApp, name: str) -> None:
    if name in app.available_themes:
        app.theme = name
    else:
        app.say(f"No theme called {name!r}. There are: {', '.join(sorted(app.available_themes))}")
