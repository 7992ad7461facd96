"""Messages to real receivers on loopback, with a real database and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import httpx
import pytest
from aiosmtpd.smtp import SMTP
from apprise.plugins import pagerduty

from checks.engine.clock import FakeClock
from checks.hub.courier import Courier, Post
from checks.hub.keeping import Keeping
from checks.incidents.notify.words import told
from data.access.receivers import scope_of
from data.config.notifying import Channel
from data.errors import SecretMissing, StoreFull
from data.model.incident import IncidentState
from data.model.notice import Notice, NoticeKind, NoticeState
from data.model.principal import EVERYTHING
from data.store import outbox
from data.store.store import Store
from tests.checks.incidents.notify.play import incident, labels_of

BEGAN = datetime(2026, 11, 16, 12, tzinfo=UTC)


class Receiver:
    """POSTs of one path a channel; `answer` is a status, a list of them in turn, or "stall"."""

    def __init__(self):
        self.bodies, self.answer, self.headers, self.release = [], {}, "", asyncio.Event()

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ")[1].strip("/")
        size = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        body = json.loads(await reader.readexactly(size))
        answer = self.answer.get(path, 200)
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if answer == "stall":
            await self.release.wait()
        elif answer == "cut":
            self.bodies.append((path, body))  # it took the message and died before it could say so
        else:
            if answer < 400:
                self.bodies.append((path, body))
            writer.write(
                f"HTTP/1.1 {answer} x\r\n{self.headers}content-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            await writer.drain()
        writer.close()

    def titles(self, path):
        return [body["title"] for place, body in self.bodies if place == path]


class Keys:
    def __init__(self):
        self.known = {}

    def get(self, name):
        if name not in self.known:
            raise SecretMissing(f"No secret named {name!r}")
        return self.known[name]


class Desk:
    """Couriers over one store, as a hub has them."""

    def __init__(self, store, receiver, worker="one"):
        self.store, self.receiver, self.clock, self.keys = store, receiver, FakeClock(BEGAN), Keys()
        self.keeping, self.couriers, self.worker = Keeping(store), {}, worker
        self.client = httpx.AsyncClient(trust_env=False)

    def channel(self, name, **more):
        scheme = {"kind": "apprise", "secret": name} | more
        if scheme["kind"] == "alertmanager":
            scheme |= {"url": f"http://127.0.0.1:{self.receiver.port}/{name}", "secret": ""}
        self.keys.known.setdefault(name, f"json://127.0.0.1:{self.receiver.port}/{name}")
        made = Channel(name, role="lead", **{"timeout_s": 2.0} | scheme)
        post = Post(
            self.store, self.keeping, self.keys, self.clock, self.client, self.worker,
            lambda notice: self.couriers[notice.channel].take(notice),
        )  # fmt: skip
        self.couriers[name] = Courier(made, scope_of(made, ()), post)
        return self.couriers[name]

    async def put(self, channel, number=1, **more):
        """A notice that is stored and handed to its courier."""
        one = incident(number)
        row = told(one, labels_of(one), self.couriers[channel].scope)
        made = Notice(
            f"{channel}-{number}", NoticeKind.OPENING, channel, ("aurora",), (number,), (row,), f"g{number}", "rule",
            channel, self.clock.now(), self.clock.now(),
        )  # fmt: skip
        made = replace(made, **more)
        await self.keeping.keep([made])
        self.couriers[channel].take(made)
        return made

    async def later(self, seconds):
        """Time passes and every courier looks what is due."""
        self.clock.advance(seconds)
        await asyncio.gather(*(courier.round() for courier in self.couriers.values()))

    def stored(self, name):
        return outbox.get(self.store, EVERYTHING, name)


@pytest.fixture
async def desk(tmp_path):
    async with house(tmp_path) as made:
        yield made


@asynccontextmanager
async def house(folder):
    receiver = Receiver()
    await receiver.start()
    store = Store.open(folder / "losswatch.duckdb", None)
    made = Desk(store, receiver)
    yield made
    receiver.release.set()
    receiver.server.close()
    await made.client.aclose()
    store.close()


async def test_a_message_arrives_once_and_that_is_stored(desk):
    desk.channel("chat")
    await desk.put("chat")
    await desk.later(0)
    await desk.later(100)
    assert [title[:8] for title in desk.receiver.titles("chat")] == ["#1 SEV3 "]
    assert desk.stored("chat-1").state is NoticeState.SENT


async def test_receivers_down_for_an_hour_lose_nothing_and_what_is_late_says_so(desk):
    desk.channel("chat")
    desk.channel("hook", kind="alertmanager")
    desk.receiver.answer = {"chat": 503, "hook": 500}
    await asyncio.gather(*(desk.put(name, number) for name in ("chat", "hook") for number in (1, 2, 3)))
    for _ in range(6):
        await desk.later(600)
    assert desk.receiver.bodies == []
    waiting = outbox.page(desk.store, EVERYTHING, "late", desk.clock.now())
    assert (waiting[0], {one.state for one in waiting[1]}) == (6, {"waiting"})
    assert "answered 500" in desk.stored("hook-1").problem
    assert "503" in desk.stored("chat-1").problem
    desk.receiver.answer = {}
    await desk.later(700)
    await desk.later(700)
    titles = desk.receiver.titles("chat")
    assert [
        title.startswith(f"[late, of 16 Nov 12:00Z] #{number} SEV3 ") for number, title in enumerate(titles, 1)
    ] == ([True] * 3)
    summaries = [body["commonAnnotations"]["summary"] for path, body in desk.receiver.bodies if path == "hook"]
    assert [words.startswith("[late, of 16 Nov 12:00Z] ") for words in summaries] == [True] * 3
    assert outbox.page(desk.store, EVERYTHING, "waiting", desk.clock.now())[0] == 0


async def test_a_backlog_arrives_as_one_message(desk):
    desk.channel("chat")
    await asyncio.gather(*(desk.put("chat", number) for number in range(1, 41)))
    await desk.later(0)
    (title,) = desk.receiver.titles("chat")
    assert title.startswith("40 messages: #1 SEV3")
    assert outbox.page(desk.store, EVERYTHING, "sent", desk.clock.now())[0] == 40


async def test_a_channel_is_not_sent_more_than_it_takes_in_a_minute_and_loses_nothing(desk):
    desk.channel("chat", per_minute=2)
    for number in (1, 2, 3):
        await desk.put("chat", number)
    await desk.later(0)
    assert len(desk.receiver.titles("chat")) == 2
    assert list(desk.couriers["chat"].waiting) == ["chat-3"]


async def test_a_stalling_channel_delays_nobody_else(desk):
    desk.channel("slow", timeout_s=120.0)
    desk.channel("fast")
    desk.channel("quick", kind="alertmanager")
    desk.receiver.answer = {"slow": "stall"}
    for name in ("slow", "fast", "quick"):
        await desk.put(name)
    stuck = asyncio.create_task(desk.couriers["slow"].round())
    async with asyncio.timeout(30):
        await desk.couriers["fast"].round()
        await desk.couriers["quick"].round()
    assert not stuck.done()
    assert sorted(path for path, _ in desk.receiver.bodies) == ["fast", "quick"]
    stuck.cancel()


@pytest.mark.parametrize("kind", ["apprise", "alertmanager"])
async def test_whoever_took_the_message_and_never_said_so_gets_it_again_marked(desk, kind):
    desk.channel("chat", kind=kind, timeout_s=1.0)
    desk.receiver.answer = {"chat": ["stall", 200]}
    await desk.put("chat")
    await desk.later(0)
    assert desk.stored("chat-1").repeated
    await desk.later(60)
    ((_, body),) = desk.receiver.bodies
    title = body.get("title") or body["commonAnnotations"]["summary"]
    assert title.startswith("[may be a repeat] #1 ")


async def test_the_second_channel_hears_of_it_after_the_second_failure_and_the_first_still_gets_it(desk):
    desk.channel("chat", fallback="mail")
    desk.channel("mail")
    desk.receiver.answer = {"chat": 500}
    await desk.put("chat")
    await desk.later(0)
    assert desk.receiver.bodies == []
    await desk.later(60)
    await desk.later(60)
    (title,) = desk.receiver.titles("mail")
    assert title.startswith("[mail got it for another channel that failed] #1 ")
    desk.receiver.answer = {}
    await desk.later(600)
    assert len(desk.receiver.titles("chat")) == 1
    assert len(desk.receiver.titles("mail")) == 1


async def test_a_webhook_that_asks_to_wait_is_waited_for(desk):
    desk.channel("hook", kind="alertmanager")
    desk.receiver.answer, desk.receiver.headers = {"hook": [429, 200]}, "retry-after: 90\r\n"
    await desk.put("hook")
    await desk.later(0)
    assert desk.stored("hook-1").due_at == BEGAN + timedelta(seconds=90)
    await desk.later(89)
    assert desk.receiver.bodies == []
    await desk.later(1)
    assert len(desk.receiver.bodies) == 1


async def test_what_a_webhook_will_never_take_is_a_dead_letter_that_tells_why(desk):
    desk.channel("hook", kind="alertmanager")
    desk.receiver.answer = {"hook": 413}
    await desk.put("hook")
    await desk.later(0)
    _, (dead,) = outbox.page(desk.store, EVERYTHING, "dead", desk.clock.now())
    assert (dead.id, dead.problem) == ("hook-1", "answered 413 x")


async def test_within_a_group_nothing_overtakes(desk):
    desk.channel("chat")
    desk.receiver.answer = {"chat": [500, 200, 200, 200]}
    await desk.put("chat", 1, group="g")
    await desk.later(0)
    await desk.put("chat", 2, group="g", created_at=BEGAN + timedelta(seconds=1))
    await desk.put("chat", 3, group="other", created_at=BEGAN + timedelta(seconds=1))
    await desk.later(2)
    assert [title[:2] for title in desk.receiver.titles("chat")] == ["#3"]
    await desk.later(10)
    assert [title[:2] for title in desk.receiver.titles("chat")] == ["#3", "#1", "#2"]


async def test_of_two_senders_that_race_for_one_notice_one_sends(desk):
    first = desk.channel("chat")
    other = Desk(desk.store, desk.receiver, "two")
    other.clock, other.keys = desk.clock, desk.keys
    second = other.channel("chat")
    for number in range(1, 6):
        second.take(await desk.put("chat", number, group=f"g{number}"))
        await asyncio.gather(first.round(), second.round())
    await other.client.aclose()
    assert len(desk.receiver.titles("chat")) == 5
    assert not first.waiting
    assert [title for title in desk.receiver.titles("chat") if "repeat" in title] == []


async def test_a_sender_that_died_in_the_middle_leaves_it_to_the_next_when_its_lease_ends(desk):
    courier = desk.channel("chat")
    made = await desk.put("chat")
    lease = timedelta(seconds=60)
    assert await asyncio.wrap_future(outbox.claim(desk.store, made.id, "dead", desk.clock.now(), lease))
    await desk.later(30)
    assert desk.receiver.bodies == []
    await desk.later(31)
    (title,) = desk.receiver.titles("chat")
    assert title.startswith("[may be a repeat] ")
    assert not courier.waiting


async def test_a_new_hub_takes_over_at_once_what_the_old_one_had_taken_on(desk):
    desk.channel("chat")
    made = await desk.put("chat")
    day = timedelta(days=1)
    await asyncio.wrap_future(outbox.claim(desk.store, made.id, "dead", desk.clock.now(), day))
    assert outbox.release(desk.store, "one") == 1
    (left,) = outbox.unfinished(desk.store, EVERYTHING)
    assert (left.state, left.repeated) == (NoticeState.WAITING, True)
    await desk.later(1)
    assert desk.receiver.titles("chat")[0].startswith("[may be a repeat] ")


async def test_while_the_database_is_full_people_are_told_all_the_same(desk, monkeypatch):
    desk.channel("chat")
    made = await desk.put("chat", 1)

    def refuse(*_):
        future = Future()
        future.set_exception(StoreFull("No space left"))
        return future

    with monkeypatch.context() as broken:
        broken.setattr(desk.store, "work", refuse)
        broken.setattr(desk.store, "write", refuse)
        await desk.later(0)
        assert len(desk.receiver.titles("chat")) == 1
    await desk.keeping.pay()
    assert desk.stored(made.id).state is NoticeState.SENT


async def test_a_missing_secret_is_told_and_the_message_waits_for_it(desk):
    desk.channel("chat")
    url = desk.keys.known.pop("chat")
    await desk.put("chat")
    await desk.later(0)
    assert "No secret named 'chat'" in desk.couriers["chat"].problem
    desk.keys.known["chat"] = url
    await desk.later(60)
    assert len(desk.receiver.titles("chat")) == 1


async def test_a_secret_that_is_no_address_is_told_without_showing_it(desk):
    desk.channel("chat")
    desk.keys.known["chat"] = "nope://hunter2hunter2hunter2"
    await desk.put("chat")
    await desk.later(0)
    assert "hunter2" not in desk.stored("chat-1").problem
    assert "no Apprise URL" in desk.stored("chat-1").problem


async def test_a_service_with_incidents_of_its_own_ends_what_it_began_and_gets_each_by_itself(desk, monkeypatch):
    for region in pagerduty.PAGERDUTY_API_LOOKUP:
        monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, region, f"http://127.0.0.1:{desk.receiver.port}/pager")
    desk.channel("pager", per_minute=99)
    desk.keys.known["pager"] = "pagerduty://Abc1234567@intkey1234567890/losswatch/hub"
    over = {"kind": NoticeKind.RESOLVED, "created_at": BEGAN + timedelta(seconds=1)}
    await asyncio.gather(*(desk.put("pager", number) for number in (1, 2, 3)))
    for number in (1, 2, 3):
        row = told(
            incident(number, state=IncidentState.CLOSED, closed_at=BEGAN), labels_of(incident(number)), EVERYTHING
        )
        await desk.put("pager", number, id=f"over-{number}", told=(row,), **over)
    await desk.later(2)
    events = [(body["event_action"], body["dedup_key"]) for _, body in desk.receiver.bodies]
    keys = [f"losswatch g{number}" for number in (1, 2, 3)]
    assert sorted(events) == sorted([("trigger", key) for key in keys] + [("resolve", key) for key in keys])
    assert "github" not in str(desk.receiver.bodies)


class Letters:
    def __init__(self):
        self.got = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the library's name
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


async def test_mail_arrives_at_a_real_server_with_its_subject_and_lines(desk):
    letters = Letters()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(letters), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    desk.channel("mail", timeout_s=10.0)
    desk.keys.known["mail"] = f"mailto://127.0.0.1:{port}?from=losswatch@x.example&to=ana@x.example&mode=insecure"
    await desk.put("mail")
    await desk.later(0)
    server.close()
    assert desk.couriers["mail"].problem == ""
    (letter,) = letters.got
    assert letter["subject"] == "#1 SEV3 edge answers errors, site-1"
    assert "first: wait with a status note" in letter.get_body().get_content()
