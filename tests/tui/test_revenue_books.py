from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from data.model.ids import TargetId
from data.model.money import cents
from data.model.revenue_view import Calibration, Held
from tests.tui import corvane
from tests.tui.corvane_revenue import ALARMS, CALIBRATION, WATCHED
from tests.tui.fake import FakeService, dashboard, said
from tests.tui.screen import SMALL, TINY, WIDE, line_of, screen_text, settle
from tui import goto
from tui.screens.calibration import CalibrationScreen, inside, promise
from tui.screens.revenue import RevenueScreen
from tui.screens.revenue_book import WatchScreen, slice_name
from tui.screens.revenue_list import RevenueListScreen
from tui.widgets.panel import Panel


class Books(FakeService):
    """A hub with these two books."""

    def __init__(self, watched=WATCHED, calibration=CALIBRATION, *, money: bool = True) -> None:
        super().__init__(corvane.BURNING if money else replace(corvane.HIDDEN, version=9))
        self.books = watched, calibration

    async def watchlist(self):
        self._may()
        return self.books[0]

    async def calibration(self):
        self._may()
        return self.books[1]


async def opened(pilot, key):
    await settle(pilot)
    for pressed in ("4", "4", key):
        await pilot.press(pressed)
        await settle(pilot)


async def test_the_revenue_list_leads_to_slices_under_suspicion_and_they_open():
    app = dashboard(service=Books())
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "w")
        assert isinstance(app.screen, WatchScreen)
        text = screen_text(app)
        for fact in ("5 slices have too much evidence", "P03 CZ", "2 FTD, 11.4 expected", "over a million", "€31/h", "4 FTD that pay nothing, 0.2 usual", "140 clicks, 388 expected", "21h"):  # fmt: skip
            assert fact in text
        await pilot.press("j", "enter")
        await settle(pilot)
        assert isinstance(app.screen, RevenueScreen)
        assert app.screen.target == "slice:partner=P07,offer=sports,geo=MX"
        await pilot.press("]")
        await settle(pilot)
        assert app.screen.target == "slice:geo=UK,site=delta-102"
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, RevenueListScreen)


async def test_a_slice_that_two_kinds_of_evidence_speak_of_is_counted_once():
    app = dashboard(service=Books(watched=(*WATCHED[:2], replace(WATCHED[0], channel="regs"))))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "w")
        assert "2 slices have too much evidence" in screen_text(app)
        assert app.screen.table.total == 2


async def test_the_calibration_says_which_promises_held_and_shows_each_alarm_as_first_said_and_as_known_now():
    app = dashboard(service=Books())
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "c")
        assert isinstance(app.screen, CalibrationScreen)
        text = screen_text(app)
        for fact in (
            "20 Oct to 17 Nov", "14 alarms raised, 1 withdrawn when late figures came (7%); people confirmed 2 and called 1 false.", "first estimates of a loss", "75%",
            "P06 welcome", "€2,604", "€2,310 (2,100 to 2,520)", "outside", "€840 (610 to 1,090)",
        ):  # fmt: skip
            assert fact in text
        lines = [line for line in text.splitlines() if "80%" in line]
        assert [line.split()[0] for line in lines] == ["first", "all", "P03", "P06", "P02", "P01", "P09"]
        assert "too narrow" in lines[2]
        assert "too wide" in lines[3]
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.target == "slice:partner=P05,geo=DE"


@pytest.mark.parametrize(
    ("held", "of", "words"),
    [(8, 9, "too few to say"), (0, 0, "too few to say"), (21, 26, "as promised"), (15, 26, "too narrow"), (26, 26, "too wide"), (770, 1000, "as promised"), (740, 1000, "too narrow"), (850, 1000, "too wide")],
)  # fmt: skip
def test_a_promise_is_judged_as_far_as_so_few_cases_can_say(held, of, words):
    assert promise(Held("P01", of, held, 0.8))[0] == words


@pytest.mark.parametrize(
    ("alarm", "holds"),
    [(ALARMS[0], None), (ALARMS[1], True), (ALARMS[2], None), (ALARMS[3], False), (ALARMS[5], None), (replace(ALARMS[1], last=cents(610)), True)],
)  # fmt: skip
def test_a_first_interval_is_held_against_what_is_known_once_it_is_over(alarm, holds):
    assert inside(alarm) is holds


@pytest.mark.parametrize(
    ("target", "name"), [("slice:partner=P05,geo=DE", "P05 DE"), ("slice:", "everything"), ("slice:P05 DE", "P05 DE")]
)
def test_a_slice_is_called_by_the_values_it_fixes(target, name):
    assert slice_name(TargetId(target)) == name


