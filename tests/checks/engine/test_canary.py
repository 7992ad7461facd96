from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.canary import Quorum, blame_network, reached
from data.model.cause import cause, state_of
from data.model.ids import TargetId, TeamId
from data.model.observation import Hop, Observation
from data.model.state import State
from data.model.target import TargetKind

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def quorum(*results, configured=None):
    made = Quorum(configured if configured is not None else len(results))
    for number, ok in enumerate(results):
        made.observe(f"canary:{number}", ok=ok, at=NOW)
    return made


def observed(name, **fields):
    cause_id = cause(name) if name else ""
    return Observation(
        TargetId("site:a"), TeamId("aurora"), TargetKind.SITE, NOW, state_of(cause_id), cause_id, "seen", **fields
    )


@pytest.mark.parametrize(
    ("results", "ok"),
    [
        ((True, True, True), True),
        ((False, True, True), True),
        ((False, False, True), False),
        ((False, False, False), False),
        ((False, False, True, True), True),
        ((False, False, False, True), False),
        ((False, False), True),
        ((False,), True),
        ((), True),
    ],
)
def test_most_canaries_must_fail_before_we_blame_ourselves(results, ok):
    assert quorum(*results).network_ok(NOW) is ok


def test_canaries_that_have_not_spoken_do_not_count_as_failing():
    assert quorum(False, False, configured=5).network_ok(NOW)
    assert not quorum(False, False, False, configured=5).network_ok(NOW)


def test_an_old_word_may_be_left_out():
    made = quorum(False, False, False)
    assert made.network_ok(NOW + timedelta(hours=1), max_age=timedelta(minutes=5))


def test_a_quorum_too_small_says_so():
    assert "2 of at least 3" in quorum(True, True).note
    assert quorum(True, True, True).note == ""


@pytest.mark.parametrize(
    "name", ["dns.nxdomain", "tcp.timeout", "tcp.refused", "tls.timeout", "slow.ttfb", "proto.empty_reply"]
)
def test_what_a_dead_network_could_have_caused_is_no_evidence(name):
    failing = observed(name) if name != "slow.ttfb" else Observation(
        TargetId("site:a"), TeamId("aurora"), TargetKind.SITE, NOW, State.FAILING, cause(name), "seen"
    )  # fmt: skip
    found = quorum(False, False, False).rewrite(failing, NOW)
    assert (found.state, found.cause, found.evidence["seen"]) == (State.UNKNOWN, "local.network", name)
    assert quorum(True, True, True).rewrite(failing, NOW) is failing


@pytest.mark.parametrize("name", ["http.5xx", "link.wrong_target", "tls.expired", "content.soft404", ""])
def test_an_answer_stays_an_answer_while_the_network_is_down(name):
    assert blame_network(observed(name)) == observed(name)


def test_any_answer_of_a_canary_proves_the_network():
    assert reached(observed("http.5xx", hops=(Hop("http://c/", status=503),)))
    assert not reached(observed("tcp.refused", hops=(Hop("http://c/"),)))
