from __future__ import annotations

import msgspec
import pytest

from checks.sites.hygiene.pagefacts import KEYS
from data.config.settings import Hygiene
from data.model.fact import Baseline
from data.model.ids import TargetId, TeamId
from data.model.state import State
from data.model.target import Target, TargetKind

CANONICAL = '<link rel="canonical" href="https://site.example/slots">'
MOVED = '<link rel="canonical" href="https://new.example/slots">'


def test_a_deploy_that_sets_noindex_is_told_and_its_rollback_is_the_end_of_it(watch, site_page):
    watched = watch()
    assert watched.look(site_page.url, site_page.url)[1].state is State.OK
    site_page.headers = {"X-Robots-Tag": "noindex"}
    _, told = watched.look(site_page.url)
    assert (told.state, told.cause, told.blame) == (State.DEGRADED, "seo.noindex", "127.0.0.1")
    assert told.evidence["now"] == "noindex by X-Robots-Tag"
    site_page.headers = {}
    assert watched.look(site_page.url)[1].state is State.OK


def test_a_site_that_always_forbade_indexing_may_go_on(watch, site_page):
    site_page.head = '<meta name="robots" content="noindex">'
    watched = watch()
    assert watched.look(site_page.url, site_page.url, site_page.url)[1].state is State.OK


def test_a_good_observation_loses_the_facts_that_only_the_comparison_needs(watch, site_page):
    site_page.head = CANONICAL
    raw, told = watch().look(site_page.url)
    assert {"seo", "canonical", "lang"} <= raw.evidence.keys()
    assert KEYS.isdisjoint(told.evidence)
    assert told.evidence["title"] == "Slots"


def test_a_changed_canonical_says_what_it_was_and_stays_told_after_a_restart(watch, site_page):
    watched = watch()
    site_page.head = CANONICAL
    watched.look(site_page.url)
    site_page.head = MOVED
    told = watched.look(site_page.url)[1]
    assert (told.cause, told.evidence["was"]) == ("seo.canonical", "https://site.example/slots")
    assert told.evidence["usual_from"] == "2026-11-24"
    watched.restart()
    assert watched.look(site_page.url)[1].cause == "seo.canonical"


def test_a_change_that_nobody_undid_for_a_week_is_how_the_page_is(watch, site_page):
    watched = watch()
    site_page.head = CANONICAL
    watched.look(site_page.url)
    site_page.head = MOVED
    watched.look(site_page.url)
    watched.wait(days=3)
    watched.restart()
    assert watched.look(site_page.url)[1].cause == "seo.canonical"
    watched.wait(days=4)
    assert watched.look(site_page.url)[1].state is State.OK
    site_page.head = CANONICAL
    assert watched.look(site_page.url)[1].cause == "seo.canonical"


def test_whoever_closes_the_incident_accepts_the_change(watch, site_page):
    watched = watch()
    watched.look(site_page.url)
    site_page.head = '<meta name="googlebot" content="noindex">'
    assert watched.look(site_page.url)[1].cause == "seo.noindex"
    watched.room.accept([TargetId("site:hub")])
    assert watched.look(site_page.url)[1].state is State.OK


def test_a_planned_migration_is_absorbed_but_a_noindex_that_outlives_its_window_is_not(watch, site_page):
    watched = watch()
    site_page.head = CANONICAL
    watched.look(site_page.url)
    watched.room.covered = lambda _target, _at: True
    site_page.head = MOVED
    assert watched.look(site_page.url)[1].state is State.OK
    site_page.headers = {"X-Robots-Tag": "noindex"}
    watched.look(site_page.url)
    watched.room.covered = lambda _target, _at: False
    assert watched.look(site_page.url)[1].cause == "seo.noindex"
    site_page.headers = {}
    assert watched.look(site_page.url)[1].state is State.OK


