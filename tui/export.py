"""What a list shows as a CSV file: every row of the filter, in its order, figures as figures."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import LosswatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.model.snapshot import TargetRow

HEAD = (
    "name", "kind", "team", "state", "cause", "detail", "since", "last_at", "geo", "partner", "offer", "site", "tier",
    "p50_ms", "p95_ms", "uptime", "value", "expected", "loss_per_hour", "incident",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be run by a spreadsheet."""


def csv_of(rows: Iterable[TargetRow]) -> str:
    """Targets under one head."""
    return csv_table(HEAD, ([getattr(row, name) for name in HEAD] for row in rows))


def csv_table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """The rows under their head; a figure that does not apply is empty, times are ISO 8601 in UTC."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def save(content: str | bytes, name: str, now: datetime, folder: Path | None = None, *, suffix: str = "csv") -> Path:
    """Write to a new file in `folder`, by default where losswatch was started, else the account's home; mode 0600."""
    stem = f"losswatch-{name}-{now:%Y%m%dT%H%M%SZ}"
    reason = ""
    for place in (folder,) if folder else (Path.cwd(), Path.home()):
        for number in range(100):
            path = place / f"{stem}{f'-{number}' if number else ''}.{suffix}"
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            except OSError as problem:
                reason = problem.strerror or str(problem)
                break
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            return path
    raise LosswatchError(f"Nothing was exported: {reason or 'every name is taken'}")


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value
