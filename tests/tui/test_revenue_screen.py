from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from data.model.snapshot import TargetDetail
from data.model.state import State
from tests.tui import corvane, corvane_revenue
from tests.tui.corvane_revenue import HOUR
from tests.tui.fake import FakeService, Serving, dashboard, said
from tests.tui.screen import HUGE, SMALL, TINY, WIDE, line_of, screen_text, settle
from tests.tui.slices import BLIND, FINE, HIDDEN, HOSTILE, SHARED, SILENT, WAITING, WHOLE, YOUNG, blinded, opened
from tui.screens.incident import IncidentScreen
from tui.screens.listing import ListScreen
from tui.widgets.panel import Panel

# The whole picture


async def test_a_silent_slice_is_one_picture_of_loss_evidence_step_and_parts():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        for fact in (
            "Revenue › P05 › DE", "lost €181 (152 to 210)", "at risk €60/h (51 to 70)", "recoverable €24", "unseen —", "over a million to 1 for a failure against chance",
            "likely: cashier, KYC or a changed definition of an FTD", "clicks go on, FTD stopped", "deploy aurora 8f31c0", "Derby in Hamburg", "reported until 11:00Z, usually 1.2 h later",
            "15.0 nats, an alarm at 15", "0 of 5.8 FTD in 3 h", "5.0 of it lent: link p05-drakkenspin-de fails", "110,000", "17 Nov 08:00 to 11:00Z", "affiliate manager looks there first",
            "d [all] offer site team", "welcome", "€143", "#409",
        ):  # fmt: skip
            assert fact in text


async def test_a_quiet_slice_is_calm_and_says_how_soon_silence_would_speak():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app, FINE)
        text = screen_text(app)
        for fact in ("no alarm: as expected", "nothing speaks for a failure: 3.7 to 1", "an alarm can fire after 1.6 h of silence here", "no step moved", "171 of 188 regs in 12 h"):  # fmt: skip
            assert fact in text
        assert "lost €" not in text
        assert not any(role in {"bad", "warn", "loss", "money"} for line in app.screen.chart._drawn for _, role in line)


async def test_a_loss_that_an_incident_counts_already_is_not_counted_twice():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app, SHARED)
        line = line_of(app, "worth")
        assert "lost in #412, counted there" in line
        assert "at risk €129/h" in line
        assert "€181" not in line


@pytest.mark.parametrize(
    ("detail", "facts", "absent"),
    [
        (WAITING, ("not judged: no report of a recent hour yet", "waiting for P04", "waiting", "× 0.62"), ("nats", "lost €", "a week of silence")),
        (BLIND, ("unseen €30, €75/h, blind and not dead", "lost €0"), ("nats", "of expected,")),
        (YOUNG, ("too little history: 6 of 14 days", "no part has enough"), ("waiting for P04", "░ expected", "lost €")),
        (replace(WHOLE, revenue=None), ("the hub keeps no evidence", "0 of 1.9 FTD/h"), ("likely",)),
    ],
    ids=["waiting", "blind", "young", "no view"],
)  # fmt: skip
async def test_what_cannot_be_known_is_said_in_words(detail, facts, absent):
    app = dashboard(service=Serving(detail))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        assert [fact for fact in facts if fact not in text] == []
        assert [fact for fact in absent if fact in text] == []


async def test_without_a_right_to_money_there_are_ratios_and_no_empty_columns():
    app = dashboard(service=blinded(Serving(HIDDEN)))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        assert "€" not in text
        for fact in ("200%", "expected 100% (45% to 155%)", "actual 1%", "what is missing: FTD 0%, commission 0% of expected", "FTD seen", "odds to 1"):  # fmt: skip
            assert fact in text
        assert [column.id for column in app.screen.table.columns] == ["value", "dim", "share", "odds", "nats"]
        commission = next(line for line in text.splitlines() if "commission " in line and "missing" not in line)
        assert "1 " not in commission.partition("commission")[2].partition("│")[0]


async def test_a_hub_that_does_not_answer_is_told_and_nothing_else_breaks():
    service = FakeService(corvane.BURNING)
    service.broken = "The hub did not answer."
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press(*"wbdne", "left", "right", "1", "2", "3", "4", "enter", "y")
        await settle(pilot)
        assert "The hub did not answer." in screen_text(app)
        assert service.commands == []


@pytest.mark.parametrize(
    ("detail", "size"),
    [*((WHOLE, size) for size in (TINY, (20, 5), (300, 80))), (HIDDEN, SMALL), (WAITING, HUGE), (YOUNG, SMALL), *((HOSTILE, size) for size in (WIDE, SMALL, (20, 5)))],
)  # fmt: skip
async def test_every_number_is_a_part_at_every_size_and_no_line_leaves_its_place(detail, size):
    service = Serving(detail)
    app = dashboard(service=blinded(service) if detail is HIDDEN else service)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, app)
        for number in "1234":
            await pilot.press(number)
            await settle(pilot)
            assert app.screen.query_one(f"#part{number}").has_focus
            assert not set("\x1b\u202e\x07") & set(screen_text(app))
        for panel in app.screen.query(Panel):
            if panel.display:
                assert all(panel.render_line(y).cell_length == panel.size.width for y in range(panel.size.height))
        if size[0] >= 80:
            assert ("FAILING" if detail.row.state is State.FAILING else "UNKNOWN") in line_of(app, "header")