def test_an_error_page_that_forbids_indexing_teaches_and_tells_nothing(watch, site_page):
    watched = watch()
    watched.look(site_page.url)
    site_page.head, site_page.status = '<meta name="robots" content="noindex">', "500 Oops"
    raw, told = watched.look(site_page.url)
    assert told.cause == "http.5xx"
    assert "seo" not in raw.evidence
    site_page.status = "200 OK"
    assert watched.look(site_page.url)[1].cause == "seo.noindex"


def test_robots_txt_that_begins_to_forbid_the_page_is_told_and_one_that_vanishes_is_fine(watch, site_page, http):
    watched = watch()
    site_page.robots = http("User-agent: *\nDisallow: /admin\n", content_type="text/plain")
    assert watched.look(site_page.url, site_page.url)[0].evidence["robots_txt"] == "allowed"
    site_page.robots = http("User-agent: Googlebot\nDisallow: /slots\n", content_type="text/plain")
    told = watched.look(site_page.url, site_page.url)[1]
    assert (told.state, told.cause) == (State.DEGRADED, "seo.robots")
    site_page.robots = http("gone", "404 Not Found")
    assert watched.look(site_page.url, site_page.url)[1].state is State.OK


def test_robots_txt_is_asked_once_for_many_checks_and_never_for_the_rules_of_others(watch, site_page, http):
    watched = watch()
    site_page.robots = http("User-agent: otherbot\nDisallow: /\n", content_type="text/plain")
    raw, told = watched.look(*[site_page.url] * 6)
    assert (raw.evidence["robots_txt"], told.state) == ("allowed", State.OK)
    asked = [request.path for request in site_page.server.requests]
    assert asked.count("/robots.txt") == 1
    assert asked.count("/slots/") == 6


def test_a_robots_txt_that_answers_5xx_is_noted_and_forbids_nothing(watch, site_page, http):
    watched = watch()
    watched.look(site_page.url, site_page.url)
    site_page.robots = http("oops", "503 Service Unavailable")
    raw, told = watched.look(site_page.url, site_page.url)
    assert (raw.evidence["robots_txt"], told.state) == ("unreachable", State.OK)


def test_links_are_not_pages_of_ours(watch, site_page):
    site_page.head = '<meta name="robots" content="noindex">'
    raw, told = watch().look(site_page.url, kind=TargetKind.LINK)
    assert "seo" not in raw.evidence
    assert told is raw


@pytest.mark.parametrize("switch", ["seo", "links"])
def test_every_comparison_has_its_switch(watch, site_page, switch):
    watched = watch(links=LINKS)
    site_page.body = PLACEMENTS
    watched.look(*[site_page.url] * 6)
    watched.room.settings = Hygiene(**{switch: False})
    site_page.headers = {"X-Robots-Tag": "noindex"} if switch == "seo" else {}
    site_page.body = PLACEMENTS if switch == "seo" else "<h1>Slots</h1><p>" + "honest words " * 60
    assert watched.look(*[site_page.url] * 5)[1].state is State.OK


def test_a_memory_of_another_version_is_learned_anew(watch, site_page):
    watched = watch()
    watched.look(site_page.url)
    (kept,) = watched.restart()
    assert len(kept.body) < 300
    older = msgspec.msgpack.encode([99, *msgspec.msgpack.decode(kept.body)[1:]])
    watched.restart()
    watched.room.restore([Baseline(kept.target, TeamId("a"), kept.at, body) for body in (older, b"rubbish")])
    site_page.headers = {"X-Robots-Tag": "noindex"}
    assert watched.look(site_page.url)[1].state is State.OK


# ── links of the page ────────────────────────────────────────────────────────────────────────────────────────────


def link(name, url):
    return Target(TargetId(f"link:{name}"), TargetKind.LINK, TeamId("a"), name, url, site="hub")


LINKS = tuple(link(f"p{n}", f"https://go.partner.example/c/{n}?btag=ours-{n}") for n in range(5))
PLACEMENTS = "<h1>Slots</h1><p>" + " ".join(f"honest words <a href='{one.url}'>play</a>" for one in LINKS)


