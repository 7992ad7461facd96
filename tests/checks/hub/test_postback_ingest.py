"""A call is acknowledged once it is durable; what cannot be stored, or is too much, is asked to come again."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import httpx
import pytest

from checks.hub import door as doors
from checks.hub.door import Door, application
from checks.hub.postback_ingest import Bucket, Busy, Postbacks, flat
from data.config.settings import Feed, PostbackSettings
from data.errors import SecretMissing, StoreDown
from data.model.delivery import Postback
from data.model.fact import PartnerStat
from data.model.ids import PartnerId, TeamId
from data.model.principal import EVERYTHING
from data.store import postbacks
from data.store.store import Store

NOW = datetime(2026, 11, 17, 14, 20, tzinfo=UTC)
CALLS = Feed("calls", TeamId("baltic"), PartnerId("P03"), "postback", secret="calls-key")
BARE = Feed("bare", TeamId("baltic"), PartnerId("P03"), "postback")
PATH = "/v1/postbacks/calls/s3cret-of-calls"


class Keys:
    """A keyring of one secret, and a key for people."""

    def get(self, name):
        if name != "calls-key":
            raise SecretMissing(f"no secret named {name!r}")
        return "s3cret-of-calls"

    def _own(self, _name, _make):
        return "a key of this home"


@pytest.fixture
def hub(tmp_path):
    store = Store.open(tmp_path / "x.duckdb", None)
    made = SimpleNamespace(
        settings=SimpleNamespace(feeds=(CALLS, BARE), postbacks=PostbackSettings(per_minute=1_000)),
        secrets=Keys(), store=store, clock=SimpleNamespace(now=lambda: NOW),
    )  # fmt: skip
    made.postbacks, made.door = Postbacks(made), Door(made)
    yield made
    store.close()


def caller(hub):
    return httpx.AsyncClient(transport=httpx.ASGITransport(application(hub)), base_url="http://door")


def stored(hub):
    return postbacks.since(hub.store, EVERYTHING, "calls", datetime(2020, 1, 1, tzinfo=UTC))


async def test_nobody_is_told_ok_before_the_store_says_so(hub, monkeypatch):
    waiting = Future()
    monkeypatch.setattr(hub.store, "write", lambda _rows, **_: waiting)
    async with caller(hub) as ours:
        call = asyncio.create_task(ours.get(f"{PATH}?click_id=a&event=ftd"))
        done, _ = await asyncio.wait([call], timeout=0.1)
        assert not done
        waiting.set_result(1)
        assert (await call).text == "ok"


async def test_a_store_that_is_down_asks_the_sender_to_come_again_and_the_retry_is_no_duplicate(hub, monkeypatch):
    async with caller(hub) as ours:
        with monkeypatch.context() as broken:
            failed = Future()
            failed.set_exception(StoreDown("the disk is full"))
            broken.setattr(hub.store, "write", lambda _rows, **_: failed)
            refused = await ours.get(f"{PATH}?click_id=a&event=ftd")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
            assert "disk" not in refused.text, "how we are is nobody's business"
        assert (await ours.get(f"{PATH}?click_id=a&event=ftd")).status_code == 200
        assert (await ours.get(f"{PATH}?click_id=a&event=ftd")).status_code == 200
    assert [one.fault for one in stored(hub)] == ["", "duplicate"]


async def test_the_same_call_many_times_at_once_counts_once(hub):
    async with caller(hub) as ours:
        answers = await asyncio.gather(*(ours.get(f"{PATH}?click_id=a&event=ftd&tid=7") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(one.fault for one in stored(hub)) == ["", *["duplicate"] * 19]


async def test_what_was_stored_before_a_restart_is_known_after_it(hub):
    async with caller(hub) as ours:
        await ours.get(f"{PATH}?click_id=a&event=ftd")
        hub.postbacks = Postbacks(hub)
        await ours.get(f"{PATH}?click_id=a&event=ftd")
    assert [one.fault for one in stored(hub)] == ["", "duplicate"]


async def test_more_calls_than_a_feed_may_make_are_put_off_with_a_time(hub):
    hub.settings.postbacks = PostbackSettings(per_minute=3)
    async with caller(hub) as ours:
        answers = [await ours.get(f"{PATH}?click_id={n}&event=ftd") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len(stored(hub)) == 3


async def test_a_feed_without_a_secret_lets_nobody_in_over_the_network(hub):
    async with caller(hub) as ours:
        for path in ("/v1/postbacks/bare", "/v1/postbacks/bare?key=", "/v1/postbacks/bare/x", "/v1/postbacks/bare/%20"):
            assert (await ours.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{", "application/json"), (b"[" * 50_000, "application/json"), (b"\xff\xfe", "application/x-www-form-urlencoded"),
     (b"&".join(b"a%d=1" % n for n in range(3000)), "application/x-www-form-urlencoded"), (b'["a"]', "application/json")],
)  # fmt: skip
async def test_a_body_that_is_nothing_is_an_empty_call_and_never_an_error(hub, body, kind):
    async with caller(hub) as ours:
        answer = await ours.post(PATH, content=body, headers={"content-type": kind})
    assert answer.status_code == 200
    assert [one.fault for one in stored(hub)] == ["empty"]


async def test_our_own_heartbeat_is_answered_and_not_stored(hub):
    async with caller(hub) as ours:
        assert (await ours.get(f"{PATH}?{doors.HEARTBEAT}=heartbeat")).text == "ok"
    assert stored(hub) == []


async def test_a_door_that_cannot_be_opened_is_a_problem_of_the_door_alone(hub):
    taken = doors._bound("127.0.0.1:0")
    hub.settings.postbacks = PostbackSettings(listen=f"127.0.0.1:{taken.getsockname()[1]}")
    await hub.door.configure()
    assert "cannot be listened on" in hub.door.problem
    assert (await hub.door.tried(CALLS)).cause == "tcp.refused"
    taken.close()
    await hub.door.configure()
    assert (hub.door.problem, hub.door.open) == ("", True)
    await hub.door.close()


async def test_the_way_to_our_own_door_is_tried_as_a_partner_would(hub):
    taken = doors._bound("127.0.0.1:0")
    port = taken.getsockname()[1]
    taken.close()
    hub.settings.postbacks = PostbackSettings(listen=f"127.0.0.1:{port}", public_url="http://127.0.0.1:1")
    async with httpx.AsyncClient(trust_env=False) as client:
        hub.pulls = SimpleNamespace(client=client)
        await hub.door.configure()
        found = await hub.door.tried(CALLS)
        assert (found.cause, found.words) == ("tcp.refused", "connection refused, by its public name")
        hub.settings.postbacks = PostbackSettings(listen=f"127.0.0.1:{port}")
        assert await hub.door.tried(CALLS) is None
        assert (await hub.door.tried(BARE)).cause == "feed.auth"
        await hub.door.close()
        assert (await hub.door.tried(CALLS)).words == "connection refused, at its own address"


def test_a_bucket_has_room_again_after_a_while():
    bucket = Bucket(60)
    for _ in range(60):
        bucket.take()
    with pytest.raises(Busy):
        bucket.take()
    bucket.at -= 1.5
    bucket.take()


def test_an_object_becomes_parameters_with_dotted_names():
    assert flat({"a": 1, "b": {"c": "x", "d": {"e": {"f": {"g": 1}}}}, "h": [1], "i": None, "j": True}) == {
        "a": "1",
        "b.c": "x",
    }


# How the calls of a feed do, beside the API of the same partner

API = Feed("api", TeamId("baltic"), PartnerId("P03"), "affilka", "http://127.0.0.1:1")
OTHERS = Feed("others", TeamId("cedar"), PartnerId("P03"), "affilka", "http://127.0.0.1:1")


def steady(hub, *, stop=NOW, missing=0):
    """Ten registrations an hour for ten days; the API counts them all, other teams' are others; `missing` never came."""
    rows, begun = [], NOW - timedelta(days=10)
    theirs: dict[object, int] = {}
    for n in range(10 * 24 * 10):
        at = begun + timedelta(minutes=6) * n
        theirs[at.date()] = theirs.get(at.date(), 0) + 1
        lost = missing and (NOW - at).days == 1 and n % 10 < missing
        if at <= stop and not lost:
            rows.append(
                Postback(
                    "calls",
                    CALLS.team,
                    CALLS.partner,
                    at,
                    at - timedelta(minutes=4),
                    "registration",
                    f"{n}",
                    "",
                    None,
                    "",
                )
            )
    for feed, times in ((API, 1), (OTHERS, 9)):
        rows += [
            PartnerStat(
                feed.name, feed.team, feed.partner, day, {}, {"registrations": Decimal(count * times)}, "EUR", NOW
            )
            for day, count in theirs.items()
        ]
    hub.settings.feeds = (CALLS, API, OTHERS)
    hub.store.write(rows).result()


