from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.memory import fresh
from checks.parsers.page import read_page
from checks.parsers.spec import parse_spec
from checks.parsers.verdict import judge
from data.model.state import State

HOME = "https://search.example/?q=casino"


def verdict(spec, body, memory, final_url=""):
    return judge(spec, read_page(body, url=HOME, final_url=final_url), memory)


@given(st.integers(2, 45), st.sampled_from(["casino", "bonus", "wetten ohne oasis", "nettikasino"]))
def test_results_come_and_go_and_nothing_fails(spec, learned, search_page, count, query):
    found = verdict(spec, search_page(count, query), learned)
    assert (found.state, found.cause) == (State.OK, "")
    assert found.extraction.items == count


@given(st.integers(3, 40), st.data())
def test_any_results_of_a_good_page_are_a_good_page(spec, learned, search_page, count, data):
    """Dropping and reordering whole results is volatility."""
    head, *blocks = search_page(count).split(b"<div class='result'>")
    *blocks, last = blocks
    last, foot = last.split(b"</main>")
    picked = data.draw(st.lists(st.sampled_from([*blocks, last]), min_size=2, unique=True))
    body = head + b"".join(b"<div class='result'>" + block for block in picked) + b"</main>" + foot
    assert verdict(spec, body, learned).state is not State.FAILING


def test_titles_empty_on_every_one_of_32_blocks(spec, learned, search_page):
    found = verdict(spec, search_page(32, title=""), learned)
    assert (found.state, found.cause) == (State.FAILING, "parser.field_dead")
    assert found.detail.startswith("title empty on 32 of 32 items, usually 11 of 11")
    assert {field.name: field.state for field in found.fields} == {"title": "dead", "url": "ok", "snippet": "ok"}


def test_items_gone_while_the_witness_still_sees_results(spec, learned, search_page, redesign):
    found = verdict(spec, search_page(10, item=redesign), learned)
    assert (found.state, found.cause) == (State.FAILING, "parser.selector_dead")
    assert "10 results are plain to see" in found.detail


def test_a_dead_selector_needs_no_history_when_the_witness_sees_results(spec, search_page, redesign):
    assert verdict(spec, search_page(10, item=redesign), fresh(spec)).cause == "parser.selector_dead"


def test_a_page_without_results_is_no_dead_selector(spec, learned, search_page):
    found = verdict(spec, search_page(0), learned)
    assert (found.state, found.cause) == (State.FAILING, "page.no_results")


def test_a_page_without_results_and_without_history_is_unknown(spec, search_page):
    found = verdict(spec, search_page(0), fresh(spec))
    assert (found.state, found.cause) == (State.UNKNOWN, "page.no_results")


def test_results_that_all_stay_on_the_site_are_results(spec, learned, search_page):
    """They are none to the witness; that their elements are there tells a dead selector from a page without results."""
    gone = replace(spec, items="div.gone")
    own = search_page(10).replace(b"https://site", b"/go/site")
    assert verdict(gone, own, learned).cause == "parser.selector_dead"
    assert verdict(gone, search_page(0), learned).cause == "page.no_results"


STAND_INS = {
    "consent wall": (
        "<form action='https://consent.search.example/save'><button>Accept all</button></form>",
        "",
        "page.consent",
    ),
    "captcha": ("<p>Unusual traffic<form action='/sorry/index'><input name=q></form>", "", "page.blocked"),
    "captcha elsewhere": ("<p>Are you a robot?", "https://search.example/sorry/index", "page.blocked"),
    "a small page of another kind": ("<center><h1>Access denied</h1></center>", "", "page.blocked"),
    "nothing": ("", "", "page.empty"),
}


@pytest.mark.parametrize(("html", "final_url", "cause"), STAND_INS.values(), ids=STAND_INS.keys())
def test_what_stands_in_for_the_results_is_named(spec, learned, html, final_url, cause):
    found = verdict(spec, html.encode(), learned, final_url)
    assert (found.state, found.cause) == (State.FAILING, cause)


def test_a_healthy_page_with_a_consent_form_on_it_is_healthy(spec, learned, search_page):
    banner = b"<main class='list'><form action='https://consent.search.example/save'></form>"
    body = search_page(10).replace(b"<main class='list'>", banner)
    assert verdict(spec, body, learned).state is State.OK


def test_urls_that_became_texts_are_the_wrong_target(spec, learned, search_page):
    body = search_page(10).replace(b"href='https://site", b"href='read more about site")
    found = verdict(spec, body, learned)
    assert found.cause == "parser.wrong_target"
    assert "url is no url on 10 of 10 values" in found.detail


def test_titles_that_became_addresses_are_the_wrong_target(spec, learned, search_page):
    swapped = (
        "<div class='result'><h3 class='name'>site{n}.example &rsaquo; en &rsaquo; {n}</h3>"
        "<div class='head'><a class='link' href='https://site{n}.example/{query}/{n}'>{title}</a></div><p class='text'>{snippet}</p></div>"
    )
    found = verdict(spec, search_page(10, item=swapped), learned)
    assert found.cause == "parser.wrong_target"
    assert found.detail.startswith("title used to be the links of the page")