async def test_a_slice_that_two_channels_suspect_is_one_row_with_what_speaks_loudest():
    again = replace(WATCHED[0], channel="regs", nats=12.1)
    app = dashboard(service=Books((*WATCHED, again)))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "w")
        assert app.screen.table.total == len(WATCHED)
        await pilot.press("G")
        assert app.screen.table.selected == WATCHED[-1]
        await pilot.press("g")
        assert app.screen.table.selected.channel == "ftd"


async def test_empty_books_say_so():
    app = dashboard(service=Books((), Calibration(CALIBRATION.since, CALIBRATION.until)))
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, "w")
        assert "No slice is under suspicion" in screen_text(app)
        await pilot.press("e", "enter")
        assert "Nothing here that could be exported" in said(app)
        await pilot.press("escape", "c")
        await settle(pilot)
        text = screen_text(app)
        for fact in ("No alarm was raised.", "nothing that was foretold has come due yet", "no alarm yet"):
            assert fact in text


async def test_a_book_that_does_not_come_says_why():
    service = Books()
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "x")
        service.broken = "The hub did not answer."
        for key in "wc":
            await pilot.press(key)
            await settle(pilot)
            assert "The hub did not answer." in line_of(app, "header")
            await pilot.press("escape")


async def test_without_a_right_to_money_the_books_have_no_column_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watched = tuple(replace(one, per_hour=None) for one in WATCHED)
    alarms = tuple(replace(one, first=None, first_lo=None, first_hi=None, last=None) for one in ALARMS)
    app = dashboard(service=Books(watched, replace(CALIBRATION, alarms=alarms), money=False))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "w")
        assert "cost" not in {column.id for column in app.screen.table.columns}
        await pilot.press("e")
        await settle(pilot)
        await pilot.press("escape", "c")
        await settle(pilot)
        assert not {"first", "last", "held"} & {column.id for column in app.screen.table.columns}
        assert "€" not in screen_text(app)
        await pilot.press("e")
        await settle(pilot)
    heads = {path.read_text().splitlines()[0] for path in tmp_path.iterdir()}
    assert heads == {
        "slice,channel,nats,seen,expected,since",
        "id,slice,cause,detected_at,start,end,status,nats,verdict",
    }


async def test_both_books_are_written_to_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = dashboard(service=Books())
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "c")
        await pilot.press("e")
        await settle(pilot)
    (path,) = tmp_path.iterdir()
    rows = list(csv.DictReader(path.open()))
    assert "calibration" in path.name
    assert [row["id"] for row in rows] == [one.id for one in ALARMS]
    assert (rows[1]["first"], rows[1]["last"]) == ("840.00", "902.40")


async def test_a_selected_alarm_stays_selected_while_a_new_one_comes():
    service = Books()
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "c")
        await pilot.press("j", "j")
        fresh = replace(ALARMS[0], id="new")
        service.books = WATCHED, replace(CALIBRATION, alarms=(fresh, *ALARMS))
        app.screen.refetch()
        await settle(pilot)
        assert app.screen.table.selected == ALARMS[2]


@pytest.mark.parametrize("size", [TINY, (20, 5), (300, 80)])
async def test_books_fit_into_every_terminal(size):
    evil = "\x1b]52;c;aGFja2Vk\x07\u202e" + "娯楽カジノ" * 60
    watched = tuple(replace(one, slice={"partner": evil}) for one in WATCHED)
    book = replace(CALIBRATION, bands=tuple(replace(one, name=evil) for one in CALIBRATION.bands), alarms=tuple(replace(one, target=TargetId(f"slice:site={evil}"), verdict=evil) for one in ALARMS))  # fmt: skip
    app = dashboard(service=Books(watched, book))
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for place in (app.open_watchlist, app.open_calibration):
            place()
            await settle(pilot)
            assert not set("\x1b\u202e\x07") & set(screen_text(app))
            for panel in app.screen.query(Panel):
                if panel.display:
                    assert all(panel.render_line(y).cell_length == panel.size.width for y in range(panel.size.height))


@pytest.mark.parametrize(("word", "screen"), [("watched", WatchScreen), ("calibration", CalibrationScreen)])
async def test_the_palette_leads_there_and_a_shell_gets_the_same(word, screen, monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    assert goto.aim(word) == goto.Aim(word)
    app = dashboard(service=Books())
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("colon", *word, "enter")
        await settle(pilot)
        assert isinstance(app.screen, screen)
        await pilot.press("Y")
        assert app.clipboard == f"losswatch revenue --{screen.OPTION}"


@pytest.mark.parametrize(
    ("book", "key", "size"),
    [("watched", "w", SMALL), ("calibration", "c", WIDE), ("calibration", "c", SMALL), ("list", "x", WIDE)],
)
def test_book(snap_compare, monkeypatch, book, key, size):
    monkeypatch.delenv("NO_COLOR", raising=False)

    async def drawn(pilot):
        await opened(pilot, key)

    assert snap_compare(dashboard(service=Books()), terminal_size=size, run_before=drawn)