def test_calls_that_come_as_usual_and_as_the_api_counts_them_are_fine(hub):
    steady(hub)
    verdict, matches = hub.postbacks.judged(CALLS)
    assert (verdict.cause, [match.fits for match in matches]) == ("", [True])
    view = hub.postbacks.view(CALLS)
    assert len(view.hours) == 48
    assert view.hours[-2].good == 10
    assert 9.5 < view.hours[-2].usual < 10.5
    assert view.reconciled[0].ours == view.reconciled[0].theirs
    assert "calls come 4 min after the event" in view.arrival


def test_calls_that_stopped_are_silent_and_those_that_never_came_are_unmatched(hub):
    steady(hub, stop=NOW - timedelta(minutes=50), missing=4)
    verdict, matches = hub.postbacks.judged(CALLS)
    assert verdict.cause == "postback.silent"
    assert [match.change.kind for match in matches] == ["postbacks-unmatched"]
    first = hub.postbacks._changes(CALLS, matches, NOW)
    hub.store.write(first).result()
    again = hub.postbacks._changes(CALLS, matches, NOW + timedelta(hours=1))
    assert [one.first_seen for one in again] == [NOW], "one open entry for one change"
    (closed,) = hub.postbacks._changes(CALLS, (), NOW + timedelta(hours=2))
    assert closed.closed_at == NOW + timedelta(hours=2)
