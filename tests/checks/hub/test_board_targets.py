from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from checks.hub import hub
from checks.hub.board import Board
from checks.incidents.labels import labels_of
from data.model.observation import TargetState
from data.model.state import State
from data.model.target import Target, TargetKind

SITE = Target("site:a", TargetKind.SITE, "aurora", "a", "https://a.example/")


def test_a_target_whose_state_stays_has_nothing_to_be_written_for():
    board = Board(states={SITE.id: TargetState(SITE.id, "aurora", TargetKind.SITE, State.FAILING)})
    version = board.version
    board.put_target(SITE)
    assert (board.unwritten, board.states[SITE.id].state) == (set(), State.FAILING)
    assert board.version > version


def test_a_target_that_is_paused_resumed_or_handed_over_is_written():
    board = Board()
    for target, state in [
        (SITE, State.UNKNOWN),
        (replace(SITE, paused=True), State.PAUSED),
        (SITE, State.UNKNOWN),
        (replace(SITE, team="cedar"), State.UNKNOWN),
    ]:
        board.unwritten.clear()
        board.put_target(target)
        assert board.unwritten == {SITE.id}
        assert (board.states[SITE.id].state, board.states[SITE.id].team) == (state, target.team)


def test_many_targets_leave_turns_to_others(monkeypatch):
    monkeypatch.setattr(hub, "AT_ONCE_S", 0.0)
    acted, turns = [], []

    async def other():
        while True:
            turns.append(len(acted))
            await asyncio.sleep(0)

    async def both():
        task = asyncio.create_task(other())
        await hub._by_turns(acted.append, [SITE] * (3 * hub.LOOK_EVERY))
        task.cancel()

    asyncio.run(both())
    assert len(acted) == 3 * hub.LOOK_EVERY
    assert len(turns) >= 3


HOSTS = st.lists(st.sampled_from(["a", "B", ".", ":", "80", "@", "/", "?", "#", "[", "]", "%", "\n", "é"]), max_size=7)


@given(HOSTS.map("".join))
def test_the_host_of_a_plain_url_is_what_the_library_says(text):
    """Upper case goes the long way; the name of the host is the same."""
    one, other = (labels_of(replace(SITE, url=f"{scheme}://a{text}"), {}) for scheme in ("http", "HTTP"))
    assert one == other
