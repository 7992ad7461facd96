from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checks.hub.prelude import MOST, prelude
from data.model.cause import cause
from data.model.ids import PartnerId, TeamId
from data.model.observation import Flip
from data.model.snapshot import LogLine
from data.model.state import State
from data.model.target import Target, TargetKind, target_id

SINCE = datetime(2026, 11, 17, 12, tzinfo=UTC)


def link(name, *, site="", partner=""):
    return Target(
        target_id(TargetKind.LINK, name), TargetKind.LINK, TeamId("a"), name, site=site, partner=PartnerId(partner)
    )


OURS, SIBLING, STRANGER = (
    link("ours", site="s1", partner="P01"),
    link("sibling", partner="P01"),
    link("stranger", site="s9", partner="P09"),
)
TARGETS = {one.id: one for one in (OURS, SIBLING, STRANGER)}


def flip(target, minutes, new=State.FAILING, name="http.5xx"):
    return Flip(
        target.id, target.team, SINCE + timedelta(minutes=minutes), State.OK, new, cause(name) if name else "", "why"
    )


def told(flips=(), log=()):
    return [(line.who, line.text) for line in prelude(OURS, SINCE, flips, log, TARGETS)]


def test_what_hangs_together_is_told_and_strangers_are_not():
    assert told([flip(SIBLING, -3), flip(STRANGER, -2), flip(OURS, 0)]) == [
        ("sibling", "server error"),
        ("ours", "server error"),
    ]


def test_only_the_half_hour_before_and_a_little_after_counts():
    assert told([flip(SIBLING, -31), flip(SIBLING, -29), flip(SIBLING, 6)]) == [("sibling", "server error")]


def test_people_and_the_configuration_are_suspects_too():
    at = SINCE - timedelta(minutes=10)
    log = [LogLine(at, "person", "maria", "applied"), LogLine(at, "site", "s9", "down")]
    assert told(log=log) == [("maria", "applied")]


def test_a_look_that_brought_no_evidence_is_no_suspect():
    assert told([flip(SIBLING, -3, State.UNKNOWN, "local.network")]) == []


def test_of_many_lines_those_nearest_to_the_beginning_stay_in_order():
    lines = prelude(OURS, SINCE, [flip(SIBLING, -minutes) for minutes in range(30)], (), TARGETS)
    assert len(lines) == MOST
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert lines[-1].at == SINCE
