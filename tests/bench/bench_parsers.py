"""The verdict on real search pages: what is broken, what is only volatile, why, and at what cost.

Selectors are learned from labelled values and judged on other pages of the same engine. Every threshold that could
be turned is turned on one engine and scored on the other. Nothing is printed of any page.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from checks.parsers import contract
from checks.parsers import memory as memories
from checks.parsers.charset import decode
from checks.parsers.extract import extract
from checks.parsers.layout import shape_of
from checks.parsers.page import Page, hazard, read_page
from checks.parsers.spec import parse_spec
from checks.parsers.verdict import judge
from checks.parsers.witness import witness
from data.model.state import State
from tests.bench import serp_cases, serp_changes
from tests.bench.figure import Figure
from tests.bench.hostile_pages import hostile
from tests.bench.serp_arms import arms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from checks.parsers.memory import ParserMemory
    from checks.parsers.spec import Spec
    from tests.bench.serp_cases import Case

SPEC = (
    '[parser]\nitems = "#rso div.g"\n[parser.fields.title]\ncss = "h3"\n[parser.fields.url]\ncss = "a[href]"\nattr = "href"\n'
    'type = "url"\n[parser.fields.snippet]\ncss = "div.VwiC3b"\n'
)
ITEM = "<div class='g'><a class='l k{n}' href='https://site{n}.example/x'><h3 class='t'>Result {n} and its words</h3></a><div class='VwiC3b'>{text}</div></div>"
ROUNDS = 7
LEARNED = 5
USUAL_MB = 0.9
AT = datetime(2026, 1, 5, tzinfo=UTC)
KNOBS = {"MANY_FOR_EACH": (1.5, 3), "FEW_FOR_EACH": (2, 4), "LENGTH_LINE": (0.7, 1.2), "SUPPORT": (0.6, 0.8)}
DEFAULT = "as it stands"
POINTED = 4
"""One in so many working cases has its selector pointed at wrong nodes."""


@dataclass(slots=True)
class Tally:
    """Alarms on broken, fine and silently wrong cases."""

    broken: list[bool] = field(default_factory=list)
    fine: list[bool] = field(default_factory=list)
    silent: list[bool] = field(default_factory=list)

    def count(self, case: Case, *, alarm: bool) -> None:
        (self.broken if case.broken else self.fine).append(alarm)
        if case.silent:
            self.silent.append(alarm)

    @property
    def merit(self) -> tuple[bool, float]:
        return share(self.fine) <= 0.02, share(self.broken) + share(self.silent)


def run() -> list[Figure]:
    found = [*_cost(), *hostile(parse_spec(SPEC), memories.fresh(parse_spec(SPEC)))]
    folder = serp_cases.corpora()
    if folder is None:
        return [*found, Figure("the verdict on real pages", 0.0, "", note=serp_cases.NO_CORPORA)]
    cases = list(serp_cases.cases(serp_cases.labelled(folder)))
    periods = _periods(folder)
    told = [*_broken(cases), *_pointed(cases), *_changed(cases, periods), *_redesigns(periods)]
    return [*found, *told, *arms(cases)]


def share(found: Iterable[bool]) -> float:
    every = list(found)
    return sum(every) / len(every) if every else 0.0


# --- broken or working ------------------------------------------------------------------------------------------


def _broken(cases: list[Case]) -> list[Figure]:
    """TPR, FPR and silent-wrong of each engine; then with each threshold chosen on the other engine."""
    known = [_remembered(case.spec, [(good.body, good.page) for good in case.good]) for case in cases]
    dead = [not extract(case.spec, case.other.page).alive for case in cases]
    turned: dict[str, dict[str, Tally]] = {DEFAULT: defaultdict(Tally)}
    alarms = [_fails(case.spec, case.other.page, memory) for case, memory in zip(cases, known, strict=True)]
    for case, alarm in zip(cases, alarms, strict=True):
        turned[DEFAULT][case.engine].count(case, alarm=alarm)
    for name, values in KNOBS.items():
        before = getattr(contract, name)
        for value in values:
            tallies = turned[f"{name} {value}"] = defaultdict(Tally)
            setattr(contract, name, value)
            for number, case in enumerate(cases):
                again = alarms[number] if dead[number] else _fails(case.spec, case.other.page, known[number])
                tallies[case.engine].count(case, alarm=again)
        setattr(contract, name, before)
    engines = sorted(turned[DEFAULT])
    found = [figure for engine in engines for figure in _tallied(turned[DEFAULT][engine], engine, DEFAULT)]
    for engine, other in zip(engines, reversed(engines), strict=True):
        best = max(turned, key=lambda knob: (*turned[knob][other].merit, knob == DEFAULT))
        found += _tallied(turned[best][engine], engine, f"tuned on {other}: {best}")
    return found


def _tallied(tally: Tally, engine: str, how: str) -> list[Figure]:
    return [
        Figure(f"{engine}: broken selectors told", share(tally.broken), "TPR", "aim, at least", 0.97, _of(tally.broken, how)),
        Figure(f"{engine}: working selectors alarmed", share(tally.fine), "FPR", "aim, at most", 0.02, _of(tally.fine, how)),
        Figure(f"{engine}: five or more wrong nodes told", share(tally.silent), "recall", "aim, at least", 0.5, _of(tally.silent, how)),
    ]  # fmt: skip


def _pointed(cases: list[Case]) -> list[Figure]:
    """Working selectors pointed at other nodes of the same page: addresses, snippets, menus, words beside results."""
    picked, told = Random(7), defaultdict[str, list[bool]](list)
    for case in (case for case in cases if not case.broken and not case.spec.items):
        if picked.randrange(POINTED) == 0:
            memory = _remembered(case.spec, [(good.body, good.page) for good in case.good])
            told[case.engine] += [
                _fails(spec, case.other.page, memory) for spec in serp_cases.wrong_targets(case, picked)
            ]
    what = "selectors pointed at wrong nodes told"
    return [
        Figure(f"{engine}: {what}", share(found), "recall", "aim, at least", 0.5, _of(found, "made"))
        for engine, found in sorted(told.items())
    ]


def _fails(spec: Spec, page: Page, memory: ParserMemory) -> bool:
    return judge(spec, page, memory).state is State.FAILING


def _of(found: list[bool], how: str) -> str:
    return f"{sum(found)} of {len(found)}, {how}"


# --- volatility, causes, redesigns ------------------------------------------------------------------------------


def _changed(cases: list[Case], periods: dict[str, list[tuple[bytes, str]]]) -> list[Figure]:
    """Pages with other numbers of results must not fail; pages with one thing wrong are named by it."""
    volatile, named = defaultdict[str, list[bool]](list), defaultdict[str, list[bool]](list)
    for spec, memory, body, url in _jobs(cases, periods):
        several = {
            "the same layout": body,
            f"cut to {serp_changes.FEW} results": serp_changes.few(body, spec),
            "four times the results, repeated": serp_changes.many(body, spec, fresh=False),
            "four times the results, other links": serp_changes.many(body, spec, fresh=True),
        }
        for what, changed in several.items():
            volatile[what].append(_fails(spec, read_page(changed, url=url), memory))
        for change in serp_changes.changes(body, spec):
            verdict = judge(spec, read_page(change.body, url=url, final_url=change.final_url), memory)
            named[change.what.rstrip("0123456789 ")].append(verdict.cause in change.causes)
    kinds = [share(found) for found in named.values()]
    return [
        *(
            Figure(f"false broken: {what}", 100 * share(found), "%", "aim, at most", 0.5, _of(found, "pages"))
            for what, found in volatile.items()
        ),
        Figure("cause right", sum(kinds) / len(kinds), "share", "aim, at least", 0.95, f"mean of {len(kinds)} kinds"),
        *(Figure(f"cause right: {what}", share(found), "share", note=_of(found, "pages")) for what, found in named.items()),
    ]  # fmt: skip


def _jobs(
    cases: list[Case], periods: dict[str, list[tuple[bytes, str]]]
) -> Iterable[tuple[Spec, ParserMemory, bytes, str]]:
    """SPECs of whole results with their memory, each on pages that it reads well."""
    spec = parse_spec(SPEC)
    for pages in periods.values():
        memory = _learned(spec, pages[:LEARNED])
        yield from ((spec, memory, body, url) for body, url in pages[LEARNED:])
    seen = set()
    for case in (case for case in cases if case.spec.items and not case.broken):
        key = (id(case.other), *map(id, case.good))
        if key not in seen:
            seen.add(key)
            memory = _remembered(case.spec, [(good.body, good.page) for good in case.good])
            yield case.spec, memory, case.other.body, case.other.page.url


def _redesigns(periods: dict[str, list[tuple[bytes, str]]]) -> list[Figure]:
    """Every page of another dated period is reported, the first included; none inside a period."""
    spec, inside, first, later = parse_spec(SPEC), [], [], []
    for name, pages in periods.items():
        memory = _learned(spec, pages[:LEARNED])
        inside += [judge(spec, read_page(body, url=url), memory).state is not State.OK for body, url in pages[LEARNED:]]
        for other in (pages for period, pages in periods.items() if period != name):
            told = [judge(spec, read_page(body, url=url), memory).state is not State.OK for body, url in other]
            first, later = [*first, told[0]], [*later, *told[1:]]
    return [
        Figure("redesign reported on its first page", share(first), "share", "aim", 1.0, _of(first, "redesigns")),
        Figure("redesign reported on each later page", share(later), "share", "aim", 1.0, _of(later, "pages")),
        Figure("reported inside a period", 100 * share(inside), "%", note=f"aim 0; {_of(inside, 'pages')}"),
    ]


def _periods(folder: Path) -> dict[str, list[tuple[bytes, str]]]:
    home = folder / "serp" / "websearcher"
    found = defaultdict[str, list[tuple[bytes, str]]](list)
    for number, row in enumerate(json.loads((home / "index.json").read_text())):
        body = serp_cases.packed(home / row["file"])
        found[row["period"]].append((body, f"https://www.google.com/search?q={number}"))
    return dict(found)


def _learned(spec: Spec, pages: Iterable[tuple[bytes, str]]) -> ParserMemory:
    return _remembered(spec, [(body, read_page(body, url=url)) for body, url in pages])


def _remembered(spec: Spec, pages: Iterable[tuple[bytes, Page]]) -> ParserMemory:
    memory = memories.fresh(spec)
    for _, page in pages:
        memory = memories.learn(memory, page, extract(spec, page), AT, trusted=True)
    return memory


# --- cost -------------------------------------------------------------------------------------------------------


def _cost() -> list[Figure]:
    """CPU milliseconds a page, scaled to 0.9 MB, as the median over real pages; and where they go."""
    spec, folder = parse_spec(SPEC), serp_cases.corpora()
    bodies = [body for pages in _periods(folder).values() for body, _ in pages] if folder else [_made()]
    note = f"{len(bodies)} real pages" if folder else "one made page"
    memory = _learned(spec, [(body, f"https://search.example/?q={n}") for n, body in enumerate(bodies[:LEARNED])])
    spent = defaultdict[str, list[float]](list)
    for body in bodies:
        for what, work in _steps(spec, body, memory).items():
            spent[what].append(_ms(work) * USUAL_MB * 1e6 / len(body))
    per = {what: median(ms) for what, ms in spent.items()}
    bare = per.pop("parse + selectors only")
    whole = per.pop("read and judge")
    size = len(memories.dump(memory)) / 1000
    return [
        Figure("read and judge a page of 0.9 MB", whole, "ms", "aim, at most", 15.0, note),
        Figure("read and judge a page of 0.9 MB", whole, "ms", "parse + selectors only", bare, note),
        *(Figure(f"  of that: {what}", ms, "ms", "the whole", whole) for what, ms in per.items()),
        Figure("size of a memory", size, "kB"),
    ]


def _steps(spec: Spec, body: bytes, memory: ParserMemory) -> dict[str, Callable[[], object]]:
    text = decode(body)[0]
    tree, page = LexborHTMLParser(text), read_page(body)
    return {
        "read and judge": lambda: judge(spec, read_page(body), memory),
        "decode": lambda: decode(body),
        "look for what would blow up": lambda: hazard(text),
        "parse": lambda: LexborHTMLParser(text),
        "tokens of the layout": lambda: shape_of(tree),
        "extract": lambda: extract(spec, page),
        "witness": lambda: witness(page),
        "judge in all": lambda: judge(spec, page, memory),
        "load, learn and store a memory (beside it)": lambda: _remember(spec, page, memory),
        "parse + selectors only": lambda: _bare(body),
    }


def _ms(work: Callable[[], object]) -> float:
    """Median CPU milliseconds."""
    spent = []
    for _ in range(ROUNDS):
        began = process_time()
        work()
        spent.append((process_time() - began) * 1000)
    return median(spent)


def _bare(body: bytes) -> None:
    for item in LexborHTMLParser(body).css("#rso div.g"):
        for css in ("h3", "a[href]", "div.VwiC3b"):
            found = item.css_first(css)
            if found is not None:
                found.text(deep=True)


def _remember(spec: Spec, page: Page, memory: ParserMemory) -> bytes:
    again = memories.load(memories.dump(memory), spec)
    return memories.dump(memories.learn(again, page, extract(spec, page), AT))


def _made() -> bytes:
    filler = "<div class='w'><span class='s'>" + "word " * 40 + "</span></div>"
    items = "".join(ITEM.format(n=n, text="text " * 40) for n in range(30))
    made = f"<html><body><script>{'x=1;' * 100_000}</script><div id=rso>{items}</div>{filler * 1500}</body></html>"
    return made.encode()


if __name__ == "__main__":
    sys.stdout.writelines(figure.line() + "\n" for figure in run())
