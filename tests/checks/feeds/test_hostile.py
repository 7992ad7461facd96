"""Payloads from a hostile world: each is a change with a kind or one clear sentence; never a traceback, never silence."""

from __future__ import annotations

import contextlib
import gzip
import json
import subprocess
import sys
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import files
from checks.feeds.contract import profile
from checks.feeds.kinds import KINDS
from checks.feeds.payload import Unreadable
from tui.cli.main import main

from .conftest import CALM, NOW

ROWS = [
    {"id": n, "day": f"2026-11-{1 + n % 28:02}", "clicks": 50 + n, "commission": round(3.7 + n, 2)} for n in range(40)
]
GOOD = json.dumps(ROWS).encode()
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
TABLE = "\n".join(["id,day,clicks,commission", *(",".join(map(str, row.values())) for row in ROWS)]).encode() + b"\n"
TREE = (
    b"<r>" + b"".join(b"<row>" + b"".join(b"<%s>%s</%s>" % (k.encode(), str(v).encode(), k.encode()) for k, v in row.items()) + b"</row>" for row in ROWS) + b"</r>"
)  # fmt: skip
BASE = {"json": GOOD, "ndjson": LINES, "csv": TABLE, "xml": TREE}
UNREADABLE = "payload-unreadable"


def first(value: bytes) -> bytes:
    """The good list with another commission in its first record."""
    return GOOD.replace(b'"commission": 3.7', b'"commission": ' + value, 1)


def wide(n: int) -> bytes:
    return json.dumps([row | {f"k{place}": 1 for place in range(n)} for row in ROWS[:1]] + ROWS[1:]).encode()


def laughs() -> bytes:
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "ha">' + entities + b"]><r><row><a>&a9;</a></row></r>"


def bomb(n: int) -> bytes:
    squeezed = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"1," * (1 << 19)
    return b"".join(squeezed.compress(zeros) for _ in range(n)) + squeezed.flush()


MARKS = (b'"', b"{", b"]", b"<", b"</", b"\n", b"\x00", b"\xff\xfe", b"&#0;", b"\\ud800", b":", b",")

