"""Reports dropped into a folder: which files are complete, and what one of them holds as a delivery."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from checks.feeds import source
from checks.feeds.canonical import canonical, lacking, once
from checks.feeds.payload import Unreadable
from checks.feeds.pull import Pulled
from checks.feeds.report import read
from data.model.fact import Payload
from data.text import clean_text

if TYPE_CHECKING:
    from checks.feeds.preset import Preset
    from data.config.settings import Feed

SETTLED = timedelta(seconds=10)
"""A file that was changed less long ago may still be written."""
DONE = "done"
REJECTED = ".rejected"
REASON = ".reason.txt"
MOST = 500
"""Files of one sweep."""
_UNFINISHED = frozenset(
    {".tmp", ".part", ".partial", ".crdownload", ".filepart", ".download", ".swp", ".lock", REJECTED}
)


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a folder: complete ones, oldest first, and how many are still being written."""

    ready: tuple[Path, ...]
    waiting: int


def look(folder: Path, now: datetime) -> Found:
    """`now` is the wall's time, by which files are dated. Raises `OSError` for a folder that cannot be read."""
    ready, waiting = list[tuple[int, str, Path]](), 0
    for path in folder.iterdir():
        if path.name.startswith((".", "~")) or path.suffix.lower() in _UNFINISHED or path.name.endswith(("~", REASON)):
            continue
        try:
            state = path.stat()
        except OSError:
            continue  # taken away meanwhile
        if not path.is_file():
            continue
        changed = datetime.fromtimestamp(state.st_mtime, UTC)
        if now - SETTLED < changed <= now + SETTLED:
            waiting += 1
        else:
            ready.append((state.st_mtime_ns, path.name, path))
    return Found(tuple(path for _, _, path in sorted(ready)[:MOST]), waiting)


def delivered(path: Path, feed: Feed, preset: Preset, now: datetime) -> Pulled:
    """What a file says of the days in it, all of them together. Raises `Unreadable` with the reason for what is no report."""
    body = source.whole(path, preset.pace.max_body)
    source.head(path)
    records = read(body, "", preset).records
    rows = once(canonical(records, preset))
    if not rows:
        raise Unreadable("holds no row")
    needed = tuple(preset.required)
    if needed and (missing := lacking(rows, preset)):
        raise Unreadable(clean_text("; ".join(f"no row has {one}" for one in missing)))
    days = [row.day for row in rows if row.day]
    if not days:
        raise Unreadable(f"no row has a readable day in {preset.rows.day!r}")
    if not any(row.measures for row in rows):
        raise Unreadable("no row has any of the mapped fields")
    payload = Payload(
        hashlib.sha256(body).hexdigest(),
        feed.name,
        feed.team,
        now,
        f"text/{preset.rows.format}",
        zstandard.compress(body),
    )
    return Pulled(str(feed.partner), min(days), max(days), (payload,), rows)


def put_away(path: Path) -> None:
    """Into `done/`; a file of that name there keeps it and this one gets a number."""
    done = path.parent / DONE
    done.mkdir(exist_ok=True)
    goal, number = done / path.name, 1
    while goal.exists():
        number += 1
        goal = done / f"{path.stem}-{number}{path.suffix}"
    path.rename(goal)


def set_aside(path: Path, reason: str) -> None:
    """As `NAME.rejected`, the reason beside it."""
    path.with_name(path.name + REASON).write_text(f"{clean_text(reason)}\n", "utf-8")
    path.rename(path.with_name(path.name + REJECTED))
