"""Pages that were made to hurt: what reading and judging one costs, and what is said of it."""

from __future__ import annotations

from random import Random
from time import process_time
from typing import TYPE_CHECKING

from checks.parsers.page import read_page
from checks.parsers.verdict import judge
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.parsers.memory import ParserMemory
    from checks.parsers.spec import Spec

MB = 1_000_000


def hostile(spec: Spec, memory: ParserMemory) -> Iterable[Figure]:
    for what, body in _bodies().items():
        began = process_time()
        verdict = judge(spec, read_page(body), memory)
        ms = (process_time() - began) * 1000
        yield Figure(f"hostile: {what}", ms, "ms", note=f"{len(body) / MB:.1f} MB; {verdict.state}, {verdict.cause}")


def _bodies() -> dict[str, bytes]:
    word = "<p class='snippet'>Результаты и правила</p>"
    return {
        "a page of 50 MB": b"<div class='g'><h3>x</h3></div>" * (50 * MB // 31),
        "200,000 elements in each other": b"<div>" * 200_000,
        "100,000 bold elements left open": b"<b>" * 100_000 + b"<p>x" * 1000,
        "an element of 700,000 attributes": b"<a " + b" ".join(b"k%d=1" % n for n in range(700_000)) + b">x</a>",
        "1 MB of noise": Random(1).randbytes(MB),
        "1 MB of opening brackets": b"<" * MB,
        "utf-16 that calls itself utf-8": f"<meta charset=utf-8>{word * 5000}".encode("utf-16"),
        "cp1251 that calls itself nothing": (word * 5000).encode("cp1251"),
    }
