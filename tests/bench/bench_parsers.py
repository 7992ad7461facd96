"""Cost of a page verdict: CPU milliseconds a page, on a large real page where there is one."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time

from selectolax.lexbor import LexborHTMLParser

from checks.parsers import memory as memories
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.repair import Broken, repairs_for
from checks.parsers.spec import parse_spec
from checks.parsers.verdict import judge
from tests.bench.figure import Figure

SPEC = (
    '[parser]\nitems = "#rso div.g"\n[parser.fields.title]\ncss = "h3"\n[parser.fields.url]\ncss = "a[href]"\nattr = "href"\n'
    'type = "url"\n[parser.fields.snippet]\ncss = "div.VwiC3b"\n'
)
ITEM = "<div class='g'><a class='l k{n}' href='https://site{n}.example/x'><h3 class='t'>Result {n} and its words</h3></a><div class='VwiC3b'>{text}</div></div>"
ROUNDS = 15


def run() -> list[Figure]:
    spec = parse_spec(SPEC)
    bodies, note = _pages()
    body = max(bodies, key=len)
    memory = memories.fresh(spec)
    for number, good in enumerate(bodies[:6]):
        page = read_page(good, url=f"https://search.example/?q={number}")
        memory = memories.learn(memory, page, extract(spec, page), datetime(2026, 1, 5, tzinfo=UTC), trusted=True)
    known = read_page(body)
    broken = Broken(known, {"title": extract(spec, known).field("title").values})
    bare = _ms(lambda: _bare(body))
    note = f"{note}, {len(body) / 1e6:.2f} MB, {known.shape.nodes} nodes"
    return [
        Figure(
            "read and judge a page",
            _ms(lambda: judge(spec, read_page(body), memory)),
            "ms",
            "parse + selectors only",
            bare,
            note,
        ),
        Figure("read a page", _ms(lambda: read_page(body)), "ms", "parse + selectors only", bare),
        Figure(
            "judge a page that is read", _ms(lambda: judge(spec, known, memory)), "ms", "parse + selectors only", bare
        ),
        Figure("load, learn and store a memory", _ms(lambda: _remember(spec, known, memory)), "ms"),
        Figure("size of a memory", len(memories.dump(memory)) / 1000, "kB"),
        Figure("propose a repair of one field", _ms(lambda: repairs_for(spec, ("title",), [broken], memory)), "ms"),
    ]


def _ms(work) -> float:
    """Median CPU milliseconds."""
    spent = []
    for _ in range(ROUNDS):
        began = process_time()
        work()
        spent.append((process_time() - began) * 1000)
    return median(spent)


def _bare(body: bytes) -> None:
    tree = LexborHTMLParser(body)
    for item in tree.css("#rso div.g"):
        for css in ("h3", "a[href]", "div.VwiC3b"):
            found = item.css_first(css)
            if found is not None:
                found.text(deep=True)


def _remember(spec, page, memory) -> bytes:
    again = memories.load(memories.dump(memory), spec)
    return memories.dump(memories.learn(again, page, extract(spec, page), datetime(2026, 1, 6, tzinfo=UTC)))


def _pages() -> tuple[list[bytes], str]:
    folder = Path(os.environ.get("LOSSWATCH_CORPORA") or Path(__file__).parents[3] / "shared" / "corpora")
    found = [gzip.decompress(path.read_bytes()) for path in sorted((folder / "serp" / "websearcher").glob("2024*.gz"))]
    if found:
        return found, "real page"
    filler = "<div class='w'><span class='s'>" + "word " * 40 + "</span></div>"
    items = "".join(ITEM.format(n=n, text="text " * 40) for n in range(30))
    made = f"<html><body><script>{'x=1;' * 100_000}</script><div id=rso>{items}</div>{filler * 1500}</body></html>"
    return [made.encode()], "made page"
