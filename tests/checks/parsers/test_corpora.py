"""Real pages, kept privately: skipped where they are not. Nothing of them stands here but what was measured on them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest

from checks.parsers import memory as memories
from checks.parsers import repair
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.spec import FieldSpec, Spec, parse_spec
from checks.parsers.verdict import judge
from data.model.state import State

SEARCH = """
[parser]
items = "#rso div.g"
[parser.fields.title]
css = "h3"
[parser.fields.url]
css = "a[href]"
attr = "href"
type = "url"
[parser.fields.snippet]
css = "div.VwiC3b"
"""


def packed(path):
    with gzip.open(path) as file:
        return file.read()


@pytest.fixture(scope="module")
def periods(corpora):
    """Search pages by period: nothing inside a period is a redesign, another period is one."""
    folder = corpora / "serp" / "websearcher"
    found = {}
    for row in json.loads((folder / "index.json").read_text()):
        url = f"https://www.google.com/search?q={len(found)}"
        found.setdefault(row["period"], []).append((packed(folder / row["file"]), url))
    return found


def learned(spec, pages, at):
    memory = memories.fresh(spec)
    for body, url in pages:
        page = read_page(body, url=url)
        memory = memories.learn(memory, page, extract(spec, page), at, trusted=True)
    return memory


@pytest.mark.parametrize("known", [1, 3, 5])
@pytest.mark.parametrize("period", ["2024", "2025"])
def test_no_page_of_the_same_period_fails(periods, period, known, at):
    spec = parse_spec(SEARCH)
    memory = learned(spec, periods[period][:known], at)
    states = {judge(spec, read_page(body, url=url), memory).state for body, url in periods[period][known:]}
    assert states == {State.OK}


@pytest.mark.parametrize(("period", "other"), [("2024", "2025"), ("2025", "2024")])
def test_every_page_of_another_period_is_reported(periods, period, other, at):
    spec = parse_spec(SEARCH)
    memory = learned(spec, periods[period][:6], at)
    states = {judge(spec, read_page(body, url=url), memory).state for body, url in periods[other]}
    assert states <= {State.DEGRADED, State.FAILING}


@pytest.mark.parametrize("period", ["2024", "2025"])
def test_real_pages_with_two_results_or_four_times_as_many_do_not_fail(periods, period, at):
    spec = parse_spec(SEARCH)
    memory = learned(spec, periods[period][:5], at)
    for body, url in periods[period][5:]:
        few, many = read_page(body).tree, read_page(body).tree
        for block in few.css(spec.items)[2:]:
            block.decompose()
        named = [
            block.html for block in many.css(spec.items) if block.css_first("h3") and block.css_first("div.VwiC3b")
        ]
        repeated = many.html.replace(named[0], "".join(named * 4), 1)
        for changed in (few.html, repeated):
            assert judge(spec, read_page(changed.encode(), url=url), memory).state is not State.FAILING


@pytest.fixture(scope="module")
def recipes(corpora):
    """Old and new pages of the same recipes with their labelled values; every third pair, for time."""
    folder = corpora / "redesigns"
    rows = json.loads((folder / "pairs.json").read_text())[::3]
    return [
        (read_page(packed(folder / row["old"])), read_page(packed(folder / row["new"])), row["expected"])
        for row in rows
    ]


@pytest.fixture(scope="module")
def cases(recipes):
    return list(learnable(recipes))


def learnable(recipes):
    """(spec, old page, new page, values on the old, share of them on the new) for each field that can be learned."""
    for old, new, expected in recipes:
        for name in ("title", "ingredients", "instructions_list"):
            labelled = expected.get(name) or ()
            wanted = tuple(labelled) if isinstance(labelled, list) else (labelled,)
            field = FieldSpec(name, "x", many=isinstance(labelled, list))
            spec = Spec("recipe", (field,))
            for css in repair._best(spec, field, [repair.Broken(old, {name: wanted})], memories.fresh(spec), 1):
                spec = Spec("recipe", (replace(field, css=css),))
                was, now = extract(spec, old).field(name).values, extract(spec, new).field(name).values
                if repair.f1(was, wanted, len(was)) >= 0.8:
                    yield spec, old, new, was, repair.f1(now, was, len(now))


def test_redesigned_pages_are_told_from_unchanged_ones(cases, at):
    alarms, broken, caught = 0, 0, 0
    for spec, old, new, _, kept in cases:
        memory = memories.learn(memories.fresh(spec), old, extract(spec, old), at, trusted=True)
        failing = judge(spec, new, memory).state is State.FAILING
        alarms += failing and kept >= 0.9
        broken += kept < 0.5
        caught += failing and kept < 0.5
    assert alarms == 0
    assert broken >= 10
    assert caught >= 0.9 * broken


def test_a_verified_repair_gives_the_values_back(cases, at):
    verified = 0
    for spec, old, new, was, kept in cases:
        if kept < 0.5:
            memory = memories.learn(memories.fresh(spec), old, extract(spec, old), at, trusted=True)
            (field,) = spec.fields
            for found in repair.repairs_for(spec, (field.name,), [repair.Broken(new, {field.name: was})], memory):
                fixed = replace(spec, fields=(replace(field, css=found.selector),))
                now = extract(fixed, new).field(field.name).values
                assert not found.verified or repair.f1(now, was, len(now)) >= repair.OVERLAP
                verified += found.verified
    assert verified >= 10
