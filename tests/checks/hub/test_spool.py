from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import polars as pl
import pytest

from checks.hub.spool import FACT_COLUMNS, Spool, parse_lines, read_file
from data.errors import UsageError
from data.model.principal import EVERYTHING
from data.store import facts
from data.store.store import Store

FACT = (
    '{"fact":{"hour":"2026-01-05T10:00:00Z","seen_at":"2026-01-05T11:02:00Z","team":"aurora","partner":"P01",'
    '"offer":"o","geo":"DE","site":"kiel","clicks":7,"regs":1,"ftd":1,"revenue":"110.00"}}'
)
RECEIPT = '{"receipt":{"partner":"P01","hour":"2026-01-05T10:00:00Z","seen_at":"2026-01-05T11:20:00Z"}}'


@pytest.fixture
def spool(tmp_path):
    store = Store.open(tmp_path / "x.duckdb", None)
    (tmp_path / "spool").mkdir()
    taken = []
    yield Spool(tmp_path / "spool", store, taken.append), store, taken
    store.close()


def test_lines_become_facts_and_receipts():
    pushed = parse_lines(f"{FACT}\n\n{RECEIPT}\n".encode())
    assert pushed.rows == 2
    assert pushed.facts["revenue"].to_list() == [110.0]
    assert pushed.receipts[0].partner == "P01"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 1"),
        ("{}", "line 1: neither a fact nor a receipt"),
        (RECEIPT.replace(":00Z", ":00"), "line 1: a time without a zone"),
        (FACT.replace('"clicks":7', '"clicks":"many"'), "line 1: Expected `int`.*clicks"),
        (FACT.replace("fact", "fakt"), "line 1.*unknown field `fakt`"),
        (FACT.replace('"clicks"', '"klicks"'), "line 1: no field 'klicks'; there are hour, .*clicks"),
    ],
)
def test_a_line_that_is_no_fact_is_named(line, words):
    with pytest.raises(UsageError, match=words):
        parse_lines(line.encode())


async def test_a_file_is_stored_handed_on_and_gone(spool):
    room, store, taken = spool
    (room.folder / "a.ndjson").write_text(f"{FACT}\n{RECEIPT}\n")
    assert await room.sweep() == 2
    assert list(room.folder.iterdir()) == []
    assert facts.frame(store, EVERYTHING, datetime(2026, 1, 1, tzinfo=UTC))["clicks"].to_list() == [7]
    assert taken[0].rows == 2


async def test_a_file_that_was_stored_before_a_crash_is_not_stored_again(spool):
    room, store, _ = spool
    path = room.folder / "a.ndjson"
    path.write_text(FACT)
    kept = path.stat()
    await room.sweep()
    path.write_text(FACT)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    await room.sweep()
    assert facts.frame(store, EVERYTHING, datetime(2026, 1, 1, tzinfo=UTC)).height == 1


async def test_new_content_under_an_old_name_is_stored(spool):
    room, store, _ = spool
    for clicks in (7, 8):
        (room.folder / "clicks.ndjson").write_text(FACT.replace('"clicks":7', f'"clicks":{clicks}') + "\n" * clicks)
        await room.sweep()
    assert facts.frame(store, EVERYTHING, datetime(2026, 1, 1, tzinfo=UTC)).height == 2


async def test_a_broken_file_is_set_aside_and_the_next_one_taken(spool):
    room, _, taken = spool
    (room.folder / "a.ndjson").write_bytes(b"\xff\xfe nonsense")
    (room.folder / "b.parquet").write_bytes(b"PAR1 nonsense")
    (room.folder / "c.ndjson").write_text(FACT)
    assert await room.sweep() == 1
    assert sorted(path.name for path in room.folder.iterdir()) == ["a.ndjson.rejected", "b.parquet.rejected"]
    assert len(taken) == 1


def test_a_parquet_history_reads_as_it_was_written(tmp_path):
    frame = parse_lines(FACT.encode()).facts
    frame.write_parquet(tmp_path / "history.parquet")
    assert read_file(tmp_path / "history.parquet").facts.select(FACT_COLUMNS).equals(frame.select(FACT_COLUMNS))
    frame.drop("clicks").write_parquet(tmp_path / "bad.parquet")
    with pytest.raises(UsageError, match="clicks"):
        read_file(tmp_path / "bad.parquet")
    assert isinstance(frame, pl.DataFrame)


