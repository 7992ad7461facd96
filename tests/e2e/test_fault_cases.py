"""`losswatch check site|link --json` over the whole street of faults: state, cause and exit code right in every case."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from data.model.cause import CAUSES
from tests.street.street import HUNGRY, PROGRAM, Street, ask_all
from tests.street.table import CASES

EXIT = {"ok": 0, "degraded": 1, "failing": 2, "unknown": 3}
SLOW = {
    "body: a drip",
    "http: a header that drips",
    "tls: the handshake hangs",
    "tcp: a full backlog",
    "dns: no answer",
}
PLAIN = {
    "tls: a good chain",
    "link: the parameter is kept",
    "tls: ends in a day",
    "challenge: Cloudflare's, by its header",
}


@pytest.fixture(scope="module")
def street():
    made = Street()
    yield made
    made.close()


@pytest.fixture(scope="module")
def answers(street, request):
    """What the command said of every case that is asked for, all of them asked at once."""
    wanted = {
        item.callspec.params["case"].name: item.callspec.params["case"]
        for item in request.session.items
        if item.path == request.path and "answers" in getattr(item, "fixturenames", ())
    }
    return ask_all(street, wanted.values())


def test_the_table_holds_more_than_150_cases_under_names_of_their_own():
    assert len({case.name for case in CASES}) == len(CASES) >= 160


ELSEWHERE = {
    "local.network", "local.resolver", "local.clock",  # canaries, the clock and vantages: tests/checks/engine, test_vantage
    "geo.blocked",  # two vantages: test_vantage
    "dns.expiring", "seo.noindex", "seo.robots", "seo.canonical", "seo.hreflang", "seo.deindexed",  # against the past: tests/checks/sites/hygiene
    "redirect.hop_failed",  # a chain's cause is that of its failing hop
}  # fmt: skip


def test_every_cause_that_one_look_can_find_is_on_the_street():
    families = {family for family, _, _ in (name.partition(".") for name in ELSEWHERE)} | {
        case.cause.partition(".")[0] for case in CASES
    }
    wanted = {name for name in CAUSES if name.partition(".")[0] in families}
    assert wanted - {case.cause for case in CASES} == ELSEWHERE


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_each_fault_is_told_by_state_cause_and_exit_code_in_time(answers, case):
    said = answers[case.name]
    assert (said.err, said.out.count("\n")) == ("", 1)
    found = json.loads(said.out)
    assert (found["state"], found["cause"]) == (case.state, case.cause), found["detail"]
    assert said.code == EXIT[case.state]
    assert (found["detail"] == "") is (case.state == "ok")
    assert case.state == "ok" or case.cause == "config.url" or found["evidence"]["host"]
    assert (found["timing"]["total_ms"] or 0) <= (case.timeout_s + 1) * 1000


def _named(names):
    return [pytest.param(case, id=case.name) for case in CASES if case.name in names]


def _run(street, case):
    command = [sys.executable, "-c", PROGRAM, *street.command(case)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    found = json.loads(ran.stdout)
    assert (found["state"], found["cause"], ran.returncode) == (case.state, case.cause, EXIT[case.state])
    return found, int(ran.stderr)


@pytest.mark.parametrize("case", _named(HUNGRY))
def test_no_body_costs_the_command_100_megabytes(street, case):
    _, most_kb = _run(street, case)
    assert most_kb < 100 * 1024


@pytest.mark.parametrize("case", _named(SLOW))
def test_no_server_holds_the_command_a_second_beyond_its_timeout(street, case):
    found, _ = _run(street, case)
    assert case.timeout_s * 1000 - 50 <= found["timing"]["total_ms"] <= (case.timeout_s + 1) * 1000


@pytest.mark.parametrize("case", _named(PLAIN))
def test_a_shell_reads_the_state_from_the_exit_code(street, case):
    found, _ = _run(street, case)
    assert found["hops"][-1]["status"] in {200, 403}
