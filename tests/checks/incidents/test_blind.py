from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.incidents.blind import blind_to, blindness, unseen, was_blind_to
from data.model.target import Target, TargetKind, target_id


def parser(number, *, host="www.findly.example", canary=False, query=None, paused=False, geo="DE"):
    return Target(
        target_id(TargetKind.PARSER, f"p{number}"), TargetKind.PARSER, "aurora", f"p{number}", f"http://{host}:81/search",
        geo=geo, canary=canary, query=f"query {number}" if query is None else query, paused=paused,
    )  # fmt: skip


def failing(*numbers):
    return {f"parser:p{number}" for number in numbers}


PARSERS = [parser(n) for n in range(10)]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ((), ""),
        ((1,), "rank and deindex of 1 query is unseen: 1 of 10 parsers of www.findly.example fail"),
        (range(5), "rank and deindex of 5 queries are unseen: 5 of 10 parsers of www.findly.example fail"),
        (range(6), "rank and deindex of 10 queries are unseen: 6 of 10 parsers of www.findly.example fail"),
    ],
)
def test_while_most_parsers_of_a_host_fail_none_of_its_ranks_is_believed(bad, words):
    assert blind_to(PARSERS, failing(*bad)) == words


def test_a_failing_canary_speaks_for_its_whole_host():
    parsers = [*PARSERS, parser(10, canary=True, query="weather")]
    told = blind_to(parsers, failing(10))
    assert told.startswith("rank and deindex of 11 queries are unseen: 1 of 11 parsers")
    assert "the canary 'weather'" in told
    assert unseen(parsers, failing(10)) == {one.id for one in parsers}


def test_another_host_is_seen_on():
    other = [parser(n, host="other.example") for n in range(20, 24)]
    assert unseen([*PARSERS, *other], failing(*range(10))) == {one.id for one in PARSERS}


def test_a_query_in_two_countries_is_two():
    parsers = [parser(1, query="x"), parser(2, query="x", geo="AT"), parser(3, query="x")]
    assert blindness(parsers, failing(1, 2, 3))[0].queries == 2


def test_parsers_that_feed_no_ranks_and_those_at_rest_do_not_count():
    assert blind_to([parser(1, query=""), parser(2, paused=True)], failing(1, 2)) == ""


def test_a_broken_address_is_no_reason_to_stop():
    broken = Target("parser:p1", TargetKind.PARSER, "aurora", "p1", "http://[::1/", query="x")
    assert "parsers of team aurora fail" in blind_to([broken], failing(1))


def test_what_was_unseen_is_still_said_when_it_is_over():
    began, ended = datetime(2026, 11, 17, 17, 30, tzinfo=UTC), datetime(2026, 11, 17, 18, 50, tzinfo=UTC)
    assert (
        was_blind_to(PARSERS, failing(*range(6)), began, ended)
        == "rank and deindex of 10 queries were unseen from 2026-11-17 17:30Z to 18:50Z"
    )
    assert was_blind_to(PARSERS, failing(1), began, ended + timedelta(days=1)).endswith(
        "of 1 query was unseen from 2026-11-17 17:30Z to 2026-11-18 18:50Z"
    )
    assert was_blind_to(PARSERS, (), began, ended) == ""
