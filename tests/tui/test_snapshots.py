"""Pictures of the screens; look at the report before `--snapshot-update`."""

from __future__ import annotations

import pytest

from tests.tui import corvane
from tests.tui.fake import dashboard
from tests.tui.screen import HUGE, SMALL, TINY, WIDE, settle

SIZES = {"120x40": WIDE, "80x24": SMALL, "200x50": HUGE, "50x12": TINY}
STATES = {
    "incident": corvane.BURNING,
    "healthy": corvane.HEALTHY,
    "empty": corvane.EMPTY,
    "hidden_money": corvane.HIDDEN,
    "hostile": corvane.HOSTILE,
    "sick": corvane.SICK,
}


@pytest.fixture(autouse=True)
def _own_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)


def pressed(keys):
    """What brings the screen there, each key after what the one before brought was drawn."""

    async def there(pilot):
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return there


def test_overview(snap_compare):
    """The picture in the README."""
    assert snap_compare(dashboard(), terminal_size=WIDE)


@pytest.mark.parametrize("size", ["80x24", "200x50", "50x12"])
def test_overview_at_other_sizes(snap_compare, size):
    assert snap_compare(dashboard(), terminal_size=SIZES[size])


@pytest.mark.parametrize("state", [name for name in STATES if name != "incident"])
def test_overview_in_other_states(snap_compare, state):
    assert snap_compare(dashboard(STATES[state]), terminal_size=WIDE)


@pytest.mark.parametrize("theme", ["losswatch-deuteranopia", "losswatch-tritanopia", "ansi-dark"])
def test_overview_in_other_colours(snap_compare, theme):
    assert snap_compare(dashboard(theme=theme), terminal_size=WIDE)


def test_overview_in_ascii(snap_compare):
    assert snap_compare(dashboard(ascii_only=True), terminal_size=SMALL)


def test_overview_paused(snap_compare):
    assert snap_compare(dashboard(), terminal_size=SMALL, press=["space"])


@pytest.mark.parametrize(
    ("screen", "press"),
    [("sites", ["1", "1"]), ("links", ["l"]), ("site", ["1", "enter"]), ("parser", ["2", "enter"]), ("feed", ["3", "enter"]), ("slice", ["4", "enter"]),
     ("incident", ["enter"]), ("help", ["question_mark"]), ("palette", ["colon", "a", "u"])],
)  # fmt: skip
def test_screen(snap_compare, screen, press):
    assert snap_compare(dashboard(), terminal_size=WIDE, run_before=pressed(press))


@pytest.mark.parametrize(
    ("screen", "press"),
    [
        ("sites", ["1"]),
        ("incident", ["enter"]),
        ("incident_timeline", ["enter", "3"]),
        ("incident_money", ["enter", "4"]),
    ],
)
def test_small_screen(snap_compare, screen, press):
    assert snap_compare(dashboard(), terminal_size=SMALL, run_before=pressed(press))
