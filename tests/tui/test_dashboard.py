from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from data.model.state import State
from tests.tui import corvane
from tests.tui.fake import FakeService, StillClock, dashboard, many
from tui import keys
from tui.lines import plain
from tui.screens.help import HelpScreen
from tui.screens.incident import IncidentScreen
from tui.screens.listing import ListScreen
from tui.screens.overview import OverviewScreen
from tui.screens.target import TargetScreen
from tui.service import Alive, Lost
from tui.widgets.panel import Panel
from tui.widgets.row_table import RowTable

WIDE, SMALL, HUGE, TINY = (120, 40), (80, 24), (200, 50), (50, 12)


async def settle(pilot):
    """Until the fake hub's answers have come and been drawn."""
    for _ in range(4):
        await pilot.pause()
        await asyncio.sleep(0)
    await pilot.pause()


def screen_text(app) -> str:
    width, height = app.size
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())[
        : (width + 1) * height * 2
    ]


def line_of(app, name: str, y: int = 0) -> str:
    return plain(app.screen.query_one(f"#{name}", Panel)._drawn[y])


async def test_the_overview_shows_what_burns_most_first_and_what_to_do_about_it():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert app.screen.incidents.selected_key == "412"
        text = screen_text(app)
        for fact in (
            "losing €473/h",
            "Halyard Edge",
            "move DNS to the second edge",
            "waiting for P04",
            "LIVE 11:34:07Z",
        ):
            assert fact in text


async def test_the_preview_follows_the_cursor_only_once_the_keys_rest(monkeypatch, until):
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        monkeypatch.setattr("tui.screens.overview.PREVIEW_PAUSE_S", 3600.0)
        await pilot.press("j", "j")
        assert app.screen.incidents.selected_key == "414"
        assert "#412" in line_of(app, "preview")
        monkeypatch.setattr(
            "tui.screens.overview.PREVIEW_PAUSE_S", 0.1
        )  # a timer that is due before it runs never does
        await pilot.press("k")
        await until(pilot, lambda: "#409" in line_of(app, "preview"))


async def test_rows_the_incidents_do_not_need_go_to_the_panes():
    rows = tuple(replace(corvane.SITES[-1], target=f"site:s{at}", name=f"s{at}") for at in range(12))
    many_sites = replace(corvane.BURNING.sites, rows=rows)
    app = dashboard(replace(corvane.BURNING, sites=many_sites, incidents=()))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "s7" in screen_text(app)
        app.service.put(replace(corvane.BURNING, version=8, sites=many_sites, incidents=corvane.INCIDENTS * 3))
        await settle(pilot)
        assert app.screen.pane(1).size.height == 6


async def test_a_loss_the_hub_hides_is_a_severity_and_never_zero():
    hidden = tuple(replace(one, loss=replace(one.loss, currency="")) for one in corvane.INCIDENTS)
    app = dashboard(replace(corvane.BURNING, incidents=hidden))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "SEV1" in line_of(app, "incidents", 2)
        assert "€" not in line_of(app, "incidents", 2)


async def test_the_whole_log_has_a_screen_of_its_own():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert "503 in 38 ms" in line_of(app, "lines", 2)
        assert "214 rows quarantined" in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, OverviewScreen)


