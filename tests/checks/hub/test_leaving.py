from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from checks.hub import hub
from checks.hub.hub import Hub


async def broken():
    raise RuntimeError("a room of its own")


async def never():
    await asyncio.Event().wait()


async def at_work():
    """A scheduler one of whose jobs still runs."""
    scheduler, begun = AsyncIOScheduler(), asyncio.Event()

    async def job():
        begun.set()
        await never()

    scheduler.add_job(job)
    scheduler.start()
    await begun.wait()
    return scheduler


@pytest.mark.parametrize(("way", "told"), [(never, "never did not end within"), (broken, "broken did not end well")])
async def test_a_peer_that_does_not_let_go_keeps_nobody_from_storing_what_is_known(monkeypatch, caplog, way, told):
    monkeypatch.setattr(hub, "_LEAVE_S", 0.01)
    ended = []

    def room(*parts):
        async def leave(name):
            ended.append(name)

        return SimpleNamespace(**{part.rpartition(".")[2]: lambda part=part: leave(part) for part in parts})

    pulls = SimpleNamespace(
        backfills=room("backfills.stop"), lookouts=room("lookouts.close"), client=SimpleNamespace(aclose=way)
    )
    leaving = SimpleNamespace(
        scheduler=await at_work(),
        stream=room("stream.close"), notifier=room("notifier.stop"), door=room("door.close"),
        probing=SimpleNamespace(pool=room("pool.stop")), pulls=pulls, housekeeping=room("housekeeping.flush"),
    )  # fmt: skip
    work = [asyncio.create_task(never())]
    monkeypatch.setattr(asyncio, "wait", lambda tasks, timeout: asyncio.sleep(0))
    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(Hub._leave(leaving, SimpleNamespace(should_exit=False), work), 10)
    assert work[0].cancelled()
    assert ended[-2:] == ["lookouts.close", "housekeeping.flush"]
    assert told in caplog.text
    assert "CancelledError" not in caplog.text
