"""What is told of an incident beside its row, over a real database: who was told, and where its loss is counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from checks.engine.clock import FakeClock
from checks.hub.board import Board
from checks.hub.incident_story import IncidentStory, counted
from checks.hub.views import Views
from checks.incidents.notify.delivery import DeliveryFailed, failed, sent
from data.config.settings import Settings
from data.model.health import HubHealth
from data.model.incident import TimelineEntry
from data.model.money import NO_LOSS, Loss
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.store.store import Store
from tests.checks.incidents.notify.play import at, incident
from tests.checks.incidents.notify.test_heard import notice

AURORA = Scope(frozenset({"aurora"}), MoneyRight.FULL)
CEDAR = Scope(frozenset({"cedar"}), MoneyRight.FULL)
NO_MONEY = Scope(None, MoneyRight.NONE)
ALIAS = Scope(frozenset({"aurora"}), MoneyRight.NONE, (("Quillspin", "P05"),))


@pytest.fixture
def store(tmp_path):
    made = Store.open(tmp_path / "losswatch.duckdb", None)
    yield made
    made.close()


def written(store, *rows):
    store.write(list(rows)).result()
    return IncidentStory(store)


def test_the_story_and_who_was_told_are_one_in_order_of_time(store):
    said = [TimelineEntry(1, at(0), "losswatch", "opened: x"), TimelineEntry(1, at(60), "maria", "acknowledged")]
    story = written(
        store, incident(1), incident(12), sent(notice(1), at(2)), sent(notice(1, number=12, name="n"), at(3))
    )
    told = story.told(incident(1), said, AURORA, at(100))
    assert [one.what for one in told] == ["opened: x", "told chat that it began", "acknowledged"]


def test_at_an_earlier_moment_neither_later_lines_nor_later_notices_are_known(store):
    said = [TimelineEntry(1, at(0), "losswatch", "opened: x"), TimelineEntry(1, at(60), "maria", "acknowledged")]
    story = written(store, incident(1), sent(notice(1), at(30)))
    told = story.told(incident(1), said, AURORA, at(20))
    assert [one.what for one in told] == ["opened: x", "not told yet: chat that it began"]


def test_another_team_learns_nothing_of_who_was_told(store):
    story = written(store, incident(1), sent(notice(1), at(2)))
    assert story.told(incident(1), [], CEDAR, at(100)) == ()


def test_why_a_channel_failed_is_told_in_words_that_the_reader_may_read(store):
    why = DeliveryFailed("Quillspin's desk does not take EUR 320/h")
    story = written(store, incident(1), failed(replace(notice(1), attempts=1), why, at(2), "").notice)
    (line,) = story.told(incident(1), [], ALIAS, at(100))
    assert line.what == "could not tell chat that it began: P05's desk does not take •••/h"


def test_a_notice_survives_the_database_with_the_times_of_its_failures(store):
    story = written(store, incident(1), failed(replace(notice(1), attempts=1), DeliveryFailed("no"), at(2), "").notice)
    (line,) = story.told(incident(1), [], AURORA, at(100))
    assert (line.at, line.what) == (at(2), "could not tell chat that it began: no")


@pytest.mark.parametrize(
    ("scope", "seen"),
    [(EVERYTHING, 2), (NO_MONEY, 2), (Scope(frozenset({"aurora", "cedar"}), MoneyRight.FULL), 2), (AURORA, None)],
)
def test_the_incident_that_counts_a_loss_is_named_only_where_it_may_be_seen(store, scope, seen):
    mine = incident(1, counted_in=2, loss=NO_LOSS)
    story = written(store, mine, incident(2, team="cedar", teams=("cedar",)))
    (shown,) = story.shown([mine], scope)
    assert shown.counted_in == seen


def test_where_a_loss_is_counted_is_a_fact_and_says_whether_all_of_it_is():
    assert counted(incident(1)) == ()
    assert [one.text for one in counted(incident(1, counted_in=2, loss=NO_LOSS))] == ["its loss is counted in #2"]
    part = incident(1, counted_in=2, loss=Loss(per_hour=Decimal(3)))
    assert [one.text for one in counted(part)] == ["part of its loss is counted in #2"]


def test_the_list_of_open_incidents_names_only_those_that_the_reader_sees():
    rows = [incident(1, counted_in=2), incident(2, team="cedar", teams=("cedar",)), incident(3, counted_in=1)]
    views = Views(
        board=Board(), desk=SimpleNamespace(open_incidents=rows), clock=FakeClock(at(0)), settings=Settings, health=HubHealth,
        waiting=tuple, next_due=lambda: None, recent=SimpleNamespace(lost_since=lambda *_: Decimal(0)), pid=1,
    )  # fmt: skip
    page = views.incidents(AURORA, 0, 10)
    assert {one.id: one.counted_in for one in page.rows} == {1: None, 3: 1}
    assert {one.id: one.counted_in for one in views.incidents(NO_MONEY, 0, 10).rows} == {1: 2, 2: None, 3: 1}
