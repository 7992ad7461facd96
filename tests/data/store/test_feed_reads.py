from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import zstandard

from data.model.fact import Payload
from data.model.ids import TeamId
from data.model.principal import EVERYTHING, Scope
from data.model.target import TargetKind
from data.store import observations, payloads
from tests.data.store.conftest import T0

OTHERS = Scope(teams=frozenset({TeamId("baltic")}))


def body(name, size, feed="zef"):
    return Payload(name, feed, TeamId("cedar"), T0, "application/json", zstandard.compress(b"x" * size))


def test_the_size_of_a_body_is_what_was_received_and_not_what_is_kept(store, put):
    put(body("a", 100_000), body("b", 7), body("a", 100_000, "other"))
    assert payloads.sizes(store, EVERYTHING, ["a", "b", "gone", "a"]) == {"a": 100_000, "b": 7}
    assert payloads.sizes(store, EVERYTHING, []) == {}
    assert payloads.sizes(store, OTHERS, ["a"]) == {}


def test_pulls_of_a_day_are_counted_with_those_that_brought_nothing(store, put, observed):
    seen = [
        replace(one, target="feed:zef", kind=TargetKind.FEED, value=3.0)
        for one in observed("ooofff", team="cedar", step_s=3600)
    ]
    seen[3:] = [
        replace(seen[3], value=None, cause="feed.throttled"),
        replace(seen[4], value=None, cause="http.5xx"),
        replace(seen[5], cause="feed.scale"),
    ]
    put(*seen)
    assert observations.pulls(store, EVERYTHING, "feed:zef", T0) == (6, 2, 1)
    assert observations.pulls(store, EVERYTHING, "feed:zef", T0 + timedelta(hours=4)) == (2, 1, 0)
    assert observations.pulls(store, OTHERS, "feed:zef", T0) == (0, 0, 0)
