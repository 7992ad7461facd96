"""Runs of somebody else's parser, from their socket and their files to an incident, through a killed hub."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from street import kill_hub, lines, losswatch, make_home, until

from data.errors import LosswatchError
from data.model.snapshot import IncidentDetail, TargetDetail
from tui.client import HubClient


@pytest.fixture
def home(tmp_path, street, started):
    made = make_home(tmp_path / "h", street, ["kiel"])
    rows = "parser,team,interval,outside,query\nprices,aurora,1h,yes,\nquiet,aurora,5s,yes,best slots\n"
    (made / "inventory" / "parsers.csv").write_text(rows)
    started(made)
    return made


def run(at, parser="prices", **more):
    return json.dumps({"parser": parser, "at": at.isoformat(), "items": 40, "fields": {"price": 1.0}} | more).encode()


def push(home, *runs):
    return asyncio.run(HubClient(home / "hub.sock").post_ndjson("/v1/runs", list(runs)))


def ask(home, target):
    return asyncio.run(HubClient(home / "hub.sock").get(f"/v1/target/{target}", TargetDetail))


def parsers(home):
    return {row["name"]: (row["state"], row["cause"]) for row in lines(losswatch(home, "parsers", "--json"))}


def test_a_dead_field_of_another_crawler_becomes_an_incident(home):
    now = datetime.now(UTC)
    assert losswatch(home, "hub", "start").returncode == 0
    told = push(home, *(run(now - timedelta(minutes=5 + n)) for n in range(20)))
    kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0
    assert push(home, *(run(now - timedelta(minutes=5 + n)) for n in range(20))) == 0
    assert told == 20
    push(home, run(now - timedelta(minutes=2), fields={"price": 0}))
    spooled = home / "spool" / "part"
    spooled.write_bytes(run(now - timedelta(minutes=1), fields={"price": {"n": 0}}))
    spooled.rename(home / "spool" / "runs-1.ndjson")
    assert until(lambda: parsers(home)["prices"] == ("failing", "parser.field_dead"))
    fields = lambda: [(field.name, field.fill, field.usual_fill) for field in ask(home, "parser:prices").fields]  # noqa: E731
    assert until(lambda: fields() == [("price", 0.0, 1.0)]), fields()
    varied = lambda: {row.label.partition(" at ")[0] for row in ask(home, "parser:prices").volatility}  # noqa: E731
    assert until(lambda: "results" in varied()), varied()


def test_a_parser_that_stops_pushing_is_late_and_what_it_feeds_is_unseen(home):
    losswatch(home, "hub", "start")
    assert push(home, run(datetime.now(UTC), "quiet")) == 1
    assert until(lambda: parsers(home)["quiet"] == ("failing", "parser.late"))
    (incident,) = until(lambda: lines(losswatch(home, "incidents", "--json")))

    def told():
        detail = asyncio.run(HubClient(home / "hub.sock").get(f"/v1/incidents/{incident['id']}", IncidentDetail))
        return [said.text for said in detail.statements if "unseen" in said.text]

    assert until(told) == ["rank and deindex of 1 query is unseen: 1 of 1 parsers of team aurora fail"]


def test_a_line_that_is_no_run_is_answered_with_its_number(home):
    losswatch(home, "hub", "start")
    with pytest.raises(
        LosswatchError, match=r"line 2: no outside parser 'price' in your scope\. Did you mean 'prices'"
    ):
        push(home, run(datetime.now(UTC)), run(datetime.now(UTC), "price"))


def patient(home):
    """The hub does not miss the parser's next run while the test looks at the last ones."""
    rows = home / "inventory" / "parsers.csv"
    rows.write_text(rows.read_text().replace("quiet,aurora,5s", "quiet,aurora,1h"))


def searches(now, geo, rank):
    """Two days of one an hour, few results in the morning and many in the evening; `rank` is where our site stands."""
    for n in range(1, 49):
        at = now - timedelta(hours=n) + timedelta(minutes=10)
        count = 11 if at.hour < 12 else 32
        hosts = [f"rival{(n + k) % 3 + k}.example" for k in range(count)]
        hosts[rank - 1] = "127.0.0.1"
        yield run(at, "quiet", items=count, geo=geo, hosts=hosts, fields={"title": 1.0, "stars": float(at.hour % 2)})


def test_what_varies_is_shown_for_each_country_and_pages_nobody(home):
    patient(home)
    losswatch(home, "hub", "start")
    now = datetime.now(UTC)
    runs = [*searches(now, "SE", 2), *searches(now, "NO", 5)]
    assert push(home, *runs) == len(runs)
    assert until(lambda: ask(home, "parser:quiet").volatility)
    detail = ask(home, "parser:quiet")
    labels = {row.label: row for row in detail.volatility}
    for geo, place in (("SE", "2"), ("NO", "5")):
        assert any(label.startswith("results at ") and label.endswith(f"best slots {geo}") for label in labels), labels
        assert f"new in the first 10 best slots {geo}" in labels
        assert labels[f"place of kiel best slots {geo}"].now == place
    assert labels["field stars"].words == "comes and goes"
    assert len(detail.by_hour) == 24
    ranks = lambda: [aspect.expect for aspect in ask(home, "site:kiel").aspects if aspect.name == "ranks"]  # noqa: E731  # same
    assert until(lambda: ranks() == ["about 4 in 2 queries"]), ranks()
    assert lines(losswatch(home, "incidents", "--json")) == []


def test_a_site_that_is_gone_from_the_results_of_another_crawler_is_told(home):
    patient(home)
    losswatch(home, "hub", "start")
    now = datetime.now(UTC)
    assert push(home, *searches(now, "SE", 2)) == 48
    without = [f"https://rival{k}.example/" for k in range(32)]
    for n in range(4):
        push(
            home, run(now - timedelta(minutes=4 - n), "quiet", items=32, geo="SE", hosts=without, fields={"title": 1.0})
        )
    rows = lambda: {row["name"]: (row["state"], row["cause"]) for row in lines(losswatch(home, "sites", "--json"))}  # noqa: E731
    assert until(lambda: rows() == {"kiel": ("degraded", "seo.deindexed")}), rows()
