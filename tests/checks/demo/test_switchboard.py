"""What the company can switch really moves its visitors, and nobody before somebody switched."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from checks.demo.http import Request
from checks.demo.ledger import Ledger
from checks.demo.partners import BY_ID
from checks.demo.script import Script
from checks.demo.spool import fact_frame
from checks.demo.switchboard import Setting, Switchboard, map_text
from checks.demo.traffic import Traffic
from checks.demo.truth import truth_at
from data.durable import replace_text
from tests.checks.demo.conftest import DAY
from tests.checks.demo.test_servers import follow, link_of

SWITCHED = DAY + timedelta(minutes=34)
SWAP = [Setting(SWITCHED, {"P02": "P01"})]
USUAL = {partner: f"http://trk.{one.slug}.example:1/c" for partner, one in BY_ID.items()}


@pytest.fixture
def board(tmp_path):
    moment = [DAY]
    made = Switchboard(lambda: moment[0], tmp_path / "go.map", "k" * 16)
    replace_text(made.file, map_text(USUAL))
    return made, moment


def turn(board, name, key="k" * 16, method="POST"):
    request = Request(method, "dns", f"/v1/edge/{name}", (), {"authorization": f"Bearer {key}"}, b"", "")
    return board.answer(request).status


def test_the_map_as_installed_is_no_setting(board):
    assert board[0].look() == []


def test_each_change_of_the_map_is_remembered_from_when_it_was_seen(board):
    made, moment = board
    moment[0] = SWITCHED
    replace_text(made.file, map_text(USUAL | {"P02": USUAL["P01"]}))
    assert made.look() == SWAP
    moment[0] += timedelta(hours=1)
    assert made.look() == SWAP
    replace_text(made.file, map_text(USUAL) + "# as before\n")
    assert made.look() == [*SWAP, Setting(moment[0])]


def test_a_map_that_is_gone_or_torn_leaves_things_as_they_are(board):
    made, _ = board
    replace_text(made.file, map_text(USUAL | {"P02": USUAL["P01"]}))
    made.look()
    made.file.unlink()
    assert made.look()[-1].sent == {"P02": "P01"}
    replace_text(made.file, "/lumenjack\n/quillspin a b;\n")
    assert made.look()[-1].sent == {}


@pytest.mark.parametrize(
    ("name", "key", "method", "status"),
    [("reserve", "wrong", "POST", 401), ("reserve", "k" * 16, "GET", 404), ("other", "k" * 16, "POST", 404)],
)
def test_the_dns_is_turned_only_by_who_may_and_only_to_what_there_is(board, name, key, method, status):
    assert turn(board[0], name, key, method) == status
    assert not board[0].reserve
    assert board[0].look() == []


def test_the_reserve_is_turned_on_and_off(board):
    made, moment = board
    assert turn(made, "reserve") == 200
    moment[0] = SWITCHED
    assert turn(made, "usual") == 200
    assert made.look() == [Setting(DAY, {}, reserve=True), Setting(SWITCHED)]


def lived(world, settings, now):
    ledger = Ledger(world, Traffic(world, Script(DAY)))
    ledger.settings = lambda: settings
    return ledger, fact_frame(ledger, ledger.history(now))


def of(frame, partner, since, until):
    mine = frame.filter((pl.col("partner") == partner) & pl.col("hour").is_between(since, until, closed="left"))
    return mine.select(pl.col("clicks", "regs", "ftd", "revenue").sum()).row(0, named=True)


def test_visitors_of_a_paused_offer_earn_with_the_partner_they_are_sent_to(world):
    now, since, until = DAY + timedelta(hours=3), DAY + timedelta(hours=1), DAY + timedelta(hours=3)
    (_, without), (ledger, moved) = (lived(world, settings, now) for settings in ([], SWAP))
    assert of(moved, "P02", since, until)["clicks"] == 0
    both = [of(frame, "P01", since, until) for frame in (without, moved)]
    assert both[1]["clicks"] == both[0]["clicks"] + of(without, "P02", since, until)["clicks"]
    assert both[1]["regs"] > both[0]["regs"] * 1.2
    assert both[1]["revenue"] > both[0]["revenue"]
    stopped = ledger.true_loss("F1", SWITCHED)
    assert stopped > 10
    assert ledger.true_loss("F1", now) == pytest.approx(stopped)


def test_who_clicked_before_the_switch_has_the_same_fate_as_without_it(world):
    traffic = Traffic(world, Script(DAY))
    people = traffic.draw(0, 1)
    left = [traffic.suffer(people, 0, settings)[0] for settings in ([], SWAP)]
    early = [each.between(0, 34 * 60) for each in left]
    for name in ("leaf", "at", "reg_at", "value"):
        assert np.array_equal(getattr(early[0], name), getattr(early[1], name), equal_nan=True)


def test_the_reserve_edge_brings_the_best_sites_back_and_not_the_long_tail(world):
    traffic = Traffic(world, Script(DAY))
    people, whole = traffic.draw(6, 1), DAY + timedelta(hours=6)
    (without, lost), (left, still) = (
        traffic.suffer(people, 6, settings) for settings in ([], [Setting(whole, {}, reserve=True)])
    )
    taken = [sum(each.commission.sum() for each in some if each.event == "F5") for some in (lost, still)]
    assert 0 < taken[1] < 0.2 * taken[0]
    assert len(left) > len(without)


def test_a_switch_in_the_middle_of_an_hour_moves_only_who_clicks_after_it(world):
    ledger, switched = Ledger(world, Traffic(world, Script(DAY))), DAY + timedelta(minutes=30)
    settings = []
    ledger.settings = lambda: settings
    ledger.history(switched)
    before = ledger.counts.copy()
    settings.append(Setting(switched, {"P02": "P01"}))
    ledger.advance(DAY + timedelta(hours=1))
    gained = ledger.counts[0] - before[0]
    assert gained[:, ledger.traffic.partner == "P02"].sum() == 0
    assert before[0][:, ledger.traffic.partner == "P02"].sum() > 0


def test_the_truth_says_what_was_lost_an_hour_before_a_plan_and_after_it(world):
    now = DAY + timedelta(hours=2)
    ledger, _ = lived(world, SWAP, now)
    events = truth_at(now, world, Script(DAY), ledger, opened=DAY, speed=90.0).events
    (first,) = [one for one in events if one.relief]
    assert (first.id, first.relief.at, first.relief.until, first.relief.after) == ("F1", SWITCHED, None, 0)
    assert first.relief.before > 20
    back = lived(world, [*SWAP, Setting(now - timedelta(hours=1))], now)[0]
    (again,) = [one for one in truth_at(now, world, Script(DAY), back, opened=DAY, speed=90.0).events if one.relief]
    assert again.relief.until == now - timedelta(hours=1)


def test_what_was_switched_and_taken_back_before_a_failure_did_nothing_about_it(world):
    now, early = DAY + timedelta(hours=2), [Setting(DAY, {"P02": "P01"}), Setting(DAY + timedelta(minutes=5))]
    ledger, _ = lived(world, [*early, *SWAP], now)
    (first,) = [one for one in truth_at(now, world, Script(DAY), ledger, opened=DAY, speed=90.0).events if one.relief]
    assert (first.id, first.relief.at) == ("F1", SWITCHED)


async def test_the_redirector_sends_visitors_where_its_map_says(open_demo):
    company = open_demo.company
    board, link = company.town.board, link_of(open_demo, "P02")
    board.file.parent.mkdir(parents=True, exist_ok=True)
    usual = {partner: company.town.tracker_url(partner) for partner in BY_ID}
    replace_text(board.file, map_text(usual))
    open_demo.at(6, 30)
    assert (await follow(open_demo, link))[1][-1] == "top.offerlane.example"
    replace_text(board.file, map_text(usual | {"P02": usual["P01"]}))
    answer, hosts = await follow(open_demo, link)
    assert (answer.status, hosts) == (200, ["trk.quillspin.example", "www.quillspin.example"])
    assert company.ledger.settings()[-1].sent == {"P02": "P01"}


async def test_a_site_behind_the_reserve_edge_answers_while_halyard_fails(open_demo):
    company, headers = open_demo.company, []
    sites = [site for site in company.town.world.sites if site.edge and site.tier in {1, 3}]
    best, tail = (next(site for site in sites if site.tier == tier) for tier in (1, 3))
    open_demo.at(11, 30)
    assert (await open_demo.get(best.host, tls=best.https)).status == 503
    headers = [f"Authorization: Bearer {company.town.board.key}"]
    turned = await open_demo.get("dns.corvane.example", "/v1/edge/reserve", method="POST", headers=headers)
    assert turned.status == 200
    assert [(await open_demo.get(site.host, tls=site.https)).status for site in (best, tail)] == [200, 503]