HOSTILE = {
    # what, suffix, body, the kind that must be among the changes, words of the sentence
    "empty": ("json", b"", UNREADABLE, "empty"),
    "white space": ("csv", b" \n\t\n" * 5000, UNREADABLE, "empty"),
    "an empty list": ("json", b"[]", "rows-vanished", ""),
    "a header alone": ("csv", b"id,day,clicks,commission\n", "rows-vanished", ""),
    "an empty document": ("xml", b"<r/>", "rows-vanished", ""),
    "null": ("json", b"null", "rows-vanished", ""),
    "a number": ("json", b"17", "rows-vanished", ""),
    "cut short": ("json", GOOD[:-30], UNREADABLE, "JSON"),
    "a line cut short": ("ndjson", LINES[:-20], UNREADABLE, "line 40"),
    "a row cut short": ("csv", TABLE[:-12], "row-width-differs", ""),
    "a tree cut short": ("xml", TREE[:-30], UNREADABLE, "XML"),
    "words after the end": ("json", GOOD + b" <!-- cached -->", UNREADABLE, "JSON"),
    "a trailing comma": ("json", GOOD[:-1] + b",]", UNREADABLE, "JSON"),
    "a comma for a point": ("json", first(b"3,7"), UNREADABLE, "JSON"),
    "a web page": ("json", b"<!DOCTYPE html><html><form action=login>", UNREADABLE, "HTML"),
    "a web page after a comment": ("csv", b"\n<!-- x -->\n<html><body>", UNREADABLE, "HTML"),
    "a strict web page": ("xml", b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html/>', UNREADABLE, "HTML"),
    "a login page in UTF-16": ("json", "<html>".encode("utf-16"), UNREADABLE, "HTML"),
    "a spreadsheet": ("csv", b"PK\x03\x04" + bytes(200), UNREADABLE, "spreadsheet"),
    "zeros": ("csv", bytes(5000), UNREADABLE, "binary"),
    "a NUL in a cell": ("csv", TABLE.replace(b"57", b"5\x007"), UNREADABLE, "binary"),
    "not UTF-8": ("json", GOOD.replace(b'"id": 0', b'"id": 0, "name": "Z\xfcrich"'), "charset-not-utf8", ""),
    "a table not in UTF-8": ("csv", TABLE.replace(b"0,2026", b"\xfc,2026", 1), "charset-not-utf8", ""),
    "a repeated key": ("json", first(b'3.7, "commission": 370'), "key-repeated", ""),
    "a repeated key in a line": ("ndjson", LINES.replace(b'"clicks": 50', b'"clicks": 50, "clicks": 0'), "key-repeated", ""),
    "a repeated column": ("csv", TABLE.replace(b"id,day", b"id,id", 1), "column-name-repeated", ""),
    "NaN": ("json", first(b"NaN"), UNREADABLE, "JSON"),
    "Infinity": ("ndjson", LINES.replace(b"3.7", b"-Infinity", 1), UNREADABLE, "line 1"),
    "1e400": ("json", first(b"1e400"), UNREADABLE, "out of range"),
    "10^400": ("json", first(b"1" + b"0" * 400), "number-out-of-range", ""),
    "10^6000": ("json", first(b"1" + b"0" * 6000), UNREADABLE, "out of range"),
    "1e400 in a cell": ("csv", TABLE.replace(b"3.7", b"1e400", 1), "value-unreadable", ""),
    "1.5e308 in a cell": ("csv", TABLE.replace(b"3.7", b"1.5e308", 1), "number-out-of-range", ""),
    "a list of numbers": ("json", b"[1, 2, 3]", "records-not-objects", ""),
    "an odd element": ("json", GOOD[:-1] + b', "total"]', "records-not-objects", ""),
    "a line that is a list": ("ndjson", LINES + b"[1]\n", UNREADABLE, "line 41"),
    "another type": ("json", GOOD.replace(b'"clicks": 5', b'"clicks": "5').replace(b', "commission"', b'", "commission"'), UNREADABLE, "JSON"),
    "mixed types": ("json", first(b'{"amount": 3.7}'), "response-property-type-changed", ""),
    "JSON without end": ("json", b"[" * 200_000, UNREADABLE, "nested"),
    "an object without end": ("json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, UNREADABLE, "nested"),
    "XML without end": ("xml", b"<a>" * 100_000, UNREADABLE, "nested"),
    "a billion laughs": ("xml", laughs(), UNREADABLE, "document type"),
    "laughs in UTF-16": ("xml", laughs().decode().encode("utf-16"), UNREADABLE, "document type"),
    "a foreign entity": ("xml", b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>', UNREADABLE, "document type"),
    "an unknown entity": ("xml", TREE.replace(b"2026", b"&nbsp;", 1), UNREADABLE, "entity"),
    "an unknown charset": ("xml", b'<?xml version="1.0" encoding="x-y"?><r/>', UNREADABLE, "encoding"),
    "100,000 columns": ("json", wide(100_000), "fields-beyond-limit", ""),
    "a table of 100,000 columns": ("csv", (",".join(f"c{n}" for n in range(100_000)) + "\n" + "1," * 99_999 + "1\n").encode(), "fields-beyond-limit", ""),
    "a text of 10 MB": ("json", first(b'"' + b"x" * 10_000_000 + b'"'), "response-property-type-changed", ""),
    "a cell of 10 MB": ("csv", TABLE.replace(b"3.7", b"x" * 10_000_000, 1), UNREADABLE, "CSV"),
    "a line of 20 MB": ("ndjson", b'{"a": "' + b"x" * 20_000_000 + b'"}', UNREADABLE, "longer than"),
    "an open quote": ("csv", TABLE.replace(b"\n7,", b'\n"7,', 1), UNREADABLE, "never closed"),
    "half a letter": ("json", first(b'"\\ud83d"'), "response-property-type-changed", ""),
    "NUL in a text": ("json", first(b'"\\u0000\\u001b[2J"'), "response-property-type-changed", ""),
    "broken gzip": ("json.gz", gzip.compress(GOOD)[:-20], UNREADABLE, "gzip"),
    "gzip in name alone": ("json.gz", b"\x1f\x8bnope", UNREADABLE, "gzip"),
    "a bomb": ("json.gz", bomb(200), UNREADABLE, "larger than"),
    "a bomb of blanks": ("csv.gz", gzip.compress(b" " * 100_000_000), UNREADABLE, "blank"),
}  # fmt: skip


@pytest.fixture
def run(capsys, tmp_path):
    def run(suffix, body, *words):
        base = tmp_path / f"base.{suffix.removesuffix('.gz')}"
        base.write_bytes(BASE[suffix.removesuffix(".gz")])
        now = tmp_path / f"now.{suffix}"
        now.write_bytes(body)
        code = main(["check", "feed", "--baseline", str(base), *words, "--", str(now)])
        shown = capsys.readouterr()
        return code, [json.loads(line) for line in shown.out.splitlines()], shown.err

    return run


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_payloads_are_a_change_or_one_sentence(run, what):
    suffix, body, kind, words = HOSTILE[what]
    began = time.process_time()
    code, found, err = run(suffix, body)
    assert kind in {change["kind"] for change in found}, found
    assert {change["kind"] for change in found} <= KINDS.keys()
    assert "Traceback" not in err
    assert len(err) < 400
    assert "\x1b" not in err
    assert time.process_time() - began < 20
    if kind == UNREADABLE:
        assert (code, len(found), len(err.splitlines())) == (3, 1, 1)
        assert words in found[0]["now"]
        assert found[0]["now"] in err
    else:
        assert err == ""
        assert code == max({"harmless": 0, "risky": 1, "breaking": 2}[change["severity"]] for change in found)


@pytest.mark.parametrize("suffix", BASE)
def test_the_good_payload_of_each_form_says_nothing(run, suffix):
    assert run(suffix, BASE[suffix]) == (0, [], "")


@CALM
@given(st.sampled_from(sorted(BASE)), st.data())
def test_whatever_happens_to_its_bytes_a_payload_is_read_or_unreadable(tmp_path_factory, suffix, data):
    body = bytearray(BASE[suffix][:400])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=6) | st.sampled_from(MARKS))
    path = tmp_path_factory.getbasetemp() / f"mutant.{suffix}"
    path.write_bytes(body)
    with contextlib.suppress(Unreadable), files.reading(path, None, None) as payload:
        profile(payload.records, payload="x", at=NOW)


def test_damage_that_was_always_there_is_no_news(run, tmp_path):
    body = first(b'3.7, "commission": 370')
    (tmp_path / "old.json").write_bytes(body)
    code, found, _ = run("json", body, "--baseline", str(tmp_path / "old.json"))
    assert (code, found) == (0, [])


def test_a_payload_that_takes_more_memory_than_there_is_says_so(tmp_path, capsys):
    (tmp_path / "base.json").write_bytes(GOOD)
    (tmp_path / "now.json").write_bytes(b"[" + b"[]," * 5_000_000 + b"[]]")
    with files.room(300_000_000):
        assert main(["check", "feed", "--baseline", str(tmp_path / "base.json"), "--", str(tmp_path / "now.json")]) == 3
    assert "memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "what", ["cut short", "a billion laughs", "a repeated key", "half a letter", "JSON without end", "a bomb"]
)
def test_the_command_itself_survives_them(tmp_path, what):
    suffix, body, kind, _ = HOSTILE[what]
    base, now = tmp_path / f"base.{suffix.removesuffix('.gz')}", tmp_path / f"now.{suffix}"
    base.write_bytes(BASE[suffix.removesuffix(".gz")])
    now.write_bytes(body)
    words = [sys.executable, "-m", "tui.cli.main", "check", "feed", "--baseline", str(base), "--", str(now)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == (3 if kind == UNREADABLE else 2)
    assert kind in {json.loads(line)["kind"] for line in done.stdout.splitlines()}
    assert "Traceback" not in done.stderr
