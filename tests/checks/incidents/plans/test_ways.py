"""Calls, Keitaro streams and programs: all or nothing, and when nobody can know, that is said."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from checks.incidents.plans.calls import Call
from checks.incidents.plans.keitaro import Keitaro
from checks.incidents.plans.program import Program, run
from checks.incidents.plans.way import PlanRefused, PlanStuck


def keys(known):
    async def get(name):
        return known[name]

    return get


class Tracker:
    """Speaks as Keitaro's Admin API does; `breaks` gives the answer of the n-th PUT."""

    def __init__(self, **states):
        self.states, self.breaks, self.puts = {name.strip("s"): state for name, state in states.items()}, {}, 0

    def __call__(self, method, path, headers, body):
        if headers.get("api-key") != "k3y":
            return 401, '{"error":"Unauthorized"}'
        stream = path.rsplit("/", 1)[1]
        assert path == f"/admin_api/v1/streams/{stream}"
        if stream not in self.states:
            return 404, '{"error":"Stream not found"}'
        if method == "PUT":
            self.puts += 1
            if self.puts in self.breaks:
                return self.breaks[self.puts]
            self.states[stream] = json.loads(body)["state"]
        return 200, json.dumps({"id": int(stream), "name": f"DE {stream}", "state": self.states[stream]})


@pytest.fixture
def keitaro(serve, client):
    async def made(tracker, key="k3y", **sets):
        url = await serve(tracker)
        return Keitaro(
            client, f"{url}/", "tracker", keys({"tracker": key}), {name.strip("s"): to for name, to in sets.items()}
        )

    return made


async def test_streams_are_switched_and_switched_back(keitaro):
    tracker = Tracker(s1="active", s2="disabled")
    way = await keitaro(tracker, s1="disabled", s2="active")
    sight = await way.look()
    assert sight.before == ("stream 1 DE 1: active", "stream 2 DE 2: disabled")
    assert sight.after == ("stream 1 DE 1: disabled", "stream 2 DE 2: active")
    await way.apply(sight)
    assert tracker.states == {"1": "disabled", "2": "active"}
    await way.revert(sight.undo)
    await way.revert(sight.undo)
    assert tracker.states == {"1": "active", "2": "disabled"}


async def test_a_stream_that_refuses_brings_the_others_back(keitaro):
    tracker = Tracker(s1="active", s2="active")
    tracker.breaks = {2: (422, '{"error":"locked"}')}
    way = await keitaro(tracker, s1="disabled", s2="disabled")
    with pytest.raises(PlanRefused, match="422"):
        await way.apply(await way.look())
    assert tracker.states == {"1": "active", "2": "active"}


async def test_half_done_and_not_to_be_taken_back_is_stuck(keitaro):
    tracker = Tracker(s1="active", s2="active")
    tracker.breaks = {2: (422, "{}"), 3: (500, "{}")}
    way = await keitaro(tracker, s1="disabled", s2="disabled")
    with pytest.raises(PlanStuck, match="stream 1 cannot be taken back"):
        await way.apply(await way.look())


async def test_an_answer_that_never_came_is_stuck_not_failed(keitaro):
    tracker = Tracker(s1="active")
    tracker.breaks = {1: None}
    way = await keitaro(tracker, s1="disabled")
    with pytest.raises(PlanStuck, match="no answer came"):
        await way.apply(await way.look())


async def test_a_stream_that_somebody_else_moved_is_left_alone(keitaro):
    tracker = Tracker(s1="active")
    way = await keitaro(tracker, s1="disabled")
    sight = await way.look()
    await way.apply(sight)
    tracker.states["1"] = "deleted"
    with pytest.raises(PlanStuck, match="changed by somebody else"):
        await way.revert(sight.undo)


@pytest.mark.parametrize(
    ("key", "sets", "said"), [("wrong", {"s1": "disabled"}, "401"), ("k3y", {"s9": "active"}, "404")]
)
async def test_a_tracker_that_does_not_let_us_look_refuses(keitaro, key, sets, said):
    way = await keitaro(Tracker(s1="active"), key, **sets)
    with pytest.raises(PlanRefused, match=said) as refused:
        await way.look()
    assert "wrong" not in str(refused.value)


