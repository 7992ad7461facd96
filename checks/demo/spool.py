from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from data.durable import replace_file
from data.model.codec import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from checks.demo.ledger import Ledger, Rows
    from data.model.fact import Fact, Receipt

_TIME = pl.Datetime("us", "UTC")


def write_history(ledger: Ledger, now: datetime, spool: Path) -> int:
    """Write `history.parquet` and `receipts-history.parquet` with all that was visible at `now`; gives the number of facts."""
    spool.mkdir(parents=True, exist_ok=True)
    rows = ledger.history(now)
    _parquet(fact_frame(ledger, rows), spool / "history.parquet")
    _parquet(receipt_frame(ledger.receipts(now)), spool / "receipts-history.parquet")
    return len(rows)


def write_tick(ledger: Ledger, now: datetime, spool: Path) -> int:
    """Write what became visible since the last call as one ndjson file (named to be read after the history); gives its number of lines."""
    facts = ledger.facts(ledger.advance(now))
    lines = [_line(fact=fact) for fact in facts] + [_line(receipt=receipt) for receipt in ledger.receipts(now)]
    if lines:
        place = spool / f"live-{now:%Y%m%dT%H%M%S}.ndjson"
        replace_file(place, b"\n".join(lines) + b"\n")
    return len(lines)


def fact_frame(ledger: Ledger, rows: Rows) -> pl.DataFrame:
    """Columns of `data.model.fact.Fact`, sorted by `seen_at`; `revenue` is float."""
    leaves = ledger.world.leaves

    def label(name: str) -> pl.Series:
        kinds = sorted({getattr(leaf, name) for leaf in leaves})
        place = {kind: n for n, kind in enumerate(kinds)}
        code = np.array([place[getattr(leaf, name)] for leaf in leaves])[rows.leaf]
        return pl.Series(name, kinds).gather(code.astype(np.uint32))

    origin = np.datetime64(ledger.start.astimezone(UTC).replace(tzinfo=None), "us")
    times = {
        "hour": origin + (rows.hour * 1e6).astype("timedelta64[us]"),
        "seen_at": origin + (rows.seen * 1e6).astype("timedelta64[us]"),
    }
    frame = pl.DataFrame(
        [pl.Series(name, value).dt.replace_time_zone("UTC").cast(_TIME) for name, value in times.items()]
        + [label(name) for name in ("team", "partner", "offer", "geo", "site")]
        + [
            pl.Series("clicks", rows.clicks),
            pl.Series("regs", rows.regs),
            pl.Series("ftd", rows.ftd),
            pl.Series("revenue", np.round(rows.revenue, 4)),
        ]
    )
    return frame.with_columns(source=pl.lit("demo"))


def receipt_frame(receipts: Iterable[Receipt]) -> pl.DataFrame:
    rows = [(str(each.partner), each.hour, each.seen_at) for each in receipts]
    return pl.DataFrame(rows, schema={"partner": pl.String, "hour": _TIME, "seen_at": _TIME}, orient="row")


def _parquet(frame: pl.DataFrame, place: Path) -> None:
    hidden = place.with_name(f".{place.name}.tmp")
    frame.write_parquet(hidden, compression="zstd")
    hidden.replace(place)


def _line(*, fact: Fact | None = None, receipt: Receipt | None = None) -> bytes:
    return to_json({"fact": fact} if fact is not None else {"receipt": receipt})