async def test_the_url_of_a_row_is_copied_without_opening_it(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("1", "o")
        await settle(pilot)
        assert app.clipboard == "https://aurora-001.example/"
        assert isinstance(app.screen, OverviewScreen)


@pytest.mark.parametrize("size", [WIDE, SMALL, HUGE, TINY, (20, 5), (300, 80)])
async def test_no_terminal_is_refused_and_the_worst_incident_is_always_there(size):
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert "412" in screen_text(app)


async def test_the_selection_stays_on_its_incident_when_the_order_changes():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("j")
        turned = replace(corvane.BURNING, version=8, incidents=tuple(reversed(corvane.INCIDENTS)))
        service.put(turned)
        await settle(pilot)
        assert app.screen.incidents.selected_key == "409"
        assert app.screen.incidents.cursor == 3


async def test_the_same_picture_again_touches_nothing():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        repainted = []
        app.refresh = app.screen.refresh = lambda *regions, **_: repainted.append(("everything", regions))
        for panel in app.screen.query(Panel):
            panel.refresh = lambda *regions, panel=panel, **_: repainted.append((panel.id, regions))
        service.put(replace(corvane.BURNING, version=8))
        await settle(pilot)
        assert app.snapshot.version == 8
        assert repainted == []


async def test_one_changed_figure_repaints_only_its_cells():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        painted = []
        for panel in app.screen.query(Panel):
            panel.refresh = lambda *regions, panel=panel, **_: painted.append((panel.id, regions))
        rows = (replace(corvane.SITES[0], detail="502 at the edge"), *corvane.SITES[1:])
        service.put(replace(corvane.BURNING, version=8, sites=replace(corvane.BURNING.sites, rows=rows)))
        await settle(pilot)
        assert [name for name, _ in painted] == ["pane1"]
        ((region,),) = [regions for _, regions in painted]
        assert (region.width, region.height) == (1, 1)


async def test_pause_holds_the_picture_and_going_on_shows_the_newest():
    service, clock = FakeService(corvane.BURNING), StillClock()
    app = dashboard(service=service, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("space")
        for version in (8, 9):
            service.put(replace(corvane.BURNING, version=version, company=f"v{version}"))
            await settle(pilot)
        clock.at += 5
        service.put(Alive())
        await settle(pilot)
        app._retick()
        assert "PAUSED 5s" in line_of(app, "header")
        assert "Corvane Media" in line_of(app, "header")
        await pilot.press("space")
        await settle(pilot)
        assert "v9" in line_of(app, "header")
        assert "LIVE" in line_of(app, "header")


async def test_on_a_slow_line_the_picture_changes_every_five_seconds_and_misses_nothing():
    service, clock = FakeService(corvane.BURNING), StillClock()
    app = dashboard(service=service, clock=clock, lite=True)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        service.put(replace(corvane.BURNING, version=8))
        await settle(pilot)
        assert app.snapshot.version == 7
        clock.at += 5
        app._tick()
        await settle(pilot)
        assert app.snapshot.version == 8


async def test_a_lost_hub_leaves_the_last_picture_marked_stale_and_comes_back_by_itself():
    service, clock = FakeService(corvane.BURNING), StillClock()
    app = dashboard(service=service, clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        service.put(Lost("The hub said goodbye."))
        await settle(pilot)
        clock.at += 41
        app._retick()
        assert "STALE 41s" in line_of(app, "header")
        assert "Halyard Edge" in screen_text(app)
        assert "said goodbye" in line_of(app, "log", 1)
        service.put(replace(corvane.BURNING, version=9))
        await settle(pilot)
        assert "LIVE" in line_of(app, "header")


async def test_a_silent_hub_is_stale_without_saying_so():
    clock = StillClock()
    app = dashboard(clock=clock)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        clock.at += 13
        app._tick()
        assert "STALE 13s" in line_of(app, "header")


async def test_ages_go_on_while_the_hub_is_live_and_stop_when_it_is_not():
    clock, service = StillClock(), FakeService(corvane.BURNING)
    app = dashboard(clock=clock, service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        clock.at += 10
        assert (app.now() - corvane.NOW).total_seconds() == 10
        service.put(Lost("gone"))
        await settle(pilot)
        assert app.now() == corvane.NOW


async def test_before_any_hub_answers_the_screen_says_so():
    app = dashboard(None)
    async with app.run_test(size=WIDE) as pilot:
        app.service.put(Lost("No hub answers on hub.sock. Start one: losswatch hub start"))
        await settle(pilot)
        assert "CONNECTING" in line_of(app, "header")
        assert "losswatch hub start" in screen_text(app)


async def test_an_empty_company_is_told_the_next_command():
    app = dashboard(corvane.EMPTY)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "losswatch init" in screen_text(app)


async def test_whoever_may_not_see_money_sees_severities_and_never_zeros():
    app = dashboard(corvane.HIDDEN)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        text = screen_text(app)
        assert "€" not in text
        assert "SEV1" in text


async def test_names_from_websites_cannot_reach_the_terminal():
    app = dashboard(corvane.HOSTILE)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        text = screen_text(app)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[red]not markup" in text
        for panel in app.screen.query(Panel):
            if panel.display:
                assert all(panel.render_line(y).cell_length == panel.size.width for y in range(panel.size.height))


async def test_in_ascii_mode_every_cell_is_ascii():
    app = dashboard(ascii_only=True)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert screen_text(app).isascii()
        await pilot.press("enter")
        await settle(pilot)
        assert screen_text(app).isascii()


# Lists


async def open_sites(pilot, app):
    await settle(pilot)
    await pilot.press("1", "1")
    await settle(pilot)
    assert isinstance(app.screen, ListScreen)


async def test_a_filter_typed_in_one_burst_loses_no_key():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press(*"/aurora-00")
        await settle(pilot)
        assert service.queries[-1].filter == "aurora-00"
        assert app.screen.table.total == 4
        await pilot.press("/", "enter")
        await settle(pilot)
        assert app.screen.filter_text == "aurora-00/"
        assert not app.screen.typing


async def test_escape_clears_the_filter_first_and_leaves_second():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press(*"/aurora", "enter", "escape")
        await settle(pilot)
        assert app.screen.filter_text == ""
        await pilot.press("escape")
        assert isinstance(app.screen, OverviewScreen)


async def test_a_long_list_is_read_in_windows_and_the_cursor_never_waits():
    service = FakeService(corvane.BURNING, rows=many(100_000))
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        assert app.screen.table.total == 100_000
        app.screen.table.action_bottom()
        assert app.screen.table.cursor == 99_999
        await settle(pilot)
        assert app.screen.table.selected_key == "site:s-099999"
        assert max(query.limit for query in service.queries) <= 200


async def test_sorting_and_turning_round_are_asked_of_the_hub():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press("s")
        await settle(pilot)
        assert (service.queries[-1].sort, service.queries[-1].desc) == ("loss_per_hour", True)
        await pilot.press("S")
        await settle(pilot)
        assert service.queries[-1].desc is False


async def test_columns_scroll_beside_a_first_column_that_stays():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("1")
        await settle(pilot)
        await pilot.press("right", "right")
        assert "aurora-001" in line_of(app, "rows", 2)
        assert "FAILING" not in line_of(app, "rows", 2)
        assert "‹" in line_of(app, "rows", 1)
        await pilot.press("left", "left")
        assert "FAILING" in line_of(app, "rows", 2)


async def test_a_hub_that_fails_a_list_says_why_in_its_place():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        service.broken = "The store is busy. Try again."
        await pilot.press("1", "1")
        await settle(pilot)
        assert "The store is busy" in screen_text(app)


# Details


@pytest.mark.parametrize("size", [WIDE, SMALL, HUGE, TINY])
@pytest.mark.parametrize(
    "target",
    ["site:aurora-001", "link:p05-drakkenspin-de", "parser:serp-casino-de", "feed:p06-zefirion", "slice:P05 DE"],
)
async def test_every_family_has_a_detail_screen_at_every_size(target, size):
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        app.open_target(target)
        await settle(pilot)
        assert isinstance(app.screen, TargetScreen)
        for number in "1234":
            await pilot.press(number)
            await settle(pilot)
        assert target.partition(":")[2][:8].split()[0] in screen_text(app)


async def test_the_guilty_hop_is_marked():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.open_target("link:p05-drakkenspin-de")
        await settle(pilot)
        chain = [plain(line) for line in app.screen.query_one("#part1", Panel)._drawn]
        assert any("✖" in line and "www.drakkenspin.example" in line and "451" in line for line in chain)
        assert sum("✖" in line for line in chain) == 1


async def test_siblings_are_walked_without_going_back():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await open_sites(pilot, app)
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.target == "site:aurora-001"
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert app.screen.target == "site:aurora-004"
        await pilot.press("escape")
        assert app.screen.table.selected_key == "site:aurora-004"


async def test_a_target_that_is_gone_says_so():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.open_target("site:gone")
        await settle(pilot)
        assert "Nothing called site:gone" in screen_text(app)


async def test_an_incident_is_acknowledged_noted_and_closed_only_after_asking():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("K", "n", *"called", "enter")
        await settle(pilot)
        await pilot.press("x")
        assert "close #412 Halyard Edge?" in screen_text(app)
        await pilot.press("n", "enter")
        await settle(pilot)
        assert [name for name, _ in service.commands] == ["acknowledge", "note"]
        await pilot.press("x", *"yes", "enter")
        await settle(pilot)
        assert service.commands[-1] == ("close", {"incident": 412})
        assert service.commands[1] == ("note", {"incident": 412, "text": "called"})


async def test_what_a_role_may_not_do_is_said_in_the_hubs_words():
    service = FakeService(corvane.BURNING)
    service.forbidden = {"acknowledge"}
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("K")
        await settle(pilot)
        assert [note.message for note in app._notifications] == ["Your role may not acknowledge. A senior can."]


async def test_re_checking_without_a_target_says_why_not():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("r")
        assert service.commands == []
        await pilot.press("1", "r")
        await settle(pilot)
        assert service.commands == [("recheck", {"target": "site:aurora-001"})]


async def test_copying_says_what_was_copied(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.open_target("site:aurora-001")
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard == "https://aurora-001.example/"
        await pilot.press("Y")
        assert app.clipboard == "losswatch check site 'https://aurora-001.example/'"


# Going places


async def test_the_colon_goes_anywhere_and_gives_the_focus_back():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press(*":inc", "space", *"409", "enter")
        await settle(pilot)
        assert isinstance(app.screen, IncidentScreen)
        await pilot.press("colon", *"theme", "space", *"losswatch-deuteranopia", "enter")
        await settle(pilot)
        assert app.theme == "losswatch-deuteranopia"
        await pilot.press("colon", *"links", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ListScreen)
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("minus")
        await settle(pilot)
        assert isinstance(app.screen, IncidentScreen)


async def test_help_lists_every_key_of_the_table():
    app = dashboard()
    async with app.run_test(size=(120, 120)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        assert [key.id for key in keys.KEYS if key.tooltip not in text] == []


async def test_q_goes_back_and_leaves_only_from_the_overview():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("q")
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("q")
    assert app.return_code == 0


STAGES = {
    "app": [],
    "overview": [],
    "table": ["1", "1"],
    "list": ["1", "1"],
    "panel": ["question_mark"],
    "overlay": ["question_mark"],
    "target": ["1", "enter"],
    "parser": ["2", "enter"],
    "feed": ["3", "enter"],
    "revenue": ["4", "enter"],
    "revenues": ["4", "4"],
    "book": ["4", "4", "w"],
    "incident": ["enter"],
}


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.id)
async def test_every_key_reaches_its_action(key, monkeypatch):
    app = dashboard()
    reached = []
    name = f"action_{key.action.partition('(')[0]}"
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for stage in STAGES[key.scope]:
            await pilot.press(stage)
            await settle(pilot)
        owner = {"app": app, "table": app.screen.focused, "panel": app.screen.focused}.get(key.scope, app.screen)
        monkeypatch.setattr(type(owner), name, lambda self, *args: reached.append((self, args)))
        for pressed in key.key.split(","):
            await pilot.press(pressed)
        assert len(reached) == len(key.key.split(","))
        assert all(self is owner for self, _ in reached)


async def test_a_table_of_a_hidden_screen_catches_up_when_it_is_shown_again():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        service.put(replace(corvane.HEALTHY, version=11))
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "No open incident" in screen_text(app)
        assert all(row.state is State.OK for row in app.screen.query_one("#pane1", RowTable)._rows.values())
