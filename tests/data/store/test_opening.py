from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import StoreError, StoreFull, StoreLocked
from data.store import engine
from data.store.query import rows
from data.store.store import Store

KEY = "correct horse's battery"
CANARY = "canary-in-the-coal-mine"


def count(store):
    return rows(store, "SELECT count(*) FROM observation")[0][0]


def copy_while_open(path, folder):
    """The files as a kill would leave them."""
    folder.mkdir()
    for file in path.parent.glob(path.name + "*"):
        if file.is_file() and not file.name.endswith(".lock"):
            shutil.copy(file, folder)
    return folder / path.name


@pytest.fixture(scope="module")
def after_a_kill(tmp_path_factory, observed):
    """A database of 40 acknowledged batches of 5 rows, most of them only in the journal."""
    folder = tmp_path_factory.mktemp("source")
    store = Store.open(folder / "losswatch.duckdb", KEY)
    for _ in range(40):
        acknowledged = store.write(observed("ooooo", detail=CANARY))
        store.flush()  # each batch is a commit of its own
        acknowledged.result()
    copy = copy_while_open(folder / "losswatch.duckdb", folder / "killed")
    store.close()
    return copy


@pytest.fixture
def killed(after_a_kill, tmp_path):
    return Path(shutil.copytree(after_a_kill.parent, tmp_path / "killed")) / after_a_kill.name


def wal(path):
    return path.with_name(path.name + ".wal")


def test_after_a_kill_everything_acknowledged_is_there_without_a_warning(killed):
    store = Store.open(killed, KEY)
    assert (count(store), store.warnings) == (200, ())
    store.close()
    assert not list(killed.parent.glob("*.before"))


@pytest.mark.parametrize("file", ["losswatch.duckdb", "losswatch.duckdb.wal", "losswatch.duckdb.marks"])
def test_no_file_shows_what_is_stored(killed, file):
    content = (killed.parent / file).read_bytes()
    assert content
    assert CANARY.encode() not in content
    assert b"aurora" not in content


