"""Repairs on real redesigns: learned on the old page, proposed on the new one, scored by labels of the new one.

A case is a field whose selector, learned on the old page, no longer gives the labelled values on the new one. Hosts are
split in two: rules are tuned while looking at the first half, the second half is what counts.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time

from checks.parsers import memory as memories
from checks.parsers.anchor import nodes_with, plain
from checks.parsers.candidates import Broken
from checks.parsers.extract import extract
from checks.parsers.page import Page, read_page
from checks.parsers.repair import f1, repairs_for
from checks.parsers.selector import selectors_for
from checks.parsers.spec import FieldKind, FieldSpec, Spec
from tests.bench.figure import Figure
from tests.bench.peer_scraper import adaptive_of

FIELDS = {
    "title": ("single", False), "author": ("single", False), "yields": ("single", False),
    "ingredients": ("list", True), "instructions_list": ("long text", True), "description": ("long text", False),
}  # fmt: skip
AIMS = {"single": 0.90, "list": 0.85, "long text": 0.75}
WORKED, BROKE = 0.9, 0.5
RIGHT = 0.8
"""F1 against the labels from which a repair counts as right."""
AT = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    pair: str
    host: str
    kind: str
    spec: Spec
    old: bytes
    new: bytes
    values: tuple[str, ...]
    """What the old selector took from the old page: all that a repair may know."""
    truth: tuple[str, ...]

    @property
    def scored(self) -> bool:
        return zlib.crc32(self.host.encode()) % 2 == 1


@dataclass(frozen=True)
class Outcome:
    case: Case
    right: bool
    verified: bool
    ms: float
    selector: str = ""
    f1: float = 0.0


def run(options: list[str] | None = None) -> list[Figure]:
    folder = Path(os.environ.get("LOSSWATCH_CORPORA") or Path(__file__).parents[3] / "shared" / "corpora") / "redesigns"
    if not (folder / "pairs.json").exists():
        print("   skipped: no redesign pairs here; set LOSSWATCH_CORPORA to the folder of the private corpora")
        return []
    cases = cases_of(folder)
    outcomes = [outcome(case) for case in cases]
    if options and "--show" in options:
        for one in outcomes:
            if not one.case.scored and not (one.right and one.verified):
                print(
                    _key(one.case),
                    one.case.spec.fields[0].css,
                    "->",
                    one.selector,
                    one.right,
                    one.verified,
                    round(one.f1, 2),
                )
    peer = adaptive_of(cases)
    return [
        *(figure for half in (False, True) for figure in _figures([one for one in outcomes if one.case.scored is half], peer, scored=half)),
        _cost(outcomes, peer),
    ]  # fmt: skip


def _figures(outcomes: list[Outcome], peer: dict[str, tuple[bool, float]], *, scored: bool) -> list[Figure]:
    half = "scored hosts" if scored else "tuned hosts"
    sure = [one for one in outcomes if one.verified]
    precision = sum(one.right for one in sure) / len(sure) if sure else 0.0
    figures = [Figure(f"precision of verified, {half}", precision, "", note=f"aim 0.98; {len(sure)} verified")]
    for kind, aim in AIMS.items():
        mine = [one for one in outcomes if one.case.kind == kind]
        theirs = [peer[_key(one.case)][0] for one in mine if _key(one.case) in peer]
        share = sum(theirs) / len(theirs) if theirs else None
        name = "an adaptive library" if theirs else ""
        verified = sum(one.right and one.verified for one in mine) / max(len(mine), 1)
        right = sum(one.right for one in mine) / max(len(mine), 1)
        figures.append(
            Figure(f"recall, {kind}, proposed, {half}", right, "", name, share, f"aim {aim}; {len(mine)} cases")
        )
        figures.append(Figure(f"recall, {kind}, verified, {half}", verified, "", note=f"aim {aim}"))
    return figures


def _cost(outcomes: list[Outcome], peer: dict[str, tuple[bool, float]]) -> Figure:
    theirs = [ms for _, ms in peer.values()]
    largest = median(len(one.case.new) for one in outcomes) / 1e6
    return Figure(
        "propose and verify, median", median(one.ms for one in outcomes), "ms",
        "an adaptive library" if theirs else "", median(theirs) if theirs else None,
        f"aim 300; {len(outcomes)} cases, median page {largest:.2f} MB",
    )  # fmt: skip


def _key(case: Case) -> str:
    return f"{case.pair} {case.spec.fields[0].name}"


def cases_of(folder: Path) -> list[Case]:
    """Fields that a selector gave on the old page and does not give on the new one."""
    found = []
    for pair in json.loads((folder / "pairs.json").read_text()):
        old, new = (gzip.decompress((folder / pair[side]).read_bytes()) for side in ("old", "new"))
        old_page, new_page = read_page(old), read_page(new)
        for name, (kind, many) in FIELDS.items():
            truth = _listed(pair["expected"].get(name))
            spec = learned(old_page, name, truth, many=many) if truth else None
            if spec is None:
                continue
            values = extract(spec, old_page).field(name).values
            if f1(extract(spec, new_page).field(name).values, truth, 0) < BROKE and _present(new_page, truth):
                found.append(Case(pair["id"], pair["host"], kind, spec, old, new, values, truth))
    return found


def _present(page: Page, truth: tuple[str, ...]) -> bool:
    """Whether the labelled values can be read on the page at all."""
    text = plain(page.tree.body.text(deep=True, separator=" ")) if page.tree.body else ""
    return sum(plain(value) in text for value in truth) >= len(truth) / 2


def learned(page: Page, name: str, truth: tuple[str, ...], *, many: bool) -> Spec | None:
    """A SPEC as a person would have written it for the old page; `None` where no simple selector fits."""
    for nodes in nodes_with(page.tree, truth, "").values():
        for _, css in selectors_for(nodes[0], "")[:40]:
            spec = Spec("bench", (FieldSpec(name, css, "", FieldKind.TEXT, many),))
            values = extract(spec, page).field(name)
            if f1(values.values, truth, values.nodes if not many else 0) >= WORKED:
                return spec
    return None


def outcome(case: Case) -> Outcome:
    memory = memories.fresh(case.spec)
    old = read_page(case.old)
    memory = memories.learn(memory, old, extract(case.spec, old), AT, trusted=True)
    name = case.spec.fields[0].name
    began = process_time()
    page = read_page(case.new)
    repairs = repairs_for(case.spec, (name,), [Broken(page, {name: case.values})], memory)
    ms = (process_time() - began) * 1000
    for repair in repairs:
        spec = Spec("bench", (FieldSpec(name, repair.selector, "", FieldKind.TEXT, case.spec.fields[0].many),))
        score = f1(extract(spec, page).field(name).values, case.truth, 0)
        return Outcome(case, score >= RIGHT, repair.verified, ms, repair.selector, score)
    return Outcome(case, right=False, verified=False, ms=ms)


def _listed(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list) else ()
