"""Broken selectors on real pages, kept privately, with what the pages should give: redesigned recipes and search pages.

A case is a field whose selector, learned on good pages, no longer gives the labelled values on pages of another layout.
Recipes are split by host and search pages by engine: rules are tuned while looking at one half, the other is what counts.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.parsers.anchor import nodes_with, plain
from checks.parsers.extract import extract
from checks.parsers.page import Page, read_page
from checks.parsers.repair import f1
from checks.parsers.selector import selectors_for
from checks.parsers.spec import FieldKind, FieldSpec, Spec
from tests.bench import serp_cases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.serp_cases import Labelled

FIELDS = {
    "title": ("single", False), "author": ("single", False), "yields": ("single", False),
    "ingredients": ("list", True), "keywords": ("list", True), "equipment": ("list", True), "category": ("list", True),
    "instructions_list": ("long text", True), "description": ("long text", False),
}  # fmt: skip
KINDS = {"title": "list", "url": "list", "snippet": "long text"}
"""Of fields of search pages."""
WORDS = ("keywords", "equipment", "category")
WORKED, BROKE = 0.9, 0.5
SCORED_ENGINE = "bing"
ALIKE = 0.5
STALE = (0, 3, 6)
"""Of ten last good values of a search these are of another day."""


@dataclass(frozen=True)
class Shown:
    """A page of the new layout, what was last good there, and what is labelled."""

    body: bytes
    values: tuple[str, ...]
    truth: tuple[str, ...]
    labels: Labelled | None = None
    """Of a search page."""


@dataclass(frozen=True)
class Case:
    key: str
    group: str
    """What sort of case it is."""
    kind: str
    """`single`, `list` or `long text`."""
    scored: bool
    spec: Spec
    good: tuple[bytes, ...]
    shown: tuple[Shown, ...]

    @property
    def field(self) -> FieldSpec:
        return self.spec.fields[0]


def of_redesigns(folder: Path) -> list[Case]:
    """Old to new, new back to old, a pair with another recipe of the new layout, and that other recipe alone."""
    more = defaultdict[str, list[dict[str, object]]](list)
    for row in json.loads((folder / "more.json").read_text()):
        more[row["host"]].append(row)
    found = []
    for pair in json.loads((folder / "pairs.json").read_text()):
        old, new = (_packed(folder / pair[side]) for side in ("old", "new"))
        others = [(_packed(folder / str(row["file"])), row["expected"]) for row in more[pair["host"]]]
        found += list(_of_pair("redesign", pair, old, new, pair["expected"], others))
        found += list(_of_pair("taken back", pair, new, old, pair["expected"], []))
    return found


def _of_pair(
    group: str, pair: dict[str, str], was: bytes, now: bytes, expected: dict[str, object],
    others: list[tuple[bytes, object]],
) -> Iterator[Case]:  # fmt: skip
    was_page, now_page = read_page(was), read_page(now)
    least = 0.5 if group == "redesign" else 1.0
    scored = zlib.crc32(pair["host"].encode()) % 2 == 1
    for name, (kind, many) in FIELDS.items():
        truth = listed(expected.get(name))
        spec = learned(was_page, name, truth, many=many) if truth and _present(was_page, truth, least) else None
        if spec is None:
            continue
        values = extract(spec, was_page).field(name).values
        shown = Shown(now, values, truth)
        shown_here = _reachable(now_page, name, truth, many=many, sure=group == "redesign")
        broken = shown_here and _broken(spec, now_page, truth, least)
        if broken:
            yield Case(f"{pair['id']} {name} {group}", group, kind, scored, spec, (was,), (shown,))
        for number, (body, labels) in enumerate(others):
            other = listed(labels.get(name)) if isinstance(labels, dict) else ()
            page = read_page(body)
            if not other or not _broken(spec, page, other, least) or not _reachable(page, name, other, many=many):
                continue
            alone = Shown(body, (), other)
            key = f"{pair['id']} {name} {number}"
            yield Case(f"{key} alone", "another page, nothing known", kind, scored, spec, (was,), (alone,))
            if broken and _one_layout(page, now_page):
                yield Case(f"{key} both", "two pages", kind, scored, spec, (was,), (shown, alone))


def of_searches(folder: Path) -> list[Case]:
    """Search pages of another time than the selector.

    What was last good there is what a selector that works gives, and three values in ten are of another day.
    """
    every = list(serp_cases.cases(serp_cases.labelled(folder)))
    given: dict[tuple[int, str], tuple[str, ...]] = {}
    for case in (case for case in every if not case.broken and not case.spec.items):
        name, labels = case.spec.fields[0].name, case.other
        values, wanted = extract(case.spec, labels.page).fields[0].values, labels.wanted[name]
        before = given.get((id(labels), name), ())
        given[id(labels), name] = max(before, values, key=lambda one: f1(one, wanted, 0))
    found: dict[tuple[int, str], Case] = {}
    for case in every:
        field, labels = case.spec.fields[0], case.other
        place = id(labels), field.name
        if case.spec.items or not case.broken or place in found or not given.get(place) or not _exact(case):
            continue
        shown = Shown(
            labels.body, _churned(given[place], case.good[0].wanted[field.name]), labels.wanted[field.name], labels
        )
        found[place] = Case(
            f"{labels.engine} {labels.date} {field.name} {len(found)}", "search", KINDS[field.name],
            labels.engine == SCORED_ENGINE, case.spec, tuple(good.body for good in case.good), (shown,),
        )  # fmt: skip
    return list(found.values())


def _churned(values: tuple[str, ...], stale: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stale[number % len(stale)] if number % 10 in STALE else value for number, value in enumerate(values))


def _exact(case: serp_cases.Case) -> bool:
    """Whether the selector gave the labelled values themselves, not a block that begins with them."""
    name = case.spec.fields[0].name
    return all(
        f1(extract(case.spec, good.page).field(name).values, good.wanted[name], 0) >= WORKED for good in case.good
    )


def learned(page: Page, name: str, truth: tuple[str, ...], *, many: bool) -> Spec | None:
    """A SPEC as a person would have written it for the page; `None` where no simple selector fits."""
    for nodes in nodes_with(page.tree, truth, "").values():
        for _, css in selectors_for(nodes[0], "")[:40]:
            spec = Spec("bench", (FieldSpec(name, css, "", FieldKind.TEXT, many),))
            values = extract(spec, page).field(name)
            if f1(values.values, truth, values.nodes if not many else 0) >= WORKED:
                return spec
    return None


def listed(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _broken(spec: Spec, page: Page, truth: tuple[str, ...], least: float) -> bool:
    """Whether the selector fails although `least` of the labelled values can be read on the page."""
    values = extract(spec, page).field(spec.fields[0].name).values
    return f1(values, truth, 0) < BROKE and _present(page, truth, least)


def _reachable(page: Page, name: str, truth: tuple[str, ...], *, many: bool, sure: bool = False) -> bool:
    """Whether the labels are what the page itself shows: short words stand anywhere, and some labels are of another page.

    With `sure`, of the page that was labelled, only lists of short words are asked.
    """
    return (sure and name not in WORDS) or learned(page, name, truth, many=many) is not None


def _one_layout(one: Page, other: Page) -> bool:
    """Whether most of what either is built of is in both; the pages were taken years apart."""
    both = len(np.intersect1d(one.shape.tokens, other.shape.tokens, assume_unique=True))
    return both >= ALIKE * max(len(one.shape.tokens), len(other.shape.tokens))


def _present(page: Page, truth: tuple[str, ...], least: float) -> bool:
    text = plain(page.tree.body.text(deep=True, separator=" ")) if page.tree.body else ""
    return sum(plain(value) in text for value in truth) >= len(truth) * least


def _packed(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())
