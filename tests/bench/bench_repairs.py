"""Repairs on real pages of another layout: proposed from what was known before, scored by labels of the new pages.

Hosts and engines are split in two: rules are tuned while looking at the first half, the second half is what counts.
Nothing is printed of any page.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from checks.parsers import memory as memories
from checks.parsers import repair as repairing
from checks.parsers.anchor import nodes_with
from checks.parsers.candidates import Broken, Source
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.repair import f1, repairs_for
from checks.parsers.similarity import alike, portraits_of
from checks.parsers.witness import witness
from tests.bench import repair_cases, serp_cases
from tests.bench.figure import Figure
from tests.bench.peer_scraper import adaptive_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.parsers.memory import ParserMemory
    from tests.bench.repair_cases import Case, Shown

AIMS = {"single": 0.90, "list": 0.85, "long text": 0.75}
PRECISION = 0.98
GROUPS = ("redesign", "taken back", "two pages", "search")
"""Groups of which last good values are known, so that the aims hold for them."""
INFORMING = "two pages"
"""The other page is labelled by what it tells machines, which is not always what it shows in the place of the field."""
PEERED = ("redesign", "taken back")
RIGHT = 0.8
"""F1 against the labels, on each page, from which a repair counts as right."""
USUAL_MB = 0.9
LARGE = 300_000
ROUNDS = 3
AT = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    case: Case
    right: bool
    verified: bool
    ms: float
    selector: str = ""
    source: str = ""
    f1: float = 0.0


def run(options: list[str] | None = None) -> list[Figure]:
    folder = serp_cases.corpora()
    if folder is None or not (folder / "redesigns" / "pairs.json").exists():
        return [Figure("repairs on real pages", 0.0, "", note=serp_cases.NO_CORPORA)]
    cases = [*repair_cases.of_redesigns(folder / "redesigns"), *repair_cases.of_searches(folder)]
    outcomes = [outcome(case) for case in cases]
    if options and "--show" in options:
        _show(outcomes)
    peer = adaptive_of([case for case in cases if case.group in PEERED])
    return [
        *(figure for half in (False, True) for figure in _figures([one for one in outcomes if one.case.scored is half], peer, scored=half)),
        *_without_values(outcomes),
        *_cost(outcomes, peer),
    ]  # fmt: skip


def outcome(case: Case) -> Outcome:
    """The first proposal, from its own text: reading the pages is part of the cost."""
    memory, good = _remembered(case)
    began = process_time()
    broken = [Broken(read_page(one.body), _values(case, one)) for one in case.shown]
    found = repairs_for(case.spec, (case.field.name,), broken, memory, good=good)
    ms = (process_time() - began) * 1000 / len(broken)
    for one in found:
        score = min(_score(case, one.selector, shown) for shown in case.shown)
        return Outcome(case, score >= RIGHT, one.verified, ms, one.selector, one.source, score)
    return Outcome(case, right=False, verified=False, ms=ms)


def _remembered(case: Case) -> tuple[ParserMemory, list[repair_cases.Page]]:
    memory, good = memories.fresh(case.spec), [read_page(body) for body in case.good]
    for page in good:
        memory = memories.learn(memory, page, extract(case.spec, page), AT, trusted=True)
    return memory, good


def _values(case: Case, shown: Shown) -> dict[str, tuple[str, ...]]:
    return {case.field.name: shown.values} if shown.values else {}


def _score(case: Case, css: str, shown: Shown) -> float:
    spec = replace(case.spec, fields=(replace(case.field, css=css),))
    if shown.labels is not None:
        return serp_cases.score(spec, shown.labels)[0]
    return f1(extract(spec, read_page(shown.body)).field(case.field.name).values, shown.truth, 0)


def _figures(outcomes: list[Outcome], peer: dict[str, tuple[bool, float]], *, scored: bool) -> list[Figure]:
    half = "scored half" if scored else "tuned half"
    found = [
        _share(f"precision of verified, all, {half}", [one for one in outcomes if one.verified], PRECISION, _right)
    ]
    for group in GROUPS:
        own = [one for one in outcomes if one.case.group == group]
        sure = [one for one in own if one.verified]
        found.append(_share(f"precision of verified, {group}, {half}", sure, PRECISION, _right))
        for kind, aim in AIMS.items():
            mine = [one for one in own if one.case.kind == kind]
            if mine:
                what = f"recall, {group}, {kind}, {half}"
                found.append(_share(f"{what}, proposed", mine, aim, _right))
                found.append(_share(f"{what}, verified", mine, aim, lambda one: one.right and one.verified))
                found.extend(_of_peer(f"{what}, proposed", mine, peer))
    return found


def _right(one: Outcome) -> bool:
    return one.right


def _share(what: str, among: list[Outcome], aim: float, good: Callable[[Outcome], bool]) -> Figure:
    hits = sum(map(good, among))
    share = hits / len(among) if among else 0.0
    note = f"{hits} of {len(among)}"
    if INFORMING in what:
        return Figure(what, share, "", note=f"{note}, for information")
    return Figure(what, share, "", "aim, at least", aim, note)


def _of_peer(what: str, mine: list[Outcome], peer: dict[str, tuple[bool, float]]) -> list[Figure]:
    theirs = [peer[one.case.key][0] for one in mine if one.case.key in peer]
    share = sum(one.right for one in mine) / len(mine)
    return [Figure(what, share, "", "an adaptive library", sum(theirs) / len(theirs))] if theirs else []


def _without_values(outcomes: list[Outcome]) -> list[Figure]:
    """What is proposed where nothing is known of the page itself: unproven as a rule, so its share right is for information."""
    by_source = defaultdict[str, list[Outcome]](list)
    for one in outcomes:
        if one.case.group not in GROUPS:
            by_source[one.source or "nothing proposed"].append(one)
    found = [
        Figure(f"no last values: right when proposed by {source}", _mean(one.right for one in own), "", note=f"{len(own)} cases")
        for source, own in sorted(by_source.items()) if source in set(Source)
    ]  # fmt: skip
    every = [one for own in by_source.values() for one in own]
    proposed = [one for one in every if one.selector]
    sure = [one for one in every if one.verified]
    return [
        *found,
        Figure("no last values: something proposed", _mean(bool(one.selector) for one in every), "", note=f"{len(proposed)} of {len(every)}"),
        Figure("no last values: right among verified", _mean(one.right for one in sure), "", note=f"{len(sure)} verified"),
    ]  # fmt: skip


def _mean(found: Iterable[bool]) -> float:
    every = list(found)
    return sum(every) / len(every) if every else 0.0


# --- cost -------------------------------------------------------------------------------------------------------


def _cost(outcomes: list[Outcome], peer: dict[str, tuple[bool, float]]) -> list[Figure]:
    """CPU milliseconds for each page, as they are and scaled to 0.9 MB; and where they go on large pages."""
    theirs = [ms for _, ms in peer.values()]
    plain = median(one.ms for one in outcomes)
    large = [one for one in outcomes if len(one.case.shown[0].body) >= LARGE]
    scaled = [one.ms * USUAL_MB * 1e6 / len(one.case.shown[0].body) for one in large]
    size = median(len(one.case.shown[0].body) for one in outcomes) / 1e6
    spent = defaultdict[str, list[float]](list)
    for one in large[:: max(len(large) // 20, 1)]:
        for what, work in _steps(one.case).items():
            spent[what].append(_ms(work) * USUAL_MB * 1e6 / len(one.case.shown[0].body))
    per = {what: median(ms) for what, ms in spent.items()}
    whole = per.pop("the whole", 0.0)
    return [
        Figure("propose and verify, median", plain, "ms", "aim, at most", 300, f"{len(outcomes)} cases, median page {size:.2f} MB"),
        Figure("propose and verify, scaled to 0.9 MB, median", median(scaled), "ms", "aim, at most", 300, f"{len(large)} pages over {LARGE / 1e6} MB"),
        *([Figure("propose and verify, median", plain, "ms", "an adaptive library", median(theirs))] if theirs else []),
        *(Figure(f"  of that: {what}", ms, "ms", "the whole", whole) for what, ms in per.items()),
    ]  # fmt: skip


def _steps(case: Case) -> dict[str, Callable[[], object]]:
    """The parts of one repair, each by itself."""
    memory, good = _remembered(case)
    shown, name = case.shown[0], case.field.name
    page, looks = read_page(shown.body), portraits_of(case.spec, good).get(name, ())
    broken = [Broken(page, _values(case, shown))]
    sources = list(repairing.anchors(case.field, broken, memory, looks, many=case.field.many))
    known = sources[0][1] if sources else []
    repaired = repairing.Source.VALUES
    return {
        "the whole": lambda: repairs_for(case.spec, (name,), [Broken(read_page(shown.body), _values(case, shown))], memory, good=good),
        "read the page": lambda: read_page(shown.body),
        "witness": lambda: witness(page),
        "what good pages looked like": lambda: portraits_of(case.spec, good),
        "find the last values": lambda: nodes_with(page.tree, shown.values, case.field.attr),
        "synthesise and try selectors": lambda: repairing._synthesised(case.spec, case.field, known),
        "verify one": lambda: repairing._verified(case.spec, case.field, broken, [witness(page)], memory, repaired),
        "elements that look alike (only where all else is silent)": lambda: alike(page, case.field, looks, many=case.field.many),
    }  # fmt: skip


def _ms(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = process_time()
        work()
        spent.append((process_time() - began) * 1000)
    return median(spent)


def _show(outcomes: list[Outcome]) -> None:
    """What went wrong in the tuned half."""
    for one in outcomes:
        if not one.case.scored and not (one.right and one.verified):
            print(
                one.case.key,
                one.case.field.css,
                "->",
                one.source,
                one.selector,
                one.right,
                one.verified,
                round(one.f1, 2),
            )