@pytest.fixture
def call(serve, client):
    async def made(answer, **options):
        url = await serve(answer)
        given = {"url": f"{url}/on?token=abcdef0123456789", "revert_url": f"{url}/off"} | options
        return Call(client, given, keys({"cms": "s3cret-s3cret"}))

    return made


async def test_a_call_is_made_with_its_secret_and_shown_without(call):
    asked = []

    def answer(method, path, headers, body):
        asked.append((method, path.split("?")[0], headers.get("x-key"), body))
        return 204, ""

    way = await call(answer, method="PUT", body='{"on":true}', secret="cms", header="X-Key", revert_method="DELETE")
    sight = await way.look()
    assert asked == []
    assert "s3cret" not in str(sight)
    assert "abcdef" not in str(sight)
    await way.apply(sight)
    await way.revert(sight.undo)
    assert asked == [("PUT", "/on", "s3cret-s3cret", b'{"on":true}'), ("DELETE", "/off", "s3cret-s3cret", b"")]


@pytest.mark.parametrize(
    ("said", "raises"), [((403, "no"), PlanRefused), ((500, "oops"), PlanStuck), (None, PlanStuck)]
)
async def test_a_refusal_is_told_from_an_answer_nobody_knows(call, said, raises):
    way = await call(lambda *_: said)
    with pytest.raises(raises):
        await way.apply(await way.look())


async def test_nobody_at_home_changes_nothing(client):
    way = Call(client, {"url": "http://127.0.0.1:1/", "revert_url": "http://127.0.0.1:1/"}, keys({}))
    with pytest.raises(PlanRefused):
        await way.apply(await way.look())


async def test_what_was_done_and_is_not_taken_back_is_stuck(call):
    way = await call(lambda _method, path, *_: (200, "") if path.startswith("/on") else (409, "busy"))
    sight = await way.look()
    await way.apply(sight)
    with pytest.raises(PlanStuck, match="cannot be taken back"):
        await way.revert(sight.undo)


SH = "/bin/sh"


async def test_a_program_runs_without_shell_environment_or_terminal(monkeypatch):
    monkeypatch.setenv("LOSSWATCH_SECRET", "s3cret")
    said = await run(("/usr/bin/env",), ("/usr/bin/env",))
    assert "s3cret" not in said
    assert await run(("/bin/echo", "$HOME; rm -rf /"), ("/bin/echo",)) == "$HOME; rm -rf /"


@pytest.mark.parametrize(
    ("command", "allowed", "raises", "said"),
    [
        ((SH, "-c", "exit 3"), (SH,), PlanRefused, "ended with 3"),
        ((SH,), (), PlanRefused, "not on the allow list"),
        (("/nowhere/at/all",), ("/nowhere/at/all",), PlanRefused, "cannot be started"),
        ((SH, "-c", "printf '\\033[31mred'; exit 1"), (SH,), PlanRefused, "ended with 1"),
    ],
)
async def test_a_program_that_does_not_end_well_refuses(command, allowed, raises, said):
    with pytest.raises(raises, match=said) as problem:
        await run(command, allowed)
    assert "\x1b" not in str(problem.value)


async def test_a_program_that_never_ends_is_killed_with_its_children(tmp_path):
    own = tmp_path / "pid"
    with pytest.raises(PlanStuck, match=r"had not ended after 2 s"):
        await run((SH, "-c", f"echo $$ > {own}; sleep 60 & sleep 60"), (SH,), 2.0)
    assert gone(int(own.read_text()))


def gone(group):
    """Whether nobody of a process group runs any more; who has ended and was not asked for does not."""
    until = time.monotonic() + 5
    while alive := running(group):
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    return not alive


def running(group):
    found = subprocess.run(
        ["/usr/bin/ps", "-o", "stat=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    return any(not line.startswith("Z") for line in found.stdout.split())


async def test_a_flood_of_output_costs_no_memory():
    said = await run((SH, "-c", "head -c 30000000 /dev/zero | tr '\\0' x; echo end"), (SH,))
    assert len(said) <= 300


async def test_a_program_is_undone_by_its_other_one(tmp_path):
    flag = tmp_path / "on"
    way = Program(("/usr/bin/touch", str(flag)), ("/bin/rm", "-f", str(flag)), ("/usr/bin/touch", "/bin/rm"))
    sight = await way.look()
    await way.apply(sight)
    assert flag.exists()
    await way.revert(sight.undo)
    assert not flag.exists()
