from __future__ import annotations

from dataclasses import replace

import pytest

from data.model.parser_view import CandidateRow, DiffLine, FieldRow, HourCount, VolatilityRow
from data.model.state import State
from tests.tui import corvane
from tests.tui.fake import FakeService, Serving, dashboard, said
from tests.tui.screen import HUGE, SMALL, TINY, WIDE, line_of, news, screen_text, settle
from tui.lines import plain, width_of
from tui.look import Look
from tui.screens import parser_parts
from tui.screens.parser import ParserScreen
from tui.screens.parser_diff import split, unified
from tui.widgets.hour_band import hour_band
from tui.widgets.panel import Panel

BROKEN, FINE = "parser:serp-casino-de", "parser:serp-casino-fi"
LOOK = Look(corvane.NOW)
WHOLE = corvane.detail(corvane.ROWS[BROKEN])


async def opened(pilot, app, target=BROKEN):
    await settle(pilot)
    app.open_target(target)
    await settle(pilot)
    assert isinstance(app.screen, ParserScreen)


# The whole picture


async def test_a_broken_parser_shows_old_new_and_what_each_extracts_on_one_screen():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        for fact in ("rows", "bytes", "no match", "h3.title > a", "last good 11:15:07Z", "now 11:30:07Z", "− ", "yuRUbf",
                     "[data-testid=result-title] > a > span", "verified", "30 of 30", "6 of 6", "results by hour", "position churn"):  # fmt: skip
            assert fact in text


async def test_a_healthy_parser_shows_no_repair_and_says_so_when_asked():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app, FINE)
        assert "candidates" not in screen_text(app)
        await pilot.press("3", "A", "n", "d")
        await settle(pilot)
        assert app.screen.focused.id == "part1"
        assert "Nothing to repair here, so there is no candidates" in said(app)
        assert "No candidate to accept: nothing is broken" in said(app)


@pytest.mark.parametrize(
    ("state", "cause", "words"),
    [
        (State.OK, "", "one run without values is no finding yet"),
        (State.FAILING, "page.blocked", "what came was not the content: no selector is to blame"),
        (State.FAILING, "parser.selector_dead", "a candidate needs a failing page whose last good values"),
        (State.UNKNOWN, "self.stalled", "a candidate needs a failing page whose last good values"),
    ],
)
async def test_empty_fields_without_a_repair_say_why_there_is_none(state, cause, words):
    row = replace(WHOLE.row, state=state, cause=cause)
    app = dashboard(service=Serving(replace(WHOLE, row=row, diff=(), candidates=())))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert words in screen_text(app)
        assert "every field is read" not in screen_text(app)


@pytest.mark.parametrize("size", [WIDE, SMALL, HUGE, TINY, (20, 5), (300, 80)])
@pytest.mark.parametrize("target", [BROKEN, FINE, "parser:serp-bet-pl"])
async def test_every_number_is_a_part_at_every_size(target, size):
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, app, target)
        for number in "1234":
            await pilot.press(number)
            await settle(pilot)
        assert app.screen.query_one("#part4").has_focus


async def test_on_a_small_terminal_numbers_are_tabs_under_the_last_counts():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        for number, fact in (
            ("1", "no match"),
            ("2", 'class="title"'),
            ("3", "title comes back empty"),
            ("4", "results by hour"),
        ):
            await pilot.press(number)
            await settle(pilot)
            assert fact in screen_text(app)
            assert "title 99.8% → 0.0%" in line_of(app, "brief")


async def test_a_parser_without_any_history_says_so_in_every_part():
    empty = replace(WHOLE, fields=(), runs=(), diff=(), candidates=(), volatility=(), by_hour=(), check=())
    app = dashboard(service=Serving(empty))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        assert text.count("no run yet") == 2
        assert "too little history" in text
        await pilot.press("A", "U")
        await settle(pilot)
        assert "undo the last change of its SPEC?" in screen_text(app)


@pytest.mark.parametrize(
    ("size", "words"), [(WIDE, ("old values", "link list", "same looks")), (SMALL, ("values", "list", "looks"))]
)
async def test_each_candidate_says_what_it_was_derived_from(size, words):
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, app)
        await pilot.press("3")
        await settle(pilot)
        lines = [line for line in screen_text(app).splitlines() if " verified " in line or "unproven" in line]
        assert len(lines) == len(words)
        assert all(f" {word} " in line and "title" in line for word, line in zip(words, lines, strict=True))


# The diff


