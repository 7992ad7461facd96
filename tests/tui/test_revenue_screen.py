from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta

import pytest

from data.errors import LosswatchError
from data.model.ids import CauseId
from data.model.money import cents
from data.model.snapshot import BandPoint, TargetDetail
from data.model.state import State
from tests.tui import corvane, corvane_revenue
from tests.tui.corvane_revenue import HOUR
from tests.tui.fake import FakeService, Serving, dashboard, said
from tests.tui.test_dashboard import HUGE, SMALL, TINY, WIDE, line_of, screen_text, settle
from tui.format import short_clock
from tui.lines import plain, width_of
from tui.look import Look
from tui.screens import revenue_parts as parts
from tui.screens.incident import IncidentScreen
from tui.screens.listing import ListScreen
from tui.screens.revenue import RevenueScreen
from tui.screens.revenue_funnel import funnel
from tui.widgets.panel import Panel

SILENT, SHARED, FINE = "slice:P05 DE", "slice:P02", "slice:P07"
LOOK = Look(corvane.NOW)
WHOLE = corvane_revenue.of_slice(corvane.detail(corvane.ROWS[SILENT]))
HIDDEN = corvane_revenue.hidden(WHOLE)
QUIET_ROW = replace(WHOLE.row, state=State.UNKNOWN, cause=CauseId(""), detail="no report of a recent hour yet", incident=None, loss_per_hour=None)  # fmt: skip
WAITING = replace(WHOLE, row=QUIET_ROW, incidents=(), band=corvane_revenue.series(untold=13), revenue=corvane_revenue.WAITING)  # fmt: skip
BLIND = replace(WAITING, row=replace(QUIET_ROW, cause=CauseId("revenue.blind"), detail="the feed's token expired"), revenue=corvane_revenue.BLIND)  # fmt: skip
YOUNG = replace(
    WAITING, band=(), row=replace(QUIET_ROW, detail="too little history: 6 of 14 days"), revenue=replace(corvane_revenue.WAITING, reports=(), common=1.0)
)  # fmt: skip
EVIL = "\x1b]52;c;aGFja2Vk\x07\u202eevil[red]" + "娯楽カジノ" * 60
HOSTILE = replace(
    WHOLE, row=replace(WHOLE.row, name=EVIL, detail=EVIL),
    revenue=replace(
        corvane_revenue.SILENT, slice=dict.fromkeys(("partner", "offer", "geo", "site", "team"), EVIL), odds=EVIL,
        funnel=replace(corvane_revenue.FUNNEL, likely=EVIL, owner=EVIL), marks=tuple(replace(one, text=EVIL) for one in corvane_revenue.MARKS),
        evidence=tuple(replace(one, why=EVIL) for one in corvane_revenue.EVIDENCE), reports=tuple(replace(corvane_revenue.REPORTS[0], partner=EVIL, waiting=late) for late in (True, False)),
        parts=tuple(replace(one, value=EVIL) for one in corvane_revenue.PARTS),
    ),
)  # fmt: skip


def blinded(service: Serving) -> Serving:
    """A hub whose reader may see no money."""
    service.put(replace(corvane.HIDDEN, version=9))
    return service


async def opened(pilot, app, target=SILENT):
    await settle(pilot)
    app.open_target(target)
    await settle(pilot)
    assert isinstance(app.screen, RevenueScreen)


def reading(app) -> str:
    """What is read out at the cursor."""
    return "\n".join(plain(line) for line in app.screen.chart._drawn[-2:])


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


# The series


