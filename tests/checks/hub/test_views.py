from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.clock import FakeClock
from checks.hub.board import Board
from checks.hub.pricing import Pricing
from checks.hub.recent import Recent
from checks.hub.views import MOST_INCIDENTS, Views
from checks.incidents.desk import IncidentDesk
from data.config.settings import Company, Feed, Partner, Settings
from data.errors import UsageError
from data.model.cause import cause
from data.model.health import HubHealth
from data.model.ids import FindingId, TargetId, TeamId
from data.model.incident import Finding
from data.model.money import Loss, cents
from data.model.observation import Observation, TargetState
from data.model.principal import EVERYTHING, MoneyRight, Principal, Scope
from data.model.snapshot import IncidentCount
from data.model.state import State
from data.model.target import Target, TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
AURORA, BALTIC = TeamId("aurora"), TeamId("baltic")
ADMIN = Principal("root", 0, "admin", EVERYTHING)
BALT = Principal("bo", 1, "junior", Scope(frozenset([BALTIC]), MoneyRight.NONE))


class NoMoney:
    def loss_of(self, slices, start, now, *, basis):
        return Loss()

    def expected_per_hour(self, where, now):
        return 0.0

    def series_of(self, slices, since, until):
        return ()


@pytest.fixture
def house(tmp_path):
    board, desk = Board(), IncidentDesk()
    for team, name, state, because in (
        (AURORA, "kiel", State.FAILING, "tls.expired"),
        (AURORA, "oslo", State.OK, ""),
        (BALTIC, "riga", State.FAILING, "http.5xx"),
        (BALTIC, "tartu", State.PAUSED, ""),
    ):
        target_id = TargetId(f"site:{name}")
        board.put_target(Target(target_id, TargetKind.SITE, team, name, paused=state is State.PAUSED))
        if because:
            board.put_state(TargetState(target_id, team, TargetKind.SITE, state, cause(because)))
            desk.open(
                Finding(FindingId(f"{target_id}@x"), target_id, team, TargetKind.SITE, cause(because), NOON, NOON), NOON
            )
            board.loss_of[target_id] = cents(40)
        elif state is State.OK:
            board.put_state(TargetState(target_id, team, TargetKind.SITE, state))
    desk.tick(NOON, lambda incident, members: Loss(cents(10), cents(5), cents(20), cents(40), cents(30), cents(50)))
    board.say(NOON, "site", "kiel", "certificate expired, losing EUR 40.00 an hour", AURORA)
    board.say(NOON, "hub", "configuration", "reloaded", TeamId(""))
    return Views(
        board=board, desk=desk, clock=FakeClock(NOON), settings=lambda: Settings(tmp_path, Company("Street")),
        health=HubHealth, waiting=tuple, next_due=lambda: NOON + timedelta(seconds=8),
        recent=Recent(desk, Pricing(NoMoney(), board.targets.get, lambda: "EUR")), pid=1,
    )  # fmt: skip


def page(views, who, **asked):
    options = {"expression": "", "sort": "", "descending": False, "offset": 0, "limit": 100} | asked
    return views.targets(who, "site", **options)


def test_a_scope_sees_its_own_rows_counts_incidents_and_log_and_nothing_else(house):
    everything, mine = house.snapshot(EVERYTHING), house.snapshot(BALT.scope)
    assert (everything.sites.counts.failing, mine.sites.counts.failing) == (2, 1)
    assert mine.sites.counts.total == 2
    assert [row.name for row in mine.sites.rows] == ["riga", "tartu"]
    assert [one.where for one in mine.incidents] == ["riga"]
    assert [line.who for line in mine.log] == ["configuration"]
    assert [row.name for row in page(house, BALT).rows] == ["riga", "tartu"]
    assert page(house, BALT, expression="kiel").total == 0


def test_without_the_right_to_money_no_figure_and_no_order_tells_it(house):
    mine = house.snapshot(BALT.scope)
    assert (mine.loss_per_hour, mine.lost_today) == (None, None)
    assert {one.loss.currency for one in mine.incidents} == {""}
    assert {row.loss_per_hour for row in page(house, BALT, sort="loss_per_hour", descending=True).rows} == {None}
    assert mine.incidents[0].severity