EARLY = datetime(1970, 1, 1, tzinfo=UTC)


async def test_the_same_lines_twice_are_two_changes(spool):
    room, store, taken = spool
    await room.take_lines(FACT.encode())
    await room.take_lines(FACT.encode())
    assert facts.frame(store, EVERYTHING, EARLY)["clicks"].sum() == 14
    assert sum(pushed.rows for pushed in taken) == 2


async def test_what_comes_again_under_its_key_is_acknowledged_and_counted_once(spool):
    room, store, taken = spool
    body = f"{FACT}\n{RECEIPT}".encode()
    assert await asyncio.gather(*(room.take_lines(body, "2026-01-05/1") for _ in range(5))) == [2] * 5
    assert await room.take_lines(body, "2026-01-05/2") == 2
    assert facts.frame(store, EVERYTHING, EARLY)["clicks"].to_list() == [7, 7]
    assert [pushed.rows for pushed in taken] == [2, 2]


async def test_a_file_that_was_stored_before_a_crash_is_not_handed_on_again(spool):
    """The book has its rows from the store already."""
    room, store, taken = spool
    path = room.folder / "a.ndjson"
    path.write_text(FACT)
    kept = path.stat()
    await room.sweep()
    path.write_text(FACT)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    again = Spool(room.folder, store, taken.append)
    await again.sweep()
    assert [pushed.rows for pushed in taken] == [1]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"clicks":7', '"clicks":99999999999999999999999', "line 1: clicks beyond 10,000,000"),
        ('"ftd":1', '"ftd":-2000000', "line 1: ftd beyond 1,000,000"),
        ('"110.00"', '"NaN"', "line 1: revenue is NaN; it is an amount of money"),
        ('"110.00"', '"-Infinity"', "line 1: revenue is -Infinity"),
        ('"110.00"', '"1e300"', "line 1: revenue is 1E[+]300"),
        ('"hour":"2026-01-05T10', '"hour":"2099-01-05T10', "line 1: hour 2099-01-05T10:00Z had not come when it was seen"),
        ('"clicks":7', '"currency":"XXX"', "line 1: no field 'currency'"),
    ],
)  # fmt: skip
def test_a_fact_that_cannot_be_true_is_named_and_nothing_is_stored(before, after, words):
    assert before in FACT
    with pytest.raises(UsageError, match=words):
        parse_lines(FACT.replace(before, after).encode())


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("revenue", float("nan"), "row 2: revenue is no number"),
        ("revenue", float("-inf"), "row 2: revenue is no number"),
        ("clicks", 2**40, "row 2: clicks beyond 10,000,000"),
        ("hour", None, "row 2: no time"),
        ("hour", datetime(2099, 1, 1, tzinfo=UTC), "row 2: an hour that had not come when it was seen"),
    ],
)
def test_a_history_with_a_row_that_cannot_be_true_is_set_aside_with_the_row(tmp_path, column, value, words):
    frame = parse_lines(f"{FACT}\n{FACT}".encode()).facts
    spoilt = pl.Series(column, [frame[column][0], value], frame.schema[column])
    frame.with_columns(spoilt).write_parquet(tmp_path / "history.parquet")
    with pytest.raises(UsageError, match=words):
        read_file(tmp_path / "history.parquet")


def test_a_zone_is_taken_into_account_and_names_lose_what_a_terminal_must_not_see():
    raw = FACT.replace("10:00:00Z", "12:00:00+02:00").replace('"kiel"', '"\\u001b]52;c;x\\u0007kiel"')
    frame = parse_lines(raw.encode()).facts
    assert frame["hour"].to_list() == [datetime(2026, 1, 5, 10, tzinfo=UTC)]
    assert frame["site"].to_list() == ["␛]52;c;x␇kiel"]


async def test_taken_back_empty_and_very_old_facts_are_stored_as_they_are(spool):
    room, store, _ = spool
    back = FACT.replace('"clicks":7', '"clicks":-7').replace('"110.00"', '"-110.00"')
    nameless = FACT.replace('"kiel"', '""').replace('"o"', '""')
    old = FACT.replace("2026-01-05T10", "1970-01-05T10")
    assert await room.take_lines(f"{back}\n{nameless}\n{old}".encode()) == 3
    kept = facts.frame(store, EVERYTHING, EARLY)
    assert sorted(kept["clicks"]) == [-7, 7, 7]
    assert kept["revenue"].sum() == 110
