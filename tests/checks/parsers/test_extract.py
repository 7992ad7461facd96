from __future__ import annotations

from checks.parsers.extract import MAX_CHARS, MAX_ITEMS, extract
from checks.parsers.page import read_page
from checks.parsers.spec import FieldSpec, Spec, parse_spec


def extracted(spec, html):
    return extract(spec, read_page(html.encode()))


def test_fields_are_taken_within_each_item(spec, search_page):
    found = extract(spec, read_page(search_page(3, "poker")))
    assert found.items == 3
    assert found.field("title").values == tuple(f"Result {n} about poker and its rules" for n in range(3))
    assert found.field("url").values[2] == "https://site2.example/poker/2"
    assert (found.field("url").fill, found.field("url").valid) == (1.0, 3)


def test_an_item_without_the_field_leaves_a_gap_in_the_fill():
    spec = parse_spec('[parser]\nitems = "li"\n[parser.fields.price]\ncss = "b"\ntype = "number"\n')
    found = extracted(spec, "<li><b>12</b><li>none<li><b> </b><li><b>free</b>")
    price = found.field("price")
    assert (price.slots, price.nodes, price.filled, price.valid, price.fill) == (4, 3, 2, 1, 0.5)


def test_a_field_of_many_gives_all_its_values_and_one_of_one_the_first():
    html = "<ul><li>a<li>b<li>c</ul>"
    many = Spec("x", (FieldSpec("step", "li", many=True),))
    one = Spec("x", (FieldSpec("step", "li"),))
    assert extracted(many, html).field("step").values == ("a", "b", "c")
    assert extracted(one, html).field("step").values == ("a",)


def test_empty_nodes_count_against_a_field_of_the_page():
    found = extracted(Spec("x", (FieldSpec("title", "h3", many=True),)), "<h3></h3><h3> </h3><h3>a</h3><h3></h3>")
    assert (found.field("title").slots, found.field("title").fill, found.items) == (4, 0.25, 1)


def test_a_field_without_css_is_the_item_itself():
    spec = parse_spec('[parser]\nitems = "a"\n[parser.fields.url]\nattr = "href"\ntype = "url"\n')
    assert extracted(spec, "<a href=/x>a</a><a href=/y>b</a>").field("url").values == ("/x", "/y")


def test_items_and_characters_are_capped():
    spec = parse_spec('[parser]\nitems = "div"\n[parser.fields.text]\n')
    assert extracted(spec, "<div>x</div>" * (MAX_ITEMS + 50)).items == MAX_ITEMS
    nested = extracted(spec, "<div>" * 900 + "y" * (MAX_CHARS // 100))
    assert nested.items == 900
    assert nested.field("text").filled <= 101
