from __future__ import annotations

import pytest

from data.errors import LosswatchError
from tests.tui.fake import Serving, dashboard, said
from tests.tui.feeds import HELD, RESTATED, WHOLE, opened
from tests.tui.screen import SMALL, WIDE, line_of, screen_text, settle

MAPPED = {"target": HELD, "options": {"unit": "minor"}}


async def test_a_mapping_is_tried_first_and_in_force_only_after_yes():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("m", *"unit=minor", "enter")
        await settle(pilot)
        assert service.commands == [("feed_map", {**MAPPED, "dry_run": True})]
        assert "commission_total: 282,600 -> 2,826" in screen_text(app)
        assert "unit=minor? type yes:" in screen_text(app)
        await pilot.press("n", "o", "enter")
        await settle(pilot)
        assert len(service.commands) == 1
        assert "Nothing was mapped" in said(app)
        await pilot.press("m", *"unit=minor", "enter")
        await settle(pilot)
        await pilot.press(*"yes", "enter")
        await settle(pilot)
        assert service.commands[-1] == ("feed_map", MAPPED)


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("commission_total=Income:money", {"field.commission_total": "Income:money"}), ("day=date", {"day": "date"}), ("unit=", {"unit": ""}),
        ("field.clicks=a b", {"field.clicks": "a b"}), ("dim.brand=brand", {"dim.brand": "brand"}), ("deposit_amount=x = y", {"field.deposit_amount": "x = y"}),
    ],
)  # fmt: skip
async def test_one_of_our_figures_is_a_field_and_all_else_an_option(typed, option):
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        app.screen._mapped(typed)
        await settle(pilot)
        assert service.commands[0][1]["options"] == option


async def test_what_is_no_mapping_or_is_refused_is_one_sentence_and_nothing_is_asked():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("m", *"unit", "enter")
        await settle(pilot)
        assert "'unit' is not NAME=VALUE, such as unit=minor" in said(app)
        service.forbidden = {"feed_map"}
        await pilot.press("m", *"unit=minor", "enter")
        await settle(pilot)
        assert "Your role may not feed_map. A senior can." in said(app)
        assert "type yes" not in screen_text(app)


@pytest.mark.parametrize(
    ("key", "command", "words"),
    [("A", "feed_accept", "A yes stores 428 rows of 2 deliveries"), ("p", "feed_replay", "with today's mapping")],
)
async def test_the_quarantine_is_released_only_after_yes_under_what_it_means(key, command, words):
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, app)
        await pilot.press(key)
        await settle(pilot)
        assert words in screen_text(app)
        await pilot.press("escape")
        await settle(pilot)
        assert service.commands == []
        await pilot.press(key, *"yes", "enter")
        await settle(pilot)
        assert service.commands == [(command, {"target": HELD})]


async def test_acceptance_says_how_many_figures_it_stores_and_what_changed():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("A")
        await settle(pilot)
        text = screen_text(app)
        assert "up to 1,712 figures" in text
        assert "commissions_total: median 84.30 → × 100, median 8,430" in text


async def test_all_open_restatements_or_the_selected_one_are_signed_with_a_reference():
    service = Serving(RESTATED)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert "5 of 7 open" in line_of(app, "part3")
        await pilot.press("K")
        assert "all 5 open restatements are known" in screen_text(app)
        await pilot.press(*"D-17", "enter")
        await settle(pilot)
        days = ["2026-11-14", "2026-11-15", "2026-11-16"]
        whole = {"target": HELD, "days": days, "measure": "", "reference": "D-17"}
        assert service.commands == [("feed_acknowledge", whole)]
        await pilot.press("3", "j", "K", "enter")
        await settle(pilot)
        one = {"target": HELD, "days": ["2026-11-16"], "measure": "ftd_count", "reference": ""}
        assert service.commands[-1] == ("feed_acknowledge", one)


async def test_the_evidence_pack_is_a_file_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    service = Serving(RESTATED)
    service.pack = b"PK\x03\x04 zipped"
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("e")
        await settle(pilot)
        (path,) = tmp_path.iterdir()
        assert path.read_bytes() == service.pack
        assert (path.stat().st_mode & 0o777, path.suffix) == (0o600, ".zip")
        assert any("11 bytes written to" in note for note in said(app))
        service.broken = "nothing was changed"
        await pilot.press("e")
        await settle(pilot)
        assert "nothing was changed" in said(app)


async def test_a_backfill_begins_at_the_day_that_was_said():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("b")
        assert "2026-08-19" in app.screen.query_one("#answer").value
        await pilot.press("enter")
        await settle(pilot)
        assert service.commands == [("feed_backfill", {"target": HELD, "from": "2026-08-19", "to": "2026-11-16"})]
        app.screen._from("last week")
        await settle(pilot)
        assert "'last week' is no day; write it as 2026-01-31" in said(app)
        assert len(service.commands) == 1


async def test_a_refused_dry_run_is_told_and_asks_nothing():
    class Unwilling(Serving):
        async def command(self, name, **args):
            raise LosswatchError("the bodies are no longer kept") if args.get("dry_run") else AssertionError

    app = dashboard(service=Unwilling(WHOLE))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        app.screen._mapped("unit=minor")
        await settle(pilot)
        assert said(app) == ["the bodies are no longer kept"]
