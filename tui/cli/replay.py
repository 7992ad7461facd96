"""`losswatch replay`: the revenue detector over recorded facts, in the order they became visible."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from data.errors import UsageError

if TYPE_CHECKING:
    import argparse

    import polars as pl

    from checks.revenue.alarm import Alarm

_FACTS = ("hour", "seen_at", "clicks", "regs", "ftd", "revenue")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--facts", metavar="DIR", required=True, help="facts.parquet, receipts.parquet and meta.json")
    parser.add_argument("--from", dest="since", metavar="T", help="first tick (default: meta.json's replay_from)")
    parser.add_argument("--to", dest="until", metavar="T", help="last tick (default: meta.json's replay_to)")
    parser.add_argument("--out", metavar="FILE", help="where the JSON lines go (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Replay and write a line whenever what is said of an alarm changes; exit code 0."""
    folder = Path(args.facts)
    meta = _meta(folder)
    since = _time(args.since or meta.get("replay_from"), "--from")
    until = _time(args.until or meta.get("replay_to"), "--to")
    facts, receipts = _frame(folder / "facts.parquet", _FACTS), None
    if (folder / "receipts.parquet").exists():
        receipts = _frame(folder / "receipts.parquet", ("partner", "hour", "seen_at"))
    step = timedelta(minutes=float(meta.get("step_minutes", 60)))
    target = Path(args.out).open("w", encoding="utf-8") if args.out else nullcontext(sys.stdout)  # noqa: SIM115  # the `with` below closes it
    with target as out:
        replay(facts, receipts, since, until, step, out)
    return 0


def replay(
    facts: pl.DataFrame, receipts: pl.DataFrame | None, since: datetime, until: datetime, step: timedelta, out: TextIO
) -> None:
    """Tick from `since` to `until` over rows that reach the book only when their `seen_at` has come."""
    from checks.revenue.book import DIMS, RevenueBook

    missing = [dim for dim in DIMS if dim not in facts.columns]
    if missing:
        raise UsageError(f"facts.parquet has no column {missing[0]!r}. It needs: {', '.join((*DIMS, *_FACTS))}")
    book, said = RevenueBook(), dict[str, str]()
    book.add(facts)
    if receipts is not None:
        book.add_receipts(receipts)
    now = since
    while now <= until:
        for alarm in book.tick(now, with_slices=False).alarms:
            line = _line(alarm)
            words = json.dumps({**line, "updated_at": ""})
            if said.get(alarm.id) != words:
                said[alarm.id] = words
                out.write(json.dumps(line) + "\n")
        now += step


def _line(alarm: Alarm) -> dict[str, object]:
    loss = alarm.loss
    return {
        "id": alarm.id,
        "kind": "loss",
        "cause": alarm.cause,
        "detected_at": _plain(alarm.detected_at),
        "updated_at": _plain(alarm.updated_at),
        "start": _plain(alarm.start),
        "end": _plain(alarm.end) if alarm.end else None,
        "slice": alarm.slice,
        "est_loss": float(loss.lost),
        "est_loss_lo": float(loss.lost_lo),
        "est_loss_hi": float(loss.lost_hi),
        "est_loss_per_hour": float(loss.per_hour),
        "nats": round(alarm.nats, 2),
        "status": alarm.status,
    }


def _plain(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _time(text: str | None, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise UsageError(f"{option} needs a time such as 2026-11-17T06:00:00, not {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _meta(folder: Path) -> dict[str, str]:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise UsageError(f"{folder / 'meta.json'} cannot be read: {problem}") from None
    return meta if isinstance(meta, dict) else {}


def _frame(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise UsageError(f"{path} cannot be read as Parquet: {problem}") from None
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise UsageError(f"{path} has no column {absent[0]!r}. It needs: {', '.join(columns)}")
    return frame
