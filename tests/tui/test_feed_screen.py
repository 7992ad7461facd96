from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from data.model.feed_view import ContractRow, DeliveryRow, FeedView
from data.model.parser_view import DiffLine
from data.model.snapshot import ChangeRow
from data.model.state import State
from tests.tui import corvane, corvane_feed
from tests.tui.fake import FakeService, Serving, dashboard, said
from tests.tui.feeds import FINE, HELD, LOOK, PUSHED, RESTATED, WHOLE, opened
from tests.tui.screen import HUGE, SMALL, TINY, WIDE, news, screen_text, settle
from tui.lines import plain, width_of
from tui.screens import feed_parts
from tui.widgets.panel import Panel

# The whole picture


async def test_a_unit_that_changed_is_one_picture_of_what_why_and_what_waits():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        for fact in ("5 open, 3 breaking", "× 100, median 8,430", "09:15Z (2h)", "commission_total", '"commissions_total": 95000', "09:00:07Z contract ok",
                     "2 deliveries wait in quarantine since 09:15", "EUR 75 an hour unseen since 09:15Z", "31 of 90 days", "failed 1.1%", "throttled 2",
                     "6,100 of 10,000 calls left", "changes that are over", "0.2% → 31.0%"):  # fmt: skip
            assert fact in text


async def test_a_healthy_feed_is_calm_and_says_so_when_asked_to_decide():
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app, FINE)
        assert "the contract holds: nothing changed" in screen_text(app)
        await pilot.press("A", "p", "K", "d", "n", "Y")
        await settle(pilot)
        assert service.commands == []
        for words in (
            "waits in quarantine",
            "is open",
            "Nothing changed, so there is no record",
            "losswatch feeds show p01-quillspin",
        ):
            assert any(words in note for note in said(app))


@pytest.mark.parametrize(
    ("detail", "size"),
    [*((WHOLE, size) for size in (WIDE, SMALL, HUGE, TINY, (20, 5))), (RESTATED, SMALL), (PUSHED, WIDE), (PUSHED, SMALL), (replace(WHOLE, feed=None), SMALL),
     (replace(WHOLE, feed=FeedView(""), changes=(), diff=()), WIDE)],
)  # fmt: skip
async def test_every_number_is_a_part_at_every_size(detail, size):
    app = dashboard(service=Serving(detail))
    async with app.run_test(size=size) as pilot:
        await opened(pilot, app)
        for number in "1234":
            await pilot.press(number)
            await settle(pilot)
            assert app.screen.query_one(f"#part{number}").has_focus
        for panel in app.screen.query(Panel):
            if panel.display:
                assert all(panel.render_line(y).cell_length == panel.size.width for y in range(panel.size.height))


@pytest.mark.parametrize(
    ("number", "facts"),
    [
        (
            "1",
            (
                "scale-changed  read as commission_total",
                '"commissions_total": 95000',
                "09:00:07Z contract ok → now 11:30:07Z",
            ),
        ),
        ("2", ("× 100 on commission", "EUR 75 an hour", "quarantined: × 100", "released by maria")),
        ("3", ("no figure was changed after it had been reported",)),
        ("4", ("dim.brand", "8 words: AT, BR, DE", "string uuid")),
    ],
)
async def test_on_a_small_terminal_numbers_are_tabs(number, facts):
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        await pilot.press(number)
        await settle(pilot)
        for fact in facts:
            assert fact in screen_text(app)


async def test_what_waits_stands_once_on_a_small_terminal():
    app = dashboard()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        for number in "12":
            await pilot.press(number)
            await settle(pilot)
            assert screen_text(app).count("wait in quarantine") == 1


# Copying and looking


