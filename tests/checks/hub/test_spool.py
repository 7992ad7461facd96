from __future__ import annotations

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
    import os

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
