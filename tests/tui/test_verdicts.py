"""What a person says of an alarm: by a key, while closing, and counted among the alarms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui import corvane
from tests.tui.corvane_revenue import CALIBRATION
from tests.tui.fake import FakeService, dashboard
from tests.tui.screen import SMALL, TINY, WIDE, open_incident, screen_text, settle
from tui.look import Look
from tui.screens.calibration import CalibrationScreen


async def commands(*keys):
    """Commands that typing them on an incident gives."""
    service = FakeService(corvane.BURNING)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await open_incident(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        return service.commands


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        ("right", [("verdict", {"incident": 412, "verdict": "right"})]),
        ("f", [("verdict", {"incident": 412, "verdict": "false alarm"})]),
        ("not ours", [("verdict", {"incident": 412, "verdict": "not ours"})]),
        ("maybe", []),
    ],
)
async def test_a_key_asks_what_an_alarm_was(answer, given):
    asked = ["space" if letter == " " else letter for letter in answer]
    assert (await commands("v", *asked, "enter")) == given


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        ("yes", [("close", {"incident": 412})]),
        ("false", [("close", {"incident": 412, "verdict": "false alarm"})]),
        ("right", [("close", {"incident": 412, "verdict": "right"})]),
        ("n", []),
        ("no", []),
    ],
)
async def test_closing_takes_a_verdict_with_it_and_a_no_is_a_no(answer, given):
    assert (await commands("x", *answer, "enter")) == given


@pytest.mark.parametrize("size", [TINY, SMALL, WIDE])
async def test_what_is_typed_is_seen_however_long_the_question_is(size, monkeypatch):
    long = replace(corvane.INCIDENTS[0], where="go.cedar.example: 159 links of 61 sites")
    monkeypatch.setattr(corvane, "INCIDENTS", (long, *corvane.INCIDENTS[1:]))
    app = dashboard()
    async with app.run_test(size=size) as pilot:
        await open_incident(pilot)
        await pilot.press("x")
        asked = " ".join(screen_text(app).split())
        assert "right, false or not ours:" in asked
        await pilot.press(*"yess")
        await settle(pilot)
        assert "yess" in screen_text(app)


def test_what_people_said_is_counted_among_the_alarms():
    (words,) = CalibrationScreen().parts
    first = replace(CALIBRATION.alarms[0], verdict="not ours")
    told = "".join(text for line in words.lines(replace(CALIBRATION, alarms=(first, *CALIBRATION.alarms[1:])), Look(), 200, 20)[:1] for text, _ in line)  # fmt: skip
    assert "not theirs" in told
