"""One channel's messages on their way: taken on, sent, tried again; nobody else waits for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.notify.delivery import DeliveryFailed, failed, sent
from checks.incidents.notify.payload import payload
from checks.incidents.notify.send import by_apprise, by_webhook, in_a_thread, keeps_incidents
from checks.incidents.notify.words import digest, message
from data.errors import LosswatchError, StoreDown
from data.model.notice import Notice, NoticeState
from data.model.principal import EVERYTHING
from data.store import outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from checks.engine.clock import Clock
    from checks.hub.keeping import Keeping
    from checks.incidents.notify.words import Message
    from data.config.notifying import Channel
    from data.model.principal import Scope
    from data.secrets import Secrets
    from data.store.store import Store

log = logging.getLogger(__name__)

TOGETHER = 4
"""So many at once are put together in one message..."""
MOST_TOGETHER = 100
LOOK_EVERY_S = 0.5
STORED_WITHIN_S = 30.0
"""A notice that the database does not have by then is written again."""
MINUTE_S = 60.0


@dataclass(slots=True)
class Post:
    """What all couriers share."""

    store: Store
    keeping: Keeping
    secrets: Secrets
    clock: Clock
    client: httpx.AsyncClient
    worker: str
    """Names this life of the hub: what an earlier one had taken on is nobody's."""
    pass_on: Callable[[Notice], None]
    """Give a copy to the courier of another channel."""
    settled: Callable[[], None] = lambda: None
    """Called when it is known what became of messages: whoever looks at their incidents sees it."""


@dataclass(slots=True)
class Courier:
    """Delivers to one channel, in the order things happened within each group.

    1. What is due is taken on in the store: of several senders one gets it, and a sender that dies leaves a trace. 2. It
    is sent within a deadline. 3. What became of it is stored. Whoever dies between 2 and 3 leaves a notice that the next
    one sends marked as a possible repeat. Of a database that cannot be written nobody asks for leave.
    """

    channel: Channel
    scope: Scope
    post: Post
    waiting: dict[str, Notice] = field(default_factory=dict)
    problem: str = ""
    """Why the last attempt failed; empty when it did not."""
    _since: dict[str, float] = field(default_factory=dict)
    _sent: deque[float] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _is_closed: bool = False

    def take(self, notice: Notice) -> None:
        self.waiting[notice.id] = notice
        self._news.set()

    def close(self) -> None:
        """Take on nothing more."""
        self._is_closed = True
        self._news.set()

    async def run(self) -> None:
        """Deliver until closed; what was taken on by then is settled."""
        while not self._is_closed:
            try:
                await self.round()
            except Exception:  # whatever it was, the next message is not to blame
                log.exception("channel %s", self.channel.name)
            if not self._is_closed:
                self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY_S if self.waiting else None)

    async def round(self) -> int:
        """Send what is due as far as the channel takes it; says how many notices are over with that."""
        over = 0
        while ready := self._ready():
            if self._is_closed or not self._has_room():
                break
            many = len(ready) >= TOGETHER and await self._may_be_together()
            mine = [claimed for one in (ready if many else ready[:1]) if (claimed := await self._claim(one))]
            if not mine:
                break
            over += await self._deliver(mine)
            if self.problem:
                break  # whatever comes next would fail as well
        return over

    def _ready(self) -> list[Notice]:
        """What may go now, the oldest first; nothing overtakes an earlier one of its own group."""
        now, behind, ready = self.post.clock.now(), set[str](), list[Notice]()
        for notice in sorted(self.waiting.values(), key=lambda one: (one.created_at, one.kind != "opening", one.id)):
            if notice.group in behind or notice.due_at > now:
                behind.add(notice.group)
            else:
                ready.append(notice)
        return ready[:MOST_TOGETHER]

    async def _may_be_together(self) -> bool:
        """Whether people read there; machines want each message by itself."""
        if self.channel.kind != "apprise":
            return False
        try:
            return not await asyncio.to_thread(keeps_incidents, await self._secret())
        except DeliveryFailed:
            return True  # the attempt will say what is wrong

    def _has_room(self) -> bool:
        """Whether the channel takes another message this minute."""
        now = time.monotonic()
        while self._sent and now - self._sent[0] >= MINUTE_S:
            self._sent.popleft()
        return len(self._sent) < self.channel.per_minute

    async def _claim(self, notice: Notice) -> Notice | None:
        lease = timedelta(seconds=(2 * self.channel.timeout_s + MINUTE_S) * self.post.clock.speed)
        now = self.post.clock.now()
        asked = outbox.claim(self.post.store, notice.id, self.post.worker, now, lease)
        try:
            mine = await asyncio.wrap_future(asked)
        except StoreDown:
            return replace(notice, state=NoticeState.CLAIMED, attempts=notice.attempts + 1)
        if mine is None:
            await self._look_after(notice)
        return mine

    async def _look_after(self, notice: Notice) -> None:
        """It is over, somebody else has it, or it is not stored yet."""
        known = await asyncio.to_thread(outbox.get, self.post.store, EVERYTHING, notice.id)
        if known is not None and known.is_over:
            self._drop(notice)
        elif known is not None:
            self.waiting[notice.id] = replace(known, due_at=known.until or known.due_at)
        elif time.monotonic() - self._since.setdefault(notice.id, time.monotonic()) > STORED_WITHIN_S:
            del self._since[notice.id]
            await self.post.keeping.keep([notice])

    async def _deliver(self, mine: list[Notice]) -> int:
        problem: DeliveryFailed | None = None
        try:
            await self._send(mine)
        except DeliveryFailed as known:
            problem = known
        before, self.problem = self.problem, str(problem or "")
        if problem is None:
            self._sent.append(time.monotonic())
        elif self.problem != before:
            log.warning("channel %s: %s", self.channel.name, problem)
        rows = [row for notice in mine for row in self._settle(notice, problem)]
        await self.post.keeping.keep(rows)
        self.post.settled()
        return sum(notice.id not in self.waiting for notice in mine)

    def _settle(self, notice: Notice, problem: DeliveryFailed | None) -> list[Notice]:
        now = self.post.clock.now()
        if problem is None:
            self._drop(notice)
            return [sent(notice, now)]
        outcome = failed(notice, problem, now, self.channel.fallback, self.post.clock.speed)
        if outcome.notice.is_over:
            self._drop(notice)
        else:
            self.waiting[notice.id] = outcome.notice
        if outcome.second is None:
            return [outcome.notice]
        self.post.pass_on(outcome.second)
        return [outcome.notice, outcome.second]

    def _drop(self, notice: Notice) -> None:
        self.waiting.pop(notice.id, None)
        self._since.pop(notice.id, None)

    async def _send(self, mine: list[Notice]) -> None:
        now, channel = self.post.clock.now(), self.channel
        secret = await self._secret()

        def make(room: int) -> Message:
            made = [message(notice, now, self.scope, room) for notice in mine]
            return made[0] if len(made) == 1 else digest(made, room)

        if channel.kind == "apprise":
            key = f"losswatch {mine[0].group}"
            await in_a_thread(lambda: by_apprise(secret, make, key, channel.timeout_s), channel.timeout_s + 1.0)
            return
        body = payload(mine[0], make(10_000), self.scope)
        await by_webhook(self.post.client, channel.url, secret, body, channel.timeout_s)

    async def _secret(self) -> str:
        if not self.channel.secret:
            return ""
        try:
            return await asyncio.to_thread(self.post.secrets.get, self.channel.secret)
        except LosswatchError as problem:
            raise DeliveryFailed(str(problem)) from None
