"""Sites and links for other programs: the inventory's own CSV, a sitemap, Uptime Kuma, Gatus, Prometheus' file_sd."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from data.config.importing.cells import COLUMNS
from data.config.units import format_duration, parse_duration
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from data.model.target import Target, TargetKind

Row = dict[str, str]
_NO_KEYS = "carry a key in their URL, which is never written out"


@dataclass(frozen=True, slots=True)
class Exported:
    text: str
    count: int
    """Targets in it."""
    notes: tuple[str, ...] = ()
    """What the format cannot hold, and whom that meets."""


def export(targets: Iterable[Target], kind: TargetKind, form: str) -> Exported:
    """All targets of `kind`, a site or a link, in one of `data.config.importing.FORMATS`, in the order of names."""
    chosen = sorted((target for target in targets if target.kind is kind), key=lambda target: target.name)
    rows = [row_of(target) for target in chosen if redact(target.url) == target.url]
    lost: Counter[str] = Counter({_NO_KEYS: len(chosen) - len(rows)})
    text = _WRITERS[form](rows, kind, lost)
    return Exported(text, len(rows), tuple(f"{count:,} {words}" for words, count in lost.items() if count))


def row_of(target: Target) -> Row:
    """The target as a row of sites.csv or links.csv; columns that say nothing are left out."""
    expect = target.expect
    row = {
        target.kind.value: target.name,
        "url": target.url,
        "team": target.team,
        "partner": target.partner,
        "offer": target.offer,
        "geo": target.geo,
        "tier": str(target.tier),
        "project": target.project,
        "interval": format_duration(target.interval_s),
        "status": ";".join(map(str, expect.status)),
        "expect": ";".join(expect.text),
        "forbid": ";".join(expect.forbid),
        "final_host": expect.final_host,
        "final_path": expect.final_path,
        "keep": ";".join(expect.keep),
        "brand": ";".join(expect.brand),
        "locale": expect.locale,
        "slow": format_duration(expect.slow_ms / 1000) if expect.slow_ms else "",
        "paused": "yes" if target.paused else "",
        "origin": target.origin,
        "device": target.device,
        "depth": str(target.depth) if target.depth else "",
    } | ({} if target.kind.value == "site" else {"site": target.site})
    return {column: row[column] for column in COLUMNS[target.kind] if row.get(column)}


def csv_text(rows: Sequence[Mapping[str, str]], columns: Iterable[str], needed: Iterable[str]) -> str:
    """Rows as a CSV of the inventory: the `needed` columns and those of `columns` that any row uses."""
    kept = set(needed)
    used = [column for column in columns if column in kept or any(row.get(column) for row in rows)]
    out = io.StringIO()
    writer = csv.DictWriter(out, used, extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _csv(rows: Sequence[Row], kind: TargetKind, _lost: Counter[str]) -> str:
    return csv_text(rows, COLUMNS[kind], (kind.value, "url", "team"))


def _sitemap(rows: Sequence[Row], kind: TargetKind, lost: Counter[str]) -> str:
    lost[f"{kind.value}s keep their URL alone: a sitemap holds no more"] = len(rows)
    entries = "".join(f"<url><loc>{escape(row['url'])}</loc></url>\n" for row in rows)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{entries}</urlset>\n"


_IN_KUMA = frozenset({"url", "interval", "status", "paused"})


def _kuma(rows: Sequence[Row], kind: TargetKind, lost: Counter[str]) -> str:
    monitors = []
    for number, row in enumerate(rows, 1):
        texts = row.get("expect", "").split(";") if row.get("expect") else []
        single = len(texts) == 1
        held = {*_IN_KUMA, kind.value} | ({"expect"} if single else set())
        tags = {column: value for column, value in row.items() if column not in held}
        lost["expect several texts, which one monitor cannot; they are kept as a tag"] += len(texts) > 1
        monitors.append(
            {
                "id": number,
                "name": row[kind.value],
                "url": row["url"],
                "type": "keyword" if single else "http",
                "keyword": texts[0] if single else None,
                "method": "GET",
                "interval": max(round(_seconds(row)), 1),
                "active": "paused" not in row,
                "maxretries": 1,
                "maxredirects": 10,
                "accepted_statuscodes": row["status"].split(";") if "status" in row else ["200-299"],
                "expiryNotification": True,
                "ignoreTls": False,
                "upsideDown": False,
                "notificationIDList": {},
                "tags": [{"name": name, "value": value, "color": "#4B5563"} for name, value in tags.items()],
            }
        )
    document = {"version": "1.23.0", "notificationList": [], "monitorList": monitors, "proxyList": []}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


_IN_GATUS = frozenset({"url", "team", "interval", "status", "slow", "paused"})
_WILD = re.compile(r"[*?]")


def _gatus(rows: Sequence[Row], kind: TargetKind, lost: Counter[str]) -> str:
    lines = ["endpoints:"]
    for row in rows:
        labels = {column: value for column, value in row.items() if column not in {*_IN_GATUS, kind.value}}
        conditions = [*_status_conditions(row)]
        for column, operator in (("expect", "=="), ("forbid", "!=")):
            texts = row[column].split(";") if column in row else []
            if any(_WILD.search(text) for text in texts):
                lost[f"have * or ? in a text under {column}, which its patterns cannot spell; kept as a label"] += 1
            elif texts:
                conditions += [f"[BODY] {operator} pat(*{text}*)" for text in texts]
                del labels[column]
        if "slow" in row:
            conditions.append(f"[RESPONSE_TIME] < {round(_seconds(row, 'slow') * 1000)}")
        pairs = [("name", row[kind.value]), ("group", row.get("team", "")), ("url", row["url"])]
        lines += [f"{'- ' if key == 'name' else '  '}{key}: {_quoted(value)}" for key, value in pairs if value]
        lines.append(f"  interval: {_quoted(format_go(_seconds(row)))}")
        lines += ["  enabled: false"] if "paused" in row else []
        lines += ["  conditions:", *(f"    - {_quoted(condition)}" for condition in conditions)]
        lines += ["  extra-labels:"] if labels else []
        lines += [f"    {column}: {_quoted(value)}" for column, value in labels.items()]
    return "\n".join(lines if rows else ["endpoints: []"]) + "\n"


def _status_conditions(row: Row) -> Sequence[str]:
    if "status" not in row:
        return ("[STATUS] >= 200", "[STATUS] < 300")
    codes = row["status"].split(";")
    return (f"[STATUS] == any({', '.join(codes)})",) if len(codes) > 1 else (f"[STATUS] == {codes[0]}",)


def format_go(seconds: float) -> str:
    """A duration as Go reads it: nothing above hours."""
    hours, rest = divmod(seconds, 3600.0)
    return f"{hours:.0f}h{format_duration(rest) if rest else ''}" if hours else format_duration(seconds)


def _quoted(text: str) -> str:
    """A YAML text in double quotes; JSON's escapes are a subset, save for its pairs of surrogates. Gatus reads `$` as the environment unless doubled."""
    plain = json.dumps(text.replace("$", "$$"), ensure_ascii=False)
    return re.sub(r"[^ -~]", lambda char: f"\\U{ord(char[0]):08x}", plain)


def _file_sd(rows: Sequence[Row], kind: TargetKind, _lost: Counter[str]) -> str:
    groups = []
    for row in rows:
        labels = {"name": row[kind.value], "module": "http_2xx", "__scrape_interval__": row["interval"]}
        labels |= {column: value for column, value in row.items() if column not in {kind.value, "url", "interval"}}
        groups.append({"targets": [row["url"]], "labels": labels})
    return json.dumps(groups, ensure_ascii=False, indent=1) + "\n"


def _seconds(row: Row, column: str = "interval") -> float:
    return parse_duration(row[column])


_WRITERS: dict[str, Callable[[Sequence[Row], TargetKind, Counter[str]], str]] = {
    "csv": _csv,
    "sitemap": _sitemap,
    "kuma": _kuma,
    "gatus": _gatus,
    "file_sd": _file_sd,
}
