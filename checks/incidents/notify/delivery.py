"""What becomes of a notice after an attempt to deliver it. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.notice import NoticeState
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.notice import Notice

FIRST_S, LONGEST_S = 5.0, 600.0
GIVE_UP = timedelta(hours=24)
SECOND_AFTER = 2
"""Failed attempts after which the fallback channel is told as well."""


class DeliveryFailed(Exception):
    """A channel did not take a message; the text says why, without secrets."""

    def __init__(
        self, problem: str, *, retry_after_s: float | None = None, uncertain: bool = False, final: bool = False
    ) -> None:
        super().__init__(clean_text(redact(problem), 200))
        self.retry_after_s = retry_after_s
        """How long the other side asks us to wait."""
        self.uncertain = uncertain
        """It may have arrived all the same: the next attempt says that it may be a repeat."""
        self.final = final
        """The other side will never take this message."""


@dataclass(frozen=True, slots=True)
class Outcome:
    notice: Notice
    second: Notice | None = None
    """The same for the fallback channel."""


def sent(notice: Notice, now: datetime) -> Notice:
    return replace(notice, state=NoticeState.SENT, sent_at=now, until=None)


def failed(notice: Notice, problem: DeliveryFailed, now: datetime, fallback: str, speed: float = 1.0) -> Outcome:
    """Try again later, doubling the wait up to ten minutes; give up after a day. Waits are real seconds, times `speed`.

    The wait differs a little from notice to notice, so that what failed together does not come back together. From the
    second failure on the fallback channel gets a copy, once; a copy has no fallback of its own.
    """
    over = problem.final or now - notice.created_at >= GIVE_UP
    after = replace(
        notice,
        state=NoticeState.DEAD if over else NoticeState.WAITING,
        due_at=notice.due_at if over else now + timedelta(seconds=_wait_s(notice, problem) * speed),
        until=None,
        repeated=notice.repeated or problem.uncertain,
        failed_at=notice.failed_at or now,
        tried_at=now,
        problem=str(problem),
    )
    second = fallback and not notice.instead_of and (notice.attempts == SECOND_AFTER or (over and notice.attempts < SECOND_AFTER))  # fmt: skip
    return Outcome(after, _copy(notice, fallback, now) if second else None)


def _wait_s(notice: Notice, problem: DeliveryFailed) -> float:
    doubled = min(FIRST_S * 2.0 ** min(notice.attempts - 1, 20), LONGEST_S)
    jitter = 0.8 + 0.4 * zlib.crc32(f"{notice.id} {notice.attempts}".encode()) / 0xFFFFFFFF
    return max(doubled * jitter, min(problem.retry_after_s or 0.0, 3_600.0))


def _copy(notice: Notice, channel: str, now: datetime) -> Notice:
    return replace(
        notice,
        id=f"{notice.id}+2",
        channel=channel,
        state=NoticeState.WAITING,
        due_at=now,
        attempts=0,
        repeated=False,
        worker="",
        until=None,
        failed_at=None,
        tried_at=None,
        problem="",
        instead_of=notice.id,
    )