async def test_the_path_of_the_selected_change_and_the_message_to_the_partner_are_copied(monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("j", "y")
        assert app.clipboard == "net_pl"
        await pilot.press("Y")
        assert app.clipboard == corvane_feed.MESSAGE
        assert (
            "Copied the message to the partner: Subject: Smartico, account 4711: amounts in another unit or currency"
            in said(app)
        )


async def test_the_record_turns_and_its_changes_are_walked():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        diff = app.screen.diff
        await pilot.press("d")
        await settle(pilot)
        assert not diff.is_split(120)
        chosen = []
        for key in "nnnN":
            await pilot.press(key)
            chosen.append(diff.change)
        assert chosen == [0, 1, 0, 1]


async def test_a_selected_change_stays_selected_while_its_figures_move():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("j")
        moved = replace(WHOLE.changes[1], now="× 100, median 24,500")
        await news(pilot, app, replace(WHOLE, changes=(WHOLE.changes[0], WHOLE.changes[2], moved)))
        assert app.screen.changes.selected == moved


async def test_a_feed_that_recovers_gives_the_records_room_back():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert app.screen.diff.display
        await news(pilot, app, corvane_feed.of_feed(corvane.detail(replace(corvane.ROWS[HELD], state=State.OK))))
        assert not app.screen.diff.display
        assert "the contract holds" in screen_text(app)


async def test_who_may_not_see_money_sees_no_figure_of_the_ledger():
    hidden = tuple(replace(one, was=None, now=None, share=None) for one in corvane_feed.LEDGER)
    app = dashboard(service=Serving(replace(RESTATED, feed=replace(corvane_feed.RESTATED, restatements=hidden))))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        lines = [line for line in screen_text(app).splitlines() if "claw back" in line]
        assert len(lines) == 5
        assert all(line.count("—") == 4 for line in lines)


# Parts as data


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(date(2026, 11, 17), date(2026, 11, 17), "17 Nov"), (date(2026, 11, 15), date(2026, 11, 17), "15-17 Nov"), (date(2026, 10, 30), date(2026, 11, 2), "30 Oct-2 Nov")],
)  # fmt: skip
def test_days_are_written_short(first, last, words):
    assert feed_parts.span(first, last) == words


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("detail", [WHOLE, RESTATED, PUSHED])
def test_no_line_is_wider_than_its_place(detail, width):
    drawn = [
        *feed_parts.deliveries(detail, LOOK, width, 20),
        *feed_parts.contract(detail, LOOK, width, 20),
        *feed_parts.postbacks(detail, LOOK, width, 20),
    ]
    drawn += [feed_parts.health(detail, width), *feed_parts.summary(detail, LOOK, width, 1)]
    assert max(map(width_of, drawn)) <= width


def test_silence_is_marked_only_where_calls_were_usual():
    lines = [plain(line) for line in feed_parts.postbacks(PUSHED, LOOK, 80, 50)]
    assert sum("✖" in line for line in lines) == 2
    never = tuple(replace(one, good=0, usual=None) for one in corvane_feed.PUSHED.postbacks)
    quiet = replace(PUSHED, feed=replace(corvane_feed.PUSHED, postbacks=never))
    assert not any("✖" in plain(line) for line in feed_parts.postbacks(quiet, LOOK, 80, 50))


async def test_names_from_partners_cannot_reach_the_terminal():
    evil = "\x1b]52;c;aGFja2Vk\x07\u202eevil[red]" + "x" * 300
    change = ChangeRow("breaking", evil, evil, evil, evil, 3, corvane.ago(9), corvane.ago(1), used_by=evil)
    row = DeliveryRow(
        corvane.ago(9), date(2026, 1, 1), date(2026, 1, 2), 3, corvane_feed.Outcome.QUARANTINED, evil, evil, 9, evil
    )
    view = replace(
        corvane_feed.HELD, arrival=evil, unseen=evil, quota=evil, deliveries=(row,), contract=(ContractRow(evil, evil, 1.0, 0.5, evil, evil),), message=evil,
        restatements=(replace(corvane_feed.LEDGER[0], measure=evil, currency=evil, acknowledged_by=evil),),
    )  # fmt: skip
    detail = replace(
        WHOLE, changes=(change,), feed=view, diff=(DiffLine("-", 1, None, evil), DiffLine("+", None, 1, evil))
    )
    service = Serving(detail)
    service.dry_run = evil
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        for keys in (("d",), ("A",), ("escape", "p"), ("escape", "m", *"a=b", "enter"), ("escape", "y", "Y", "K")):
            await pilot.press(*keys)
            await settle(pilot)
            text = screen_text(app)
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert "\x1b" not in app.clipboard


async def test_in_ascii_mode_every_cell_is_ascii():
    app = dashboard(ascii_only=True)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("A")
        await settle(pilot)
        assert screen_text(app).isascii()


# Pictures


@pytest.mark.parametrize(
    ("picture", "detail", "size", "press"),
    [("healthy", None, WIDE, []), ("restated", RESTATED, WIDE, ["3"]), ("pushed", PUSHED, WIDE, []), ("accept", WHOLE, WIDE, ["A"]), ("huge", WHOLE, HUGE, ["n"]),
     *((f"tab{number}", WHOLE, SMALL, [number]) for number in "1234"), ("ledger", RESTATED, SMALL, ["3"])],
)  # fmt: skip
def test_feed(snap_compare, monkeypatch, picture, detail, size, press):
    monkeypatch.delenv("NO_COLOR", raising=False)

    async def drawn(pilot):
        await opened(pilot, pilot.app, HELD if detail else FINE)
        await pilot.press(*press)
        await settle(pilot)

    assert snap_compare(dashboard(service=Serving(detail) if detail else None), terminal_size=size, run_before=drawn)
