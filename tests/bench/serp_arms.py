"""Two layouts served in turn: real search pages beside the same in other clothes, and selectors that grew too wide or narrow.

Whatever is told where one layout is served must be told where two are, and nothing more.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from checks.parsers import memory as memories
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.verdict import judge
from data.model.state import State
from tests.bench import serp_changes
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.parsers.memory import ParserMemory
    from checks.parsers.spec import Spec
    from tests.bench.serp_cases import Case

LEFT = 5
"""One in so many values is left by a selector that became too narrow."""
TIMES = 5
"""Values for each result of one that became too wide."""
FIELD = "snippet"
"""The field whose elements can go without taking the result's link with them."""
AT = datetime(2026, 1, 5, tzinfo=UTC)


def arms(cases: Iterable[Case]) -> list[Figure]:
    """Alarms with a memory of one layout, and with one of two in turn; on the page of either."""
    told = defaultdict[tuple[str, str], list[bool]](list)
    for case in _picked(cases):
        pages = [good.body for good in case.good]
        worn = [serp_changes.other_clothes(body, case.spec) for body in pages]
        memory = {
            "one layout": _learned(case.spec, [*pages, *pages]),
            "two in turn": _learned(case.spec, [body for pair in zip(pages, worn, strict=True) for body in pair]),
        }
        shown = {"one layout": [case.other.body]}
        shown["two in turn"] = [case.other.body, serp_changes.other_clothes(case.other.body, case.spec)]
        for served, known in memory.items():
            for body in shown[served]:
                for what, changed in _changed(body, case.spec).items():
                    verdict = judge(case.spec, read_page(changed, url=case.other.page.url), known)
                    told[what, served].append(verdict.state is State.FAILING)
    return list(_figures(told))


def _figures(told: dict[tuple[str, str], list[bool]]) -> Iterable[Figure]:
    for (what, served), found in told.items():
        share = sum(found) / len(found)
        note = f"{sum(found)} of {len(found)} pages"
        if what == "working":
            yield Figure(f"{served}: working selectors alarmed", 100 * share, "%", "aim, at most", 0.5, note)
        else:
            alone = told[what, "one layout"]
            yield Figure(f"{served}: {what} told", share, "share", "one layout", sum(alone) / len(alone), note)


def _picked(cases: Iterable[Case]) -> list[Case]:
    """One working case of the field for each page."""
    found: dict[int, Case] = {}
    for case in cases:
        if not case.broken and not case.spec.items and case.spec.fields[0].name == FIELD:
            found.setdefault(id(case.other), case)
    return list(found.values())


def _changed(body: bytes, spec: Spec) -> dict[str, bytes]:
    return {"working": body, "too narrow": _narrow(body, spec), "too wide": _wide(body, spec)}


def _narrow(body: bytes, spec: Spec) -> bytes:
    tree = LexborHTMLParser(body)
    nodes = tree.css(spec.fields[0].css)
    for node in nodes[max(len(nodes) // LEFT, 1) :]:
        node.decompose()
    return (tree.html or "").encode()


def _wide(body: bytes, spec: Spec) -> bytes:
    tree = LexborHTMLParser(body)
    html = tree.html or ""
    for block in {node.html or "": None for node in tree.css(spec.fields[0].css)}:
        more = "".join(block.replace("</", f" {number}</", 1) for number in range(1, TIMES))
        html = html.replace(block, block + more, 1)
    return html.encode()


def _learned(spec: Spec, bodies: Iterable[bytes]) -> ParserMemory:
    memory = memories.fresh(spec)
    for number, body in enumerate(bodies):
        page = read_page(body, url=f"https://search.example/?q={number}")
        memory = memories.learn(memory, page, extract(spec, page), AT, trusted=True)
    return memory
