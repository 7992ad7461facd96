from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.uptime import Uptime
from data.model.ids import TeamId
from data.model.observation import NO_CAUSE, Flip, TargetState
from data.model.state import State
from data.model.target import TargetKind, target_id

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
ONE = target_id(TargetKind.SITE, "one")
OK, BAD, UNKNOWN, SLOW = State.OK, State.FAILING, State.UNKNOWN, State.DEGRADED


def play(*steps):
    """(state, hours ago it began), oldest first: the share at noon."""
    uptime, last = Uptime(), TargetState(ONE, TeamId("a"), TargetKind.SITE)
    for state, hours_ago in steps:
        since = NOON - timedelta(hours=hours_ago)
        new = replace(last, state=state, since=since, last_at=since)
        uptime.moved(last, new)
        last = new
    return uptime.share(last, NOON)


@pytest.mark.parametrize(
    ("steps", "share"),
    [
        ([], None),
        ([(OK, 5)], 1.0),
        ([(BAD, 1)], 0.0),
        ([(OK, 10), (BAD, 1)], 0.9),
        ([(OK, 10), (BAD, 2), (OK, 1)], 0.9),
        ([(OK, 10), (SLOW, 2)], 1.0),
        ([(OK, 10), (UNKNOWN, 5), (BAD, 1)], 5 / 6),
        ([(OK, 100), (BAD, 30), (OK, 12)], 0.5),
        ([(OK, 100), (BAD, 50), (OK, 30)], 1.0),
        ([(UNKNOWN, 5)], None),
    ],
)
def test_the_share_of_known_time_that_did_not_fail_in_a_day(steps, share):
    assert play(*steps) == (share if share is None else pytest.approx(share))


def test_a_days_flips_give_the_same_share_after_a_restart():
    flips = [
        Flip(ONE, TeamId("a"), NOON - timedelta(hours=at), old, new, NO_CAUSE, "")
        for at, old, new in ((6, OK, BAD), (3, BAD, OK))
    ]
    uptime = Uptime()
    uptime.restore(flips, NOON - timedelta(hours=24))
    now = TargetState(ONE, TeamId("a"), TargetKind.SITE, OK, since=NOON - timedelta(hours=3), last_at=NOON)
    assert uptime.share(now, NOON) == pytest.approx(21 / 24)


def test_a_target_that_is_gone_leaves_nothing():
    uptime = Uptime()
    old = TargetState(ONE, TeamId("a"), TargetKind.SITE, OK, since=NOON - timedelta(hours=2), last_at=NOON)
    uptime.moved(old, replace(old, state=BAD, since=NOON))
    uptime.forget(ONE)
    assert not uptime._past
