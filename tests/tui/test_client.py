from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data.errors import HubUnreachable, LosswatchError, NotAllowed, UsageError
from data.model.codec import from_json, to_json
from data.model.snapshot import PROTOCOL, CommandReply, Hello, IncidentPage, Problem, Snapshot, StreamLine
from tui.client import HubClient

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def hello(protocol: int = PROTOCOL) -> Hello:
    return Hello(protocol, "0.1.0", "Corvane Media", "maria", "senior", ("*",), "full", "EUR", 4711, NOON)


async def test_a_hub_is_greeted_and_read_over_its_socket(answers):
    page = IncidentPage(7, 0, 0, ())
    answers.json("/v1/hello", to_json(hello()))
    answers.json("/v1/incidents?state=open", to_json(page))
    async with answers.listening():
        client = HubClient(answers.socket)
        assert (await client.hello()).company == "Corvane Media"
        assert await client.get("/v1/incidents?state=open", IncidentPage) == page


async def test_a_command_travels_as_json_and_its_reply_comes_back(answers):
    answers.json("/v1/commands/acknowledge", to_json(CommandReply(True, "acknowledged #412")))
    async with answers.listening():
        reply = await HubClient(answers.socket).command("acknowledge", incident=412)
    assert reply == CommandReply(True, "acknowledged #412")
    assert from_json(answers.asked[0][1], dict) == {"incident": 412}


async def test_facts_are_posted_one_a_line_and_counted_by_the_hub(answers):
    answers.json("/v1/facts", b'{"stored":2}')
    async with answers.listening():
        assert await HubClient(answers.socket).post_ndjson("/v1/facts", [b'{"a":1}', b'{"b":2}']) == 2
    assert answers.asked[0][1] == b'{"a":1}\n{"b":2}'


async def test_a_stream_gives_whole_lines_however_they_are_cut(answers):
    raw = b"".join(
        to_json(line) + b"\n"
        for line in (
            StreamLine(1, "hello", hello=hello()),
            StreamLine(2, "snapshot", snapshot=Snapshot(3, NOON, company="Corvane Media")),
            StreamLine(3, "bye"),
        )
    )
    answers.stream("/v1/events", *(raw[start : start + 37] for start in range(0, len(raw), 37)))
    async with answers.listening():
        lines = [line async for line in HubClient(answers.socket).events()]
    assert [line.kind for line in lines] == ["hello", "snapshot", "bye"]
    assert lines[1].snapshot is not None
    assert lines[1].snapshot.version == 3


async def test_a_stream_that_just_ends_is_a_lost_hub(answers):
    answers.stream("/v1/events", to_json(StreamLine(1, "heartbeat")) + b"\n")
    async with answers.listening():
        with pytest.raises(HubUnreachable, match="closed the stream"):
            [line async for line in HubClient(answers.socket).events()]


@pytest.mark.parametrize(
    ("status", "kind"),
    [("403 Forbidden", NotAllowed), ("400 Bad Request", UsageError), ("404 Not Found", LosswatchError)],
)
async def test_a_problem_is_raised_in_the_hubs_own_words(answers, status, kind):
    answers.json("/v1/commands/close", to_json(Problem("Only a senior may close #412.", "not_allowed")), status)
    async with answers.listening():
        with pytest.raises(kind, match="Only a senior may close #412"):
            await HubClient(answers.socket).command("close", incident=412)


@pytest.mark.parametrize(
    ("theirs", "advice"), [(PROTOCOL + 1, "update losswatch here"), (PROTOCOL - 1, "losswatch hub stop")]
)
async def test_another_protocol_says_which_side_to_restart(answers, theirs, advice):
    answers.json("/v1/hello", to_json(hello(theirs)))
    answers.stream("/v1/events", to_json(StreamLine(1, "hello", hello=hello(theirs))) + b"\n")
    async with answers.listening():
        with pytest.raises(LosswatchError, match=advice):
            await HubClient(answers.socket).hello()
        with pytest.raises(LosswatchError, match=advice):
            [line async for line in HubClient(answers.socket).events()]


async def test_no_hub_says_how_to_start_one(socket_path):
    with pytest.raises(HubUnreachable, match="losswatch hub start"):
        await HubClient(socket_path).hello()


async def test_something_else_on_the_socket_is_not_mistaken_for_a_hub(answers):
    async with answers.listening():
        with pytest.raises(HubUnreachable, match="hub status"):
            await HubClient(answers.socket).hello()


async def test_an_answer_of_another_shape_asks_for_a_restart(answers):
    answers.json("/v1/incidents", b'{"version":"seven"}')
    async with answers.listening():
        with pytest.raises(LosswatchError, match="cannot be read"):
            await HubClient(answers.socket).get("/v1/incidents", IncidentPage)
