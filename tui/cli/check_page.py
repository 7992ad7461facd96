"""`losswatch check page`: pages through a parser's SPEC, against pages that are known to be good."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from checks.engine.clock import SystemClock
from checks.parsers import memory as memories
from checks.parsers.candidates import Broken
from checks.parsers.extract import extract
from checks.parsers.page import MAX_BYTES, read_page
from checks.parsers.repair import Repair, broken_fields, repairs_for
from checks.parsers.spec import load_spec
from checks.parsers.verdict import judge
from data.errors import UsageError
from data.model.state import State

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.spec import Spec
    from checks.parsers.verdict import PageVerdict

Values = dict[str, dict[str, tuple[str, ...]]]
_PAGES = ("*.html", "*.htm", "*.html.gz", "*.htm.gz")
_CHUNK = 200
"""Pages judged together: proposals of repair are tried on all broken pages of a chunk."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parser", metavar="SPEC.toml", type=Path, required=True, help="what the parser extracts")
    parser.add_argument(
        "--baseline", metavar="FILE|DIR", type=Path, nargs="+", action="append", required=True,
        help="pages known to be good, or folders of them; may be given several times. Where no PAGE stands apart, each "
        "--baseline takes one and the rest are pages",
    )  # fmt: skip
    parser.add_argument(
        "--values", metavar="FILE", type=Path, help="JSON: page file -> field -> last good value(s) of it"
    )
    parser.add_argument("pages", metavar="PAGE", type=Path, nargs="*", help="pages to judge; .gz is understood")


def run(args: argparse.Namespace) -> int:
    """Print one JSON object a page, in the order given; exit by the worst."""
    baseline, pages = _split(args.baseline, args.pages)
    spec = load_spec(args.parser)
    values = _values(args.values) if args.values else {}
    memory = _learned(spec, baseline, SystemClock().now())
    worst = State.OK
    for start in range(0, len(pages), _CHUNK):
        judged = _judge(spec, memory, pages[start : start + _CHUNK])
        repairs = _repairs(spec, memory, judged, values) if values else {}
        for path, verdict in ((path, verdict) for path, _, verdict in judged):
            print(json.dumps(_record(path, verdict, repairs.get(path, ())), ensure_ascii=False))
            worst = max(worst, verdict.state, key=lambda state: state.badness)
    return worst.exit_code


def _split(groups: list[list[Path]], pages: list[Path]) -> tuple[list[Path], list[Path]]:
    """Baseline and pages: an option that takes many swallows the pages that follow it."""
    if not pages:
        pages = [path for group in groups for path in group[1:]]
        groups = [group[:1] for group in groups]
    if not pages:
        raise UsageError("no PAGE to judge. Try: losswatch check page --help")
    baseline = [file for group in groups for path in group for file in _files(path)]
    return baseline, pages


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted({file for pattern in _PAGES for file in path.rglob(pattern)})
    if not found:
        raise UsageError(f"no pages (*.html, *.html.gz) in {path}")
    return found


def _read(path: Path) -> Page:
    """A page from a file, by its bytes and not its name: gzip is seen by its first two."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except (OSError, EOFError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise UsageError(f"cannot read {path}: {reason}") from problem
    return read_page(body)


def _learned(spec: Spec, baseline: list[Path], at: datetime) -> ParserMemory:
    memory = memories.fresh(spec)
    for path in baseline:
        page = _read(path)
        extraction = extract(spec, page)
        if extraction.alive:
            memory = memories.learn(memory, page, extraction, at, trusted=True)
        else:
            print(f"losswatch: {path}: nothing extracted, not counted as a good page", file=sys.stderr)
    return memory


def _judge(spec: Spec, memory: ParserMemory, paths: list[Path]) -> list[tuple[Path, Page, PageVerdict]]:
    pages = [(path, _read(path)) for path in paths]
    return [(path, page, judge(spec, page, memory)) for path, page in pages]


def _values(path: Path) -> Values:
    """Last good values by page file; a single value counts as a list of one."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {
            page: {
                name: tuple(
                    str(value) for value in (values if isinstance(values, list) else [values]) if value is not None
                )
                for name, values in cast("dict[str, object]", fields).items()
            }
            for page, fields in raw.items()
        }
    except (OSError, ValueError, AttributeError) as problem:
        raise UsageError(f"cannot use --values {path}: {problem}") from problem


def _repairs(
    spec: Spec, memory: ParserMemory, judged: list[tuple[Path, Page, PageVerdict]], values: Values
) -> dict[Path, tuple[Repair, ...]]:
    """Proposals for every broken page, each tried on all pages that broke in the same way."""
    groups: dict[tuple[str, ...], list[tuple[Path, Broken]]] = {}
    for path, page, verdict in judged:
        broken = broken_fields(spec, verdict)
        if broken and not page.fault:
            known = values.get(str(path)) or values.get(path.name) or {}
            groups.setdefault(broken, []).append((path, Broken(page, known)))
    found: dict[Path, tuple[Repair, ...]] = {}
    for fields, members in groups.items():
        for path, one in members:
            others = [other for _, other in members if other is not one]
            if one.values:
                found[path] = repairs_for(spec, fields, [one, *others], memory)
    return found


def _record(path: Path, verdict: PageVerdict, repairs: tuple[Repair, ...]) -> dict[str, object]:
    found = verdict.layout
    return {
        "page": str(path),
        "state": verdict.state.value,
        "cause": verdict.cause,
        "detail": verdict.detail,
        "items": verdict.extraction.items,
        "fields": {field.name: {"n": field.n, "fill": field.fill, "state": field.state} for field in verdict.fields},
        "layout": {"family": found.family, "loss": round(found.loss, 3), "novel": round(found.novel, 3)},
        "witness": {"items": len(verdict.witness.results), "overlap": round(verdict.witness.overlap, 3)},
        "repairs": [
            {
                "field": repair.field, "selector": repair.selector, "matches": repair.matches,
                "verified": repair.verified, "pages": repair.pages,
            }
            for repair in repairs
        ],
    }  # fmt: skip
