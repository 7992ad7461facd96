"""Searches in two countries over a real hub: a new layout is no deindexing, and a deindexing is no layout."""

from __future__ import annotations

import asyncio

import pytest
from engine import NEW, OLD, SPEC, Engine, Proxy
from street import kill_hub, lines, losswatch, make_home, until

from data.model.snapshot import IncidentDetail, TargetDetail
from tui.client import HubClient

SITES = ["kiel", "lima", "oslo"]
VANTAGE = '[[vantages]]\ncountry = "{}"\nproxy = "http://127.0.0.1:{}"\n'


@pytest.fixture
def engine(street):
    engine = Engine({name: street.url(name) for name in SITES})
    yield engine
    engine.close()


@pytest.fixture
def home(tmp_path, street, engine, started):
    proxies = [Proxy("DE"), Proxy("AT")]
    extra = "".join(VANTAGE.format(proxy.country, proxy.port) for proxy in proxies)
    made = make_home(tmp_path / "h", street, SITES, extra=extra, interval="1s")
    (made / "serp.toml").write_text(SPEC)
    (made / "inventory" / "queries.txt").write_text("online casino\nwetten\n")
    url = f"http://127.0.0.1:{engine.port}/search?q={{query}}&gl={{geo}}"
    (made / "inventory" / "parsers.csv").write_text(
        f"parser,url,team,spec,geo,query,canary,interval\nserp,{url},aurora,serp.toml,DE|AT,@queries.txt,wetter,1s\n"
    )
    started(made)
    assert losswatch(made, "hub", "start").returncode == 0
    yield made
    for proxy in proxies:
        proxy.close()


def rows(home, kind):
    return {row["name"]: (row["state"], row["cause"]) for row in lines(losswatch(home, kind, "--json"))}


def detail(home, target):
    return asyncio.run(HubClient(home / "hub.sock").get(f"/v1/target/{target}", TargetDetail))


def known(home):
    """Whether all sites stand so steadily in all queries that their absence would mean something."""
    told = [aspect.value for name in SITES for aspect in detail(home, f"site:{name}").aspects if aspect.name == "ranks"]
    return told == ["seen in 6 of 6 queries"] * 3


def test_a_new_layout_is_no_deindexing_and_a_deindexing_is_exactly_one(home, engine):
    assert until(lambda: known(home), every_s=1.0), detail(home, "site:kiel").aspects
    assert {(country, through) for _, country, through in engine.asked} == {("de", "DE"), ("at", "AT")}
    assert {query for query, _, _ in engine.asked} == {"online casino", "wetten", "wetter"}

    engine.layout = NEW
    assert until(lambda: {state for state, _ in rows(home, "parsers").values()} == {"failing"}, every_s=1.0)
    assert {cause for _, cause in rows(home, "parsers").values()} == {"parser.selector_dead"}
    seen = len(engine.asked)
    assert until(
        lambda: len(engine.asked) > seen + 36
    )  # six more pages of every query: more than enough to miss a site
    assert rows(home, "sites") == dict.fromkeys(SITES, ("ok", ""))
    (ranks,) = [aspect for aspect in detail(home, "site:kiel").aspects if aspect.name == "ranks"]
    assert ranks.state == "unknown"
    assert ranks.value.startswith("unseen since ")
    assert ranks.value.endswith("in 6 of 6 queries")
    number = lines(losswatch(home, "incidents", "--json"))[0]["id"]
    said = asyncio.run(HubClient(home / "hub.sock").get(f"/v1/incidents/{number}", IncidentDetail)).statements
    assert any("ranks of 3 sites unseen since " in one.text and ", 6 queries" in one.text for one in said), said

    engine.layout = OLD
    assert until(lambda: {state for state, _ in rows(home, "parsers").values()} == {"ok"}, every_s=1.0)
    engine.gone = {"kiel"}
    gone = {"kiel": ("degraded", "seo.deindexed"), "lima": ("ok", ""), "oslo": ("ok", "")}
    assert until(lambda: rows(home, "sites") == gone, every_s=1.0), rows(home, "sites")
    kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0
    seen = len(engine.asked)
    assert until(lambda: len(engine.asked) > seen + 12)
    assert until(lambda: rows(home, "sites") == gone, every_s=1.0), rows(home, "sites")
    assert "missing at 127.0.0.1 in " in detail(home, "site:kiel").row.detail
    engine.gone = set()
    assert until(lambda: rows(home, "sites") == dict.fromkeys(SITES, ("ok", "")), every_s=1.0)


def test_an_empty_query_is_told_by_its_canary_and_a_failing_canary_speaks_for_all(home, engine):
    names = [f"serp-{geo}-{query}" for geo in ("de", "at") for query in ("online-casino", "wetten", "wetter")]
    fine = dict.fromkeys(names, ("ok", ""))
    assert until(lambda: rows(home, "parsers") == fine and len(engine.asked) > 60, every_s=1.0)

    engine.empty = {"wetten"}
    empty = {f"serp-{geo}-wetten": ("failing", "page.no_results") for geo in ("de", "at")}
    assert until(lambda: rows(home, "parsers") == fine | empty, every_s=1.0), rows(home, "parsers")
    newest = lambda target: detail(home, target).observations[0]  # noqa: E731  # shortest form
    assert until(lambda: newest("parser:serp-de-wetten").evidence.get("canary") == "'wetter' parses")

    engine.empty = {"wetter"}

    def by_canary():
        found = rows(home, "parsers")
        canaries = {found[f"serp-{geo}-wetter"] for geo in ("de", "at")}
        return canaries == {("failing", "parser.selector_dead")} and found["serp-de-online-casino"][0] == "unknown"

    assert until(by_canary, every_s=1.0), rows(home, "parsers")
    unbelieved = "not believed: the canary 'wetter' fails"
    assert until(lambda: unbelieved in newest("parser:serp-de-online-casino").detail)
    assert rows(home, "sites") == dict.fromkeys(SITES, ("ok", ""))
