from __future__ import annotations

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import decode
from checks.feeds.decode import Unreadable
from checks.feeds.formats import format_of

from .conftest import CALM


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"\xef\xbb\xbfDate,x", "", "Date,x"),
        ("Zürich".encode("cp1252"), "text/csv; charset=windows-1252", "Zürich"),
        ("Zürich".encode("cp1252"), "", "Zürich"),
        ("Zürich".encode(), "text/csv; charset=nonsense", "Zürich"),
        ("Zürich".encode("utf-16"), "", "Zürich"),
    ],
)
def test_text_is_read_by_mark_declaration_or_guess(body, content_type, expected):
    assert decode.text_of(body, content_type) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"[" * 200_000,
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 10_000_000 + b"}",
        b"\x00\x01",
        b'{"a": "\xff"',
    ],
)
def test_what_is_no_json_says_so_in_one_short_line(body):
    with pytest.raises(Unreadable) as raised:
        decode.json_of(body)
    assert len(str(raised.value)) < 120
    assert "\n" not in str(raised.value)


@CALM
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_unreadable(body):
    for reader in (decode.json_of, decode.ndjson_of, decode.xml_of, decode.gunzip):
        with contextlib.suppress(Unreadable):
            reader(body)


@CALM
@given(st.text(max_size=300))
def test_any_text_is_csv_or_unreadable(text):
    with contextlib.suppress(Unreadable):
        assert all(isinstance(record, dict) for record in decode.csv_of(text))


def test_a_key_that_stands_twice_with_two_values_is_no_value():
    with pytest.raises(Unreadable, match="twice"):
        decode.json_of(b'{"rows": [{"a": 1, "a": 2}]}')
    assert decode.json_of(b'{"a": 1, "a": 1}') == {"a": 1}
    assert decode.json_of(b'{"a": ":", "b": "\\u003a::"}') == {"a": ":", "b": ":::"}


def test_csv_sections_name_their_rows_and_keep_ragged_cells():
    text = "Customer Group: A\nDay,Hits,Group\n2026-11-17,5,\n2026-11-18,6,B,extra\nCustomer Group: C\nDay,Hits,Group\n2026-11-17,7\n"
    assert decode.csv_of(text, section="Group") == [
        {"Day": "2026-11-17", "Hits": "5", "Group": "A"},
        {"Day": "2026-11-18", "Hits": "6", "Group": "B", "column 4": "extra"},
        {"Day": "2026-11-17", "Hits": "7", "Group": "C"},
    ]


def test_a_section_may_bring_other_columns():
    text = "Group: A\nDay,Hits,NDC\nd1,5,1\n\nGroup: B\nDay,NDC,Hits\nd1,2,8\n"
    assert [record["Hits"] for record in decode.csv_of(text)] == ["5", "8"]


def test_a_section_may_begin_without_a_title_and_with_fewer_columns():
    text = "Day,Group,Hits,NDC,Fees\nd1,A,5,1,2\nTotals:,,5,1,2\n\nDay,Group,Hits,Fees\nd1,B,7,3\nTotals:,,7,3\n"
    assert decode.csv_of(text) == [
        {"Day": "d1", "Group": "A", "Hits": "5", "NDC": "1", "Fees": "2"},
        {"Day": "d1", "Group": "B", "Hits": "7", "Fees": "3"},
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(mark):
    assert decode.csv_of(f"a{mark}b\n1{mark}2\n") == [{"a": "1", "b": "2"}]


def test_columns_of_one_name_stay_apart():
    assert decode.csv_of("a,a\n1,2\n") == [{"a": "1", "a#2": "2"}]


def test_an_endless_cell_is_unreadable():
    with pytest.raises(Unreadable):
        decode.csv_of('a,b\n1,"' + "x" * 3_000_000)


def test_xml_rows_are_attributes_and_children_and_entities_are_refused():
    body = b"<r><rows><row day='d1'><hits>5</hits></row><row day='d2'><hits>6</hits></row></rows></r>"
    assert decode.xml_of(body) == [{"day": "d1", "hits": "5"}, {"day": "d2", "hits": "6"}]
    with pytest.raises(Unreadable, match="refused"):
        decode.xml_of(b'<!DOCTYPE r [<!ENTITY a "aaaa">]><r>&a;</r>')


def test_a_bomb_is_not_unpacked():
    with pytest.raises(Unreadable, match="larger"):
        decode.gunzip(gzip.compress(b" " * 5_000_000), limit=1_000_000)


@pytest.mark.parametrize(
    ("document", "path", "n"),
    [
        ({"meta": {"n": 1}, "data": [{"a": 1}, {"a": 2}]}, "data", 2),
        ({"response": {"data": {"data": [{"a": 1, "b": 2}]}}}, "response.data.data", 1),
        ([{"a": 1}], "", 1),
        ({"account": {"a": 1, "b": 2, "c": 3}, "lines": [{"x": 1}]}, "", 1),
        ([], "", 0),
    ],
)
def test_records_are_where_most_of_the_document_is(document, path, n):
    found = decode.find(document)
    assert (found.path, len(found.records)) == (path, n)


def test_a_records_path_goes_through_lists_and_must_exist():
    document = {"groups": [{"rows": [{"a": 1}]}, {"rows": [{"a": 2}]}]}
    assert decode.find(document, "groups.rows").records == [{"a": 1}, {"a": 2}]
    assert decode.find(document, "groups[].rows").records == [{"a": 1}, {"a": 2}]
    with pytest.raises(Unreadable, match="nothing at"):
        decode.find(document, "groups.lines")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"), ("  ", "empty"), ("15", "integer"), ("-3.50", "decimal"), ("110,00", "decimal-comma"),
        ("1.234,50", "decimal-comma"), ("1,234", "grouped"), ("1,234.50", "grouped"), ("€110.00", "money-sign"),
        ("110 EUR", "money-sign"), ("ABC123", "text"), ("12%", "percent"), ("2026-11-17", "date yyyy-mm-dd"),
        ("2026-13-17", "text"), ("2026/11/17", "date yyyy/mm/dd"), ("17/11/2026", "date dd/mm/yyyy"),
        ("11/17/2026", "date mm/dd/yyyy"), ("10/11/2026", "date ?/?/yyyy"), ("1-9-2026", "date ?/?/yyyy"),
        ("17.11.2026", "date dd.mm.yyyy"), ("10/14/2025 11:59:59 PM", "date mm/dd/yyyy"), ("2026-11-17T00:00:00Z", "datetime utc"),
        ("2026-11-17T00:00:00+02:00", "datetime offset"), ("2026-11-17 09:00", "datetime naive"), ("true", "boolean"),
        ("https://x.example/", "url"), ("x" * 100_000, "text"),
    ],
)  # fmt: skip
def test_strings_have_a_class(text, expected):
    assert format_of(text) == expected


@CALM
@given(st.text(max_size=80))
def test_every_string_has_exactly_one_class(text):
    assert format_of(text)
