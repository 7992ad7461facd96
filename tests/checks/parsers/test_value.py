from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.spec import FieldKind
from checks.parsers.value import is_address, is_valid, number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12.0), ("1,234", 1234.0), ("1.234", 1234.0), ("1.234,56 €", 1234.56), ("€ 1,234.56", 1234.56),
        ("1 234,5", 1234.5), ("1'234.50", 1234.5), ("0.123", 0.123), ("0,125", 0.125), ("4,5 / 5", 4.5), ("-7", -7.0),
        ("−7,25 %", -7.25), ("1.234.567", 1234567.0), ("about 1,234,567 results", 1234567.0), ("none", None), ("", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, number):
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("kind", "text", "valid"),
    [
        (FieldKind.URL, "https://a.example/b", True), (FieldKind.URL, "/b?c=1", True), (FieldKind.URL, "b.html", True),
        (FieldKind.URL, "javascript:void(0)", False), (FieldKind.URL, "Read more", False), (FieldKind.URL, "Privacy", False),
        (FieldKind.URL, "", False), (FieldKind.URL, "http://[broken", False),
        (FieldKind.DATE, "2026-03-01", True), (FieldKind.DATE, "01.03.2026", True), (FieldKind.DATE, "Mar 1, 2026", True),
        (FieldKind.DATE, "1 mars 2026", True), (FieldKind.DATE, "3 days ago", True), (FieldKind.DATE, "vor 3 Tagen", True),
        (FieldKind.DATE, "Free spins", False), (FieldKind.DATE, "100 bonus", False),
        (FieldKind.POSITION, "3.", True), (FieldKind.POSITION, "#3", True), (FieldKind.POSITION, "third", False),
        (FieldKind.NUMBER, "4.5 stars", True), (FieldKind.NUMBER, "stars", False), (FieldKind.TEXT, "x", True),
    ],
)  # fmt: skip
def test_a_value_is_of_its_type_or_not(kind, text, valid):
    assert is_valid(kind, text) is valid


@given(st.sampled_from(list(FieldKind)), st.text(max_size=200))
def test_no_text_raises(kind, text):
    assert is_valid(kind, text) in {True, False}


@given(st.integers(0, 10**9), st.sampled_from([",", ".", " ", "'"]))
def test_grouped_whole_numbers_survive_every_way_of_grouping(number, mark):
    assert number_of(f"{number:,}".replace(",", mark)) == number


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a.example/b", True), ("http://a.example", True), ("a.example", True), ("www.a.example/b/c", True),
        ("www.a.example › en › bonus", True), ("https://a.example › en", True), ("a.example > b", True),
        ("Bonus at a.example", False), ("Node.js and its rules", False), ("1.5 of 5", False), ("", False), ("bonus", False),
        ("https://a.example › en › bonus" + " and a snippet that is glued to it" * 4, False), ("v1.2 is out", False),
    ],
)  # fmt: skip
def test_an_address_is_told_from_a_text_with_a_dot(text, address):
    assert is_address(text) is address
