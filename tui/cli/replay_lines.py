"""The JSON lines of a replay."""

from __future__ import annotations

import json
from datetime import UTC
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from checks.revenue.alarm import Alarm

_KINDS = {"revenue.traffic": "traffic", "revenue.blind": "delay", "feed.late": "delay", "postback.duplicate": "quality"}


def kind_of(cause: str) -> str:
    """Whether money is lost, or only traffic, time or quality: loss | traffic | delay | quality."""
    return _KINDS.get(cause, "loss")


def changed(alarms: Iterable[Alarm], told: dict[str, str], dims: Collection[str]) -> Iterator[str]:
    """A line for each alarm of which something new is to be said; `told` holds what was said of those still open."""
    present = set[str]()
    for alarm in alarms:
        words = _words(alarm, dims)
        print_of_it = blake2b(json.dumps(words).encode(), digest_size=12).hexdigest()
        if told.get(alarm.id) != print_of_it:
            yield json.dumps({**words, "updated_at": _plain(alarm.updated_at)}) + "\n"
        if alarm.status == "open":
            told[alarm.id] = print_of_it
            present.add(alarm.id)
    for ended in set(told) - present:
        del told[ended]


def _words(alarm: Alarm, dims: Collection[str]) -> dict[str, object]:
    loss = alarm.loss
    return {
        "id": alarm.id,
        "kind": kind_of(alarm.cause),
        "cause": alarm.cause,
        "detected_at": _plain(alarm.detected_at),
        "updated_at": "",
        "start": _plain(alarm.start),
        "end": _plain(alarm.end) if alarm.end else None,
        "slice": {dim: value for dim, value in alarm.slice.items() if dim in dims},
        "est_loss": float(loss.lost),
        "est_loss_lo": float(loss.lost_lo),
        "est_loss_hi": float(loss.lost_hi),
        "est_loss_per_hour": float(loss.per_hour),
        "nats": round(alarm.nats, 2),
        "status": alarm.status,
    }


def _plain(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
