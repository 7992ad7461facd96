from __future__ import annotations

from dataclasses import replace

import pytest

from data.model.incident import IncidentState
from data.model.state import State
from tests.tui import corvane
from tests.tui.fake import FakeService, dashboard
from tests.tui.screen import HUGE, SMALL, TINY, WIDE, line_of, open_incident, screen_text, settle
from tui.screens.overview import OverviewScreen
from tui.widgets.panel import WAITING, Panel
from tui.widgets.row_table import RowTable


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


async def test_a_pane_shows_its_worst_rows_unless_somebody_reads_it():
    fine = [replace(corvane.SITES[-1], target=f"site:s{at}", name=f"fine-{at}") for at in range(12)]
    bad = [replace(corvane.SITES[0], target=f"site:b{at}", name=f"bad-{at}") for at in range(12)]
    calm, burning = (replace(corvane.BURNING.sites, rows=tuple(rows)) for rows in (fine, (bad + fine)))
    app = dashboard(replace(corvane.BURNING, sites=calm))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.service.put(replace(corvane.BURNING, version=8, sites=burning))
        await settle(pilot)
        assert app.screen.pane(1).selected_key == "site:b0"
        assert "bad-0" in screen_text(app)
        await pilot.press("1", "j", "enter")
        await settle(pilot)
        await pilot.press("escape")
        app.service.put(replace(corvane.BURNING, version=9, sites=replace(calm, rows=(*fine, *bad))))
        await settle(pilot)
        assert app.screen.pane(1).selected_key == "site:b1"
        await pilot.press("5")
        app.service.put(replace(corvane.BURNING, version=10, sites=burning))
        await settle(pilot)
        assert app.screen.pane(1).selected_key == "site:b0"


@pytest.mark.parametrize(
    "keys", [("enter",), ("3", "enter"), ("4", "enter"), ("2", "enter"), ("1", "1"), ("4", "4", "w")]
)
async def test_no_table_says_that_it_is_empty_before_the_hub_has_answered(keys):
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.service.broken = "The store is busy. Try again."
        await pilot.press(*keys)
        tables = list(app.screen.query(RowTable))
        assert {table.empty for table in tables} <= {WAITING, app.service.broken}
        await settle(pilot)
        assert {table.empty for table in tables} == {app.service.broken}


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_what_an_incident_costs_stands_beside_the_longest_place(size, monkeypatch):
    long = replace(corvane.INCIDENTS[0], where="go.cedar.example: 159 links of 61 sites and more of the kind")
    monkeypatch.setattr(corvane, "INCIDENTS", (long, *corvane.INCIDENTS[1:]))
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await open_incident(pilot)
        assert "€413/h  lost" in line_of(app, "header")
        assert "LIVE" in line_of(app, "header")


async def test_a_closed_incident_has_no_rate_any_more(monkeypatch):
    first = corvane.INCIDENTS[0]
    over = replace(first, state=IncidentState.CLOSED, closed_at=first.started_at)
    monkeypatch.setattr(corvane, "INCIDENTS", (over, *corvane.INCIDENTS[1:]))
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await open_incident(pilot)
        assert "CLOSED" in line_of(app, "header")
        assert "/h" not in line_of(app, "header")


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


async def test_an_incident_is_acknowledged_noted_and_closed_only_after_asking():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_incident(pilot)
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


async def test_a_table_of_a_hidden_screen_catches_up_when_it_is_shown_again():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_incident(pilot)
        service.put(replace(corvane.HEALTHY, version=11))
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "No open incident" in screen_text(app)
        assert all(row.state is State.OK for row in app.screen.query_one("#pane1", RowTable)._rows.values())
