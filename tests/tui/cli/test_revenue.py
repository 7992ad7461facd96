"""`losswatch revenue` as it is printed."""

from __future__ import annotations

import json

import pytest

from data.model.snapshot import TargetDetail
from data.model.state import State
from tests.tui import corvane_revenue as corvane
from tests.tui.cli.test_listing import STATUS, row

SLICE = "/v1/target/slice%3Apartner%3DP05%2Cgeo%3DDE"
WHY = "/v1/why/partner%3DP05%2Cgeo%3DDE"


def detail(view):
    return TargetDetail(
        1, row("P05 DE", State.FAILING, detail="0 FTD, 12.4 expected"), "", (), "", "", "", revenue=view
    )


@pytest.fixture
def hub(canned_hub):
    return canned_hub(
        {
            "/v1/status": STATUS,
            SLICE: detail(corvane.SILENT),
            WHY: corvane.SILENT,
            "/v1/watchlist": corvane.WATCHED,
            "/v1/calibration": corvane.CALIBRATION,
        }
    )


def test_a_slice_is_printed_with_odds_loss_evidence_parts_and_reports(hub, run):
    done = run("revenue", "partner=P05,geo=DE", "--window", "7d")
    assert (done.code, done.err) == (2, "")
    for words in (
        "P05 DE: failing edge.error 0 FTD, 12.4 expected",
        "over a million to 1 that something is broken (15.0 nats; an alarm needs 15.0)",
        "lost EUR 181 (80 %: 152 to 210), 60 an hour",
        "an alarm on silence can fire after 4.4 h here",
        "moved first:",
    ):
        assert words in done.out
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith(("at ", "by ", "partner "))] == [
        "at",
        "by",
        "partner",
    ]
    assert hub.asked[-1] == (SLICE, {"window": ["7d"]})


def test_why_asks_about_the_time_given(hub, run):
    done = run("revenue", "why", "partner=P05,geo=DE", "--at", "2026-11-17T09:00")
    assert done.out.startswith("P05 DE at 2026-11-17")
    assert hub.asked[-1] == (WHY, {"at": ["2026-11-17T09:00:00+00:00"]})


def test_the_watch_list_and_calibration_are_tables_or_json(hub, run):
    watched, told = run("revenue", "--watchlist"), run("revenue", "--calibration")
    assert len(watched.out.splitlines()) == 2 + len(corvane.WATCHED)
    known = corvane.CALIBRATION
    assert f"{known.raised} alarms raised, {known.withdrawn} withdrawn" in told.out
    assert all(one.name in told.out for one in known.bands)
    lines = [json.loads(line) for line in run("revenue", "--watchlist", "--json").out.splitlines()]
    assert [line["target"] for line in lines] == [one.target for one in corvane.WATCHED]
    assert json.loads(run("revenue", "--calibration", "--json").out)["raised"] == known.raised


def test_nothing_under_suspicion_is_said_in_words(canned_hub, run):
    canned_hub({"/v1/watchlist": ()})
    assert run("revenue", "--watchlist").out == "nothing is under suspicion\n"
