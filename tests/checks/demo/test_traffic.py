from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from checks.demo.ledger import Ledger
from checks.demo.partners import BY_ID, PARTNERS
from checks.demo.script import Script
from checks.demo.spool import fact_frame, write_history, write_tick
from checks.demo.traffic import Traffic
from data.model.codec import from_json
from data.model.fact import Fact, Receipt

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def frame(ledger, now):
    return fact_frame(ledger, ledger.history(now))


def test_history_has_the_clicks_deposits_and_money_of_the_company(ledger):
    history = frame(ledger, DAY)
    assert history["clicks"].sum() / 35 == pytest.approx(19_250, rel=0.02)
    assert history["ftd"].sum() / 35 == pytest.approx(519, rel=0.05)
    assert history["revenue"].sum() / 35 == pytest.approx(38_800, rel=0.05)


def test_each_partner_earns_its_epc(ledger):
    by_partner = frame(ledger, DAY).group_by("partner").agg(pl.col("clicks", "revenue").sum())
    for partner, clicks, revenue in by_partner.iter_rows():
        assert revenue / clicks == pytest.approx(BY_ID[partner].epc, rel=0.12), partner


def test_nothing_is_seen_before_it_happened_or_after_now(ledger):
    history = frame(ledger, DAY)
    assert history.select((pl.col("seen_at") > pl.col("hour")).all()).item()
    assert history["seen_at"].max() <= DAY
    assert history["seen_at"].is_sorted()


def test_conversions_of_a_partner_without_postbacks_come_with_its_report(ledger):
    history = frame(ledger, DAY)
    report = history.filter((pl.col("partner") == "P02") & (pl.col("regs") > 0))
    assert report.select((pl.col("seen_at") - pl.col("hour") >= timedelta(hours=4)).all()).item()
    direct = history.filter((pl.col("partner") == "P01") & (pl.col("regs") > 0))
    assert direct.select((pl.col("seen_at") - pl.col("hour") <= timedelta(hours=1)).mean()).item() > 0.99


def test_the_same_seed_writes_the_same_facts(world):
    first, second = (frame(Ledger(world, Traffic(world, Script(DAY))), DAY) for _ in range(2))
    assert first.equals(second)


def test_the_day_does_not_depend_on_how_often_one_looks(world):
    def total(steps):
        ledger = Ledger(world, Traffic(world, Script(DAY)))
        ledger.history(DAY)
        rows = [ledger.advance(DAY + timedelta(hours=6) * n / steps) for n in range(1, steps + 1)]
        return sum(int(each.clicks.sum()) for each in rows), round(sum(float(each.revenue.sum()) for each in rows), 2)

    assert total(1) == total(36)


def test_traffic_follows_the_hour_and_the_weekday(world):
    expected = Traffic(world, Script(DAY)).expected(-24 * 8, 24 * 7)
    assert expected.sum() / 7 == pytest.approx(19_250, rel=0.001)
    by_hour = expected.sum(axis=1).reshape(7, 24)
    assert by_hour.max() / by_hour.min() > 3


def test_a_paused_offer_keeps_its_clicks_and_earns_nothing(world):
    traffic = Traffic(world, Script(DAY))
    everybody = traffic.draw(1, 1)
    left, taken = traffic.suffer(everybody, 1)
    mine = traffic.partner[left.leaf] == "P02"
    before, at_home = (traffic.partner[everybody.leaf] == "P02").sum(), traffic.geo[left.leaf[mine]] == "NO"
    assert before - at_home.sum() <= mine.sum() <= before  # a holiday in Norway, and nothing else
    assert np.isnan(left.reg_at[mine]).all()
    assert not left.value[mine].any()
    loss = {each.event: each.commission.sum() for each in taken}
    assert loss["F1"] == pytest.approx(mine.sum() * BY_ID["P02"].epc)


def test_a_dead_edge_takes_the_clicks_themselves(world):
    traffic = Traffic(world, Script(DAY))
    everybody = traffic.draw(7, 1)
    left, _ = traffic.suffer(everybody, 7)
    behind = traffic.edge_share == 1
    assert not behind[left.leaf].any()
    assert behind[everybody.leaf].any()


def test_a_holiday_thins_one_country_and_costs_nobody_anything(world):
    traffic = Traffic(world, Script(DAY))
    people = traffic.draw(9, 1)
    left, taken = traffic.suffer(people, 9)
    norway = (traffic.geo == "NO") & (traffic.team == "aurora") & (traffic.edge_share == 0)
    kept = norway[left.leaf].sum() / norway[people.leaf].sum()
    assert 0.4 < kept < 0.9
    assert "D1" not in {each.event for each in taken}


def test_true_loss_grows_while_the_event_lasts_and_stops_with_it(ledger):
    ledger.history(DAY + timedelta(hours=6))
    losses = [ledger.true_loss("F1", DAY + timedelta(minutes=m)) for m in (0, 60, 120, 240, 360)]
    assert losses[0] == 0
    assert losses == sorted(losses)
    assert losses[3] == losses[4] > 300
    assert ledger.true_loss("D1", DAY + timedelta(hours=6)) == 0


def test_spooled_history_has_the_columns_of_a_fact(ledger, tmp_path):
    written = write_history(ledger, DAY, tmp_path)
    facts = pl.read_parquet(tmp_path / "history.parquet")
    assert facts.height == written > 200_000
    assert set(facts.columns) == set(Fact.__slots__)
    receipts = pl.read_parquet(tmp_path / "receipts-history.parquet")
    assert set(receipts.columns) == set(Receipt.__slots__)
    assert receipts["seen_at"].max() <= DAY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.parquet", "receipts-history.parquet"]


def test_a_tick_parses_as_facts_and_receipts(ledger, tmp_path):
    write_history(ledger, DAY, tmp_path)
    count = write_tick(ledger, DAY + timedelta(minutes=30), tmp_path)
    lines = next(tmp_path.glob("*.ndjson")).read_bytes().splitlines()
    assert len(lines) == count
    parsed = [from_json(line, dict[str, Fact] if b'"fact"' in line else dict[str, Receipt]) for line in lines]
    facts = [each["fact"] for each in parsed if "fact" in each]
    receipts = [each["receipt"] for each in parsed if "receipt" in each]
    assert {fact.seen_at for fact in facts} == {DAY + timedelta(minutes=30)}
    assert all(isinstance(fact.revenue, Decimal) for fact in facts)
    assert {receipt.partner for receipt in receipts} >= {"P01", "P07", "P09"}


def test_every_hour_of_every_partner_is_receipted_once(ledger):
    arrived = ledger.receipts(DAY) + ledger.receipts(DAY + timedelta(days=1, hours=1))
    keys = [(each.partner, each.hour) for each in arrived]
    assert len(keys) == len(set(keys))
    for partner in PARTNERS:
        hours = [each.hour for each in arrived if each.partner == partner.id]
        assert hours == [hours[0] + HOUR * n for n in range(len(hours))]
        assert hours[-1] >= DAY - timedelta(hours=7)