def test_two_sides_put_what_came_beside_what_went():
    picture = split(corvane.DIFF, 120)
    assert all(width_of(line) == 120 for line in picture.lines)
    assert picture.changes == (2, 8)
    first = plain(picture.lines[2])
    assert first.index('<h3 class="title">') < first.index('<div class="yuRUbf"')


def test_one_below_the_other_names_the_line_of_its_own_side():
    picture = unified(corvane.DIFF, 76, chosen=1)
    lines = [plain(line).rstrip() for line in picture.lines]
    assert lines[2] == '    3 −     <h3 class="title">'
    assert lines[picture.changes[1]].startswith(" ▸  7 − ")
    assert len(lines) == len(corvane.DIFF)


async def test_the_diff_turns_and_its_changes_are_walked_round():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        diff = app.screen.diff
        assert diff.is_split(120)
        await pilot.press("d")
        await settle(pilot)
        assert not diff.is_split(120)
        chosen = []
        for key in "nnnN":
            await pilot.press(key)
            chosen.append(diff.change)
        assert chosen == [0, 1, 0, 1]
        assert "change 2 of 2" in line_of(app, "part2")


async def test_a_change_out_of_sight_is_scrolled_to():
    long = tuple(DiffLine(" ", at, at, "<p>") for at in range(1, 60))
    app = dashboard(service=Serving(replace(WHOLE, diff=(*long, DiffLine("-", 60, None, "<b>last</b>")))))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert "<b>last</b>" not in screen_text(app)
        await pilot.press("n")
        await settle(pilot)
        assert "<b>last</b>" in screen_text(app)


async def test_on_a_small_terminal_the_next_change_opens_the_diff():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        await pilot.press("n")
        await settle(pilot)
        assert app.screen.tab == 2
        assert "▸  3 −" in screen_text(app)


# Candidates


async def test_a_candidate_is_written_only_after_yes():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("A")
        assert "write [data-testid=result-title] > a > span into serp.toml? type yes:" in screen_text(app)
        await pilot.press("n", "o", "enter")
        await settle(pilot)
        assert service.commands == []
        assert "serp.toml stays as it is" in said(app)
        await pilot.press("A", *"yes", "enter")
        await settle(pilot)
        mended = {"target": BROKEN, "field": "title", "selector": "[data-testid=result-title] > a > span"}
        assert service.commands == [("mend", mended)]


async def test_what_is_asked_is_what_is_written_though_the_list_moved_meanwhile():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "j", "A")
        assert "(unproven)" in screen_text(app)
        await news(pilot, app, replace(WHOLE, candidates=WHOLE.candidates[2:]))
        await pilot.press(*"yes", "enter")
        await settle(pilot)
        assert service.commands[0][1]["selector"] == ".yuRUbf span"


async def test_the_last_change_is_undone_after_asking():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        await pilot.press("U", *"yes", "enter")
        await settle(pilot)
        assert service.commands == [("mend", {"target": BROKEN, "undo": True})]


async def test_whoever_may_not_mend_is_told_in_the_hubs_words():
    service = FakeService(corvane.BURNING)
    service.forbidden = {"mend"}
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("A", *"yes", "enter")
        await settle(pilot)
        assert said(app) == ["Your role may not mend. A senior can."]


async def test_the_selector_that_is_meant_is_copied(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "j", "y")
        assert app.clipboard == ".yuRUbf span"
        await news(pilot, app, replace(WHOLE, candidates=()))
        await pilot.press("y")
        assert app.clipboard == "h3.title > a"
        await pilot.press("o")
        await settle(pilot)
        assert app.clipboard == "https://serp-casino-de.example/"
        await pilot.press("Y")
        assert app.clipboard == "losswatch repair serp-casino-de"


# Parts as data


@pytest.mark.parametrize("width", [40, 58, 78, 120, 200])
def test_runs_stand_in_columns_the_newest_at_the_right(width):
    lines = [plain(line).rstrip() for line in parser_parts.runs(WHOLE, LOOK, width, 8)]
    rows, fill, size, layout, span = lines
    assert len(rows) == len(fill) == len(size) == len(layout) <= width
    assert (rows[-2:], fill[-2:], size[-3:], layout[-1]) == ("32", " 0", "78k", "B")
    assert span.endswith("11:30Z")


def test_one_layout_alone_needs_no_row():
    one = corvane.detail(corvane.ROWS[FINE])
    assert not any("layout" in plain(line) for line in parser_parts.runs(one, LOOK, 60, 8))


