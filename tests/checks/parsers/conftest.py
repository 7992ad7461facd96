from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.parsers import memory as memories
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.spec import parse_spec

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SPEC = """
[parser]
name = "serp"
items = "div.result"

[parser.fields.title]
css = "h3"

[parser.fields.url]
css = "a"
attr = "href"
type = "url"

[parser.fields.snippet]
css = "p.text"
required = false
"""
HEAD = (
    "<!doctype html><html><head><title>{query} - search</title><meta charset=utf-8></head><body class='page'>"
    "<header class='top'><form class='ask' action='/search'><input name=q class='box'></form>"
    "<nav class='tabs'><a class='tab' href='/images'>Images</a><a class='tab' href='/news'>News</a></nav></header>"
    "<main class='list'>"
)
FOOT = "</main><footer class='end'><a class='foot' href='/privacy'>Privacy</a><span class='where'>Stockholm</span></footer></body></html>"
ITEM = (
    "<div class='result'><div class='head'><a class='link' href='https://site{n}.example/{query}/{n}'>"
    "<h3 class='name'>{title}</h3></a><cite class='from'>site{n}.example</cite></div><p class='text'>{snippet}</p></div>"
)
REDESIGN = (
    "<section class='card'><span class='crumb'>site{n}.example</span><a class='go' href='https://site{n}.example/{query}/{n}'>"
    "<strong class='caption'>{title}</strong></a><div class='more'><em class='lead'>{snippet}</em></div></section>"
)


def serp(
    count=10,
    query="casino",
    item=ITEM,
    title="Result {n} about {query} and its rules",
    snippet="Some words on {query} no {n}.",
):
    """A search page of `count` results, as bytes."""
    blocks = []
    for n in range(count):
        words = {"n": n, "query": query}
        blocks.append(item.format(**words, title=title.format(**words), snippet=snippet.format(**words)))
    return (HEAD.format(query=query) + "".join(blocks) + FOOT).encode()


@pytest.fixture(scope="session")
def search_page():
    """Factory of search pages: `search_page(count, query=..., item=..., title=...)`."""
    return serp


@pytest.fixture(scope="session")
def redesign():
    return REDESIGN


@pytest.fixture(scope="session")
def at():
    return NOW


@pytest.fixture(scope="session")
def spec():
    return parse_spec(SPEC)


@pytest.fixture(scope="session")
def spec_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "serp.toml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="session")
def learn_from():
    """Memory learned from bodies that a person calls good."""

    def learned(spec, *bodies, trusted=True):
        memory = memories.fresh(spec)
        for number, body in enumerate(bodies):
            page = read_page(body, url=f"https://search.example/?q={number}")
            memory = memories.learn(memory, page, extract(spec, page), NOW, trusted=trusted)
        return memory

    return learned


@pytest.fixture(scope="session")
def learned(spec, learn_from):
    """The memory of five ordinary search pages."""
    queries = ("casino", "bonus", "slots", "poker", "roulette")
    return learn_from(spec, *(serp(10 + n % 3, query) for n, query in enumerate(queries)))


@pytest.fixture(scope="session")
def corpora():
    """Folder of real pages that are never committed."""
    folder = Path(os.environ.get("LOSSWATCH_CORPORA") or Path(__file__).parents[4] / "shared" / "corpora")
    if not (folder / "serp" / "websearcher" / "index.json").exists():
        pytest.skip("no real pages here: set LOSSWATCH_CORPORA to the folder of the private corpora")
    return folder