@pytest.fixture
def placed(watch, site_page):
    watched = watch(links=LINKS)
    site_page.body = PLACEMENTS
    assert watched.look(*[site_page.url] * 10)[1].state is State.OK
    return watched


def test_a_plugin_that_drops_the_tag_on_three_of_five_placements_is_told_at_the_first_look(placed, site_page):
    for number in range(3):
        site_page.body = site_page.body.replace(f"?btag=ours-{number}'", "'")
    told = placed.look(site_page.url)[1]
    assert (told.state, told.cause) == (State.FAILING, "link.param_lost")
    assert told.detail == "3 of 5 registered links on the page lack the parameter btag"
    assert told.evidence["parameter"] == "btag"
    site_page.body = PLACEMENTS
    assert placed.look(site_page.url)[1].state is State.OK


def test_a_foreign_affiliate_id_on_our_page_is_a_wrong_target(placed, site_page):
    site_page.body = PLACEMENTS.replace("btag=ours-4", "btag=theirs")
    told = placed.look(site_page.url)[1]
    assert (told.state, told.cause) == (State.FAILING, "link.wrong_target")
    assert told.evidence["foreign"] == "go.partner.example btag=theirs"


def test_registered_links_that_left_the_page_are_counted_even_after_a_restart(placed, site_page):
    placed.restart()
    site_page.body = PLACEMENTS.replace(LINKS[0].url, "/about").replace(LINKS[1].url, "/about")
    told = placed.look(*[site_page.url] * 4)[1]
    assert (told.state, told.cause) == (State.DEGRADED, "content.missing_keyword")
    assert told.detail == "2 of 5 registered links are gone from the page"


def test_a_link_that_is_commented_out_is_gone_and_one_whose_page_changes_around_it_is_not(placed, site_page):
    for number in range(6):
        site_page.body = f"{PLACEMENTS}<p>visitor number {number}"
        assert placed.look(site_page.url)[1].state is State.OK
    anchor = f"<a href='{LINKS[2].url}'>play</a>"
    site_page.body = PLACEMENTS.replace(anchor, f"<!-- {anchor} -->")
    told = placed.look(*[site_page.url] * 4)[1]
    assert told.detail == "1 of 5 registered links are gone from the page"


def test_a_noindex_is_not_hidden_behind_links_that_are_gone(placed, site_page):
    site_page.body, site_page.headers = "<h1>Slots</h1><p>" + "honest words " * 60, {"X-Robots-Tag": "noindex"}
    told = placed.look(*[site_page.url] * 6)[1]
    assert told.cause == "seo.noindex"
    assert "5 of 5 registered links are gone" in told.evidence["also"]


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_ending_certificate_names_hop_days_and_threshold_and_hides_no_noindex(watch, serve, http, pki):
    served = serve(
        http("<html><head><title>Slots</title></head><body><h1>Slots</h1>" + "words " * 90),
        pki.context(("127.0.0.1",), end=5),
    )
    watched = watch(ca_file=pki.ca_file)
    _, told = watched.look(served.url())
    assert (told.state, told.cause) == (State.DEGRADED, "tls.expiring")
    assert "127.0.0.1" in told.detail
    assert "5.0 days (warning at 7)" in told.detail
    raw = http("<html><head><title>Slots</title></head><body>" + "words " * 90, x_robots_tag="noindex")
    served.behave = lambda connection, _request: connection.sendall(raw)
    told = watched.look(served.url())[1]
    assert (told.cause, "tls.expiring" in told.evidence["also"]) == ("seo.noindex", True)


def test_without_warning_days_a_certificate_may_end(watch, serve, http, pki):
    served = serve(http("<html><body><h1>Slots</h1>" + "words " * 90), pki.context(("127.0.0.1",), end=5))
    watched = watch(ca_file=pki.ca_file, prober={"warn_days": ()})
    assert watched.look(served.url())[1].state is State.OK
