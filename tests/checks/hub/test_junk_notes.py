"""Junk clicks as a calm line: told once, kept for a day, seen by the team whose site it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.junk_notes import KEPT, JunkNotes
from checks.revenue.junk import Junk
from data.model.ids import TeamId
from data.model.state import State

NOW = datetime(2026, 11, 17, 14, tzinfo=UTC)
NOTE = Junk(
    {"site": "fjordradar-no", "geo": "NO"}, TeamId("aurora"), int(NOW.timestamp()) // 3600 - 2, 1240, 210, 3, 18
)


class Log:
    def __init__(self):
        self.lines = []

    def say(self, at, kind, who, text, team):
        self.lines.append((kind, who, text, team))


@pytest.fixture
def log():
    return Log()


def test_a_note_is_told_once_to_its_team_and_stands_in_the_list_as_no_failure(log):
    notes = JunkNotes()
    for minutes in (0, 60):
        notes.take([replace(NOTE, clicks=NOTE.clicks + minutes)], NOW + timedelta(minutes=minutes), log)
    words = "1,240 clicks since 12:00Z where 210 are usual, registrations flat (3): junk, for the media buyer"
    assert log.lines == [("note", "fjordradar-no NO", words, "aurora")]
    (row,) = notes.rows().values()
    assert (row.state, row.cause, row.team, row.loss_per_hour) == (State.OK, "", "aurora", None)
    assert row.detail.startswith("1,300 clicks")


def test_it_is_forgotten_after_a_day(log):
    notes = JunkNotes()
    notes.take([NOTE], NOW, log)
    notes.take([], NOW + KEPT - timedelta(minutes=1), log)
    assert notes.rows()
    notes.take([], NOW + KEPT, log)
    assert not notes.rows()


def test_a_storm_of_notes_keeps_the_first_ones(log):
    notes = JunkNotes()
    notes.take([replace(NOTE, slice={"site": f"s{n}"}) for n in range(500)], NOW, log)
    assert len(notes.rows()) == len(log.lines) == 50