def test_one_text_in_all_places_is_the_wrong_target(spec, learned, search_page):
    same = "<div class='result'><h3>Sponsored</h3><a href='https://site{n}.example/{n}'>{title}</a><p class='text'>{snippet}</p></div>"
    assert verdict(spec, search_page(10, item=same), learned).cause == "parser.wrong_target"


def test_titles_lost_on_most_items_are_partial(spec, learned, search_page):
    body = search_page(12)
    for n in range(9):
        body = body.replace(f"Result {n} about casino and its rules".encode(), b"")
    found = verdict(spec, body, learned)
    assert found.cause == "parser.partial"
    assert "title empty on 9 of 12 items" in found.detail


def test_most_results_in_a_new_wrapper_are_partial(spec, learned, search_page):
    body = search_page(12).replace(b"<div class='result'>", b"<div class='outcome'>", 11)
    found = verdict(spec, body, learned)
    assert found.cause == "parser.partial"
    assert found.extraction.items == 1


def test_repeated_positions_are_the_wrong_target(learn_from):
    spec = parse_spec('[parser]\nitems = "li"\n[parser.fields.pos]\ncss = "b"\ntype = "position"\n')
    orders = ((1, 2, 3, 4), (1, 2, 3), (11, 12, 14), (1, 2, 1, 2, 1, 2), (1, 1, 2, 2))
    rows = [b"".join(b"<li><b>%d</b>x" % n for n in order) for order in orders]
    memory = learn_from(spec, *rows[:2])
    assert [verdict(spec, row, memory).cause for row in rows] == ["", "", "", "", "parser.wrong_target"]


@given(st.integers(2, 12), st.integers(2, 4))
def test_the_same_results_shown_again_are_no_failure(spec, learned, search_page, count, times):
    head, *blocks = (
        search_page(count).replace(b"</main>", b"<div class='result'></main>").split(b"<div class='result'>")
    )
    *blocks, foot = blocks
    body = b"<div class='result'>".join([head, *blocks * times]) + foot
    found = verdict(spec, body, learned)
    assert (found.state, found.extraction.items) == (State.OK, count * times)


def test_a_new_layout_that_reads_well_is_only_degraded(spec, learned, search_page):
    moved = "<article class='card'><div class='inner'><div class='result'><a href='https://site{n}.example/{query}/{n}'><h3>{title}</h3></a><p class='text'>{snippet}</p></div></div></article>"
    body = search_page(10, item=moved).replace(b"class='top'", b"class='bar'").replace(b"class='list'", b"class='feed'")
    found = verdict(spec, body, learned)
    assert (found.state, found.cause) == (State.DEGRADED, "page.layout_unknown")


OPTIONAL = '[parser]\nitems = "li"\n[parser.fields.a]\ncss = "b"\n[parser.fields.rating]\ncss = "i"\n{}\n'
PLAIN, RATED = b"<li><b>x</b>" * 6, b"<li><b>x</b><i>5</i>" * 6


@pytest.mark.parametrize(
    ("rule", "history", "state"),
    [
        ("", [RATED], State.FAILING),
        ("", [RATED] * 4 + [PLAIN], State.OK),
        ("", [PLAIN] * 5, State.OK),
        ("", [], State.UNKNOWN),
        ("required = true", [], State.FAILING),
        ("required = true", [PLAIN] * 5, State.FAILING),
        ("required = false", [RATED] * 9, State.OK),
        ("required = false", [RATED] * 10, State.FAILING),
        ("required = false", [], State.OK),
    ],
)
def test_an_empty_field_is_judged_by_its_rule_and_its_history(learn_from, rule, history, state):
    spec = parse_spec(OPTIONAL.format(rule))
    assert verdict(spec, PLAIN, learn_from(spec, *history)).state is state


def test_fewer_items_than_asked_for_fail_only_if_more_are_to_be_seen(learn_from, search_page):
    spec = parse_spec('[parser]\nitems = "div.result"\nmin_items = 5\n[parser.fields.title]\ncss = "h3"\n')
    memory = learn_from(spec, search_page(10), search_page(8))
    assert verdict(spec, search_page(2), memory).state is State.OK
    half = search_page(12).replace(b"<div class='result'>", b"<div class='outcome'>", 8)
    assert verdict(spec, half, memory).cause == "parser.partial"


def test_the_same_page_gets_the_same_verdict(spec, learned, search_page):
    body = search_page(7)
    first, second = verdict(spec, body, learned), verdict(spec, body, learned)
    assert (first.state, first.fields, first.layout, first.witness) == (
        second.state,
        second.fields,
        second.layout,
        second.witness,
    )


