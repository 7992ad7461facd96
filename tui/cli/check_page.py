"""`losswatch check page`: pages through a parser's SPEC, against pages that are known to be good."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.engine.clock import SystemClock
from checks.parsers import layout
from checks.parsers import memory as memories
from checks.parsers.candidates import Broken
from checks.parsers.extract import extract
from checks.parsers.page import MAX_BYTES, read_page
from checks.parsers.repair import Repair, broken_fields, repairs_for, shown_on
from checks.parsers.spec import load_spec
from checks.parsers.verdict import judge
from data.errors import UsageError
from data.model.cause import cause, state_of
from data.model.state import State
from data.text import clean_lines, clean_text
from tui.cli.page_values import NO_VALUES, PageValues, load_values

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import datetime

    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.spec import Spec
    from checks.parsers.verdict import PageVerdict
    from data.model.ids import CauseId

DECODE, TRUNCATED = cause("proto.decode"), cause("proto.truncated")
_PAGES = ("*.html", "*.htm", "*.html.gz", "*.htm.gz")
_CHUNK, _CHUNK_BYTES = 200, 32 * 1024 * 1024
"""Pages, and bytes of them, judged together: proposals of repair are tried on all broken pages of a chunk."""
_KEPT = 3
"""Good pages kept to compare elements with."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a packed page."""

    cause: CauseId
    why: str


@dataclass(frozen=True, slots=True)
class _Judged:
    path: Path
    page: Page
    verdict: PageVerdict
    damage: Damage | None = None
    """Set where the file could not be unpacked; `page` is empty then."""

    @property
    def state(self) -> State:
        return state_of(self.damage.cause) if self.damage else self.verdict.state


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
    parser.add_argument(
        "pages", metavar="PAGE", type=Path, nargs="*", help="pages to judge, or folders of them; .gz is understood"
    )


def run(args: argparse.Namespace) -> int:
    """Print one JSON object a page, in the order given; exit by the worst."""
    spec = load_spec(args.parser)
    baseline, pages = _split(args.baseline, args.pages)
    values = load_values(args.values) if args.values else NO_VALUES
    if values.unused(pages):
        _warn(f"{args.values}: names none of the pages that are judged")
    memory, good = _learned(spec, baseline, SystemClock().now())
    worst = State.OK
    for judged in _chunks(spec, memory, pages):
        repairs = _repairs(spec, memory, judged, values, good)
        for one in judged:
            print(json.dumps(_record(one, repairs.get(one.path, ())), ensure_ascii=False))
            worst = max(worst, one.state, key=lambda state: state.badness)
    return worst.exit_code


def _split(groups: list[list[Path]], pages: list[Path]) -> tuple[list[Path], list[Path]]:
    """Baseline and pages, all of which exist: an option that takes many swallows the pages that follow it."""
    if not pages:
        pages = [path for group in groups for path in group[1:]]
        groups = [group[:1] for group in groups]
    if not pages:
        raise UsageError("no PAGE to judge. Try: losswatch check page --help")
    baseline = [file for group in groups for path in group for file in _files(path)]
    return baseline, [file for path in pages for file in _files(path)]


def _files(path: Path) -> list[Path]:
    """The page, or the pages in a folder; asked of all before the first is judged."""
    if not path.is_dir():
        if not path.exists():
            raise UsageError(f"no such page: {path}")
        return [path]
    found = sorted({file for pattern in _PAGES for file in path.rglob(pattern) if file.is_file()})
    if not found:
        raise UsageError(f"no pages (*.html, *.html.gz) in {path}")
    return found


def _read(path: Path) -> tuple[Page, Damage | None]:
    """A page from a file, by its bytes and not its name: gzip is seen by its first two."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            return read_page(file.read(MAX_BYTES + 1)), None
    except EOFError:
        return read_page(b""), Damage(TRUNCATED, "the packed page is cut short")
    except (zlib.error, gzip.BadGzipFile) as problem:
        return read_page(b""), Damage(DECODE, f"the page cannot be unpacked: {problem}")
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror or problem}") from problem


def _learned(spec: Spec, baseline: list[Path], at: datetime) -> tuple[ParserMemory, list[Page]]:
    """What the baseline teaches, and the last pages of it."""
    memory = memories.fresh(spec)
    good: deque[Page] = deque(maxlen=_KEPT)
    for path in baseline:
        page, damage = _read(path)
        extraction = extract(spec, page)
        if extraction.alive:
            memory = memories.learn(memory, page, extraction, at, trusted=True)
            good.appendleft(page)
        else:
            _warn(f"{path}: {damage.why if damage else 'nothing extracted'}, not counted as a good page")
    if not good:
        _warn("no page of the baseline is good, so that most verdicts will be unknown: is the SPEC right?")
    return memory, list(good)


def _chunks(spec: Spec, memory: ParserMemory, paths: list[Path]) -> Iterator[list[_Judged]]:
    """Judged pages, no more at once than memory has room for."""
    chunk: list[_Judged] = []
    size = 0
    for path in paths:
        page, damage = _read(path)
        chunk.append(_Judged(path, page, judge(spec, page, memory), damage))
        size += page.size
        if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _repairs(
    spec: Spec, memory: ParserMemory, judged: list[_Judged], values: PageValues, good: list[Page]
) -> dict[Path, tuple[Repair, ...]]:
    """Proposals for every broken page, each tried on all pages of that layout that broke in the same way."""
    broken = [(one, broken_fields(spec, one.verdict)) for one in judged if not one.page.fault and not one.damage]
    broken = [(one, fields) for one, fields in broken if fields]
    layouts = layout.alike([one.page.shape for one, _ in broken])
    groups: dict[tuple[str, tuple[str, ...]], list[_Judged]] = defaultdict(list)
    for (one, fields), family in zip(broken, layouts, strict=True):
        groups[family, fields].append(one)
    found: dict[Path, tuple[Repair, ...]] = {}
    for (_, fields), members in groups.items():
        known = [Broken(one.page, values.of(one.path)) for one in members]
        known.sort(key=lambda one: not one.values)
        proposed = repairs_for(spec, fields, known, memory, good=good)
        found |= {one.path: shown_on(spec, proposed, one.page) for one in members}
    return found


def _record(one: _Judged, repairs: tuple[Repair, ...]) -> dict[str, object]:
    verdict, damage = one.verdict, one.damage
    found = verdict.layout
    return {
        "page": clean_lines(str(one.path)),
        "state": one.state.value,
        "cause": damage.cause if damage else verdict.cause,
        "detail": clean_text(damage.why) if damage else verdict.detail,
        "items": verdict.extraction.items,
        "fields": {field.name: {"n": field.n, "fill": field.fill, "state": field.state} for field in verdict.fields},
        "layout": {"family": found.family, "loss": round(found.loss, 3), "novel": round(found.novel, 3)},
        "witness": {"items": len(verdict.witness.results), "overlap": round(verdict.witness.overlap, 3)},
        "repairs": [
            {
                "field": repair.field, "selector": repair.selector, "matches": repair.matches,
                "verified": repair.verified, "pages": repair.pages, "source": repair.source.value,
            }
            for repair in repairs
        ],
    }  # fmt: skip


def _warn(words: str) -> None:
    print(f"losswatch: {words}", file=sys.stderr)
