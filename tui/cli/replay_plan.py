"""What is to be replayed: the files of a folder, and the ticks."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from data.config.units import parse_duration
from data.errors import UsageError
from data.text import clean_text
from tui.cli.replay_source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIMS = ("partner", "offer", "geo", "site", "team")
_COUNTS = ("clicks", "regs", "ftd", "revenue")
_CALM_DAYS = 2.0, 365.0
_LONGEST_STEP_M = 7 * 24 * 60
_HISTORY = timedelta(days=43)
"""Hours older than that before the first tick are never looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    folder: Path
    since: datetime
    until: datetime
    step: timedelta
    dims: tuple[str, ...]
    """Those the recording has; the others have one value only and are not spoken of."""
    currency: str
    files: tuple[Path, ...]
    receipt_files: tuple[Path, ...]
    calm_days: float | None = None
    """Chance alone may raise an alarm once in so many days; `None` is the detector's own."""

    @property
    def ticks(self) -> int:
        return (self.until - self.since) // self.step + 1

    def at(self, number: int) -> datetime:
        return self.since + number * self.step

    def facts(self, first: int) -> Source:
        """Rows with every dimension, for the ticks from number `first` on; a dimension that is not recorded is empty."""
        return Source.of(self.files, self.dims, DIMS, _COUNTS, self.at(first) - _HISTORY)

    def receipts(self, first: int) -> Source:
        return Source.of(self.receipt_files, ("partner",), ("partner",), (), self.at(first) - _HISTORY)

    def fingerprint(self) -> str:
        """The same for the same files, as far as names, sizes and times tell, and the same ticks."""
        stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.files + self.receipt_files]
        told = [stats, str(self.since), str(self.until), str(self.step), self.dims, self.currency, self.calm_days]
        return blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


def read(folder: Path, since: str | None, until: str | None, chance_alarm: str | None = None) -> Plan:
    """The plan for a folder and the times given, which go before those of its meta.json.

    Raises:
        UsageError: a file, time or value that is missing or cannot be.
    """
    meta = _meta(folder)
    first = _time(since or meta.get("replay_from"), "--from" if since else "replay_from", folder)
    last = _time(until or meta.get("replay_to"), "--to" if until else "replay_to", folder)
    if last < first:
        raise UsageError(f"the last tick ({last:%Y-%m-%dT%H:%M}) is before the first ({first:%Y-%m-%dT%H:%M})")
    files = _files(folder, "facts")
    if not files:
        raise UsageError(f"{folder} holds no facts.parquet, no facts-*.parquet and no folder facts/ of such files")
    currency = meta.get("currency", "EUR")
    return Plan(
        folder=folder,
        since=first,
        until=last,
        step=_step(meta.get("step_minutes", 60), folder),
        dims=_dims(meta.get("dims", DIMS), "dims" in meta, files, folder),
        currency=clean_text(currency, 8) if isinstance(currency, str) else "EUR",
        files=files,
        receipt_files=_files(folder, "receipts"),
        calm_days=_days(chance_alarm),
    )


def _days(chance_alarm: str | None) -> float | None:
    if chance_alarm is None:
        return None
    with suppress(ValueError):
        days = parse_duration(chance_alarm) / 86_400.0
        if _CALM_DAYS[0] <= days <= _CALM_DAYS[1]:
            return days
    raise UsageError(f"--chance-alarm {clean_text(chance_alarm, 40)!r} is not a duration from 2d to 365d")


def _files(folder: Path, name: str) -> tuple[Path, ...]:
    """`facts.parquet`, `facts-2026-11.parquet` and all of a folder `facts/`, by name."""
    found = [*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}-*.parquet"), *folder.glob(f"{name}/*.parquet")]
    return tuple(sorted(found))


def _dims(named: object, stated: bool, files: tuple[Path, ...], folder: Path) -> tuple[str, ...]:  # noqa: FBT001  # one caller, beside the value it is about
    """The dimensions that are recorded; those that meta.json names must be."""
    columns = set[str]().union(*(Source.columns_of(path) for path in files))
    if not isinstance(named, (list, tuple)) or not named:
        raise UsageError(f"{folder / 'meta.json'}: dims is {named!r}; it is a list of {', '.join(DIMS)}")
    for dim in named:
        if dim not in DIMS:
            raise UsageError(f"{folder / 'meta.json'}: dims names {dim!r}; there are {', '.join(DIMS)}")
        if stated and dim not in columns:
            raise UsageError(f"{files[0]} has no column {dim!r}, which meta.json names as a dimension")
    present = tuple(dim for dim in DIMS if dim in named and dim in columns)
    if not present:
        raise UsageError(f"{files[0]} has no column {DIMS[0]!r} nor any other dimension: {', '.join(DIMS)}")
    return present


def _step(minutes: object, folder: Path) -> timedelta:
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 1 <= minutes <= _LONGEST_STEP_M:
        raise UsageError(
            f"{folder / 'meta.json'}: step_minutes is {minutes!r}; it is a number from 1 to {_LONGEST_STEP_M}"
        )
    return timedelta(minutes=float(minutes))


def _time(value: object, name: str, folder: Path) -> datetime:
    """A moment; one without a zone is UTC."""
    place = name if name.startswith("--") else f"{folder / 'meta.json'}: {name}"
    if value is None:
        option = {"replay_from": "--from", "replay_to": "--to"}[name]
        raise UsageError(f"{option} needs a time such as 2026-11-17T06:00:00: {folder} has no meta.json that names one")
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"{place} needs a time such as 2026-11-17T06:00:00, not {value!r}") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _meta(folder: Path) -> Mapping[str, object]:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise UsageError(f"{folder / 'meta.json'} cannot be read: {problem}") from None
    if not isinstance(meta, dict):
        raise UsageError(f"{folder / 'meta.json'} holds a {type(meta).__name__}; it is one JSON object")
    return meta
