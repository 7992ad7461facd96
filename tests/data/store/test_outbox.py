"""The outbox: taken on by one, given back by the dead, listed by state, seen by teams, forgotten in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.config.settings import HubSettings
from data.model.incident import IncidentState, Severity
from data.model.notice import Mute, Notice, NoticeKind, NoticeState, Told
from data.model.principal import EVERYTHING, Scope
from data.store import outbox, retention

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
AURORA = Scope(frozenset({"aurora"}))
CEDAR = Scope(frozenset({"cedar"}))
MINUTE = timedelta(minutes=1)


def at(minutes):
    return T0 + minutes * MINUTE


ROW = Told(
    7, IncidentState.NEW, Severity.SEV1, "edge.error", "titel ‹x›", "wo", "aurora", "developer", T0, at(1), 3, "EUR 320/h", "ana",
    at(5), "merged into #5", {"geo": "DE,SE"},
)  # fmt: skip
NOTICE = Notice(
    "n1", NoticeKind.ESCALATION, "chat", ("aurora", "cedar"), (7, 8), (ROW,), "rule team=aurora", "losswatch.toml:4",
    "devs: ana", T0, at(1), NoticeState.WAITING, "a note\nof two lines", 2, 3, True, "w", at(2), at(3), "why", "n0",
)  # fmt: skip
PLAIN = replace(NOTICE, repeated=False, attempts=0, worker="", until=None, sent_at=None)


def take(store, name="n1", worker="a", minute=0):
    return outbox.claim(store, name, worker, at(minute), MINUTE).result()


def test_a_notice_comes_back_as_it_went_in(store, put):
    put(NOTICE)
    assert outbox.get(store, EVERYTHING, "n1") == NOTICE
    assert outbox.since(store, EVERYTHING, T0) == [NOTICE]
    assert outbox.get(store, EVERYTHING, "n2") is None


def test_of_many_who_try_at_once_one_is_given_the_notice(store, put):
    put(PLAIN)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: take(store, worker=f"w{number}"), range(8)))
    (mine,) = [one for one in got if one is not None]
    assert (mine.state, mine.attempts, mine.until, mine.repeated) == (NoticeState.CLAIMED, 1, at(1), False)
    assert outbox.get(store, EVERYTHING, "n1") == mine


def test_a_lease_that_ended_is_taken_over_and_the_notice_may_be_a_repeat(store, put):
    put(PLAIN)
    take(store)
    assert take(store, worker="b", minute=0.9) is None
    assert take(store, worker="b", minute=1).repeated


@pytest.mark.parametrize("state", [NoticeState.SENT, NoticeState.DEAD])
def test_what_is_over_is_taken_by_nobody(store, put, state):
    put(replace(PLAIN, state=state))
    assert take(store) is None


def test_what_the_dead_held_is_given_back_and_what_waits_is_no_repeat(store, put):
    put(PLAIN, replace(PLAIN, id="n2"), replace(PLAIN, id="n3"))
    take(store, "n1", "dead")
    take(store, "n2", "alive")
    assert outbox.release(store, "alive") == 1
    found = {one.id: (one.state, one.repeated) for one in outbox.unfinished(store, EVERYTHING)}
    assert found == {"n1": ("waiting", True), "n2": ("claimed", False), "n3": ("waiting", False)}


def test_lists_are_by_state_newest_first_and_for_own_teams(store, put):
    put(
        replace(PLAIN, id="waits", created_at=at(11)),
        replace(PLAIN, id="late", created_at=at(0)),
        replace(PLAIN, id="sent", created_at=at(1), state=NoticeState.SENT, sent_at=at(2)),
        replace(PLAIN, id="sent late", created_at=at(2), state=NoticeState.SENT, sent_at=at(13)),
        replace(PLAIN, id="dead", created_at=at(3), state=NoticeState.DEAD, teams=("aurora",)),
    )
    names = {
        state: [one.id for one in outbox.page(store, EVERYTHING, state, at(20))[1]]
        for state in outbox.STATES
    }  # fmt: skip
    assert names == {
        "all": ["waits", "dead", "sent late", "sent", "late"],
        "waiting": ["waits", "late"],
        "sent": ["sent late", "sent"],
        "dead": ["dead"],
        "late": ["sent late", "late"],
    }
    assert outbox.page(store, EVERYTHING, "all", at(20), offset=1, limit=2)[0] == 5
    assert outbox.page(store, CEDAR, "all", at(20))[0] == 4
    assert outbox.counts(store, AURORA, at(20)) == {"chat": {"all": 5, "waiting": 2, "sent": 2, "dead": 1, "late": 2}}


def test_mutes_are_for_teams_and_for_all(store, put):
    mine = Mute("m1", ("aurora",), {"cause": "edge"}, "why", "ana", at(0), at(10))
    everybody = replace(mine, id="m2", teams=("*",), ends_at=at(20))
    put(mine, everybody)
    assert outbox.mutes(store, AURORA, at(5)) == [mine, everybody]
    assert outbox.mutes(store, CEDAR, at(5)) == [everybody]
    assert outbox.mutes(store, EVERYTHING, at(10)) == [everybody]


def test_what_is_over_is_forgotten_with_the_rollups_and_what_waits_is_not(store, put):
    old = T0 - timedelta(days=500)
    put(
        replace(PLAIN, id="old", created_at=old, state=NoticeState.SENT),
        replace(PLAIN, id="waits", created_at=old),
        replace(PLAIN, id="new", state=NoticeState.SENT),
        Mute("m", ("*",), {}, "why", "ana", old, old),
    )
    retention.prune(store, HubSettings(), T0)
    assert [one.id for one in outbox.page(store, EVERYTHING, "all", T0)[1]] == ["new", "waits"]
