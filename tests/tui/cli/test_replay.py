from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from checks.revenue.book import RevenueBook
from tests.checks.revenue.conftest import World
from tui.cli import replay, replay_plan, replay_source
from tui.cli.main import main
from tui.cli.replay_bar import Bar
from tui.cli.replay_lines import kind_of

DAY = 24
TICKS = 19


@pytest.fixture(scope="module")
def world():
    """P07 earns nothing from day 17 on; P01 neither from nine hours later."""
    silent = World(days=18, seed=3, sites=1)
    silent.thin(17 * DAY, silent.hours, 0.0, partner="P07")
    silent.thin(17 * DAY + 6, silent.hours, 0.0, partner="P01")
    return silent


@pytest.fixture
def recorded(world, tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()
    world.facts().write_parquet(folder / "facts.parquet")
    world.receipts().write_parquet(folder / "receipts.parquet")
    times = {"replay_from": f"{world.at(17 * DAY - 4):%FT%T}", "replay_to": f"{world.at(17 * DAY + 14):%FT%T}"}
    (folder / "meta.json").write_text(json.dumps({**times, "step_minutes": 60}))
    return folder


@pytest.fixture(scope="module")
def straight(world, tmp_path_factory):
    """What a replay in one go writes."""
    folder = tmp_path_factory.mktemp("straight")
    world.facts().write_parquet(folder / "facts.parquet")
    world.receipts().write_parquet(folder / "receipts.parquet")
    times = ["--from", f"{world.at(17 * DAY - 4):%FT%T}", "--to", f"{world.at(17 * DAY + 14):%FT%T}"]
    assert main(["replay", "--facts", str(folder), "--out", str(folder / "out"), *times]) == 0
    said = (folder / "out").read_bytes()
    assert len({json.loads(line)["id"] for line in said.splitlines()}) >= 2
    return said


def run(folder, *arguments):
    return main(["replay", "--facts", str(folder), "--out", str(folder.parent / "out"), *arguments])


def out(folder):
    return (folder.parent / "out").read_bytes()


def lines(folder):
    return [json.loads(line) for line in out(folder).splitlines()]


def state(folder):
    return folder.parent / "out.state"


def meta(folder, **values):
    path = folder / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


# ── files, batches and order do not matter ────────────────────────────────────────────────────────────────────────


def one_by_one(folder, frame, monkeypatch):
    monkeypatch.setattr(replay_source, "BATCH", 977)
    frame.write_parquet(folder / "facts.parquet", row_group_size=5_000)


def many_files(folder, frame, _):
    (folder / "facts.parquet").unlink()
    (folder / "facts").mkdir()
    for number, piece in enumerate(frame.iter_slices(4_001)):
        piece.write_parquet(folder / "facts" / f"{number:03d}.parquet")


def by_month(folder, frame, _):
    (folder / "facts.parquet").unlink()
    frame[9_000:].write_parquet(folder / "facts-2026-11.parquet")
    frame[:9_000].write_parquet(folder / "facts-2026-10.parquet")


def out_of_order(folder, frame, monkeypatch):
    monkeypatch.setattr(replay_source, "BATCH", 3_000)
    frame.sample(fraction=1.0, shuffle=True, seed=5).write_parquet(folder / "facts.parquet", row_group_size=7_000)


def as_text(folder, frame, _):
    times = pl.col("hour", "seen_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    frame.with_columns(times, pl.col("clicks").cast(pl.String)).write_parquet(folder / "facts.parquet")


def without_zone(folder, frame, _):
    plain = frame.with_columns(pl.col("hour", "seen_at").dt.replace_time_zone(None).dt.cast_time_unit("ms"))
    plain.write_parquet(folder / "facts.parquet")


@pytest.mark.parametrize("stored", [one_by_one, many_files, by_month, out_of_order, as_text, without_zone])
def test_the_same_facts_give_the_same_bytes_however_they_are_stored(recorded, world, straight, monkeypatch, stored):
    stored(recorded, world.facts(), monkeypatch)
    assert run(recorded) == 0
    assert out(recorded) == straight


def test_files_are_read_as_their_time_comes(recorded, world, monkeypatch):
    """A recording ten times as long costs no more memory: rows to come are not looked at."""
    monkeypatch.setattr(replay_source, "BATCH", 500)
    world.facts().write_parquet(recorded / "facts.parquet", row_group_size=2_000)
    taken = []
    monkeypatch.setattr(RevenueBook, "add", lambda book, frame: taken.append((book.cube.top, frame["seen_at"].max())))
    assert run(recorded) == 0
    ahead = [int(newest.timestamp()) // 3600 - top for top, newest in taken[len(taken) // 2 :] if top]
    assert max(ahead) <= 30


# ── stopped and taken up ──────────────────────────────────────────────────────────────────────────────────────────


class Died(BaseException):
    pass


def dying(monkeypatch, after, act):
    """Act at the tick of that number."""
    ticked, tick = [], RevenueBook.tick

    def counted(book, now, **options):
        ticked.append(now)
        if len(ticked) == after:
            act()
        return tick(book, now, **options)

    monkeypatch.setattr(RevenueBook, "tick", counted)
    return ticked


def die():
    raise Died


@pytest.mark.parametrize("after", [1, 2, 9, TICKS])
def test_a_replay_that_died_goes_on_and_becomes_what_it_would_have_been(recorded, straight, monkeypatch, after):
    monkeypatch.setattr(replay, "SAVE_EVERY_S", -1.0)
    with monkeypatch.context() as patched:
        dying(patched, after, die)
        with pytest.raises(Died):
            run(recorded)
    assert state(recorded).exists() == (after > 1)
    with (recorded.parent / "out").open("ab") as file:
        file.write(b'{"id": "half a li')  # written, and not known to the state
    ticked = dying(monkeypatch, -1, die)
    assert run(recorded) == 0
    assert len(ticked) == TICKS - after + 1
    assert out(recorded) == straight
    assert not state(recorded).exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_replay_asked_to_stop_ends_its_tick_and_says_how_to_go_on(
    recorded, straight, monkeypatch, capsys, number, code
):
    with monkeypatch.context() as patched:
        dying(patched, 8, lambda: os.kill(os.getpid(), number))
        assert run(recorded) == code
    assert "the same command goes on from there" in capsys.readouterr().err
    assert straight.startswith(out(recorded))
    assert run(recorded) == 0
    assert "goes on after" in capsys.readouterr().err
    assert out(recorded) == straight


_KILLED = """
import os, signal, sys
from checks.revenue.book import RevenueBook
from tui.cli import replay
from tui.cli.main import main

tick, left = RevenueBook.tick, iter(range(7))

def last(*given, **options):
    if next(left, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return tick(*given, **options)

RevenueBook.tick, replay.SAVE_EVERY_S = last, -1.0
main(["replay", *sys.argv[1:]])
"""


def test_a_killed_process_loses_nothing(recorded, straight, capsys):
    told = [sys.executable, "-c", _KILLED, "--facts", str(recorded), "--out", str(recorded.parent / "out")]
    assert subprocess.run(told, cwd=Path(__file__).parents[3], check=False).returncode == -signal.SIGKILL
    assert state(recorded).exists()
    assert run(recorded) == 0
    assert "goes on after" in capsys.readouterr().err
    assert out(recorded) == straight


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: state(folder).write_bytes(state(folder).read_bytes()[:-9]), "is damaged: the replay begins again"),
        (lambda folder: state(folder).write_bytes(b""), "is damaged"),
        (lambda folder: meta(folder, replay_to="2026-10-29T13:00:00"), "is of a replay of other facts or times"),
        (lambda folder: os.utime(folder / "facts.parquet", (1, 1)), "is of a replay of other facts or times"),
        (lambda folder: (folder.parent / "out").write_bytes(b""), "is of a longer file"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_said_and_left(recorded, straight, monkeypatch, capsys, spoil, words):
    with monkeypatch.context() as patched:
        dying(patched, 9, lambda: os.kill(os.getpid(), signal.SIGINT))
        run(recorded)
    spoil(recorded)
    assert run(recorded) == 0
    assert words in capsys.readouterr().err
    assert straight.startswith(out(recorded))
    assert not state(recorded).exists()


def test_two_replays_do_not_write_one_file(recorded, monkeypatch, capsys):
    codes = []
    dying(monkeypatch, 1, lambda: codes.append(run(recorded, "--to", "2026-10-28T21:00:00")))
    assert run(recorded, "--to", "2026-10-28T21:00:00") == 0
    assert codes == [64]
    assert "is being written by another replay" in capsys.readouterr().err


def test_standard_output_and_a_device_keep_no_state(recorded, straight, capsysbinary):
    assert main(["replay", "--facts", str(recorded)]) == 0
    assert capsysbinary.readouterr().out == straight
    assert main(["replay", "--facts", str(recorded), "--out", "/dev/null"]) == 0
    assert not Path("/dev/null.state").exists()


# ── what is said ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_a_terminal_a_bar_shows_how_far_it_is(recorded, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run(recorded) == 0
    said = capsys.readouterr().err
    assert said.startswith("\r\x1b[Kreplay ")
    assert f"{TICKS}/{TICKS}" in said
    assert said.endswith("\n")


def test_the_bar_says_what_is_done_and_how_long_it_takes_yet(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    line = Bar(1_177).line(589, datetime(2030, 3, 1, 14, tzinfo=UTC), 87, 72.4)
    assert line == "replay ############------------ 589/1,177  2030-03-01 14:00Z  87 lines  1:12 left"


def test_elsewhere_nothing_is_said_but_what_is_not_believed(recorded, world, capsys):
    bad = world.facts()[:1].with_columns(revenue=pl.lit(float("nan")))
    pl.concat([world.facts(), bad]).write_parquet(recorded / "facts.parquet")
    assert run(recorded) == 0
    assert capsys.readouterr().err == "losswatch: not believed: 1 rows left out: revenue is no number\n"


def test_dimensions_that_are_not_recorded_are_not_spoken_of(recorded, world):
    world.facts().drop("site", "team").write_parquet(recorded / "facts.parquet")
    assert run(recorded) == 0
    assert {"partner": "P07"} in [line["slice"] for line in lines(recorded)]
    meta(recorded, dims=["partner"])
    assert run(recorded) == 0
    assert {dim for line in lines(recorded) for dim in line["slice"]} == {"partner"}


@pytest.mark.parametrize("minutes", [15, 180])
def test_other_steps_are_taken(recorded, monkeypatch, minutes):
    meta(recorded, step_minutes=minutes)
    ticked = dying(monkeypatch, -1, die)
    assert run(recorded) == 0
    assert {(late - early).total_seconds() / 60 for early, late in itertools.pairwise(ticked)} == {minutes}
    assert {line["slice"]["partner"] for line in lines(recorded)} == {"P01", "P07"}


@pytest.mark.parametrize(
    ("cause", "kind"),
    [("revenue.silence", "loss"), ("revenue.leak", "loss"), ("revenue.value", "loss"), ("revenue.traffic", "traffic"), ("revenue.blind", "delay")],
)  # fmt: skip
def test_the_kind_follows_from_the_cause(cause, kind):
    assert kind_of(cause) == kind


# ── what cannot be replayed ───────────────────────────────────────────────────────────────────────────────────────


def column(name, values):
    """Facts whose column holds these values in its first rows."""

    def spoil(folder):
        frame = pl.read_parquet(folder / "facts.parquet")
        told = frame[name].cast(pl.String).to_list()
        frame.with_columns(pl.Series(name, [*values, *told[len(values) :]])).write_parquet(folder / "facts.parquet")

    return spoil


def written(name, text):
    return lambda folder: (folder / name).write_bytes(text)


def cut(folder):
    content = (folder / "facts.parquet").read_bytes()
    (folder / "facts.parquet").write_bytes(
        content[: len(content) // 2] + b"\0" * 999 + content[len(content) // 2 + 999 :]
    )


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (column("seen_at", ["2026-10-12T01:00:00Z", "soon"]), "facts.parquet: column 'seen_at' is 'soon' in row 2; it needs a time"),
        (column("hour", ["yesterday"]), "column 'hour' is 'yesterday' in row 1"),
        (column("clicks", ["1", "2", "many\x1b[2J"]), "column 'clicks' is 'many␛[2J' in row 3; it needs a number"),
        (column("seen_at", [None]), "column 'seen_at' is 'None' in row 1"),
        (lambda folder: pl.DataFrame({"seen_at": [1]}).write_parquet(folder / "facts.parquet"), "has no column"),
        (lambda folder: pl.read_parquet(folder / "facts.parquet").drop("ftd").write_parquet(folder / "facts.parquet"), "has no column 'ftd'. It needs: hour, seen_at"),
        (lambda folder: pl.read_parquet(folder / "facts.parquet").with_columns(seen_at=pl.lit(3)).write_parquet(folder / "facts.parquet"), "column 'seen_at' holds Int32; it needs times"),
        (lambda folder: pl.read_parquet(folder / "facts.parquet").with_columns(currency=pl.Series(["EUR", "SEK"]).sample(pl.read_parquet(folder / "facts.parquet").height, with_replacement=True, seed=1)).write_parquet(folder / "facts.parquet"), "revenue is in one currency"),
        (lambda folder: meta(folder, step_minutes=0), "step_minutes is 0; it is a number from 1"),
        (lambda folder: meta(folder, step_minutes="60"), "step_minutes is '60'"),
        (lambda folder: meta(folder, dims=["partner", "brand"]), "dims names 'brand'; there are partner, offer"),
        (lambda folder: meta(folder, dims="partner"), "dims is 'partner'; it is a list"),
        (lambda folder: meta(folder, dims=[]), "dims is []"),
        (lambda folder: meta(folder, replay_from=5), "meta.json: replay_from needs a time"),
        (lambda folder: meta(folder, replay_to="2020-01-01"), "is before the first"),
        (written("meta.json", b"[1]"), "meta.json holds a list; it is one JSON object"),
        (written("meta.json", b"\xff{"), "meta.json cannot be read"),
        (written("facts.parquet", b"PAR1"), "facts.parquet cannot be read as Parquet"),
        (written("receipts.parquet", b""), "receipts.parquet cannot be read as Parquet"),
        (cut, "cannot be read as Parquet"),
        (lambda folder: (folder / "facts.parquet").unlink(), "holds no facts.parquet"),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_is_named_in_one_sentence(recorded, capsys, spoil, words):
    spoil(recorded)
    assert run(recorded) == 64
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "Traceback" not in said


def test_a_place_that_cannot_be_written_is_named(recorded, capsys):
    assert main(["replay", "--facts", str(recorded), "--out", str(recorded / "no" / "where")]) == 64
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_the_line_of_a_replay_is_where_chance_comes_as_often_as_asked(recorded, capsys):
    assert run(recorded, "--chance-alarm", "soon") == 64
    assert "--chance-alarm 'soon' is not a duration from 2d to 365d" in capsys.readouterr().err
    days = [replay_plan.read(recorded, None, None, asked) for asked in (None, "14d", "49d")]
    assert [one.calm_days for one in days] == [None, 14.0, 49.0]
    assert len({one.fingerprint() for one in days}) == 3
