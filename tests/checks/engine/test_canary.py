from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.canary import Burst, Quorum, blame_clock, blame_network, is_literal, reached, skew_of
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


# ── what it is that fails ────────────────────────────────────────────────────────────────────────────────────────

OK, DEAD, NO_NAME, NAME_WRONG = "", "tcp.timeout", "dns.timeout", "dns.servfail"


def said(*words):
    """Canaries by what they failed of; a leading `@` is one whose URL holds an address."""
    made = Quorum(len(words))
    for number, word in enumerate(words):
        why = word.removeprefix("@")
        made.observe(f"canary:{number}", ok=not why, at=NOW, because=why, literal=word.startswith("@"))
    return made


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((OK, OK, OK), ""),
        ((DEAD, OK, OK), ""),
        ((DEAD, DEAD, OK), "local.network"),
        ((DEAD, DEAD, DEAD), "local.network"),
        ((NO_NAME, NO_NAME, NO_NAME), "local.network"),  # a dead network looks the same
        ((NAME_WRONG, NAME_WRONG, NO_NAME), "local.resolver"),
        (("dns.nxdomain", "dns.nxdomain", OK), "local.resolver"),
        ((NO_NAME, NO_NAME, "@"), "local.resolver"),
        ((NO_NAME, NO_NAME, "@", "@"), "local.resolver"),
        ((NO_NAME, OK, "@", "@"), ""),
        ((NO_NAME, "@", "@"), ""),  # one name is one name
        ((NAME_WRONG, DEAD, "@tcp.timeout"), "local.network"),
        (("local.resolver", "local.resolver", "local.resolver"), "local.resolver"),
        ((NAME_WRONG, NAME_WRONG), ""),
    ],
)
def test_the_resolver_is_told_from_the_network(words, fault):
    assert said(*words).fault(NOW) == fault


@pytest.mark.parametrize(
    ("name", "blamed"), [("dns.servfail", True), ("dns.nxdomain", True), ("tcp.timeout", False), ("http.5xx", False)]
)
def test_a_dead_resolver_excuses_names_only(name, blamed):
    found = said(NO_NAME, NO_NAME, "@").rewrite(observed(name), NOW)
    assert (found.cause == "local.resolver") is blamed
    assert found.state is (State.UNKNOWN if blamed else State.FAILING)


def test_canaries_vouch_as_soon_as_those_asked_since_then_decide_it():
    made, later = quorum(True, True, True), NOW + timedelta(seconds=5)
    assert made.vouches(NOW)
    assert made.vouches(later) is None
    made.observe("canary:0", ok=False, at=later)
    assert made.vouches(later) is None
    made.observe("canary:1", ok=True, at=later)
    assert made.vouches(later) is None
    made.observe("canary:2", ok=True, at=later)
    assert made.vouches(later) is True
    made.observe("canary:2", ok=False, at=later)
    assert made.vouches(later) is False


# ── our clock ────────────────────────────────────────────────────────────────────────────────────────────────────


def skewed(*skews):
    made = Quorum(len(skews))
    for number, skew in enumerate(skews):
        made.observe(f"canary:{number}", ok=True, at=NOW, skew_s=skew)
    return made


@pytest.mark.parametrize(
    ("skews", "skew"),
    [
        ((0.4, -0.2, 1.0), 0.0),
        ((7200.0, 7201.0, 7199.5), 7200.0),
        ((-7200.0, -7201.0, -7199.5), -7200.0),
        ((7200.0, 7201.0, 3.0), 0.0),
        ((7200.0, 7201.0, 3.0, 7100.0), 7150.0),
        ((7200.0, 7201.0), 0.0),
        ((7200.0, 7201.0, None), 0.0),
        ((7200.0, -7200.0, 7200.0, -7200.0), 0.0),
        ((61.0, 62.0, 63.0), 62.0),
        ((59.0, 59.0, 59.0), 0.0),
    ],
)
def test_three_canaries_that_agree_know_the_time_better_than_we(skews, skew):
    assert skewed(*skews).skew_s(60.0) == pytest.approx(skew)


@pytest.mark.parametrize(
    ("date", "age", "skew"),
    [
        ("Mon, 05 Jan 2026 00:00:00 GMT", "", 0.0),
        ("Sun, 04 Jan 2026 22:00:00 GMT", "", 7200.0),
        ("Sun, 04 Jan 2026 22:00:00 GMT", "7200", 0.0),  # a cache kept it so long
        ("Mon, 05 Jan 2026 00:00:00 GMT", "young", 0.0),
        ("yesterday", "", None),
        ("", "", None),
        ("Mon, 05 Jan 2026 00:00:00", "", None),
    ],
)
def test_a_date_header_tells_our_skew(date, age, skew):
    assert skew_of(date, age, NOW) == skew


@pytest.mark.parametrize("name", ["tls.expired", "tls.not_yet_valid", "tls.expiring"])
def test_while_our_clock_is_wrong_no_date_of_a_certificate_is_believed(name):
    found = blame_clock(observed(name), -7200.0, lambda seconds: f"{seconds:.0f} s")
    assert (found.state, found.cause, found.evidence["seen"]) == (State.UNKNOWN, "local.clock", name)
    assert "7200 s behind" in found.detail


@pytest.mark.parametrize("name", ["tls.hostname", "http.5xx", ""])
def test_a_wrong_clock_excuses_nothing_else(name):
    assert blame_clock(observed(name), 7200.0, str) == observed(name)


# ── bursts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ten_new_failures_among_fifty_are_a_burst_and_nine_are_none():
    burst = Burst()
    assert not any(burst.observe(newly_failing=number % 5 == 0) for number in range(45))
    assert burst.observe(newly_failing=True)
    assert not burst.observe(newly_failing=False), "only a failure asks"


def test_an_address_is_told_from_a_name():
    assert is_literal("http://192.0.2.1:80/")
    assert is_literal("https://[2001:db8::1]/")
    assert not is_literal("http://canary.example/")
    assert not is_literal("http://[")