TEXTS = '[parser]\n[parser.fields.snippet]\ncss = "p"\nmany = true\n'


@pytest.fixture
def texts(learn_from, search_page):
    """A SPEC of all paragraphs, and the memory of three pages on which these are the snippets."""
    spec = parse_spec(TEXTS)
    return spec, learn_from(spec, *(search_page(9 + n, query) for n, query in enumerate(("casino", "bonus", "slots"))))


def test_a_selector_that_became_too_wide_is_the_wrong_target(texts, search_page):
    more = b"</p><p>Customers also ask what that is</p><p>and where to find more of it</p></div>"
    found = verdict(texts[0], search_page(10).replace(b"</p></div>", more), texts[1])
    assert (found.state, found.cause) == (State.FAILING, "parser.wrong_target")
    assert found.detail == "snippet 30 times for 10 visible results, usually 10 of 10"


def test_a_selector_that_became_too_narrow_is_partial(texts, search_page):
    body = search_page(12).replace(b"<p class='text'>", b"<i class='text'>", 9).replace(b"</p></div>", b"</i></div>", 9)
    found = verdict(texts[0], body, texts[1])
    assert found.cause == "parser.partial"
    assert found.detail == "snippet on 3 of 12 visible results, usually 10 of 10"


ARM = (
    "<div class='cell'><p class='note'>{snippet}</p><p class='more'>More of {query}</p>"
    "<a class='to' href='https://site{n}.example/{query}/{n}'><h3>{title}</h3></a></div>"
)
ARMS = {1: {}, 2: {"item": ARM}}
"""Texts a result to how the layout that has as many is made."""


@pytest.fixture
def in_turn(learn_from, search_page):
    """A SPEC of all paragraphs, and the memory of two layouts served in turn: one text a result, and two."""
    spec = parse_spec(TEXTS)
    return spec, learn_from(spec, *(search_page(9 + n, f"q{n}", **arm) for n in range(4) for arm in ARMS.values()))


@pytest.mark.parametrize("texts_each", ARMS)
def test_each_arm_of_an_even_test_of_two_layouts_has_its_own_usual_number_of_values(in_turn, search_page, texts_each):
    spec, memory = in_turn
    for count in (2, 4, 10, 40):
        assert verdict(spec, search_page(count, **ARMS[texts_each]), memory).state is State.OK
    body = search_page(12, **ARMS[texts_each])
    wide = verdict(spec, body.replace(b"</a>", b"</a>" + b"<p>people also want to know</p>" * 5), memory)
    gone = 10 * texts_each
    narrow = verdict(spec, body.replace(b"<p", b"<i", gone).replace(b"</p", b"</i", gone), memory)
    assert (wide.cause, "times for 12 visible results" in wide.detail) == ("parser.wrong_target", True)
    assert narrow.cause == "parser.partial"
    assert narrow.detail.startswith(f"snippet on {2 * texts_each} of 12 visible results")


@pytest.mark.parametrize("count", [2, 3, 5, 20, 40, 80])
def test_a_selector_is_neither_wide_nor_narrow_because_results_are_many_or_few(texts, search_page, count):
    assert verdict(texts[0], search_page(count), texts[1]).state is State.OK


def test_a_selector_is_not_too_wide_on_the_word_of_two_pages(learn_from, search_page):
    spec = parse_spec(TEXTS)
    body = search_page(10).replace(b"</p></div>", b"</p><p>one more thing</p><p>and another</p></div>")
    assert verdict(spec, body, learn_from(spec, search_page(10), search_page(9))).state is State.OK


def test_empty_places_between_the_results_do_not_make_a_field_low(texts, search_page):
    body = search_page(8).replace(b"<div class='result'>", b"<p></p><p> </p><div class='result'>")
    assert verdict(texts[0], body, texts[1]).state is State.OK


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ("<p>https://site{n}.example &rsaquo; {query}</p>", "is an address"),
        ("<p>site{n}.example/{query}</p>", "is an address"),
        ("<p>{title}</p>", "is the links of the page"),
    ],
)
def test_snippets_that_became_addresses_or_titles_are_the_wrong_target(texts, search_page, instead, words):
    item = f"<div class='result'><a class='link' href='https://site{{n}}.example/{{n}}'><h3>{{title}}</h3></a>{instead}</div>"
    found = verdict(texts[0], search_page(10, item=item), texts[1])
    assert (found.state, found.cause) == (State.FAILING, "parser.wrong_target")
    assert words in found.detail


def test_a_word_beside_every_result_is_no_title_although_it_is_a_link(spec, learned, search_page):
    item = "<div class='result'><h3><a href='https://cache.example/page-{n}'>Translate this page</a></h3><a href='https://site{n}.example/{n}'>x</a></div>"
    found = verdict(spec, search_page(10, item=item), learned)
    assert found.cause == "parser.wrong_target"
    assert "title is 'Translate this page' in 10 of 10 places" in found.detail
