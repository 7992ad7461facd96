"""What a finance person sends to a partner: what was said of each day and when, and the bodies that said it."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from typing import TYPE_CHECKING

import zstandard

from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from checks.feeds.preset import Preset
    from data.config.settings import Feed
    from data.model.delivery import Restatement
    from data.model.fact import PartnerStat, Payload

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of the files within: the same facts make the same pack, byte for byte."""
_SUFFIX = {"json": "json", "csv": "csv", "xml": "xml", "html": "html"}
_RISKY = "=+-@\t\r"


def pack(
    feed: Feed,
    preset: Preset,
    partner: str,
    ledger: Sequence[Restatement],
    versions: Sequence[PartnerStat],
    bodies: Iterable[Payload],
    days: tuple[date, date],
    now: datetime,
    left_out: int = 0,
) -> bytes:
    """A zip: `summary.md`, `restatements.csv`, `versions.csv`, the bodies as received, and `SHA256SUMS` over all of them.

    Figures are exact decimals in the currency they came in; times are UTC. `left_out` bodies are kept and not in it.
    """
    summary = _summary(feed, preset, partner, ledger, versions, days, now)
    more = f"{left_out} more bodies did not fit; packs of fewer days hold them.\n" if left_out else ""
    files = {
        "summary.md": (summary + more).encode(),
        "restatements.csv": _restatements(ledger),
        "versions.csv": _versions(versions),
    }
    for body in sorted(bodies, key=lambda one: (one.received_at, one.hash)):
        kind = next((suffix for word, suffix in _SUFFIX.items() if word in body.content_type), "txt")
        files[f"bodies/{body.received_at:%Y%m%dT%H%M%SZ}-{body.hash[:12]}.{kind}"] = zstandard.decompress(body.body)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, "SHA256SUMS": sums.encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _summary(
    feed: Feed,
    preset: Preset,
    partner: str,
    ledger: Sequence[Restatement],
    versions: Sequence[PartnerStat],
    days: tuple[date, date],
    now: datetime,
) -> str:
    kinds = {kind: [entry for entry in ledger if entry.kind is kind] for kind in dict.fromkeys(e.kind for e in ledger)}
    lines = [
        f"# {partner}: figures of {days[0]} to {days[1]} that were changed after they had been reported",
        "",
        f"Account `{feed.name}` ({preset.platform}), days in {preset.timezone}. Made {now:%Y-%m-%d %H:%M}Z.",
        f"{len(versions):,} versions of {len({(s.day, s.currency, tuple(s.dims.items())) for s in versions}):,} rows are in versions.csv.",
        "",
    ]
    for kind, entries in kinds.items():
        lines.append(f"## {kind.replace('_', ' ')}: {len(entries)}")
        lines += [
            f"- {entry.day} {entry.measure}: {entry.was.normalize():,f} became {entry.now.normalize():,f} {entry.currency}"
            f" ({entry.delta.normalize():+,f}), seen {entry.observed_at:%Y-%m-%d %H:%M}Z, {entry.age_days} days after the day's end"
            for entry in entries
        ]
        lines.append("")
    lines.append(
        "Each body under bodies/ is what the API answered, with our key blotted out; SHA256SUMS lists them all."
    )
    return "\n".join(lines) + "\n"


def _restatements(ledger: Sequence[Restatement]) -> bytes:
    head = (
        "day", "measure", "currency", "was", "now", "delta", "class", "rows", "age_days", "observed_at", "body_was", "body_now",
        "acknowledged_by", "reference",
    )  # fmt: skip
    return _csv(
        head,
        (
            (
                e.day, e.measure, e.currency, f"{e.was:f}", f"{e.now:f}", f"{e.delta:f}", e.kind.value, e.rows, e.age_days,
                f"{e.observed_at:%Y-%m-%dT%H:%M:%SZ}", e.payload_was, e.payload_now, e.acknowledged_by, e.reference,
            )
            for e in ledger
        ),
    )  # fmt: skip


def _versions(versions: Sequence[PartnerStat]) -> bytes:
    dims = sorted({name for stat in versions for name in stat.dims})
    measures = sorted({name for stat in versions for name in stat.measures})
    rows = (
        (
            stat.day, *(stat.dims.get(name, "") for name in dims), stat.currency, stat.version,
            f"{stat.observed_at:%Y-%m-%dT%H:%M:%SZ}", stat.payload, *_rate(stat),
            "" if stat.measures else "no longer delivered",
            *("" if (figure := stat.measures.get(name)) is None else f"{figure:f}" for name in measures),
        )
        for stat in versions
    )  # fmt: skip
    return _csv(
        ("day", *dims, "currency", "version", "observed_at", "body", "rate", "rate_day", "note", *measures), rows
    )


def _rate(stat: PartnerStat) -> tuple[str, str]:
    """What its money was worth the company's currency, and the day of that rate."""
    return (f"{stat.exchange.rate:f}", stat.exchange.day.isoformat()) if stat.exchange else ("", "")


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    """Foreign words must not become formulas where the file is opened in a spreadsheet; figures stay figures."""
    text = clean_text(str(value), 300)
    figure = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in _RISKY and text and not figure else text
