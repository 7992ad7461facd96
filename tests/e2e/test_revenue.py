"""Revenue over the socket, with a hub that is killed and stopped in the middle of an outage."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from street import kill_hub, lines, losswatch, make_home, opened, until

from data.model.codec import to_json
from data.model.fact import Receipt
from data.model.principal import EVERYTHING
from data.store import alarms, expectations, findings
from tests.checks.revenue.conftest import World
from tui.client import HubClient

DAY = 24
BEGAN = 14 * DAY + 9
SPEED = 1_500
"""An hour in 2.4 seconds."""


@pytest.fixture
def world():
    """P07 earns nothing from `BEGAN` on, and chance reaches the line nowhere else."""
    made = World(days=17, seed=4, sites=1)
    made.thin(BEGAN, made.hours, 0.0, partner="P07")
    return made


@pytest.fixture
def home(tmp_path, street, started, world):
    clock = f"[clock]\nsim_start = {world.at(BEGAN - 1).isoformat()}\nwall_start = {datetime.now(UTC).isoformat()}\n"
    made = make_home(
        tmp_path / "h", street, ["kiel"], interval="600s",
        extra=f'{clock}speed = {SPEED}\n[[teams]]\nid = "cedar"\nname = "Cedar"\n',
    )  # fmt: skip
    (made / "spool").mkdir()
    _drop(made, world, world.facts(), world.receipts())
    started(made)
    return made


def _drop(home, world, facts, receipts):
    """History by file: what was visible before the hub started."""
    past = pl.col("seen_at") <= world.at(BEGAN - 2)
    facts.filter(past).write_parquet(home / "spool" / "facts-history.parquet")
    receipts.filter(past).write_parquet(home / "spool" / "receipts-history.parquet")


def _push(home, world):
    """The rest over the socket, each row to count from its `seen_at` on."""
    rest = pl.col("seen_at") > world.at(BEGAN - 2)
    rows = world.facts().filter(rest).with_columns(pl.col("hour", "seen_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    told = [json.dumps({"fact": row}).encode() for row in rows.iter_rows(named=True)]
    told += [
        b'{"receipt":%b}' % to_json(Receipt(row["partner"], row["hour"], row["seen_at"]))
        for row in world.receipts().filter(rest).iter_rows(named=True)
    ]
    assert asyncio.run(HubClient(home / "hub.sock").post_ndjson("/v1/facts", told)) == len(told)


def calibration(home):
    return lines(losswatch(home, "revenue", "--calibration", "--json"))[0]


def words(home):
    """Everything said of alarms, read from the store once nobody has it open."""
    with opened(home) as store:
        assert store.warnings == ()
        said = alarms.all_words(store, EVERYTHING, datetime(2026, 1, 1, tzinfo=UTC))
        open_findings = [one.target for one in findings.open_or_of(store, EVERYTHING, []) if one.closed_at is None]
        return said, open_findings, expectations.last_hour(store)


def test_an_outage_is_one_alarm_whatever_happens_to_the_hub(home, world):
    assert losswatch(home, "hub", "start").returncode == 0
    _push(home, world)
    (first,) = until(lambda: calibration(home)["alarms"])
    assert (first["target"], first["status"]) == ("slice:partner=P07", "open")
    kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: calibration(home)["alarms"][0]["nats"] > first["nats"])
    assert losswatch(home, "hub", "stop").returncode == 0
    assert losswatch(home, "hub", "start").returncode == 0
    known = calibration(home)["alarms"][0]["nats"]
    assert until(lambda: calibration(home)["alarms"][0]["nats"] > known)
    (incident,) = lines(losswatch(home, "incidents", "--json"))
    assert (incident["cause"], incident["where"]) == ("revenue.silence", "partner=P07")
    detail = lines(losswatch(home, "revenue", "geo=BR,partner=P07", "--json"))[0]
    assert detail["revenue"]["cause"] == "revenue.silence"
    assert losswatch(home, "revenue", "partner=P07,team=aurora").returncode == 3
    before = lines(
        losswatch(home, "revenue", "why", "partner=P07", "--at", f"{world.at(BEGAN):%Y-%m-%dT%H:%MZ}", "--json")
    )[0]
    after = lines(losswatch(home, "revenue", "why", "partner=P07", "--json"))[0]
    assert (before["cause"], after["cause"]) == ("", "revenue.silence")
    assert losswatch(home, "hub", "stop").returncode == 0
    said, open_findings, foretold = words(home)
    assert {(one.id, one.detected_at) for one in said} == {(first["id"], said[0].detected_at)}
    assert [one.at for one in said] == sorted({one.at for one in said})
    assert open_findings == ["slice:partner=P07"]
    assert foretold >= said[-1].at - timedelta(hours=2)


def test_what_is_asked_wrongly_is_answered_in_one_sentence(home):
    assert losswatch(home, "hub", "start").returncode == 0
    for asked, words in (
        (["prtner=P02"], "Did you mean 'partner'?"),
        (["partner=P02", "geo=DE"], "one slice at a time"),
        (["why"], "losswatch revenue why SLICE --at T"),
        (["why", "partner=P02", "--at", "the day of the dog"], "the day of the dog"),
        (["partner=P02", "--calibration"], "about every slice"),
    ):
        ran = losswatch(home, "revenue", *asked)
        assert (ran.returncode, ran.stdout) == (64, "")
        assert words in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
