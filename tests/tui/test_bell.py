"""The bell and the title: for whom looks elsewhere, once an incident, and never with codes of a website in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.model.incident import IncidentState, Severity
from data.model.snapshot import IncidentCount
from tests.tui import corvane
from tests.tui.fake import FakeService
from tui.app import LosswatchApp
from tui.bell import Bell

FIRST = corvane.BURNING.incidents[0]


def burning(*severities, state=IncidentState.NEW, start=1, **more):
    found = [
        replace(FIRST, id=start + number, severity=Severity(word), state=state)
        for number, word in enumerate(severities)
    ]
    return replace(corvane.BURNING, incidents=tuple(found), **more)


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")


def rung(*pictures, bell=None):
    bell = bell or Bell()
    return [bell.rings(picture) for picture in pictures]


@pytest.mark.parametrize(
    ("pictures", "rings"),
    [
        ([burning("SEV1")], [False]),
        ([burning(), burning("SEV1")], [False, True]),
        ([burning(), burning("SEV2")], [False, True]),
        ([burning(), burning("SEV3")], [False, False]),
        ([burning(), burning("SEV1"), burning("SEV1")], [False, True, False]),
        ([burning("SEV3"), burning("SEV1")], [False, True]),
        ([burning("SEV1"), burning("SEV1", "SEV2")], [False, True]),
        ([burning(), burning("SEV1", state=IncidentState.ACKNOWLEDGED)], [False, False]),
        ([burning("SEV1"), burning(), burning("SEV1")], [False, False, True]),
        ([burning("SEV1"), burning("SEV2"), burning("SEV1")], [False, False, False]),
    ],
)
def test_it_rings_for_what_became_urgent_and_nobody_has(pictures, rings):
    assert rung(*pictures) == rings


def test_the_title_counts_those_that_the_picture_only_counts():
    title = Bell().title(burning("SEV2", beyond=IncidentCount(open=90, sev1=3, sev2=4)))
    assert "3 SEV1, 5 SEV2" in title


def test_switched_off_it_is_silent_and_leaves_the_title_alone():
    bell = Bell(is_on=False)
    assert rung(burning(), burning("SEV1"), bell=bell) == [False, False]
    assert bell.title(burning("SEV1")) + bell.farewell == ""


def test_the_title_counts_what_is_urgent_and_is_written_only_when_it_changes():
    bell = Bell()
    assert bell.title(burning("SEV1", "SEV1", "SEV3")) == "\x1b[22;2t\x1b]2;2 SEV1 - Corvane Media - losswatch\x07"
    assert bell.title(burning("SEV1", "SEV1")) == ""
    assert bell.title(burning("SEV2")) == "\x1b]2;1 SEV2 - Corvane Media - losswatch\x07"
    assert bell.title(burning()) == "\x1b]2;Corvane Media - losswatch\x07"
    assert bell.farewell == "\x1b[23;2t"


def test_a_company_cannot_write_codes_into_the_title():
    told = Bell().title(burning("SEV1", company="\x07\x1b]52;c;aGk=\x07x"))
    assert (told.count("\x1b"), told.count("\x07")) == (2, 1)


@pytest.mark.parametrize("term", ["", "dumb", "linux"])
def test_a_terminal_without_a_title_gets_none(monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    assert Bell().title(burning("SEV1")) == ""


@pytest.mark.parametrize(("on", "rings"), [(True, 1), (False, 0)])
async def test_the_dashboard_rings_once_also_while_it_is_paused(monkeypatch, until, on, rings):
    service = FakeService(burning("SEV3"))
    app, heard = LosswatchApp(service, bell=on), []
    monkeypatch.setattr(app, "bell", lambda: heard.append(app.showing.paused))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.version == corvane.BURNING.version)
        await pilot.press("space")
        service.put(burning("SEV1", version=corvane.BURNING.version + 1))
        await until(pilot, lambda: app.showing.waiting is not None)
        service.put(burning("SEV1", version=corvane.BURNING.version + 2))
        await until(pilot, lambda: app.showing.waiting.version == corvane.BURNING.version + 2)
    assert heard == [True] * rings
