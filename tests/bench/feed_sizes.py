"""Payloads of 25 fields: how fast all their records are profiled, and how much memory 200 MB of them take."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from checks.feeds.columns import format_of
from checks.feeds.contract import profile
from tests.bench.figure import Figure

AT = datetime(2026, 11, 1, tzinfo=UTC)


def records(seed: int, n: int) -> list[dict[str, object]]:
    """Rows as a platform gives them: 24 fields and an object of two, nine of the fields texts, three of them endless."""
    dice = random.Random(seed)
    return [
        {
            "id": 10**6 * seed + k, "dt": f"2026-11-{1 + k % 28:02}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00Z",
            "day": f"2026-11-{1 + k % 28:02}", "brand": dice.choice(("Zefirion", "Luxora", "Vantic")), "campaign": f"c-{k % 97}",
            "afp": f"go-{dice.randrange(10**9):09}", "country": dice.choice(("DE", "AT", "FI", "NO")), "currency": "EUR",
            "site": f"site-{k % 500}.example", "status": dice.choice(("approved", "pending")),
            "impressions": dice.randint(0, 90_000), "clicks": dice.randint(0, 900), "uniques": dice.randint(0, 700),
            "registrations": dice.randint(0, 90), "ftd": dice.randint(0, 9), "qftd": dice.randint(0, 5),
            "deposits": dice.randint(0, 40), "deposit_total": round(dice.random() * 900, 2),
            "withdrawal_total": round(dice.random() * 300, 2), "ggr": round(dice.random() * 500, 2),
            "ngr": round(dice.random() * 400, 2), "cpa": f"{dice.randint(0, 9) * 120}.00",
            "revshare": f"{dice.random() * 300:.2f}", "note": None, "deal": {"cpa": 120, "share": 35.0},
        }
        for k in range(n)
    ]  # fmt: skip


def speed() -> list[Figure]:
    """Records a second of CPU through the profile at 25 fields, each record counted, nothing cached from before."""
    figures = []
    for n in (2_000, 50_000):
        rows, best = records(7, n), float("inf")
        for _ in range(3):
            format_of.cache_clear()
            began = time.process_time()
            profile(rows, payload="now", at=AT)
            best = min(best, time.process_time() - began)
        figures.append(
            Figure(f"profile of {n:,} records x 25 fields", n / best, "records/s", "wanted", 40_000.0, "by CPU time")
        )
    return figures


FORMS = ("json", "ndjson", "csv", "xml")


def write(path: Path, form: str, megabytes: int) -> int:
    """A payload of at least so many megabytes; how many records it holds."""
    parts = [_body(form, records(seed, 5_000)) for seed in range(4)]
    before, between, after = {
        "json": ("[", ",", "]"),
        "ndjson": ("", "", ""),
        "csv": (",".join(_flat(records(0, 1)[0])) + "\n", "", ""),
        "xml": ("<ResultSet>", "", "</ResultSet>"),
    }[form]
    written = count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(before)
        while written < megabytes * 1_000_000:
            part = parts[(count // 5_000) % len(parts)]
            file.write((between if count else "") + part)
            written, count = written + len(part), count + 5_000
        file.write(after)
    return count


def _body(form: str, rows: list[dict[str, object]]) -> str:
    if form == "json":
        return ",".join(json.dumps(row) for row in rows)
    if form == "ndjson":
        return "".join(json.dumps(row) + "\n" for row in rows)
    if form == "csv":
        return "".join(",".join(map(str, _flat(row).values())) + "\n" for row in rows)
    cells = ("".join(f"<{name}>{value}</{name}>" for name, value in _flat(row).items()) for row in rows)
    return "".join(f"<row>{row}</row>" for row in cells)


def _flat(row: dict[str, object]) -> dict[str, object]:
    return {name: value["cpa"] if isinstance(value, dict) else value for name, value in row.items()}


def large(megabytes: int = 200) -> list[Figure]:
    """`losswatch check feed` over a payload of 200 MB against one of 20 MB: peak memory in MB and seconds."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            before, now = Path(folder) / f"before.{form}", Path(folder) / f"now.{form}"
            write(before, form, megabytes // 10)
            count = write(now, form, megabytes)
            peak_mb, seconds = _watched(before, now)
            note = f"{count:,} records in {seconds:.1f} s, {count / seconds:,.0f} records/s"
            figures.append(
                Figure(f"check feed, {form} of {megabytes} MB: peak memory", peak_mb, "MB", "most", 1000.0, note)
            )
            now.unlink()
    return figures


def _watched(before: Path, now: Path) -> tuple[float, float]:
    words = [sys.executable, "-m", "tui.cli.main", "check", "feed", "--baseline", str(before), "--", str(now)]
    began = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        out = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == 3:
        raise RuntimeError(out.decode())
    return usage.ru_maxrss / 1000, time.perf_counter() - began
