from __future__ import annotations

from collections import Counter

import pytest
from textual.keys import format_key

from tui import keys
from tui.app import LosswatchApp
from tui.screens.feed import FeedScreen
from tui.screens.help import HelpScreen
from tui.screens.incident import IncidentScreen
from tui.screens.listing import ListScreen
from tui.screens.overview import OverviewScreen
from tui.screens.parser import ParserScreen
from tui.screens.revenue import RevenueScreen
from tui.screens.revenue_book import WatchScreen
from tui.screens.revenue_list import RevenueListScreen
from tui.screens.target import TargetScreen
from tui.widgets.panel import Panel
from tui.widgets.row_table import RowTable

OWNERS = {
    "app": LosswatchApp, "table": RowTable, "panel": Panel, "overview": OverviewScreen, "list": ListScreen, "target": TargetScreen, "parser": ParserScreen, "feed": FeedScreen,
    "revenue": RevenueScreen, "revenues": RevenueListScreen, "book": WatchScreen, "incident": IncidentScreen, "overlay": HelpScreen,
}  # fmt: skip
TERMINAL_TRAPS = {"ctrl+h", "ctrl+j", "ctrl+m", "ctrl+i", "ctrl+a", "ctrl+b", "ctrl+s"}


def test_every_key_has_an_id_of_its_own():
    assert [name for name, times in Counter(key.id for key in keys.KEYS).items() if times > 1] == []


@pytest.mark.parametrize("scope", keys.SCOPES)
def test_no_key_means_two_things_in_one_scope(scope):
    pressed = Counter(one for key in keys.of(scope) for one in key.key.split(","))
    assert [key for key, times in pressed.items() if times > 1] == []


@pytest.mark.parametrize(
    "scope", ["overview", "list", "target", "parser", "feed", "revenue", "revenues", "book", "incident", "overlay"]
)
def test_a_screen_never_takes_a_key_that_means_something_everywhere(scope):
    everywhere = {one for key in keys.of("app") for one in key.key.split(",")}
    assert not everywhere & {one for key in keys.of(scope) for one in key.key.split(",")}


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.id)
def test_every_action_exists_where_its_key_lives(key):
    assert hasattr(OWNERS[key.scope], f"action_{key.action.partition('(')[0]}")


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.id)
def test_no_key_is_one_that_terminals_or_tmux_swallow(key):
    assert not TERMINAL_TRAPS & set(key.key.split(","))
    assert key.tooltip
    assert key.scope in keys.SCOPES


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.id)
def test_the_help_writes_each_key_as_it_is_pressed(key):
    first = format_key(key.key.partition(",")[0])
    assert key.written.split()[0] == first.replace("ctrl+", "^")


@pytest.mark.parametrize(
    ("scope", "every"), [("parser", "target"), ("feed", "target"), ("revenue", "target"), ("revenues", "list")]
)
def test_the_keys_of_one_family_stand_beside_those_of_every_target(scope, every):
    pressed = Counter(one for key in (*keys.of(scope), *keys.of(every)) for one in key.key.split(","))
    assert [key for key, times in pressed.items() if times > 1] == []
