from __future__ import annotations

import pytest

from checks.parsers import memory as memories
from checks.parsers.candidates import Broken, structured
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.repair import repairs_for
from checks.parsers.selector import selectors_for
from checks.parsers.spec import parse_spec

LIST = '[parser]\n[parser.fields.title]\ncss = "h3.name"\nmany = true\n[parser.fields.url]\ncss = "a.link"\nattr = "href"\ntype = "url"\nmany = true\n'


def broken(body, values=None):
    return Broken(read_page(body, url="https://search.example/"), values or {})


def good_values(spec, body):
    found = extract(spec, read_page(body))
    return {field.name: field.values for field in found.fields}


def test_dead_fields_are_found_again_by_their_last_values(search_page, redesign, learn_from):
    spec = parse_spec(LIST)
    memory = learn_from(spec, *(search_page(10, f"q{n}") for n in range(3)))
    page = broken(search_page(10, item=redesign), good_values(spec, search_page(10)))
    title, url = repairs_for(spec, ("title", "url"), [page], memory)
    assert (title.matches, title.verified, title.pages) == (10, True, 1)
    assert (url.matches, url.verified) == (10, True)
    fixed = parse_spec(LIST.replace("h3.name", title.selector).replace("a.link", url.selector))
    assert good_values(fixed, search_page(7, "poker", item=redesign)) == good_values(spec, search_page(7, "poker"))


def test_dead_items_get_a_new_item_selector_first(spec, search_page, redesign, learned):
    values = good_values(spec, search_page(10))
    items, title, *_ = repairs_for(
        spec, ("title", "url", "snippet"), [broken(search_page(10, item=redesign), values)], learned
    )
    assert (items.field, items.matches, items.verified) == ("items", 10, True)
    assert (title.field, title.matches, title.verified) == ("title", 10, True)
    assert items.selector.startswith("section")


def test_a_repair_that_fails_on_one_page_of_the_new_layout_is_not_verified(search_page, redesign, learn_from):
    spec = parse_spec(LIST)
    memory = learn_from(spec, *(search_page(10, f"q{n}") for n in range(3)))
    page = broken(search_page(10, item=redesign), good_values(spec, search_page(10)))
    unlike = broken(search_page(10, "other", item="<article><u>{title}</u></article>"))
    (title,) = repairs_for(spec, ("title",), [page, unlike], memory)
    assert (title.matches, title.verified, title.pages) == (10, False, 2)


def test_nothing_is_proposed_where_the_values_are_gone(search_page, learned, spec):
    values = {"title": ("A title of another week", "Another such title")}
    assert repairs_for(spec, ("title",), [broken(search_page(10, title=""), values)], learned) == ()


def test_where_values_are_unknown_the_list_that_links_show_stands_for_what_used_to_agree_with_it(
    spec, search_page, redesign, learned
):
    page = broken(search_page(10, "another week", item=redesign))
    items, title, url = repairs_for(spec, ("title", "url", "snippet"), [page], learned)
    assert items.matches == 10
    assert (title.field, title.matches, title.verified, title.comparable) == ("title", 10, True, 0)
    assert (url.field, url.matches, url.verified) == ("url", 10, True)


def test_links_agree_only_with_their_own_list_and_not_with_any_link_of_the_page(search_page, learn_from):
    spec = parse_spec(LIST)
    memory = learn_from(spec, *(search_page(10, f"q{n}") for n in range(3)))
    twice = (
        "<section><a class='go' href='https://site{n}.example/{query}/{n}'><h2>{title}</h2></a>"
        "<a class='go' href='https://copies{n}.example/{query}/{n}'>A copy of this page</a></section>"
    )
    (url,) = repairs_for(spec, ("url",), [broken(search_page(10, item=twice))], memory)
    assert (url.source, url.matches, url.pages_ok, url.verified) == ("cluster", 20, 1, False)


def test_nothing_is_proposed_where_nothing_is_known(search_page, redesign, spec):
    assert repairs_for(spec, ("title",), [broken(search_page(10, item=redesign))], memories.fresh(spec)) == ()


OFFER = '[parser]\n[parser.fields.price]\ncss = "b.amount"\n'
LD = '<script type="application/ld+json">{"@type":"Product","offers":{"price":"250"},"name":"Aurora"}</script>'


def test_what_the_page_tells_machines_stands_in_for_values_that_changed(learn_from):
    spec = parse_spec(OFFER)
    memory = learn_from(spec, *[b"<p><b class=amount>100</b> to <i>play</i></p>"] * 3)
    page = broken(f"{LD}<p><em class=now>250</em> to <i>play</i></p>".encode(), {"price": ("100",)})
    (price,) = repairs_for(spec, ("price",), [page], memory)
    assert (price.selector, price.matches, price.verified) == ("em.now", 1, False)
    assert (price.same, price.comparable, price.pages_ok) == (0, 1, 1)


def test_broken_machine_text_is_passed_over():
    text = '<script type="application/ld+json">{"a":</script><script type="application/ld+json">{"name":["A",{"text":"B"}]}</script>'
    deep = f'<script type="application/ld+json">{"[" * 90_000}</script><b itemprop=Price content=9>nine</b>'
    told = structured(read_page(f"{text}{deep}<meta property=og:title content=T>".encode()))
    assert told == {"name": ("A", "B"), "price": ("9",), "og:title": ("T",)}


def test_several_proposals_come_best_first(search_page, redesign, learn_from):
    spec = parse_spec(LIST)
    memory = learn_from(spec, *(search_page(10, f"q{n}") for n in range(3)))
    page = broken(search_page(10, item=redesign), good_values(spec, search_page(10)))
    found = repairs_for(spec, ("title",), [page], memory, most=3)
    assert len(found) == 3
    assert len({one.selector for one in found}) == 3
    assert (found[0].verified, found[0].fill, found[0].same, found[0].comparable) == (True, 1.0, 10, 10)


@pytest.mark.parametrize(
    ("html", "best"),
    [
        ("<p><b itemprop=price class=x>9</b></p>", 'b[itemprop="price"]'),
        ("<p><b id=price class=x>9</b></p>", "b#price"),
        ("<p><b id=p93 class=price>9</b></p>", "b.price"),
        ("<p><b class='MBeuO price'>9</b></p>", "b.price"),
        ("<div class=offer><b>9</b></div>", "div.offer b"),
    ],
)
def test_the_steadiest_name_comes_first(html, best):
    node = read_page(html.encode()).tree.css_first("b")
    assert selectors_for(node)[0][1] == best


def test_odd_names_make_no_broken_selectors():
    html = """<div class='a:b "c" [d] 1e' id='x y' data-t='</b>"' role="'"><b>9</b></div>"""
    page = read_page(html.encode())
    node = page.tree.css_first("b")
    assert all(page.tree.css(css) for _, css in selectors_for(node))
