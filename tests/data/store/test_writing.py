from __future__ import annotations

import threading
from concurrent.futures import wait
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from data.errors import StoreError, StoreFull, StoreLocked
from data.model.principal import EVERYTHING
from data.store import marks, observations, writer
from data.store.query import rows
from data.store.store import Store

KEY = "correct horse's battery"


def count(store, table="observation"):
    return rows(store, f"SELECT count(*) FROM {table}")[0][0]


def test_batches_are_numbered_on_from_where_they_were_before_a_restart(path, observed):
    first = Store.open(path, KEY)
    assert [first.write(observed()).result() for _ in range(3)] == [1, 2, 3]
    first.close()
    second = Store.open(path, KEY)
    assert second.write(observed()).result() == 4
    assert second.write(observed(), worker="probe-1").result() == 1
    second.close()


def test_a_batch_sent_twice_is_acknowledged_and_stored_once(path, observed):
    first = Store.open(path, KEY)
    together = [first.write(observed("oo"), worker="p", seq=5) for _ in range(3)]
    assert [one.result() for one in together] == [5, 5, 5]
    assert first.write(observed("oo"), worker="q", seq=5).result() == 5
    first.close()
    second = Store.open(path, KEY)
    assert second.write(observed("oo"), worker="p", seq=5).result() == 5
    assert second.write(observed("oo"), worker="p", seq=4).result() == 4
    assert count(second) == 6
    second.close()


def test_a_caller_that_gives_up_neither_stops_the_writer_nor_unstores_its_rows(store, observed):
    abandoned = store.write(observed("oo"))
    assert not abandoned.cancel()
    store.flush()
    assert count(store) == 2
    assert store.write(observed("o")).result() == 2


def test_whoever_waits_may_hurry_the_writer_out_of_its_lingering(path, observed, monkeypatch):
    monkeypatch.setattr(writer, "LINGER_S", 3600.0)
    store = Store.open(path, KEY)
    asked = store.write(observed("oo"))
    assert not wait([asked], timeout=0.1).done
    store.hurry()
    assert asked.result(timeout=30) == 1
    assert count(store) == 2
    store.close()
    store.hurry()


def test_an_empty_batch_is_a_batch(store):
    assert store.write([]).result() == 1


BAD = [
    (lambda good: replace(good, started_at=datetime(2026, 1, 1)), ValueError),  # noqa: DTZ001  # the mistake under test
    (lambda good: replace(good, detail=b"bytes \xff"), Exception),
    (lambda good: replace(good, total_ms="fast"), Exception),
    (lambda good: replace(good, evidence=object()), TypeError),
    (lambda good: replace(good, detail="\ud800"), Exception),
    (lambda _: "no record", TypeError),
]


@pytest.mark.parametrize(("spoil", "error"), BAD)
def test_a_bad_row_fails_its_own_batch_and_no_other(store, observed, spoil, error):
    (good,) = observed()
    futures = [store.write([good]), store.write([good, spoil(good)]), store.write([good])]
    wait(futures)
    assert isinstance(futures[1].exception(), error)
    assert futures[0].exception() is None
    assert futures[2].exception() is None
    assert count(store) == 2


def test_many_threads_write_and_read_at_once_and_nothing_is_lost(store, observed):
    futures, seen = [], []

    def write(number):
        futures.extend([store.write(observed("of", target=f"site:{number}")) for _ in range(20)])

    def read():
        seen.extend([len(observations.of_target(store, EVERYTHING, "site:1")) for _ in range(10)])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [future.result() for future in futures]
    assert sorted(numbers) == list(range(1, 81))
    assert count(store) == 160
    assert len(seen) == 30


def test_a_flush_returns_once_everything_before_it_is_decided(store, observed):
    futures = [store.write(observed()) for _ in range(5)]
    store.flush()
    assert all(future.done() for future in futures)


def test_closing_stores_what_is_queued_and_then_refuses_more(path, observed):
    store = Store.open(path, KEY)
    futures = [store.write(observed()) for _ in range(5)]
    store.close()
    store.close()
    assert [future.result() for future in futures] == [1, 2, 3, 4, 5]
    with pytest.raises(StoreError, match="closed"):
        store.write(observed())
    with pytest.raises(StoreError):
        count(store)
    assert not path.with_name(path.name + ".wal").exists()


def test_with_little_space_left_observations_are_dropped_and_counted_and_the_rest_is_kept(store, observed):
    store.min_free_bytes = 2**62
    flip_like = replace(observed()[0], target="site:b")
    store.write([*observed("oof"), flip_like]).result()
    assert (store.dropped, count(store)) == (4, 0)
    store.min_free_bytes = 0
    store.write(observed()).result()
    assert (store.dropped, count(store)) == (4, 1)


def test_work_that_fails_leaves_nothing_behind_and_the_writer_alive(store, observed):
    def half(cursor):
        cursor.execute("INSERT INTO receipt VALUES ('P01', NULL, NULL)")
        cursor.execute("no sql")

    with pytest.raises(StoreError):
        store.work(half).result()
    assert count(store, "receipt") == 0
    assert store.write(observed()).result() == 1


class Broken:
    """Raises once where the real one would, before or after what it does, as a full disk was seen to."""

    def __init__(self, real, problem, *, after):
        self.real, self.problem, self.after = real, problem, after

    def __call__(self, *args):
        problem, self.problem = self.problem, None
        result = self.real(*args) if self.after or problem is None else None
        if problem is not None:
            raise problem
        return result


FULL = duckdb.IOException("Could not write file: No space left on device")


def test_a_batch_that_raised_but_was_stored_is_not_stored_again(store, observed, monkeypatch):
    """On a full disk a commit can raise after its rows are on the disk."""
    ledger = store._writer._book
    monkeypatch.setattr(ledger, "keep", Broken(ledger.keep, FULL, after=False))
    assert store.write(observed("oo")).result() == 1
    assert count(store) == 2
    assert store.write(observed("o")).result() == 2
    assert count(store) == 3


def test_a_batch_that_raised_and_was_not_stored_is_tried_again_after_reopening(store, observed, monkeypatch):
    ledger = store._writer._book
    monkeypatch.setattr(ledger, "enter", Broken(ledger.enter, FULL, after=False))
    assert store.write(observed("oo")).result() == 1
    assert count(store) == 2


def test_a_disk_that_stays_full_fails_the_batch_and_the_next_one_that_fits_succeeds(store, observed, monkeypatch):
    ledger = store._writer._book

    def fail(*_):
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "enter", fail)
        with pytest.raises(StoreFull, match="What was acknowledged is safe"):
            store.write(observed("oo")).result()
    assert store.write(observed("o")).result() == 1
    assert count(store) == 1


def test_a_second_store_on_the_file_is_refused_with_the_holders_number(path, store):
    import os

    with pytest.raises(StoreLocked, match=f"process {os.getpid()}.*losswatch hub stop"):
        Store.open(path, KEY)


def test_marks_say_what_was_acknowledged_and_survive_a_spoiled_file(path, store, observed):
    store.write(observed("ooo"), worker="p").result()
    file = path.with_name(path.name + ".marks")
    assert marks.read(file)["p"] == marks.Mark(1, 1, 3)
    file.write_bytes(b"\xff{")
    assert marks.read(file) == {}


def test_an_old_moment_is_stored_as_exactly_that_moment(store, observed):
    moment = datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    store.write(observed(start=moment)).result()
    assert observations.of_target(store, EVERYTHING, "site:a")[0].started_at == moment
