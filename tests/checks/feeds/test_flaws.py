"""Damage of bodies that can be read all the same: where it is noticed, when it is news, and how much it matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from checks.feeds import flaws
from checks.feeds import preset as presets
from checks.feeds.change import Use
from checks.feeds.contract import Contract, profile
from checks.feeds.payload import Flaw, Unreadable
from checks.feeds.report import MOST_PARTS, reply_of

from .conftest import NOW

USES = {"commission": Use.MONEY, "clicks": Use.COUNT, "day": Use.DAY}


def preset(rows):
    """A preset for reports of that form."""
    usual = presets.load("smartico")
    return msgspec.structs.replace(usual, rows=msgspec.structs.replace(usual.rows, **rows))


JSON = {"format": "json", "path": "data", "day": "day"}
CSV = {"format": "csv", "path": "", "day": "day"}
XML = {"format": "xml", "path": "row", "day": "day"}
NDJSON = {"format": "ndjson", "path": "", "day": "day"}


@pytest.mark.parametrize(
    ("rows", "body", "found"),
    [
        (JSON, b'{"data": [{"day": "2026-11-17", "clicks": 1, "clicks": 2}]}', ("key-repeated", "clicks")),
        (JSON, b'{"data": [{"a": {"b": 1, "b": 2}}]}', ("key-repeated", "a.b")),
        (JSON | {"path": "r.data"}, b'{"r": {"data": [{"clicks": 1, "clicks": 2}]}}', ("key-repeated", "clicks")),
        (JSON | {"path": "0.data"}, b'[{"data": [{"clicks": 1, "clicks": 2}]}]', ("key-repeated", "clicks")),
        (JSON | {"path": ""}, b'[{"clicks": 1, "clicks": 2}]', ("key-repeated", "clicks")),
        (JSON, b'{"data": [{"day": "a"}], "data": [{"day": "b"}]}', ("key-repeated", "")),
        (JSON, b'{"meta": {"at": 1, "at": 2}, "data": []}', ("key-repeated", "meta.at")),
        (JSON | {"pivot": "cells"}, b'{"data": [[{"name": "x", "value": 1, "value": 2}]]}', ("key-repeated", "")),
        (NDJSON, b'{"clicks": 1, "clicks": 2}\n', ("key-repeated", "clicks")),
        (JSON, b'{"data": [{"day": "Z\xfcrich"}]}', ("charset-not-utf8", "")),
        (NDJSON, b'{"day": "Z\xfcrich"}\n', ("charset-not-utf8", "")),
        (CSV, b"day,clicks\nZ\xfcrich,2\n", ("charset-not-utf8", "")),
        (CSV, b"day,clicks\n2026-11-17,2,3\n", ("row-width-differs", "")),
        (CSV, b"day,day\n2026-11-17,2\n", ("column-name-repeated", "day")),
    ],
)
def test_what_is_wrong_with_a_body_is_noticed_with_its_place_in_a_record(rows, body, found):
    (flaw,) = reply_of(body, "", preset(rows)).report().flaws
    assert (flaw.kind, flaw.path) == found


def test_a_charset_that_was_declared_is_no_flaw():
    body = "day,clicks\nZürich,2\n".encode("latin-1")
    report = reply_of(body, "text/csv; charset=iso-8859-1", preset(CSV)).report()
    assert not list(report.flaws)
    assert report.records[0]["day"] == "Zürich"


@pytest.mark.parametrize(
    ("table", "clicks"),
    [
        (b"day,clicks\n2026-11-16,2\n2026-11-17,3\nTotal,5\n", "5"),
        (b"Group: A\nday,clicks\n2026-11-16,2\nTotal,2\nGroup: B\nday,clicks\n2026-11-16,4\nTotal,4\n", None),
        (b"Group: A\nday,clicks\n2026-11-16,2\nTotal,2\nGroup: B\nday,clicks\n2026-11-16,4\nTotal,4\nGrand total,6\n", "6"),
        (b"day,clicks\n2026-11-16,2\n", None),
    ],
)  # fmt: skip
def test_a_tables_totals_are_the_reports_where_they_are_of_all_rows(table, clicks):
    totals = reply_of(table, "", preset(CSV)).report().totals
    assert (totals or {}).get("clicks") == clicks


def test_a_number_of_rows_that_an_xml_report_announces_is_told():
    body = b'<r total_count="7"><row><day>2026-11-17</day><clicks>1</clicks></row><row><day>2026-11-16</day><clicks>1</clicks></row></r>'
    assert reply_of(body, "", preset(XML)).report().claimed == 7


@pytest.mark.parametrize(
    ("rows", "body", "words"),
    [
        (JSON, b'{"data": [' + b"{}," * MOST_PARTS + b"{}]}", "objects and lists"),
        (CSV, b"a,b\n" + b"," * 300_000 + b"1\n", "cells"),
        (NDJSON, b"{}\n" * 500_001, "records"),
    ],
    ids=["objects", "cells", "records"],
)
def test_small_bodies_of_very_many_parts_are_refused_before_they_take_the_memory(rows, body, words):
    with pytest.raises(Unreadable, match=words):
        reply_of(body, "", preset(rows)).report()


# ── what it means ────────────────────────────────────────────────────────────────────────────────────────────────────


def seen(*found, records=40, at=NOW):
    rows = [{"day": "2026-11-17", "clicks": 5 + n, "commission": 1.5 + n} for n in range(records)]
    return replace(profile(rows, payload="x", at=at), flaws=tuple(found))


def severities(contract, now, uses=USES):
    return [(change.kind, change.severity) for change in flaws.changes(contract, now, uses)]


RAGGED = Flaw("row-width-differs", "", "line 3: 4 cells where the header has 3", 1)
TWICE = Flaw("key-repeated", "commission", "twice in one object", 1)


def test_a_key_that_stands_twice_is_breaking_where_it_is_read_and_risky_elsewhere():
    assert severities(Contract(), seen(TWICE)) == [("key-repeated", "breaking")]
    assert severities(Contract(), seen(replace(TWICE, path="clicks"))) == [("key-repeated", "breaking")]
    assert severities(Contract(), seen(replace(TWICE, path="note"))) == [("key-repeated", "risky")]
    assert severities(Contract(), seen(replace(TWICE, path=""))) == [("key-repeated", "breaking")]


def test_one_row_of_another_width_breaks_a_table_that_had_none_and_is_untidy_in_a_first_one():
    before = Contract((seen(at=NOW - timedelta(days=1)),))
    assert severities(before, seen(RAGGED)) == [("row-width-differs", "breaking")]
    assert severities(Contract(), seen(RAGGED)) == [("row-width-differs", "risky")]
    assert severities(before, seen(RAGGED), uses=None) == [("row-width-differs", "risky")], "nobody says what is read"


def test_damage_that_was_learned_is_no_news_until_it_is_far_more():
    before = Contract((seen(RAGGED, at=NOW - timedelta(days=1)),))
    assert severities(before, seen(RAGGED)) == []
    assert severities(before, seen(replace(RAGGED, n=6))) == [("row-width-differs", "breaking")]
