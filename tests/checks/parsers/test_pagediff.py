from __future__ import annotations

import pytest

from checks.parsers.pagediff import MOST, diff_around

GOOD = b"""<html><body><header><nav>Menu</nav></header><main><div class=offer id=o1><div class=head>
<h2 class=name>Aurora Casino</h2><span class=price>100</span></div><p class=terms>18+</p><a href="/go?token=x">Play</a></div></main></body></html>"""


def shown(lines):
    return [f"{line.kind}{line.text}" for line in lines]


def test_a_renamed_class_is_one_line_out_and_one_in():
    bad = GOOD.replace(b"class=price", b"class=amount")
    lines = diff_around(GOOD, bad, "span.price")
    assert [text for text in shown(lines) if text[0] != " "] == ["-    span.price  100", "+    span.amount  100"]
    gone, came = (line for line in lines if line.kind != " ")
    assert (gone.was_no, gone.now_no) == (8, None)
    assert (came.was_no, came.now_no) == (None, 8)


def test_words_that_change_are_no_change_of_structure():
    lines = diff_around(GOOD, GOOD.replace(b"18+", b"21+").replace(b"price>100", b"price>90"), "span.price")
    assert lines == ()


def test_values_that_changed_are_found_by_what_is_still_named_the_same():
    bad = GOOD.replace(b"class=price>100", b"class=amount>250")
    assert "+    span.amount  250" in shown(diff_around(GOOD, bad, "span.price"))


def test_a_long_block_that_is_replaced_shows_both_sides():
    rows = "".join(f"<li class=k{n}>{n}</li>" for n in range(45))
    lines = diff_around(
        f"<ul class=rows>{rows}</ul>".encode(), f"<ul class=rows>{rows.replace('k', 'x')}</ul>".encode(), "ul.rows"
    )
    assert len(lines) <= MOST
    assert {"-", "+"} <= {line.kind for line in lines}


def test_within_items_the_first_item_is_compared(search_page, redesign):
    lines = diff_around(search_page(10), search_page(10, item=redesign), "h3", "div.result")
    assert any(line.kind == "-" and "h3.name" in line.text for line in lines)
    assert any(line.kind == "+" and "strong.caption" in line.text for line in lines)
    assert 0 < len(lines) <= MOST


def test_where_nothing_stands_in_its_place_all_of_it_is_gone():
    lines = diff_around(GOOD, b"<p>Sorry</p>", "span.price")
    assert lines
    assert {line.kind for line in lines} <= {"-", " ", "+"}


@pytest.mark.parametrize("css", ["b.none", "b[", "", "::text"])
def test_a_selector_that_finds_nothing_gives_no_lines(css):
    assert diff_around(GOOD, GOOD, css) == ()


@pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe" * 100, b"<div>" * 5000, b"<b>" * 9000 + b"x"])
def test_odd_pages_never_raise(body):
    diff_around(GOOD, body, "span.price")
    diff_around(body, GOOD, "span.price")


def test_foreign_text_is_clean():
    bad = GOOD.replace(b"class=price>100", b"class=amount title=x>\x1b[2J100\xe2\x80\xae")
    assert all(text.isprintable() for text in shown(diff_around(GOOD, bad, "span.price")))