async def test_in_ascii_mode_every_cell_is_ascii():
    app = dashboard(ascii_only=True)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert screen_text(app).isascii()


# Doing


async def test_a_note_goes_to_the_incident_and_needs_one():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("n", *"called P05", "enter")
        await settle(pilot)
        assert service.commands == [("note", {"incident": 409, "text": "called P05"})]
        await pilot.press("i")
        await settle(pilot)
        assert isinstance(app.screen, IncidentScreen)
        app.open_target(FINE)
        await settle(pilot)
        await pilot.press("n")
        assert "A note belongs to an incident, and this slice has none" in said(app)


async def test_the_series_or_the_parts_are_written_to_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("e")
        await settle(pilot)
        (path,) = tmp_path.iterdir()
        rows = list(csv.DictReader(path.open()))
        assert "P05-DE-24h" in path.name
        assert len(rows) == 24
        assert list(rows[0]) == ["at", "expected", "lo", "hi", "actual"]
        assert rows[-1]["actual"] == ""
        assert rows[-1]["at"] == f"{HOUR:%Y-%m-%dT%H:%M:%SZ}"
        path.unlink()
        await pilot.press("3", "e")
        await settle(pilot)
        (path,) = tmp_path.iterdir()
        rows = list(csv.DictReader(path.open()))
        assert [row["value"] for row in rows] == [one.value for one in corvane_revenue.PARTS]
        assert rows[0]["lost"] == "142.60"


async def test_an_export_without_money_has_no_column_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = dashboard(service=blinded(Serving(HIDDEN)))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "e")
        await settle(pilot)
        (path,) = tmp_path.iterdir()
        assert path.read_text().splitlines()[0] == "dim,value,share,nats"


async def test_a_summary_and_a_command_are_copied(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("y")
        assert app.clipboard.splitlines()[0].startswith("P05 DE:")
        assert "lost €181 (152 to 210)" in app.clipboard
        await pilot.press("Y")
        assert app.clipboard == "losswatch revenue partner=P05,geo=DE"
        await pilot.press("left", "left", "Y")
        assert app.clipboard == "losswatch revenue why partner=P05,geo=DE --at 2026-11-17T09:00Z"


async def test_the_list_of_slices_shows_no_column_of_money_to_who_may_not_see_any():
    app = dashboard(replace(corvane.HIDDEN, version=9))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("4", "4")
        await settle(pilot)
        assert isinstance(app.screen, ListScreen)
        assert not {"value", "expected", "loss_per_hour", "trend"} & {column.id for column in app.screen.table.columns}
        app.service.put(replace(corvane.BURNING, version=10))
        await settle(pilot)
        assert "loss_per_hour" in {column.id for column in app.screen.table.columns}


# Pictures


@pytest.mark.parametrize(
    ("picture", "detail", "size", "press"),
    [("wide", None, WIDE, []), ("huge", None, HUGE, ["left"]), ("week", None, WIDE, ["w", "w", *["left"] * 10]), ("month", FINE, WIDE, ["w"] * 3),
     ("hidden", HIDDEN, WIDE, ["3"]), ("waiting", WAITING, WIDE, []), ("drilled", None, WIDE, ["3", "enter"]), *((f"tab{number}", None, SMALL, [number]) for number in "1234"),
     ("blind", BLIND, SMALL, []), ("tiny", None, TINY, [])],
)  # fmt: skip
def test_slice(snap_compare, monkeypatch, picture, detail, size, press):
    monkeypatch.delenv("NO_COLOR", raising=False)
    service = Serving(detail) if isinstance(detail, TargetDetail) else None

    async def drawn(pilot):
        await opened(pilot, pilot.app, FINE if detail == FINE else SILENT)
        for key in press:
            await pilot.press(key)
            await settle(pilot)

    assert snap_compare(dashboard(service=blinded(service) if detail is HIDDEN else service), terminal_size=size, run_before=drawn)  # fmt: skip


@pytest.mark.parametrize(("theme", "ascii_only"), [("ansi-dark", False), ("losswatch", True)])
def test_slice_in_sixteen_colours_and_in_ascii(snap_compare, monkeypatch, theme, ascii_only):
    monkeypatch.delenv("NO_COLOR", raising=False)

    async def drawn(pilot):
        await opened(pilot, pilot.app)

    assert snap_compare(dashboard(theme=theme, ascii_only=ascii_only), terminal_size=SMALL if ascii_only else WIDE, run_before=drawn)  # fmt: skip
