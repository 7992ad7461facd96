from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import decode
from checks.feeds.decode import Unreadable
from checks.feeds.decode_csv import lines_of, table
from checks.feeds.decode_xml import elements
from checks.feeds.formats import format_of
from checks.feeds.payload import Flaws

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


def read_table(text):
    reading = table(lines_of(io.StringIO(text, newline="")))
    return list(reading.records), reading


def test_lines_above_a_header_and_totals_below_the_rows_are_no_rows():
    text = "Media Report,Daily\nFrom: 2026-11-01\nDate,Clicks,Rev\nd1,5,1\nd2,6,2\nTotal,11,3\n"
    rows, reading = read_table(text)
    assert [row["Date"] for row in rows] == ["d1", "d2"]
    assert reading.envelope["title.1"] == "Media Report Daily"
    assert (reading.envelope["totals.Clicks"], reading.envelope["totals.Rev"]) == ("11", "3")


def test_totals_of_each_section_are_no_rows_and_a_brand_called_total_is_one():
    rows, _ = read_table("Day,Hits\nd1,5\nTotal,5\nGroup: B\nDay,Hits\nd1,7\nTotal,7\nGrand Total,12\n")
    assert [row["Hits"] for row in rows] == ["5", "7"]
    rows, _ = read_table("Brand,Hits\nZefirion,5\nTotal,6\nLuxora,7\n")
    assert [row["Brand"] for row in rows] == ["Zefirion", "Total", "Luxora"]


def test_a_delimiter_is_the_one_that_all_lines_agree_on():
    rows, _ = read_table("Date;Clicks, unique;Rev\n2026-11-01;5;1,50\n2026-11-02;6;2,50\n")
    assert rows[0] == {"Date": "2026-11-01", "Clicks, unique": "5", "Rev": "1,50"}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_line_that_tells_spreadsheets_the_delimiter_is_no_row(mark):
    assert decode.csv_of(f"sep={mark}\r\na{mark}b\r\n1{mark}2\r\n") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_three_kinds_and_line_breaks_in_quotes_are_read(ends):
    rows, reading = read_table(ends.join(["a,b", '1,"x', 'y"', "2,z"]))
    assert [row["a"] for row in rows] == ["1", "2"]
    assert rows[0]["b"].split() == ["x", "y"]
    assert not list(reading.flaws)


def test_rows_of_another_width_are_kept_named_and_counted():
    rows, reading = read_table("a,b,c\n1,2,3\n4,5\n6,7,8,9\n")
    assert rows[1:] == [{"a": "4", "b": "5"}, {"a": "6", "b": "7", "c": "8", "column 4": "9"}]
    (flaw,) = reading.flaws
    assert (flaw.kind, flaw.n, flaw.words) == ("row-width-differs", 2, "line 3: 2 cells where the header has 3")


def test_a_quote_that_is_never_closed_names_its_line():
    with pytest.raises(Unreadable, match="line 3"):
        read_table('a,b\n1,2\n"3,4\n5,6\n')


@CALM
@given(st.lists(st.lists(st.text('ab\n"; ', max_size=4), min_size=2, max_size=2), max_size=6))
def test_what_a_writer_of_tables_writes_is_read_back_row_by_row(cells):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["head", "other"], *cells])
    rows, _ = read_table(text.getvalue())
    assert rows == [{"head": a.strip(), "other": b.strip()} for a, b in cells if a or b]


def test_rows_of_an_xml_report_take_what_their_section_says_of_itself():
    body = (
        b"<r xmlns='urn:x' xmlns:y='urn:y' total='3'><brand name='A'><row y:id='1'><v c='EUR'>2</v></row><row y:id='2'><v/></row>"
        b"</brand><brand name='B'><row y:id='3'><v>4</v><v>5</v></row></brand></r>"
    )
    reading = elements(lambda: iter([body]))
    assert list(reading.records) == [
        {"id": "1", "v": {"c": "EUR", "#text": "2"}, "brand.name": "A"},
        {"id": "2", "v": "", "brand.name": "A"},
        {"id": "3", "v": ["4", "5"], "brand.name": "B"},
    ]
    assert reading.envelope["total"] == 3


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        (b"<ResultSet><row><Day>d</Day><FTD>1</FTD></row></ResultSet>", "", [{"Day": "d", "FTD": "1"}]),
        (b"<reportresponse><row><a>1</a></row><row><a>2</a></row></reportresponse>", "", [{"a": "1"}, {"a": "2"}]),
        (b"<r><days><day n='1'/></days><log><e n='2'/><e n='3'/></log></r>", "days.day", [{"n": "1"}]),
        (b"<r><a><b>1</b></a><c><b>2</b></c></r>", "b", [{"#text": "1"}, {"#text": "2"}]),
        (b"<stats><clicks>5</clicks><ftd>1</ftd></stats>", "", [{"clicks": "5", "ftd": "1"}]),
        (b"<error><code>5</code><message>no</message></error>", "", []),
        (b"<error>Bad key</error>", "", []),
        (b"<t><row><cell n='a' v='1'/><cell n='b' v='2'/></row><row><cell n='a' v='3'/><cell n='b' v='4'/></row></t>", "row",
         [{"cell": [{"n": "a", "v": "1"}, {"n": "b", "v": "2"}]}, {"cell": [{"n": "a", "v": "3"}, {"n": "b", "v": "4"}]}]),
        (b"<r xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><row><a i:nil='true'/><b/></row></r>", "row", [{"a": None, "b": ""}]),
    ],
)  # fmt: skip
def test_xml_records_are_found_by_their_place_or_by_what_they_hold(body, path, expected):
    assert decode.xml_of(body, path) == expected


def test_an_xml_records_path_must_exist():
    with pytest.raises(Unreadable, match="nothing at"):
        decode.xml_of(b"<r><row/></r>", "rows")


@CALM
@given(
    st.recursive(
        st.integers(0, 3) | st.text('a:\\"', max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:", max_size=2), inner, max_size=3),
    )
)
def test_no_document_that_a_writer_of_json_writes_has_repeated_keys(document):
    flaws = Flaws()
    assert decode.json_of(json.dumps(document).encode(), flaws=flaws) == document
    assert not list(flaws)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": {"x": 1, "x": 2}}', "a.x"), ('[{"b": 1, "c": [{"x": ":", "x": "::"}]}]', "c[].x"),
        ('{"x": "a", "x": "b\\u003a"}', "x"), ('{"x": 1.0, "x": 1.00}', "x"), ('{"x": null, "x": 0}', "x"),
    ],
)  # fmt: skip
def test_repeated_keys_are_named_by_their_path(text, path):
    flaws = Flaws()
    decode.json_of(text.encode(), flaws=flaws)
    assert [flaw.path for flaw in flaws] == [path]


def test_charsets_that_are_none_are_not_used():
    for name in ("zlib", "punycode", "idna", "unicode_escape", "rot13", "hex"):
        assert decode.text_of(b"a-b", f"text/csv; charset={name}") == "a-b"
    assert decode.text_of("{}".encode("utf-16-le")) == "{}"