def cut(raw):
    return raw[: len(raw) // 2]


def flip(place):
    def damage(raw):
        spot = int(len(raw) * place)
        return raw[:spot] + bytes([raw[spot] ^ 0x40]) + raw[spot + 1 :]

    return damage


DAMAGES = {
    "cut in half": cut,
    "emptied": lambda _: b"",
    "garbage header": lambda raw: bytes(range(64)) + raw[64:],
    "zeroed": lambda raw: bytes(len(raw)),
    "random": lambda raw: random.Random(7).randbytes(len(raw)),
    **{f"flipped at {place}": flip(place) for place in (0.0005, 0.002, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999)},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal_is_noticed_kept_aside_and_the_store_goes_on(killed, observed, damage):
    original = damage(wal(killed).read_bytes())
    wal(killed).write_bytes(original)
    store = Store.open(killed, KEY)
    left = count(store)
    assert left < 200
    assert any("missing from the database" in sentence for sentence in store.warnings)
    aside = list(killed.parent.glob("losswatch.duckdb.wal*.damaged-*"))
    assert original in [file.read_bytes() for file in aside]
    assert store.write(observed("o")).result() == 41
    store.close()
    again = Store.open(killed, KEY)
    assert (count(again), again.warnings) == (left + 1, ())
    again.close()
    assert all(file.exists() for file in aside)


@pytest.mark.parametrize("garbage", [b"", b"short", b"x" * 100_000], ids=["empty", "short", "long"])
def test_a_database_that_is_none_any_more_is_put_aside_and_a_new_one_made(killed, observed, garbage):
    killed.write_bytes(garbage)
    store = Store.open(killed, KEY)
    assert any("40 acknowledged batches (200 rows) are missing" in sentence for sentence in store.warnings)
    assert store.write(observed("o")).result() == 41
    store.close()
    if garbage:
        assert garbage in [file.read_bytes() for file in killed.parent.glob("*.damaged-*")]


def test_a_database_that_was_removed_is_missed(killed):
    killed.unlink()
    wal(killed).unlink()
    store = Store.open(killed, KEY)
    assert any("40 acknowledged batches" in sentence for sentence in store.warnings)
    store.close()


@pytest.mark.parametrize("key", ["another key", None, ""])
def test_a_wrong_key_is_refused_and_nothing_is_touched(killed, key):
    before = {file.name: file.read_bytes() for file in killed.parent.iterdir()}
    with pytest.raises(StoreError) as caught:
        Store.open(killed, key)
    assert not isinstance(caught.value, StoreLocked)
    after = {file.name: file.read_bytes() for file in killed.parent.iterdir() if not file.name.endswith(".lock")}
    assert {name: after.get(name) for name in before} == before
    assert not list(killed.parent.glob("*.damaged-*"))
    store = Store.open(killed, KEY)
    assert (count(store), store.warnings) == (200, ())
    store.close()


def test_the_key_is_in_no_error(killed):
    with pytest.raises(StoreError) as caught:
        Store.open(killed, "wrong'key-canary-4711")
    assert "4711" not in str(caught.value)


def test_a_store_without_a_key_works_and_does_not_open_with_one(path, observed):
    plain = Store.open(path, None)
    plain.write(observed("oo")).result()
    plain.close()
    with pytest.raises(StoreError, match="key"):
        Store.open(path, KEY)
    again = Store.open(path, None)
    assert count(again) == 2
    again.close()


def test_a_schema_from_a_newer_losswatch_is_left_alone(path):
    store = Store.open(path, KEY)
    store.work(lambda cursor: cursor.execute("INSERT INTO schema_version VALUES (999)")).result()
    store.close()
    with pytest.raises(StoreError, match="schema 999"):
        Store.open(path, KEY)


def test_a_step_that_fails_leaves_the_schema_where_it_was(path, tmp_path, monkeypatch):
    Store.open(path, KEY).close()
    known, last = engine.versions(), max(engine.versions())
    steps = tmp_path / "schema"
    shutil.copytree(engine._SCHEMA, steps)
    (steps / "998_bad.sql").write_text("CREATE TABLE IF NOT EXISTS fresh (a INTEGER); no sql;")
    monkeypatch.setattr(engine, "versions", lambda: {**known, last + 1: steps / "998_bad.sql"})
    with pytest.raises(Exception, match="no"):
        Store.open(path, KEY)
    (steps / "998_bad.sql").write_text("CREATE TABLE IF NOT EXISTS fresh (a INTEGER)")
    store = Store.open(path, KEY)
    assert rows(store, "SELECT max(version) FROM schema_version") == [(last + 1,)]
    store.close()


def test_a_database_of_the_first_schema_is_brought_up_to_date_with_its_rows(path, monkeypatch):
    steps = engine.versions()
    monkeypatch.setattr(engine, "versions", lambda: {1: steps[1]})
    store = Store.open(path, KEY)
    for number in range(3):
        store.work(
            lambda cursor, n=number: cursor.execute("INSERT INTO target (id, kind) VALUES (?, 'site')", [f"site:{n}"])
        ).result()
    store.work(lambda cursor: cursor.execute("DELETE FROM target WHERE id = 'site:1'")).result()
    store.close()
    monkeypatch.setattr(engine, "versions", lambda: steps)
    store = Store.open(path, KEY)
    assert rows(store, "SELECT max(version) FROM schema_version") == [(max(steps),)]
    assert rows(store, "SELECT id, origin, depth FROM target ORDER BY id") == [("site:0", "", 0), ("site:2", "", 0)]
    store.close()


@pytest.mark.parametrize("step", engine.versions())
def test_a_step_that_was_broken_off_is_applied_again(path, monkeypatch, step):
    Store.open(path, KEY).close()
    store = Store.open(path, KEY)
    store.work(lambda cursor: cursor.execute("DELETE FROM schema_version WHERE version >= ?", [step])).result()
    store.close()
    store = Store.open(path, KEY)
    assert rows(store, "SELECT max(version) FROM schema_version") == [(max(engine.versions()),)]
    store.close()


HOLDER = """
import sys
from pathlib import Path
from data.store.store import Store
store = Store.open(Path(sys.argv[1]), sys.argv[2])
print("open", flush=True)
sys.stdin.read()
"""


def test_another_process_is_refused_and_told_who_holds_it(path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(StoreLocked, match=f"process {holder.pid}"):
        Store.open(path, KEY)
    path.with_name(path.name + ".lock").unlink()
    with pytest.raises(StoreLocked, match=f"process {holder.pid}"):
        Store.open(path, KEY)
    holder.kill()
    holder.communicate()
    Store.open(path, KEY).close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from data.model.observation import Observation
from data.model.state import State
from data.model.target import TargetKind
from data.store.store import Store
store = Store.open(Path(sys.argv[1]), sys.argv[2])
assert not store.warnings, store.warnings
start = int(sys.argv[3])
pending = []
for seq in range(start, start + 100_000):
    rows = [
        Observation(f"site:{seq}", "aurora", TargetKind.SITE, datetime(2026, 1, 1, tzinfo=UTC), State.OK, value=float(n))
        for n in range(20)
    ]
    pending.append(store.write(rows, worker="p", seq=seq))
    if len(pending) > 30:
        print(pending.pop(0).result(), flush=True)
"""


def test_ten_kills_at_any_moment_lose_nothing_acknowledged_and_store_nothing_twice(path):
    moment = random.Random(11)
    acknowledged, start = set(), 1
    for _ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), KEY, str(start)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(moment.randrange(5, 120)):
            acknowledged.add(int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].splitlines(keepends=True)
        acknowledged.update(int(line) for line in rest if line.endswith("\n"))
        start = max(acknowledged) - 20  # what was in flight is sent again, as a probe does
    store = Store.open(path, KEY)
    stored = dict(rows(store, "SELECT target, count(*) FROM observation GROUP BY target"))
    assert store.warnings == ()
    assert acknowledged <= {int(target.removeprefix("site:")) for target in stored}
    assert set(stored.values()) == {20}
    assert len(acknowledged) > 100
    store.close()


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root and the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_refuses_what_does_not_fit_keeps_what_was_acknowledged_and_recovers(tiny_disk, observed):
    path = tiny_disk / "losswatch.duckdb"
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(4_000_000))
    store = Store.open(path, KEY)
    numbers = random.Random(3)
    acknowledged, refused = [], 0
    for number in range(60):
        batch = observed("o" * 200, target=f"site:{number}", detail=numbers.randbytes(400).hex())
        answer = store.write(batch, worker="p", seq=number)
        store.flush()
        problem = answer.exception()
        if problem is None:
            acknowledged.append(number)
        else:
            assert isinstance(problem, StoreFull)
            refused += 1
    assert acknowledged
    assert refused
    ballast.unlink()
    for number in range(60):
        store.write(observed("o" * 200, target=f"site:{number}"), worker="p", seq=number)
        store.flush()
    assert dict(rows(store, "SELECT target, count(*) FROM observation GROUP BY target")) == {
        f"site:{number}": 200 for number in range(60)
    }
    store.close()
    again = Store.open(path, KEY)
    assert again.warnings == ()
    assert rows(again, "SELECT count(*) FROM observation") == [(12_000,)]
    again.close()


def test_the_folder_of_a_store_is_made_and_its_file_is_closed_to_others(tmp_path):
    path = Path(tmp_path / "deep" / "er" / "losswatch.duckdb")
    Store.open(path, KEY).close()
    assert path.stat().st_mode & 0o077 == 0