async def test_the_cursor_reads_an_hour_what_happened_in_it_and_what_was_known_then():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert "17 Nov 10:00-11:00Z  expected €67 (30 to 104)   actual <€1  −99%" in reading(app)
        await pilot.press("left", "left")
        assert "17 Nov 08:00-09:00Z" in reading(app)
        assert "▼ clicks go on, FTD stopped   then 0 of 3.9 FTD in 2 h, 110,000 to 1" in reading(app)
        await pilot.press("right", "right", "right", "right")
        assert "11:00-12:00Z" in reading(app)
        assert "not reported yet" in reading(app)
        await pilot.press("g")
        assert "16 Nov 12:00-13:00Z" in reading(app)
        assert "nothing stood out then" in reading(app)
        await pilot.press("G")
        assert "17 Nov 10:00-11:00Z" in reading(app)


async def test_a_click_puts_the_cursor_where_it_was_made():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.click("#part1", offset=(60, 8))
        assert app.screen.chart.chosen is not None
        assert short_clock(app.screen.chart.chosen) in {"22:00Z", "23:00Z"}


async def test_windows_follow_each_other_and_the_hub_is_asked_for_each():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        for window, points in (("6h", 6), ("7d", 168), ("28d", 672), ("24h", 24)):
            await pilot.press("w")
            await settle(pilot)
            assert f"[{window}]" in app.screen.chart.note
            assert app.service.windows[-1] == window
            assert len(app.screen.chart.series.points) == points


async def test_the_band_goes_and_comes_back_and_the_loss_stays():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)

        def drawn():
            return {role for line in app.screen.chart._drawn for _, role in line}

        assert {"band", "loss"} <= drawn()
        await pilot.press("b")
        assert "band" not in drawn()
        assert "loss" in drawn()
        await pilot.press("b")
        assert "band" in drawn()


async def test_the_cursor_moves_from_wherever_the_focus_is_and_shows_what_it_reads():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        await pilot.press("2", "left")
        await settle(pilot)
        assert app.screen.chart.display
        assert "17 Nov 09:00-10:00Z" in reading(app)


async def test_a_cursor_stays_on_its_hour_while_hours_pass():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("left", "left", "left")
        later = tuple(replace(one, at=one.at + timedelta(hours=1)) for one in WHOLE.band[-1:])
        service.detail = replace(WHOLE, band=(*WHOLE.band[1:], *later))
        app.screen.refetch()
        await settle(pilot)
        assert "17 Nov 07:00-08:00Z" in reading(app)


async def test_the_same_detail_again_touches_nothing():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        repainted = []
        for panel in app.screen.query(Panel):
            panel.refresh = lambda *regions, panel=panel, **_: repainted.append(panel.id)
        app.screen.refetch()
        await settle(pilot)
        assert repainted == []
        await pilot.press("left")
        assert repainted
        assert set(repainted) == {"part1"}


# Drilling


async def test_a_part_is_opened_under_the_slice_it_is_of_and_escape_goes_back():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "enter")
        await settle(pilot)
        assert app.screen.target == "slice:partner=P05,offer=welcome,geo=DE"
        assert "Revenue › P05 › DE › welcome" in line_of(app, "header")
        await pilot.press("3", "enter")
        await settle(pilot)
        assert "Revenue › P05 › DE › welcome › aurora-001" in line_of(app, "header")
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert app.screen.target == SILENT
        assert app.screen.table.selected.value == "welcome"
        await pilot.press("escape")
        assert not isinstance(app.screen, RevenueScreen)


async def test_brackets_walk_the_parts_of_the_slice_above():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "enter")
        await settle(pilot)
        await pilot.press("]")
        await settle(pilot)
        assert "P05 › DE › slots" in line_of(app, "header")


async def test_parts_are_shown_by_one_dimension_after_the_other():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        seen = []
        for _ in range(4):
            await pilot.press("d")
            seen.append((app.screen.dimension, app.screen.table.total))
        assert seen == [("offer", 3), ("site", 3), ("team", 2), ("all", 8)]
        app.open_target(FINE)
        await settle(pilot)
        await pilot.press("d")
        assert "There is one way to divide this slice" in said(app)


