"""What people said of alarms, as the store counts it: within the reader's teams, the last word of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.model.incident import Finding, TimelineEntry
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.model.target import TargetKind
from data.model.verdict import Verdict
from data.store import incidents
from tests.data.store.test_records import INCIDENT, T0, at

CEDAR = Scope(frozenset({"cedar"}), MoneyRight.FULL)


@pytest.fixture
def said(put):
    put(
        replace(INCIDENT, id=1, teams=("aurora",)), replace(INCIDENT, id=2, teams=("cedar",)), replace(INCIDENT, id=3),
        TimelineEntry(1, at(5), "maria", "verdict: false alarm"), TimelineEntry(1, at(9), "jan", "verdict: right"),
        TimelineEntry(2, at(5), "maria", "verdict: not ours"), TimelineEntry(2, at(6), "maria", "noted: verdict: right"),
        TimelineEntry(3, at(5), "maria", "verdict: nonsense"),
        Finding("f1", "slice:partner=P01", "aurora", TargetKind.SLICE, "revenue.drop", T0, at(2), incident=1),
        Finding("f2", "link:x", "cedar", TargetKind.LINK, "http.5xx", T0, at(2), incident=2),
        Finding("f3", "slice:partner=P02", "cedar", TargetKind.SLICE, "revenue.drop", T0, at(2), incident=2),
    )  # fmt: skip


def test_the_last_word_on_each_incident_counts(store, said):
    assert incidents.verdicts(store, EVERYTHING, T0, at(100)) == {1: Verdict.RIGHT, 2: Verdict.NOT_OURS}
    assert incidents.verdicts(store, EVERYTHING, at(2), at(100)) == {}


def test_words_on_incidents_of_other_teams_are_not_read(store, said):
    assert incidents.verdicts(store, CEDAR, T0, at(100)) == {2: Verdict.NOT_OURS}


def test_an_alarm_finds_the_word_on_its_incident_by_its_slice(store, said):
    assert incidents.verdicts_of_slices(store, EVERYTHING, T0) == [
        ("slice:partner=P01", at(2), Verdict.RIGHT),
        ("slice:partner=P02", at(2), Verdict.NOT_OURS),
    ]
    assert incidents.verdicts_of_slices(store, EVERYTHING, at(3)) == []
    assert [slice_ for slice_, *_ in incidents.verdicts_of_slices(store, CEDAR, T0)] == ["slice:partner=P02"]
