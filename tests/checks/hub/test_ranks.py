"""The room of ranks: what it learns, what it freezes, what it says to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.board import Board
from checks.hub.ranks import ACCEPT, RESTORED, RankRoom
from data.model.fact import ParserRun
from data.model.observation import Observation
from data.model.principal import EVERYTHING, Scope
from data.model.state import State
from data.model.target import Target, TargetKind, target_id

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
CEDAR = Scope(frozenset({"cedar"}))


def site(name, team="aurora"):
    return Target(target_id(TargetKind.SITE, name), TargetKind.SITE, team, name, f"https://{name}.example/")


def parser(name, query, *, geo="DE", canary=False):
    return Target(
        target_id(TargetKind.PARSER, name), TargetKind.PARSER, "aurora", name, "https://findly.example/search", geo=geo,
        query=query, canary=canary, interval_s=900.0,
    )  # fmt: skip


SITES = [site("kiel"), site("oslo"), site("lima", "cedar")]
PARSERS = [
    parser("a", "casino"),
    parser("b", "slots"),
    parser("c", "wetter", canary=True),
    parser("d", "casino", geo="AT"),
]
HOSTS = [f"https://{one.name}.example/x" for one in SITES] + [f"https://rival{n}.example/" for n in range(20)]


class Company:
    """A board, a room and runs that come every quarter of an hour."""

    def __init__(self):
        self.board, self.soon, self.at = Board(), [], NOW
        for target in (*SITES, *PARSERS):
            self.board.put_target(target)
        self.room = RankRoom(self.board, self.soon.append)
        self.room.configure(self.board.targets.values())
        self.rows = []

    def run(self, name, count=1, without=(), verdict="ok"):
        """`count` runs of one parser; returns the rows of the last."""
        target, rows = self.board.targets[f"parser:{name}"], []
        for _ in range(count):
            self.at += QUARTER
            urls = [url for url in HOSTS if not any(f"//{gone}." in url for gone in without)]
            run = ParserRun(name, "aurora", self.at, target.url, target.geo, len(urls), verdict, query=target.query)
            rows = self.room.take(target, run, list(enumerate(urls, 1)))
            self.rows += rows
        return rows

    def fails(self, name, *, state=State.FAILING, fails=2, cause="parser.selector_dead"):
        known = self.board.states[f"parser:{name}"]
        self.board.put_state(
            replace(known, state=state, fails=fails, cause=cause, first_fail_at=self.at, last_at=self.at)
        )

    def checked(self, name="kiel", state=State.OK, cause="", **evidence):
        target = self.board.targets[f"site:{name}"]
        return self.room.rewrite(
            Observation(target.id, target.team, TargetKind.SITE, self.at, state, cause, evidence=evidence)
        )


@pytest.fixture
def company():
    made = Company()
    for name in "abcd":
        made.run(name, 12)
    return made


def test_a_site_gone_from_its_queries_is_degraded_at_its_next_check_which_is_asked_for(company):
    for name in "abc":
        company.run(name, 4, without=["kiel"])
    told = company.checked()
    assert (told.state, told.cause) == (State.DEGRADED, "seo.deindexed")
    assert (
        told.detail
        == "missing at findly.example in DE for 3 of 3 queries, usually about place 1: 'casino', 'slots', 'wetter'"
    )
    assert (told.evidence["rank_queries"], told.evidence["engine"]) == ("3 of 3", "findly.example")
    assert datetime.fromisoformat(told.evidence["began_at"]) < company.at
    assert company.checked("oslo").state is State.OK
    assert company.soon == ["site:kiel"]


def test_one_query_of_three_is_no_deindexing_and_one_country_of_two_is(company):
    company.run("a", 9, without=["kiel"])
    assert company.checked().state is State.OK
    company.run("d", 9, without=["kiel"])
    assert "findly.example in AT for 1 of 1 query" in company.checked().detail


def test_a_site_that_is_back_is_fine_and_is_checked_at_once(company):
    company.run("d", 5, without=["kiel"])
    company.run("d")
    assert company.checked().state is State.OK
    assert company.soon == ["site:kiel", "site:kiel"]


def test_runs_that_are_not_ok_teach_nothing_close_nothing_and_raise_nothing(company):
    assert company.run("d", 20, without=["kiel"], verdict="parser.selector_dead") == []
    assert company.checked().state is State.OK
    company.run("d", 5, without=["kiel"])
    assert company.run("d", 20, verdict="page.layout_unknown") == []
    assert company.checked().cause == "seo.deindexed"


@pytest.mark.parametrize(("state", "fails"), [(State.FAILING, 2), (State.OK, 1)], ids=["confirmed", "seen once"])
def test_while_a_canary_fails_even_good_runs_of_its_country_are_frozen(company, state, fails):
    company.fails("c", state=state, fails=fails)
    assert company.run("a", 20, without=["kiel"]) == []
    assert company.run("b", 20, without=["kiel"]) == []
    assert company.checked().state is State.OK


def test_a_canary_of_another_country_speaks_where_there_is_none(company):
    company.fails("c")
    assert company.run("d", 20, without=["kiel"]) == []
    own = replace(parser("e", "nachrichten", geo="AT"), canary=True)
    company.board.put_target(own)
    company.room.configure(company.board.targets.values())
    assert company.run("d") != []


def test_a_failing_parser_says_what_nobody_sees_and_since_when(company):
    company.fails("c")
    began = company.at
    seen = Observation(
        "parser:c", "aurora", TargetKind.PARSER, company.at + 5 * QUARTER, State.FAILING, "parser.selector_dead"
    )
    told = company.room.rewrite(seen).evidence["unseen"]
    assert told == f"ranks of 3 sites unseen since {began:%H:%MZ}, 4 queries"
    assert company.room.unseen({"parser:c"}, CEDAR, began) == f"ranks of 1 site unseen since {began:%H:%MZ}, 4 queries"
    assert company.room.unseen({"parser:c"}, Scope(frozenset({"delta"})), began) == ""
    assert company.room.unseen({"parser:d"}, EVERYTHING, began).endswith(", 1 query")


def test_a_site_shows_where_it_stands_what_is_unseen_and_what_is_lost(company):
    def shown():
        (aspect,) = company.room.aspects("site:kiel", company.at)
        return aspect.state, aspect.value

    assert shown() == (State.OK, "seen in 4 of 4 queries")
    company.fails("d")
    assert shown() == (State.UNKNOWN, f"unseen since {company.at:%H:%MZ} in 1 of 4 queries")
    company.fails("d", state=State.OK, fails=0, cause="")
    company.run("a", 5, without=["kiel"])
    assert shown() == (State.OK, "seen in 3 of 4 queries")
    company.run("b", 5, without=["kiel"])
    assert shown() == (State.DEGRADED, "gone from 2 of 4 queries")
    assert company.room.aspects("site:nobody", company.at) == ()


def test_places_are_information_of_the_readers_own_sites(company):
    company.run("a", 2, without=["oslo"])
    rows = company.room.rows("parser:a", EVERYTHING, company.at)
    assert [row.label for row in rows] == [
        "place of oslo casino DE",
        "place of kiel casino DE",
        "place of lima casino DE",
    ]
    assert rows[0].words.endswith("2 of 4 pages")
    assert (rows[1].now, rows[1].usual, rows[1].words) == ("1", "1 (1 to 1)", "as usual")
    assert [row.label for row in company.room.rows("parser:a", CEDAR, company.at)] == ["place of lima casino DE"]


def test_rows_are_kept_by_the_team_of_the_sites(company):
    rows = company.run("a", without=["lima"])
    assert [(row.team, row.places, row.results) for row in rows] == [
        ("aurora", {"site:kiel": 1, "site:oslo": 2}, 22), ("cedar", {}, 22),
    ]  # fmt: skip


def test_a_restart_knows_what_was_known(company):
    for name in "abc":
        company.run(name, 5, without=["kiel"])
    again = Company()
    again.room.restore(company.rows, company.at)
    again.at = company.at
    assert again.checked() == company.checked()
    assert again.room.aspects("site:lima", company.at) == company.room.aspects("site:lima", company.at)


def test_what_was_told_before_a_restart_stays_though_its_looks_are_no_longer_read(company):
    company.run("d", 5, without=["kiel"])
    told, again = company.checked(), Company()
    known = again.board.states["site:kiel"]
    again.board.put_state(
        replace(
            known, state=State.DEGRADED, cause=told.cause, detail=told.detail, evidence=told.evidence, since=company.at
        )
    )
    again.at = company.at
    again.room.restore([], company.at + ACCEPT / 2)
    again.run("a", 12)
    again.run("d", 12, without=["kiel"])
    assert again.checked().detail == told.detail
    again.run("d")
    assert again.checked().state is State.OK


def test_what_somebody_closed_and_what_nobody_undid_for_a_week_is_how_it_is(company):
    company.run("d", 5, without=["kiel"])
    company.room.accept(["site:kiel", "site:oslo"])
    assert company.checked().state is State.OK
    assert company.room.aspects("site:kiel", company.at)[0].value == "seen in 3 of 3 queries"
    company.run("d", 5, without=["oslo"])
    assert company.checked("oslo").cause == "seo.deindexed"
    company.at += ACCEPT
    company.run("d", without=["oslo"])
    assert company.checked("oslo").state is State.OK


def test_a_noindex_stays_the_cause_and_being_gone_stands_beside_it(company):
    company.run("d", 5, without=["kiel"])
    told = company.checked(state=State.DEGRADED, cause="seo.noindex", also="slow.total: slow")
    assert told.cause == "seo.noindex"
    assert told.evidence["also"].startswith("slow.total: slow; seo.deindexed: missing at findly.example")
    assert company.checked(state=State.FAILING, cause="http.5xx").cause == "http.5xx"


def test_a_site_is_no_longer_gone_from_results_that_nobody_reads_any_more(company):
    company.run("d", 5, without=["kiel"])
    company.room.configure([one for one in (*SITES, *PARSERS) if one.name != "d"])
    assert company.checked().state is State.OK
    assert company.soon == ["site:kiel", "site:kiel"]


def test_sites_and_parsers_that_are_no_more_are_forgotten(company):
    company.run("d", 5, without=["kiel"])
    company.room.configure([one for one in (*SITES, *PARSERS) if one.name not in {"kiel", "d"}])
    assert company.checked().state is State.OK
    assert company.room.aspects("site:oslo", company.at)[0].value == "seen in 3 of 3 queries"


def test_a_site_whose_checks_are_paused_stands_where_it_stood(company):
    company.room.configure([replace(one, paused=one.name == "kiel") for one in (*SITES, *PARSERS)])
    for name in "abc":
        company.run(name, 20)
    company.room.configure([*SITES, *PARSERS])
    assert company.checked().state is State.OK


def test_a_site_that_moved_is_not_missed_where_it_was(company):
    moved = replace(site("kiel"), url="https://kiel-casino.example/")
    company.board.put_target(moved)
    company.room.configure([moved, *SITES[1:], *PARSERS])
    for name in "abc":
        company.run(name, 9, without=["kiel"])
    assert company.checked().state is State.OK
    assert company.room.aspects("site:kiel", company.at) == ()


def test_a_search_that_is_no_longer_asked_does_not_speak_for_a_site(company):
    company.run("a", 9, without=["kiel"])
    other = [replace(one, query=f"other {one.query}") if one.name in {"b", "c"} else one for one in PARSERS]
    for target in other:
        company.board.put_target(target)
    company.room.configure([*SITES, *other])
    company.run("a", without=["kiel"])
    assert "for 1 of 1 query" in company.checked().detail


def test_searches_of_others_that_nobody_runs_any_more_are_forgotten(company):
    crawler = replace(parser("x", ""), outside=True)
    company.board.put_target(crawler)
    company.room.configure([*SITES, *PARSERS, crawler])

    def crawls(query, count, without=()):
        for _ in range(count):
            company.at += QUARTER
            urls = [url for url in HOSTS if not any(f"//{gone}." in url for gone in without)]
            run = ParserRun("x", "aurora", company.at, crawler.url, "SE", len(urls), "ok", query=query)
            company.room.take(crawler, run, list(enumerate(urls, 1)))

    crawls("last season", 9)
    crawls("this season", 9)
    company.at += RESTORED / 2
    crawls("this season", 1)
    company.at += RESTORED / 2
    crawls("this season", 9, without=["kiel"])
    assert "in SE for 1 of 1 query" in company.checked().detail


def test_results_that_became_others_for_good_are_learned_anew_and_nobody_is_gone_from_them(company):
    company.run("d", 5, without=["kiel"])
    target = company.board.targets["parser:d"]
    stored = []
    for hosts in [("rival.example",)] * 12 + [("new.example",)] * 12:
        company.at += QUARTER
        run = ParserRun("d", "aurora", company.at, target.url, "AT", 22, "ok", query="casino", hosts=hosts)
        stored.append(company.room.take(target, run, [(1, "https://oslo.example/")]))
    assert [bool(rows) for rows in stored] == [True] * 12 + [False] * 9 + [True] * 3
    assert company.checked().state is State.OK
    company.room.accept(["site:kiel", "site:oslo"])


async def test_another_inventory_is_indexed_beside_the_loop(company):
    await company.room.reconfigure([*SITES[1:], *PARSERS])
    assert company.run("a")[0].places == {"site:oslo": 2}


def test_a_failing_parser_freezes_its_host_until_it_is_fine_again(company):
    company.fails("c")
    assert company.run("a") == []
    company.fails("c", state=State.OK, fails=0, cause="")
    assert company.run("a") != []
    company.fails("c")
    company.board.remove_target("parser:c")
    company.room.configure(company.board.targets.values())
    assert company.run("a") != []