async def test_names_of_parts_and_a_selected_part_stay_while_their_figures_move():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "j", "j")
        moved = tuple(replace(one, seen=1.0, lost=cents(3)) for one in reversed(corvane_revenue.PARTS))
        service.detail = replace(WHOLE, revenue=replace(corvane_revenue.SILENT, parts=moved))
        app.screen.refetch()
        await settle(pilot)
        assert app.screen.table.selected.value == "live"


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


# Parts as data


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("detail", [WHOLE, HIDDEN, WAITING, BLIND, YOUNG, HOSTILE, replace(WHOLE, revenue=None)])
def test_no_line_is_wider_than_its_place(detail, width):
    drawn = [*parts.worth(detail, LOOK, width), *parts.evidence(detail, LOOK, width, 20), *parts.reports(detail, LOOK, width, 20), *funnel(detail, LOOK, width, 20)]  # fmt: skip
    assert max(map(width_of, drawn)) <= width


def test_a_reason_that_stays_is_said_once_and_a_long_one_is_cut():
    lines = [plain(line) for line in parts.evidence(WHOLE, LOOK, 80, 40)]
    assert sum("lent" in line for line in lines) == 1
    long = replace(corvane_revenue.EVIDENCE[0], why="word " * 200)
    told = parts.evidence(replace(WHOLE, revenue=replace(corvane_revenue.SILENT, evidence=(long,))), LOOK, 80, 40)
    assert len(told) == 2 + 1 + 3
    assert plain(told[-1]).strip() == "…"


def test_worthless_ftd_are_told_against_what_is_usual():
    row = replace(corvane_revenue.EVIDENCE[0], channel="value", seen=6, expected=0.2, window_h=48)
    assert parts.said(row) == "6 FTD that pay nothing, 0.2 usual in 48 h"
    assert parts.said(replace(row, channel="ftd", window_h=0)) == "6 of 0.2 FTD"
    assert parts.said(row, 36) == "6 unpaid FTD, 0.2 usual in 48 h"


def test_a_step_without_a_count_is_not_taken_for_zero():
    steps = (replace(corvane_revenue.FUNNEL.steps[0], seen=None), *corvane_revenue.FUNNEL.steps[1:])
    view = replace(corvane_revenue.SILENT, funnel=replace(corvane_revenue.FUNNEL, steps=steps))
    line = plain(funnel(replace(WHOLE, revenue=view), LOOK, 80, 20)[1])
    assert "own clicks" in line
    assert line.count("—") == 2
    assert "0%" not in line


def test_slowest_report_says_how_far_all_of_them_reach():
    one = corvane_revenue.REPORTS[0]
    late = replace(one, partner="P04", covered=HOUR - timedelta(hours=30), waiting=True)
    assert parts.reach((), LOOK) == ""
    assert parts.reach((one,), LOOK) == "reported until 11:00Z, usually 1.2 h later"
    assert parts.reach((one, late), LOOK) == "reported until 16 Nov 05:00Z, waiting for P04"
    assert parts.reach((one, replace(late, covered=None)), LOOK) == "nothing reported yet, waiting for P04"


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


async def test_a_hub_that_fails_later_leaves_the_last_picture():
    class Failing(Serving):
        async def slice(self, target: str, window: str):
            if self.windows:
                raise LosswatchError("The hub went away.")
            return await super().slice(target, window)

    app = dashboard(service=Failing(WHOLE))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("w")
        await settle(pilot)
        assert "lost €181" in screen_text(app)
        assert len(app.screen.chart.series.points) == 24


async def test_all_zeros_and_one_point_are_drawn_without_a_crash():
    for band in (tuple(replace(one, expected=0.0, lo=0.0, hi=0.0, actual=0.0) for one in WHOLE.band), WHOLE.band[:1], (BandPoint(HOUR, 5.0, 1.0, 9.0, -40.0),)):  # fmt: skip
        app = dashboard(service=Serving(replace(WHOLE, band=band)))
        async with app.run_test(size=WIDE) as pilot:
            await opened(pilot, app)
            assert "now" in screen_text(app)


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
