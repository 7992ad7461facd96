"""The notifier over a real desk and a real database: what a restart changes, mutes, maintenance, hand-overs, who may ask."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace

import httpx
import pytest

from checks.engine.clock import FakeClock
from checks.hub.keeping import Keeping
from checks.hub.notice_desk import NoticeDesk
from checks.hub.notifier import Notifier
from checks.incidents.desk import IncidentDesk
from data.config.notifying import Channel, Layer, Notifying, Person, Rota, Route
from data.config.settings import Maintenance, Partner, Settings, Team, User
from data.errors import NotAllowed, UsageError
from data.model.incident import Finding, IncidentState, TimelineEntry
from data.model.notice import NoticeKind, NoticeState
from data.model.principal import EVERYTHING, MoneyRight, Principal, Scope
from data.model.target import Target, TargetKind
from data.store import audit, findings, incidents, outbox
from data.store.store import Store

BEGAN = datetime(2026, 11, 16, 12, tzinfo=UTC)
ROOT = Route(to=("chat",), place="losswatch.toml:1", group_wait_s=0.0)
CHAT = Channel("chat", secret="chat", role="lead")
PHONE = Channel("phone", secret="phone", role="junior")
RULES = Notifying(ROOT, (CHAT, PHONE), (Person("ana", ("phone",), account="u1001"), Person("ben", ("chat",))))
TEAMS = (Team("aurora", "Aurora"), Team("cedar", "Cedar"))
ADMIN = Principal("root", 0, "admin", EVERYTHING)
AURORA = Principal("maria", 1, "senior", Scope(frozenset({"aurora"}), MoneyRight.FULL))
BLIND = Principal("jo", 2, "client", Scope(frozenset({"aurora"}), MoneyRight.NONE, (("Quillspin", "P05"),)))


class House:
    """What the notifier needs of a hub."""

    def __init__(self, folder, rules=RULES):
        self.store = Store.open(folder / "losswatch.duckdb", None)
        self.clock, self.keeping = FakeClock(BEGAN), Keeping(self.store)
        self.settings = Settings(folder, teams=TEAMS, notify=rules, users=(User("maria", "senior"),))
        targets = [Target(f"site:s{n}", TargetKind.SITE, "aurora", f"s{n}", f"http://s{n}.example/", project="kestrel") for n in range(1, 9)]  # fmt: skip
        self.board = SimpleNamespace(targets={target.id: target for target in targets}, touch=lambda: None)
        self.secrets = SimpleNamespace(get=lambda _: "json://127.0.0.1:9/x")
        self.pulls = SimpleNamespace(client=httpx.AsyncClient(trust_env=False))
        self.intake = SimpleNamespace(settle=self.settle)
        self.started_at = datetime.now(UTC)
        self.desk = IncidentDesk()
        self.wake()

    def wake(self):
        self.notifier = Notifier(self)
        self.notices = NoticeDesk(self)

    def settle(self, change):
        return [*change.incidents, *change.findings, *change.timeline, *self.notifier.rows(change)]

    async def fails(self, number, team="aurora", cause="http.5xx"):
        now = self.clock.now()
        target = f"site:s{number}"
        finding = Finding(
            f"{target}@{now.isoformat()}", target, team, TargetKind.SITE, cause, now, now, fingerprint={"geo": "DE"}
        )
        await self.keeping.keep(self.settle(self.desk.open(finding, now)))
        return finding

    async def recovers(self, finding):
        await self.keeping.keep(self.settle(self.desk.close(finding.id, self.clock.now())))

    async def dies_and_comes_back(self):
        """Everything is read back from the store."""
        self.started_at = datetime.now(UTC)
        known = incidents.open_incidents(self.store, EVERYTHING)
        members = findings.open_or_of(self.store, EVERYTHING, [one.id for one in known])
        self.desk = IncidentDesk(known, members, incidents.last_id(self.store))
        self.wake()

    async def later(self, seconds):
        self.clock.advance(seconds)
        await self.notifier.tick()

    def said(self, **more):
        found = outbox.since(self.store, EVERYTHING, BEGAN - timedelta(days=1))
        return [(one.kind.value, one.channel, list(one.incidents)) for one in found if all(getattr(one, k) == v for k, v in more.items())]  # fmt: skip

    async def close(self):
        await self.notifier.stop()
        await self.pulls.client.aclose()
        self.store.close()


@pytest.fixture
async def house(tmp_path):
    made = House(tmp_path)
    yield made
    await made.close()


OPENED = ("opening", "chat", [1])
OVER = ("resolved", "chat", [1])


async def test_the_opening_is_stored_in_the_batch_of_the_incident(house):
    await house.fails(1)
    assert house.said() == [OPENED]


async def test_a_new_hub_says_nothing_again_and_the_end_to_whoever_heard_the_beginning(house):
    finding = await house.fails(1)
    await house.dies_and_comes_back()
    await house.later(400)
    assert house.said() == [OPENED]
    await house.recovers(finding)
    await house.later(400)
    assert house.said() == [OPENED, OVER]


async def test_what_closed_and_was_not_said_before_the_end_is_said_by_the_next_hub(house):
    await house.fails(1)
    (known,) = incidents.open_incidents(house.store, EVERYTHING)
    closed = replace(known, state=IncidentState.CLOSED, closed_at=BEGAN, closed_by="losswatch")
    await house.keeping.keep([closed])
    await house.dies_and_comes_back()
    await house.later(400)
    assert house.said() == [OPENED, OVER]
    await house.dies_and_comes_back()
    await house.later(4_000)
    assert house.said() == [OPENED, OVER]


async def test_what_opened_and_was_not_said_before_the_end_is_said_by_the_next_hub(house):
    now = house.clock.now()
    finding = Finding("site:s1@x", "site:s1", "aurora", TargetKind.SITE, "http.5xx", now, now)
    change = house.desk.open(finding, now)
    await house.keeping.keep([*change.incidents, *change.findings])
    await house.dies_and_comes_back()
    await house.later(1)
    assert house.said() == [OPENED]


async def test_without_channels_nothing_is_said_or_stored(tmp_path):
    quiet = House(tmp_path, Notifying())
    await quiet.fails(1)
    await quiet.later(9_999)
    assert quiet.said() == []
    await quiet.close()


async def test_channels_that_come_later_hear_of_what_is_open(tmp_path):
    made = House(tmp_path, Notifying())
    await made.fails(1)
    made.settings = replace(made.settings, notify=RULES)
    made.notifier.configure(made.settings)
    await made.later(1)
    assert made.said() == [OPENED]
    await made.close()


async def attempted(made, name):
    """Poll until the couriers, left to themselves, have tried the channel."""
    for _ in range(400):
        said = outbox.since(made.store, EVERYTHING, BEGAN)
        if any(one.attempts for one in said if one.channel == name):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} was never tried")


async def test_a_channel_that_comes_while_the_hub_runs_is_served_and_so_is_one_that_changed(tmp_path):
    made = House(tmp_path, Notifying())
    running = asyncio.create_task(made.notifier.run())
    await asyncio.sleep(0)
    made.notifier.configure(replace(made.settings, notify=RULES))
    await made.fails(1)
    await attempted(made, "chat")
    changed = replace(RULES, root=replace(ROOT, to=("chat", "phone")), channels=(CHAT, replace(PHONE, timeout_s=3.0)))
    made.notifier.configure(replace(made.settings, notify=changed))
    await attempted(made, "phone")
    running.cancel()
    await made.close()


async def test_what_waits_for_a_channel_that_is_gone_is_a_dead_letter(house):
    await house.fails(1)
    gone = replace(RULES, channels=(PHONE,), root=replace(ROOT, to=("phone",)))
    house.settings = replace(house.settings, notify=gone)
    house.notifier.configure(house.settings)
    await house.later(1)
    _, (dead,) = outbox.page(house.store, EVERYTHING, "dead", house.clock.now())
    assert dead.problem == "there is no channel 'chat' any longer"


async def test_while_all_that_fails_is_being_worked_on_nothing_is_repeated(house):
    window = Maintenance(
        "rack", targets=("site:s1",), start=BEGAN + timedelta(seconds=60), end=BEGAN + timedelta(hours=1)
    )
    often = replace(RULES, root=replace(ROOT, repeat_interval_s=600.0))
    house.settings = replace(house.settings, notify=often, maintenance=(window,))
    house.notifier.configure(house.settings)
    await house.fails(1)
    for _ in range(11):
        await house.later(310)
    assert house.said() == [OPENED]
    for _ in range(2):
        await house.later(310)
    assert house.said() == [OPENED, ("repeat", "chat", [1])]


# ── mutes ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_mute_tells_what_it_hides_has_a_reason_an_end_and_an_entry_in_the_audit(house):
    house.notifier.mutes.clear()
    await house.fails(1)
    given = {"matchers": {"cause": "http", "geo": "DE"}, "for": "2h", "reason": "move"}
    dry = await house.notices.mute(ADMIN, {**given, "dry_run": True})
    assert dry.message == "would hide 1 open incident: #1"
    assert not house.notifier.mutes
    made = await house.notices.mute(ADMIN, given)
    assert "quiet for 2h, hides 1 open incident: #1" in made.message
    await house.fails(2)
    await house.later(60)
    assert house.said() == [OPENED]
    await house.dies_and_comes_back()
    await house.later(3_600)
    assert house.said() == [OPENED]
    await house.later(3_600)
    assert ("opening", "chat", [2, 1]) in house.said()
    (entry,) = audit.entries(house.store, EVERYTHING)
    assert (entry.who, entry.action, entry.subject, entry.detail) == ("root", "mute", "cause=http geo=DE", "2h: move")


async def test_an_unmute_tells_what_is_open(house):
    await house.notices.mute(ADMIN, {"matchers": {"cause": "http"}, "for": "2h", "reason": "move"})
    await house.fails(1)
    await house.later(1)
    assert house.said() == []
    (name,) = house.notifier.mutes
    await house.notices.unmute(ADMIN, {"mute": name})
    await house.later(301)
    assert house.said() == [OPENED]
    assert outbox.mutes(house.store, EVERYTHING, house.clock.now()) == []


async def test_a_mute_reaches_no_further_than_whoever_asked_for_it(house):
    await house.notices.mute(AURORA, {"matchers": {"cause": "http"}, "for": "2h", "reason": "move"})
    await house.fails(1)
    await house.fails(2, team="cedar")
    assert house.said() == [("opening", "chat", [2])]


async def test_nobody_ends_a_mute_that_reaches_further_than_they_see(house):
    await house.notices.mute(ADMIN, {"matchers": {"cause": "http"}, "for": "2h", "reason": "move"})
    (name,) = house.notifier.mutes
    with pytest.raises(NotAllowed):
        await house.notices.unmute(AURORA, {"mute": name})


async def test_a_mute_that_is_not_there_names_those_of_ones_own_teams_alone(house):
    for who, cause in ((ADMIN, "http"), (AURORA, "link")):
        await house.notices.mute(who, {"matchers": {"cause": cause}, "for": "2h", "reason": "move"})
    everybodys, mine = house.notifier.mutes
    with pytest.raises(UsageError, match=f"there are {mine}$"):
        await house.notices.unmute(AURORA, {"mute": "gone"})
    with pytest.raises(UsageError, match=f"there are {everybodys}, {mine}$"):
        await house.notices.unmute(ADMIN, {"mute": "gone"})


async def test_a_snooze_is_for_one_incident(house):
    await house.fails(1)
    await house.fails(2, cause="link.inactive")
    await house.notices.snooze(AURORA, {"incident": 2, "for": "1h"})
    (mute,) = house.notifier.mutes.values()
    assert (mute.matchers, mute.reason) == ({"incident": "2"}, "snoozed by maria")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"matchers": {}, "for": "1h", "reason": "x"}, "something to match"),
        ({"matchers": {"colour": "x"}, "for": "1h", "reason": "x"}, "no label 'colour'"),
        ({"matchers": {"cause": 7}, "for": "1h", "reason": "x"}, "needs a value"),
        ({"matchers": {"cause": "x"}, "for": "1h", "reason": " "}, "needs a reason"),
        ({"matchers": {"cause": "x"}, "for": "soon", "reason": "x"}, "is no duration"),
        ({"matchers": {"cause": "x"}, "for": "1s", "reason": "x"}, "from 1m to"),
        ({"matchers": {"cause": "x"}, "for": "365d", "reason": "x"}, "from 1m to"),
        ({"matchers": "all", "for": "1h", "reason": "x"}, "something to match"),
        ({}, "something to match"),
    ],
)
async def test_a_mute_that_says_too_little_is_refused(house, given, words):
    with pytest.raises(UsageError, match=words):
        await house.notices.mute(ADMIN, given)


# ── hands ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_assigned_is_acknowledged_told_and_audited(house):
    await house.fails(1)
    reply = await house.notices.assign(ADMIN, {"incident": 1, "to": "u1001"})
    assert reply.message == "incident #1 assigned to ana"
    await house.later(1)
    assert sorted(house.said()) == [("acknowledged", "chat", [1]), ("acknowledged", "phone", [1]), OPENED]
    known = house.desk.get(1)
    assert (known.state, known.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "ana")
    with pytest.raises(UsageError, match="did you mean 'ana'"):
        await house.notices.assign(ADMIN, {"incident": 1, "to": "anna"})
    with pytest.raises(UsageError, match="no open incident #9"):
        await house.notices.assign(ADMIN, {"incident": 9, "to": "ana"})


async def test_a_dead_letter_is_sent_again_only_for_who_sees_it_and_says_that_it_may_be_a_repeat(house):
    await house.fails(1)
    _, (one,) = outbox.page(house.store, EVERYTHING, "all", house.clock.now())
    await house.keeping.keep([replace(one, state=NoticeState.DEAD, attempts=9, problem="413")])
    cedar = Principal("cy", 3, "senior", Scope(frozenset({"cedar"})))
    with pytest.raises(UsageError, match="no dead notice"):
        await house.notices.retry(cedar, {"notice": one.id})
    await house.notices.retry(AURORA, {"notice": one.id})
    again = outbox.get(house.store, EVERYTHING, one.id)
    assert (again.state, again.attempts, again.repeated) == (NoticeState.WAITING, 0, True)
    with pytest.raises(UsageError, match="no dead notice"):
        await house.notices.retry(AURORA, {"notice": one.id})


async def test_a_channel_is_tried(house):
    await house.notices.trial(ADMIN, {"channel": "chat"})
    assert house.said() == [("trial", "chat", [])]
    with pytest.raises(UsageError, match="no channel 'chet'"):
        await house.notices.trial(ADMIN, {"channel": "chet"})


# ── readers ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_reader_sees_notices_of_own_teams_without_money_and_names(house):
    house.settings = replace(house.settings, partners=(Partner("P05", "Quillspin"),))
    await house.fails(1)
    await house.fails(2, team="cedar")
    mine = await house.notices.page(AURORA, "all", 0, 50)
    assert (mine.total, [list(one.incidents) for one in mine.rows]) == (1, [[1]])
    blind = await house.notices.page(BLIND, "all", 0, 50)
    assert blind.rows[0].told[0].money == ""
    with pytest.raises(UsageError, match="there are all, waiting"):
        await house.notices.page(ADMIN, "lost", 0, 50)


# ── hand-over ────────────────────────────────────────────────────────────────────────────────────────────────────

ROTA = Rota("devs", "UTC", (Layer(("ana", "ben"), date(2026, 11, 9), time(13)),))


async def test_whoever_comes_on_call_gets_a_note_once_also_across_a_restart(tmp_path):
    made = House(tmp_path, replace(RULES, root=replace(ROOT, to=("devs",)), rotas=(ROTA,)))
    await made.fails(1)
    await made.keeping.keep([TimelineEntry(1, made.clock.now(), "ana", "noted: the host was called")])
    await made.later(3_590)
    assert made.said(kind=NoticeKind.HANDOVER) == []
    await made.later(30)
    assert made.said(kind=NoticeKind.HANDOVER) == [("handover", "chat", [])]
    (note,) = [one for one in outbox.since(made.store, EVERYTHING, BEGAN) if one.kind is NoticeKind.HANDOVER]
    assert note.text.startswith("devs: ana -> ben, Mon 16 Nov 13:00Z")
    assert "#1 ana: noted: the host was called" in note.text
    assert "nobody has it" in note.text
    await made.dies_and_comes_back()
    await made.later(60)
    assert made.said(kind=NoticeKind.HANDOVER) == [("handover", "chat", [])]
    asked = await made.notices.handover(BLIND, "devs")
    assert "ana -> ben" in asked["text"]
    with pytest.raises(UsageError, match="no rota 'ops'"):
        await made.notices.handover(ADMIN, "ops")
    await made.close()


async def test_a_hand_over_that_was_missed_for_long_is_not_told_late(tmp_path):
    made = House(tmp_path, replace(RULES, root=replace(ROOT, to=("devs",)), rotas=(ROTA,)))
    await made.later(3_600 + 2_400)
    assert made.said(kind=NoticeKind.HANDOVER) == []
    await made.close()