@pytest.mark.parametrize(
    ("state", "words"), [("ok", "ok"), ("low", "fewer"), ("dead", "no match"), ("wrong", "wrong"), ("odd", "odd")]
)
def test_a_field_says_whether_its_selector_still_matches(state, words):
    detail = replace(WHOLE, fields=(FieldRow("price", state, 0.4, 0.995, ".price > span"),))
    assert plain(parser_parts.fields(detail, LOOK, 58, 4)[1]).rstrip().endswith(words)


def test_usual_figures_by_hour_fit_their_width_and_mark_the_present_hour():
    for width in (30, 58, 80, 200):
        lines = hour_band(corvane.by_hour(), width, 8, 11)
        assert all(width_of(line) <= width for line in lines)
        assert "▴now" in plain(lines[-1])
    assert hour_band(corvane.by_hour(), 20, 8, 11) == []
    assert hour_band(corvane.by_hour(), 58, 2, 11) == []


def test_where_nothing_is_usual_yet_no_band_is_drawn():
    young = replace(WHOLE, by_hour=(HourCount(10, 0, 0, 0, 0, 13), HourCount(11, 0, 0, 0, 0, 10)))
    drawn = "".join(map(plain, parser_parts.volatility(young, LOOK, 58, 20)))
    assert "░" not in drawn
    assert "▄" in drawn


@pytest.mark.parametrize("hour", range(24))
def test_the_present_hour_never_runs_into_the_names_of_others(hour):
    names = plain(hour_band([HourCount(hour, 9, 0, 0, 0, 0)], 30, 5, hour)[-1])
    assert set(names.split()) <= {"▴now", "00", "06", "12", "18"}


def test_nothing_that_only_varies_is_ever_in_an_alarming_colour():
    wild = replace(WHOLE, by_hour=tuple(replace(one, now=900.0) for one in corvane.by_hour()))
    roles = {role for line in parser_parts.volatility(wild, LOOK, 58, 20) for _, role in line}
    assert not roles & {"bad", "warn", "need", "loss", "money"}


async def test_names_from_websites_cannot_reach_the_terminal():
    evil = "\x1b]52;c;aGFja2Vk\x07\u202eevil[red]" + "x" * 300
    detail = replace(
        WHOLE,
        fields=(FieldRow(evil, "dead", 0.0, 1.0, evil),),
        diff=(DiffLine("-", 1, None, evil), DiffLine("+", None, 1, evil)),
        candidates=(CandidateRow(evil, evil, 1, 1.0, 1, 1, 1, 1, verified=True),),
        volatility=(VolatilityRow(evil, evil, evil, evil),),
    )
    app = dashboard(service=Serving(detail))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        for key in ("2", "d", "3", "enter", "A"):
            await pilot.press(key)
            await settle(pilot)
        text = screen_text(app)
        assert "\x1b" not in text
        assert "\u202e" not in text
        for panel in app.screen.query(Panel):
            if panel.display:
                assert all(panel.render_line(y).cell_length == panel.size.width for y in range(panel.size.height))


async def test_in_ascii_mode_every_cell_is_ascii():
    app = dashboard(ascii_only=True)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("n")
        await settle(pilot)
        assert screen_text(app).isascii()


async def test_a_parser_that_recovers_gives_its_room_back():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert app.screen.diff.display
        await news(pilot, app, corvane.detail(replace(corvane.ROWS[BROKEN], state=State.OK)))
        assert not app.screen.diff.display
        assert "items a run" in screen_text(app)


# Pictures


@pytest.mark.parametrize(
    ("picture", "size", "press"),
    [("healthy", WIDE, ["j"]), ("unified", WIDE, ["d", "n", "n"]), ("huge", HUGE, ["n"]), ("accept", WIDE, ["A"]),
     *((f"tab{number}", SMALL, [number]) for number in "1234")],
)  # fmt: skip
def test_parser(snap_compare, monkeypatch, picture, size, press):
    monkeypatch.delenv("NO_COLOR", raising=False)

    async def drawn(pilot):
        await opened(pilot, pilot.app, FINE if picture == "healthy" else BROKEN)
        await pilot.press(*press)
        await settle(pilot)

    assert snap_compare(dashboard(), terminal_size=size, run_before=drawn)


def test_parser_in_sixteen_colours(snap_compare, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    async def drawn(pilot):
        await opened(pilot, pilot.app)

    assert snap_compare(dashboard(theme="ansi-dark"), terminal_size=WIDE, run_before=drawn)
