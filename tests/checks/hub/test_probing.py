from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.clock import FakeClock
from checks.hub.board import Board
from checks.hub.probing import FIRST_LOOK_S, Probing
from data.config.settings import NetworkSettings, Settings
from data.model.cause import cause
from data.model.ids import TargetId, TeamId
from data.model.observation import Hop, Observation
from data.model.state import State
from data.model.target import Target, TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CANARIES = ("http://a.example/", "http://b.example/", "http://c.example/")


@pytest.fixture
def house(tmp_path):
    taken = []

    async def take(observations):
        taken.extend(observations)

    settings = Settings(tmp_path, network=NetworkSettings(canaries=CANARIES))
    return Probing(settings, Board(), FakeClock(NOON), 1, take), taken


def site(probing, name, interval_s=3600.0):
    target = Target(
        TargetId(f"site:{name}"), TargetKind.SITE, TeamId("a"), name, "http://x.example/", interval_s=interval_s
    )
    probing.board.put_target(target)
    return target


def seen(target_id, state=State.OK, because="", status=200):
    why = cause(because) if because else ""
    return Observation(
        TargetId(target_id), TeamId("a"), TargetKind.SITE, NOON, state, why, hops=(Hop("u", status=status),)
    )


def test_a_few_new_sites_are_looked_at_at_once_and_many_without_a_herd(house):
    probing, _ = house
    first = site(probing, "kiel")
    probing.start(first)
    assert probing.queue.next_at() <= NOON + timedelta(seconds=1)
    many = [site(probing, f"s{number}") for number in range(2000)]
    for target in many:
        probing.start(target)
    early = probing.queue.due(NOON + timedelta(seconds=2), 5000)
    assert 50 < len(early) < 500
    assert len(probing.queue.due(NOON + timedelta(seconds=FIRST_LOOK_S), 5000)) + len(early) >= 2001


async def test_canaries_decide_about_the_network_and_are_nobodys_observations(house):
    probing, taken = house
    dead = [seen(f"canary:{number}", State.FAILING, "tcp.timeout", status=0) for number in range(3)]
    await probing._on_batch("probe", 1, [*dead, seen("site:kiel")])
    assert not probing.network_ok
    assert [one.target for one in taken] == ["site:kiel"]
    assert probing.rewrite(seen("site:kiel", State.FAILING, "tcp.timeout")).state is State.UNKNOWN
    assert probing.rewrite(seen("site:kiel", State.FAILING, "http.5xx")).state is State.FAILING


def test_fewer_canaries_after_a_reload_leave_no_check_behind(house, tmp_path):
    probing, _ = house
    probing.reconfigure(Settings(tmp_path, network=NetworkSettings(canaries=CANARIES[:1])))
    assert [key for key in ("canary:0", "canary:1", "canary:2") if key in probing.queue] == ["canary:0"]


def test_a_target_that_is_gone_is_not_checked_and_forgotten(house):
    probing, _ = house
    probing.queue.put("site:gone", 60.0, NOON)
    assert probing._check(TargetId("site:gone"), NOON) is None
    assert "site:gone" not in probing.queue
