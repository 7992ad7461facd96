from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.hub.strips import Strips
from data.model.ids import TargetId
from data.model.state import State

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SHOP = TargetId("site:shop")


def strip_of(*seen: tuple[float, State], now_s: float, every: float = 0.0) -> str:
    strips = Strips(bucket_s=60.0, cells=5)
    for at_s, state in seen:
        strips.add(SHOP, NOON + timedelta(seconds=at_s), state)
    return strips.read(SHOP, NOON + timedelta(seconds=now_s), every=every)


@pytest.mark.parametrize(
    ("seen", "now_s", "shown"),
    [
        ([], 0, "....."),
        ([(0, State.OK)], 0, "....o"),
        ([(0, State.OK), (60, State.FAILING)], 60, "...of"),
        ([(0, State.FAILING), (1, State.OK)], 0, "....f"),
        ([(0, State.OK), (1, State.UNKNOWN)], 0, "....o"),
        ([(0, State.OK)], 120, "..o.."),
        ([(0, State.OK)], 600, "....."),
        ([(600, State.OK), (0, State.FAILING)], 600, "....o"),
        ([(120, State.OK), (60, State.DEGRADED)], 120, "...do"),
    ],
)
def test_a_bucket_shows_the_worst_that_was_seen_in_it(seen, now_s, shown):
    assert strip_of(*seen, now_s=now_s) == shown


def test_a_state_carries_on_until_the_next_check_is_due_and_not_longer():
    assert strip_of((0, State.OK), now_s=240, every=120.0) == "ooo.."


def test_a_strip_survives_a_restart():
    strips = Strips(bucket_s=60.0, cells=5)
    strips.restore(SHOP, NOON, "ofo")
    assert strips.read(SHOP, NOON + timedelta(seconds=60)) == ".ofo."


@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(list(State))), max_size=60), st.integers(0, 10_000))
def test_a_strip_always_has_its_full_width_and_only_known_codes(seen, now_s):
    shown = strip_of(*seen, now_s=max([now_s, *(at for at, _ in seen)]))
    assert len(shown) == 5
    assert set(shown) <= set("odfup.")
