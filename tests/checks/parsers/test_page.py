from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.extract import extract
from checks.parsers.page import MAX_BYTES, MAX_DEPTH, read_page
from checks.parsers.verdict import judge
from checks.parsers.witness import witness

MANY_BOLD = "<p>" + "".join(f"<b a={n}>" for n in range(600)) + "</p>" + "<p>x</p>" * 20000
REFUSED = {
    "100,000 nested blocks": (b"<div class=result>" * 100_000 + b"x" + b"</div>" * 100_000, "nested"),
    "nested inline elements, never closed": (b"<span>" * 100_000, "nested"),
    "formatting opened again in every paragraph": (MANY_BOLD.encode(), "formatting"),
    "more bytes than may be read": (b"<p>x" * (MAX_BYTES // 4 + 1), "larger"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_page_that_would_blow_up_is_refused_before_it_is_parsed(body, reason, spec, learned):
    page = read_page(body)
    assert reason in page.fault
    assert page.shape.nodes <= 5
    assert judge(spec, page, learned).cause == "proto.malformed"


ODD = {
    "an attribute of 10 MB": b'<div class="result" data-x="' + b"a" * (MAX_BYTES - 100) + b'"><h3>t</h3></div>',
    "five hundred thousand classes": b'<div class="' + b"a " * 500_000 + b'"><a href=x>y</a></div>',
    "nul bytes": b"<div class=result>\0<h3>\0a\0b</h3></div>\0",
    "nothing": b"",
    "half a tag": b"<div class='result'><h3",
    "a script full of tags": b"<script>" + b"<div>" * 5000 + b"</script><div class=result><h3>t</h3></div>",
    "five thousand paragraphs, none closed": b"<p>x<li>y<td>z<br>" * 5000,
    "links to broken addresses": b"<a href='http://[x'>a broken address</a><form action='http://[y'></form>" * 10,
    "nested anchors": b"<a href=https://a.example/x><div>" * 300,
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_an_odd_page_is_read_and_judged(body, spec, learned):
    page = read_page(body, url="https://search.example/")
    assert not page.fault
    assert judge(spec, page, learned).cause


def test_depth_just_below_the_limit_is_read(spec):
    page = read_page(b"<div>" * (MAX_DEPTH - 2) + b"<div class=result><h3>deep</h3>")
    assert extract(spec, page).field("title").values == ("deep",)


def test_nul_bytes_do_not_cut_a_title(spec):
    page = read_page(b"<div class=result><h3>a\0b</h3></div>")
    assert extract(spec, page).field("title").values == ("ab",)


def test_escape_codes_in_titles_do_not_leave_the_page(spec, search_page):
    page = read_page(search_page(5, title="\x1b]52;c;aGk=\x07\x1b[2J Result {n} \u202e about"))
    values = extract(spec, page).field("title").values
    assert len(values) == 5
    shown = "".join(values) + "".join(result.title for result in witness(page).results)
    assert not set(shown) & set("\x1b\x07\u202e")


@given(st.binary(max_size=600))
def test_no_bytes_raise(spec, learned, body):
    assert judge(spec, read_page(b"<div class=result><a href=" + body), learned).state


@given(st.text(alphabet="<>/abdiv =\"'h3!-", max_size=300))
def test_no_soup_of_tags_raises(spec, learned, text):
    assert judge(spec, read_page(text.encode()), learned).state


BOMBS = {
    "a million attributes": ("<div " + " ".join(f"a{n}=1" for n in range(600_000)) + ">", "attributes"),
    "attributes with > in them": ("<div " + " ".join(f"a{n}='>'" for n in range(100_000)) + ">", "attributes"),
    "elements without end": ("<p>" * 400_000, "elements"),
    "comments without end": ("x<!---->" * 700_000, "tags and comments"),
    "ends of nothing, each with a text": ("</1>x" * 700_000, "tags and comments"),
    "nothing but opening brackets": ("<" * 8_000_000, "tags and comments"),
    "bold in every paragraph": ("<p>" + "".join(f"<b id={n}>" for n in range(250)) + "<p>x" * 20_000, "formatting"),
    "six bold elements in very many paragraphs": ("<p>" + "<b>" * 6 + "<p>x" * 290_000, "formatting"),
    "depth in a template": ("<template>" + "<div>" * 2_000 + "</template>", "nested"),
    "depth without scripts": ("<noscript>" + "<div>" * 2_000 + "</noscript>", "nested"),
    "depth behind a comment that is none": ("<!-->" + "<div>" * 2_000 + "-->", "nested"),
    "depth in a script that is a title": ("<div title='<script>'>" + "<div>" * 2_000 + "</script>", "nested"),
    "scripts that never close": ("<div>" * 1_100 + "<script " * 250_000, "nested"),
    "comments that never close": ("<div>" * 1_100 + "<!-- " * 500_000, "nested"),
}


@pytest.mark.parametrize(("text", "why"), BOMBS.values(), ids=BOMBS.keys())
def test_what_would_blow_up_is_refused_before_it_is_parsed(text, why):
    page = read_page(text.encode())
    assert why in page.fault
    assert page.shape.nodes <= 3


def test_a_page_far_larger_than_any_met_with_bold_words_in_all_its_rows_is_read():
    row = "<tr><td><b><i>a</i></b></td><td><a href=/x><strong>b</strong></a></td></tr>"
    page = read_page(("<table>" + row * 12_000).encode())
    assert not page.fault
    assert page.shape.nodes > 80_000


def test_a_large_page_with_programs_and_data_in_it_is_read():
    script = "<script>" + "for(i=0;i<n;i++){if(a<b&&c='x')d=\"<div>\"}" * 20_000 + "</script>"
    value = f"<div title='{'words and more ' * 50_000}'>"
    assert not read_page(f"<body>{script}{value}<h3>title</h3>".encode()).fault
