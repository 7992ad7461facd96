from __future__ import annotations

import pytest

from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.repair import Broken, repairs_for
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
    assert (items.field, items.matches) == ("items", 10)
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


def test_nothing_is_proposed_without_values(search_page, redesign, learned, spec):
    assert repairs_for(spec, ("title",), [broken(search_page(10, item=redesign))], learned) == ()


@pytest.mark.parametrize(
    ("html", "best"),
    [
        ("<p><b itemprop=price class=x>9</b></p>", 'b[itemprop="price"]'),
        ("<p><b id=price class=x>9</b></p>", "b#price"),
        ("<p><b id=p93 class=price>9</b></p>", "b.price"),
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