def test_with_the_right_losses_add_up(house):
    everything = house.snapshot(EVERYTHING)
    assert (everything.loss_per_hour, everything.lost_today) == (cents(80), cents(20))
    assert everything.next_due_s == 8.0


def test_a_list_is_a_window_of_what_matches(house):
    found = page(house, ADMIN, sort="name", offset=1, limit=2)
    assert ([row.name for row in found.rows], found.total, found.offset) == (["oslo", "riga"], 4, 1)
    assert page(house, ADMIN, expression="state=failing").total == 2
    assert page(house, ADMIN, offset=99).rows == ()


def test_a_list_that_does_not_exist_is_named_with_those_that_do(house):
    with pytest.raises(UsageError, match=r"no list 'cats'; there are site, link, parser, feed, slice"):
        house.targets(ADMIN, "cats", expression="", sort="", descending=False, offset=0, limit=1)


def test_a_paused_target_is_paused_and_comes_back_unknown(house):
    board = house.board
    assert board.states[TargetId("site:tartu")].state is State.PAUSED
    board.put_target(Target(TargetId("site:tartu"), TargetKind.SITE, BALTIC, "tartu"))
    assert board.states[TargetId("site:tartu")].state is State.UNKNOWN


def test_a_target_that_is_removed_leaves_nothing_behind(house):
    board = house.board
    board.observed(Observation(TargetId("site:kiel"), AURORA, TargetKind.SITE, NOON, State.FAILING, total_ms=12.0))
    board.remove_target(TargetId("site:kiel"))
    assert board.find_row(TargetId("site:kiel"), NOON) is None
    assert house.snapshot(EVERYTHING).sites.counts.failing == 1


def test_a_calm_line_about_another_team_s_partner_is_not_read(house, tmp_path):
    partners = tuple(Partner(name, name) for name in ("P04", "P05"))
    feeds = (Feed("p04", AURORA, "P04", "affilka"), Feed("p05", BALTIC, "P05", "affilka"))
    house.settings = lambda: Settings(tmp_path, Company("Street"), partners=partners, feeds=feeds)
    lines = ("waiting for P04 since 11-17 06:00Z", "P05 not judged since 06:00Z: 401", "2 rows left out: no hour")
    house.waiting = lambda: lines
    assert house.snapshot(EVERYTHING).waiting == lines
    assert house.snapshot(BALT.scope).waiting == lines[1:]


def test_of_thousands_of_incidents_a_snapshot_holds_the_first_and_counts_the_rest(house):
    for number in range(MOST_INCIDENTS + 40):
        name = TargetId(f"site:s{number}")
        why = cause("http.5xx")
        house.desk.open(Finding(FindingId(f"{name}@x"), name, AURORA, TargetKind.SITE, why, NOON, NOON), NOON)
    seen = house.snapshot(EVERYTHING)
    assert len(seen.incidents) == MOST_INCIDENTS
    assert seen.beyond == IncidentCount(open=42)
    assert seen.incidents == house.incidents(EVERYTHING, 0, MOST_INCIDENTS).rows
    last = house.incidents(EVERYTHING, MOST_INCIDENTS, 1000)
    assert (last.total, len(last.rows)) == (MOST_INCIDENTS + 42, 42)


def test_what_is_urgent_and_nobody_s_is_in_the_snapshot_however_many_cost_more(house):
    for number in range(MOST_INCIDENTS):
        name = TargetId(f"site:s{number}")
        house.desk.open(
            Finding(FindingId(f"{name}@x"), name, AURORA, TargetKind.SITE, cause("http.5xx"), NOON, NOON), NOON
        )
    house.desk.charge(NOON, lambda *_: Loss(per_hour=cents(5)))
    breaches = []
    for name in (TargetId("site:unlicensed"), TargetId("site:unlicensed-too")):
        breach = Finding(
            FindingId(f"{name}@x"), name, AURORA, TargetKind.SITE, cause("link.wrong_target"), NOON, NOON,
            fingerprint={"compliance": "no licence"},
        )  # fmt: skip
        breaches += house.desk.open(breach, NOON).incidents
    house.desk.acknowledge(breaches[1].id, "maria", NOON)
    seen = house.snapshot(EVERYTHING)
    assert [one.id for one in seen.incidents[MOST_INCIDENTS:]] == [breaches[0].id]
    assert (seen.beyond.open, seen.beyond.acknowledged, seen.beyond.sev1) == (3, 1, 1)
