"""The bottom line after `:`: offers what could be meant and goes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.model.target import TargetKind
from tui import goto
from tui.screens.place import Place
from tui.travel import moment_of
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
    go = _GO.get(aim.what)
    if go is None:
        app.say(aim.value)
    else:
        go(app, aim.value)


def _home(app: LosswatchApp, _value: str) -> None:
    while len(app.screen_stack) > 1:
        app.pop_screen()


def _wear(app: LosswatchApp, name: str) -> None:
    if name in app.available_themes:
        app.theme = name
    else:
        app.say(f"No theme called {name!r}. There are: {', '.join(sorted(app.available_themes))}")


def _travel(app: LosswatchApp, words: str) -> None:
    try:
        app.travel(moment_of(words, app.showing.present) if words else None)
    except UsageError as problem:
        app.say(str(problem), warn=True)


_GO: dict[str, Callable[[LosswatchApp, str], None]] = {
    "overview": _home,
    "list": lambda app, kind: app.open_list(TargetKind(kind)),
    "target": lambda app, target: app.open_target(target),
    "incident": lambda app, number: app.open_incident(int(number)),
    "theme": _wear,
    "at": _travel,
    "watched": lambda app, _: app.open_watchlist(),
    "calibration": lambda app, _: app.open_calibration(),
    "help": lambda app, _: app.action_help(),
    "quit": lambda app, _: app.exit(0),
}
"""What each meaning of an answer does."""
