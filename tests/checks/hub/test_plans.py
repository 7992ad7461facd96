"""The plan desk: whose yes counts, that nothing is touched before it is written down, and what goes off by itself."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from checks.hub.plans import ITSELF, NotStored, Plans
from data.access.roles import ROLES
from data.errors import NotAllowed, UsageError
from data.model.incident import Finding, Incident, IncidentState, Severity
from data.model.money import Loss
from data.model.observation import TargetState
from data.model.plan import Adapter, Needs, Plan, SwitchState
from data.model.principal import Principal, Scope
from data.model.state import State
from data.model.target import Target, TargetKind

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
MAP = "/go https://p02.example/;\n"
NEW = "/go https://p11.example/;\n"


class Hub(SimpleNamespace):
    """As much of a hub as the desk asks."""

    def __init__(self, folder, *plans):
        self.kept, self.said, self.takes, self.at = [], [], True, NOW
        link = Target("link:P11", TargetKind.LINK, "aurora", "P11", "http://x.example/", partner="P11", geo="DE")
        cube = SimpleNamespace(top=0, select=lambda _: np.zeros(0, np.bool_), measure=None)
        super().__init__(
            settings=SimpleNamespace(plans=plans, programs=(), brands=(), partners=()),
            home=SimpleNamespace(config=folder),
            clock=SimpleNamespace(now=lambda: self.at),
            keeping=SimpleNamespace(keep=self._keep),
            board=SimpleNamespace(
                targets={link.id: link}, states={link.id: TargetState(link.id, "aurora", TargetKind.LINK, State.OK, last_at=NOW)},
                census=SimpleNamespace(labels=lambda _: ()), say=lambda *words: self.said.append(words[3]), touch=lambda: None,
            ),
            desk=SimpleNamespace(open_incidents=[INCIDENT], members=lambda _: [FINDING], get=lambda _: INCIDENT),
            book=SimpleNamespace(at_rest=nullcontext, reader=lambda: None, cube=cube),
            pulls=SimpleNamespace(client=None),
            check_at=lambda *_: None,
        )  # fmt: skip

    async def _keep(self, rows):
        if self.takes:
            self.kept.extend(rows)
        return self.takes


FINDING = Finding("f", "link:P02", "aurora", TargetKind.LINK, "link.inactive", NOW, NOW, fingerprint={"partner": "P02"})
INCIDENT = Incident(
    7, "aurora", ("aurora",), "link.inactive", Severity.SEV2, IncidentState.NEW, "t", "P02", "", "", NOW, NOW,
    loss=Loss(per_hour=Decimal(150)),
)  # fmt: skip
PLAN = Plan(
    "p02", "B", "send it to P11", ("link.",), partner="P02", does=Adapter.REDIRECTS, options={"file": "go.map"},
    sets={"/go": "https://p11.example/"}, needs=(Needs.GREEN,), standby=("link:P11",),
)  # fmt: skip


@pytest.fixture
def desk(tmp_path):
    def made(**fields):
        (tmp_path / "go.map").write_text(MAP)
        return Plans(Hub(tmp_path, replace(PLAN, **fields)))

    return made


@pytest.fixture
def written(tmp_path):
    return (tmp_path / "go.map").read_text


def person(name, role="senior", teams=("aurora",)):
    return Principal(name, 1000, role, Scope(frozenset(teams)), ROLES[role].actions)


async def use(desk, who, key="B"):
    return await desk.ask(who, INCIDENT, [FINDING], key)


async def test_one_yes_is_enough_below_the_limit(desk, written):
    room = desk(two_over=Decimal(200))
    assert (await use(room, person("maria"))).state is SwitchState.APPLIED
    assert written() == NEW
    assert [type(row).__name__ for row in room.hub.kept] == [
        "Switch",
        "Switch",
        "Switch",
        "TimelineEntry",
        "AuditEntry",
    ]


async def test_over_the_limit_the_second_yes_must_be_another_person_s(desk, written):
    room = desk(two_over=Decimal(100))
    assert (await use(room, person("maria"))).state is SwitchState.ASKED
    assert written() == MAP
    with pytest.raises(NotAllowed, match="maria has said yes already"):
        await room.approve(person("maria"), "p02")
    done = await room.approve(person("jan"), "p02")
    assert (done.state, done.approved) == (SwitchState.APPLIED, ("maria", "jan"))
    assert written() == NEW


async def test_the_second_yes_counts_only_while_what_it_needs_holds(desk, written):
    room = desk(two_over=Decimal(100))
    await use(room, person("maria"))
    room.hub.board.states["link:P11"] = replace(room.hub.board.states["link:P11"], state=State.FAILING, detail="503")
    with pytest.raises(UsageError, match="cannot be used: P11 failing: 503"):
        await room.approve(person("jan"), "p02")
    room.hub.desk.get = lambda _: replace(INCIDENT, closed_at=NOW)
    with pytest.raises(UsageError, match="incident #7 is over"):
        await room.approve(person("jan"), "p02")
    assert written() == MAP


async def test_what_everybody_s_incident_uses_is_no_single_team_s_to_take_back(desk):
    room = desk()
    await room.ask(
        Principal("root", 0, "admin", Scope(None), ROLES["admin"].actions), replace(INCIDENT, team="*"), [FINDING], "B"
    )
    with pytest.raises(UsageError, match="is in use; there are: none"):
        await room.revert(person("maria"), "p02")


async def test_a_person_who_is_first_leaves_nothing_for_the_clock_to_take_back(desk, monkeypatch):
    room = desk(expires_s=3600.0)
    await use(room, person("maria"))
    reverts = []
    real = room._revert
    monkeypatch.setattr(Plans, "_revert", lambda self, switch, who: reverts.append(who) or real(switch, who))
    room.hub.at = NOW + timedelta(hours=1)
    await asyncio.gather(room.revert(person("jan"), "p02"), room.tick())
    assert reverts == ["jan"]


async def test_a_store_that_is_full_does_not_keep_a_plan_from_being_taken_back(desk, written):
    room = desk()
    await use(room, person("maria"))
    room.hub.takes = False
    assert (await room.revert(person("maria"), "p02")).state is SwitchState.REVERTED
    assert written() == MAP


async def test_a_junior_asks_and_a_senior_says_yes(desk, written):
    room = desk()
    assert (await use(room, person("kim", "junior"))).approved == ()
    assert written() == MAP
    await room.approve(person("maria"), "p02")
    assert written() == NEW


async def test_another_team_s_person_finds_nothing_to_say_yes_to(desk):
    room = desk(two_over=Decimal(100))
    await use(room, person("maria"))
    with pytest.raises(UsageError, match="no plan 'p02' is in use; there are: none"):
        await room.approve(person("eve", "lead", ("baltic",)), "p02")


async def test_nothing_is_touched_that_is_not_written_down_first(desk, written):
    room = desk()
    room.hub.takes = False
    with pytest.raises(NotStored):
        await use(room, person("maria"))
    assert written() == MAP


async def test_a_question_nobody_answers_lapses_and_can_be_withdrawn(desk):
    room = desk(two_over=Decimal(100))
    await use(room, person("maria"))
    room.hub.at = NOW + timedelta(minutes=31)
    await room.tick()
    assert room.live == {}
    assert room.hub.said[-1] == "withdrew plan B send it to P11: nobody answered"


async def test_what_is_over_is_taken_back_and_says_so(desk, written):
    room = desk(expires_s=3600.0)
    await use(room, person("maria"))
    room.hub.at = NOW + timedelta(minutes=59)
    await room.tick()
    assert written() == NEW
    room.hub.at = NOW + timedelta(minutes=60)
    await room.tick()
    assert written() == MAP
    assert room.hub.said[-1].startswith("took plan B send it to P11 back")


async def test_what_somebody_changed_since_is_stuck_until_a_person_settles_it(desk, tmp_path, written):
    room = desk()
    await use(room, person("maria"))
    (tmp_path / "go.map").write_text("/go https://third.example/;\n")
    assert (await room.revert(person("maria"), "p02")).state is SwitchState.STUCK
    assert written() == "/go https://third.example/;\n"
    with pytest.raises(NotAllowed):
        await room.settle(person("kim", "junior"), "p02")
    assert (await room.settle(person("maria"), "p02")).state is SwitchState.WITHDRAWN
    assert room.live == {}


@pytest.mark.parametrize(
    ("fields", "state", "goes"),
    [
        ({"auto": True, "rehearsed": NOW.date()}, State.OK, True),
        ({"auto": True, "rehearsed": NOW.date()}, State.UNKNOWN, False),
        ({"auto": True, "rehearsed": NOW.date(), "two_over": Decimal(100)}, State.OK, False),
        ({"auto": True, "rehearsed": NOW.date() - timedelta(days=91)}, State.OK, False),
        ({"auto": True}, State.OK, False),
        ({"rehearsed": NOW.date()}, State.OK, False),
    ],
)
async def test_a_plan_goes_off_by_itself_only_when_it_may_is_fresh_and_sure(desk, written, fields, state, goes):
    room = desk(**fields)
    room.hub.board.states["link:P11"] = replace(room.hub.board.states["link:P11"], state=state)
    await room.tick()
    assert (written() == NEW) is goes
    assert [one.asked_by for one in room.live.values()] == ([ITSELF.name] if goes else [])


async def test_an_automatic_plan_has_one_chance_at_an_incident(desk, written):
    room = desk(auto=True, rehearsed=NOW.date())
    await room.tick()
    await room.revert(person("maria"), "p02")
    await room.tick()
    assert written() == MAP


async def test_an_automatic_plan_that_could_not_be_written_down_goes_when_it_can(desk, written, caplog):
    room = desk(auto=True, rehearsed=NOW.date())
    room.hub.takes = False
    await room.tick()
    assert written() == MAP
    assert "plan p02 did not go by itself: the database cannot be written" in caplog.text
    room.hub.takes = True
    await room.tick()
    assert written() == NEW


async def test_what_a_crash_left_in_the_middle_may_be_put_right_before_the_hub_looks_at_it(desk, written):
    room = desk()
    switch = await use(room, person("maria"))
    room.live = {switch.id: replace(switch, state=SwitchState.APPLYING)}
    room._halfway = [switch.id, "another"]
    assert (await room.revert(person("maria"), "p02")).state is SwitchState.REVERTED
    await room.tick()
    assert (written(), room.live, room._halfway) == (MAP, {}, [])


async def test_a_plan_that_is_declared_no_longer_cannot_be_taken_back_unseen(desk, written):
    room = desk()
    await use(room, person("maria"))
    room.hub.settings.plans = ()
    stuck = await room.revert(person("maria"), "p02")
    assert (stuck.state, "no longer declared" in stuck.detail) == (SwitchState.STUCK, True)
    assert written() == NEW


async def test_a_letter_nobody_declared_is_named_with_those_there_are(desk):
    with pytest.raises(UsageError, match="there are: B p02"):
        await use(desk(), person("maria"), "C")
