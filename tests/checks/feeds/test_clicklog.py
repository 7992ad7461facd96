"""Lines of our own click log: read in any form, whose click each is, how the log does, and read on through rotation."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import clicklog, folder, heartbeat, loglines, preset, tail
from checks.feeds.adapt import adapt
from checks.feeds.clicklog import Counting, Registry, Slice, Tally
from checks.feeds.payload import Unreadable
from checks.feeds.tail import Place
from data.errors import ConfigError
from data.model.state import State

from .conftest import CALM, feed

NOW = datetime(2026, 11, 17, 14, 20, tzinfo=UTC)
LINK = Slice("aurora", "P01", "welcome", "DE", "nordkompass")
BOOK = Registry(
    links={"nord-p01": LINK},
    sites={"nordkompass": ("nordkompass", "aurora"), "nordkompass.example": ("nordkompass", "aurora")},
    hosts={"www.torvane.example": "P03"},
    partners={"p01": "P01", "quillspin": "P01", "p03": "P03"},
)


def counted(*lines, header="", zone="UTC", room=clicklog.MOST_CELLS, **options):
    found = adapt(preset.load("clicklog"), options)
    counting = Counting(loglines.reader(found, header), BOOK, "cedar", ZoneInfo(zone), NOW, room=room)
    counting.add(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    return counting.tally


def line(**more):
    return json.dumps({"ts": "2026-11-17T14:03:22Z", "placement": "nord-p01"} | more)


def cells(tally):
    return {one: sum(hours.values()) for one, hours in tally.cells.items()}


def test_json_csv_and_a_web_servers_lines_say_the_same():
    web = '9.9.9.9 - - [17/Nov/2026:15:03:22 +0100] "GET /out/nord-p01?x=1 HTTP/1.1" 302 0 "https://nordkompass.example/a" "Mozilla/5.0"'
    hour = int(datetime(2026, 11, 17, 14, tzinfo=UTC).timestamp() // 3600)
    for tally in (
        counted(line()),
        counted(web, pattern="combined"),
        counted("2026-11-17 15:03:22,nord-p01", header="ts,placement", zone="Europe/Berlin", format="csv"),
        counted("nord-p01;1794924202", pattern=r"(?P<placement>[^;]+);(?P<ts>\d+)"),
    ):
        assert tally.cells == {LINK: {hour: 1}}, tally


def test_the_partner_is_told_by_the_line_the_link_or_the_host():
    assert cells(counted(line(placement="", partner="Quillspin", site="nordkompass", geo="at"))) == {
        Slice("aurora", "P01", "", "AT", "nordkompass"): 1
    }
    assert cells(counted(line(placement="", target_host="https://www.torvane.example/x", site="other.example"))) == {
        Slice("cedar", "P03", "", "", "other.example"): 1
    }
    assert next(iter(counted(line(partner="P03")).cells)).partner == "P03", "the line is nearer than the inventory"
    nobody = counted(line(placement="gone"))
    assert (nobody.clicks, nobody.unknown, nobody.lines) == (0, 1, 1)


def test_robots_are_no_clicks_and_errors_are():
    tally = counted(line(bot=True), line(bot="Googlebot/2.1"), line(bot=0), line(status=502), line(status="302"))
    assert (tally.bots, tally.clicks, tally.errors) == (2, 3, 1)


@pytest.mark.parametrize(
    "broken",
    ["{", "[]", '{"ts": null}', '{"ts": {}}', '{"ts":"soon","placement":"nord-p01"}', "\x00\x01", b"\xff\xfe{", "[" * 5000,
     '{"ts": 1e999}', '{"ts": "2001-01-01T00:00:00Z"}', "x" * 70_000],
)  # fmt: skip
def test_a_line_that_is_none_is_counted_as_such_and_harms_no_other(broken):
    tally = counted(line(), broken, line())
    assert (tally.lines, tally.malformed, tally.clicks) == (3, 1, 2)
    assert not set(tally.broken) & set("abcdefghi123456789\x00")


@given(st.lists(st.binary(max_size=60), max_size=20))
@CALM
def test_every_line_is_a_click_a_robot_unknown_or_malformed(lines):
    tally = counted(line(), *lines)
    assert tally.lines == tally.malformed + tally.bots + tally.unknown + tally.clicks


def test_a_clock_that_is_ahead_counts_now_and_is_told():
    tally = counted(*[line(ts="2026-11-17T16:10:00Z")] * 60)
    assert (tally.ahead, tally.clicks) == (60, 60)
    assert set(tally.cells[LINK]) == {int(NOW.timestamp() // 3600)}
    assert judged(tally).cause == "feed.timezone"


def test_names_of_the_account_and_patterns_without_a_time():
    assert cells(counted('{"time":"2026-11-17T14:03:22Z","l":"nord-p01"}', **{"param.at": "time", "param.link": "l"}))
    with pytest.raises(ConfigError, match="no group for the time"):
        counted("x", pattern="(?P<placement>x)")
    with pytest.raises(ConfigError, match="not a regular expression"):
        counted("x", pattern="(")


def test_a_flood_of_different_sites_takes_bounded_room():
    tally = counted(*(line(site=f"s{n}", placement="", partner="P01") for n in range(500)), room=50)
    assert tally.clicks == 500
    assert len(tally.cells) <= 52


def judged(tally, last=NOW, per_hour=0):
    begun = heartbeat.floor(NOW) - timedelta(days=14)
    beat = heartbeat.rhythm({begun + n * heartbeat.HOUR: per_hour for n in range(14 * 24)}, NOW)
    return clicklog.judge([tally], beat, last, NOW)


@pytest.mark.parametrize(
    ("tally", "cause", "state"),
    [
        (Tally(lines=1000, clicks=1000), "", State.OK),
        (Tally(lines=1000, clicks=900, malformed=100), "feed.contract", State.FAILING),
        (Tally(lines=1000, clicks=1000, errors=400), "http.5xx", State.FAILING),
        (Tally(lines=1000, clicks=600, unknown=400), "feed.contract", State.DEGRADED),
        (Tally(lines=20, malformed=20), "", State.OK),
        (Tally(), "", State.OK),
    ],
)
def test_shares_that_are_too_large_have_a_cause(tally, cause, state):
    verdict = judged(tally)
    assert (verdict.cause, verdict.state) == (cause, state)


def test_a_log_that_falls_silent_while_clicks_are_expected_is_late():
    assert judged(Tally(), NOW - timedelta(minutes=30), 100).cause == "feed.late"
    assert judged(Tally(), NOW - timedelta(minutes=2), 100).cause == ""


# The file

BEGINNING = Place()


def read(path, place=BEGINNING):
    lines = []
    for block in tail.blocks(path, place):
        lines += block.lines.splitlines()
        place = block.after
    return [one.decode() for one in lines], place


def test_half_a_line_waits_for_the_other_half(tmp_path):
    log = tmp_path / "go.log"
    log.write_text("one\ntw")
    lines, place = read(log)
    assert lines == ["one"]
    with log.open("a") as more:
        more.write("o\nthree\n")
    assert read(log, place)[0] == ["two", "three"]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_files_that_were_renamed_are_read_to_their_end_in_order(tmp_path, times):
    log = tmp_path / "go.log"
    log.write_text("a\nb\n")
    _, place = read(log)
    wanted = []
    for n in range(times):
        with log.open("a") as more:
            more.write(f"last of {n}\n")
        wanted.append(f"last of {n}")
        for number in range(n, 0, -1):
            (tmp_path / f"go.log.{number}").rename(tmp_path / f"go.log.{number + 1}")
        os.utime(log, ns=(0, 10**9 * (n + 1)))
        log.rename(tmp_path / "go.log.1")
        log.write_text(f"first of {n + 1}\n")
        wanted.append(f"first of {n + 1}")
    lines, place = read(log, place)
    assert lines == wanted
    assert read(log, place)[0] == []


def test_a_file_that_was_copied_and_truncated_is_read_on_in_its_copy(tmp_path):
    log = tmp_path / "go.log"
    log.write_text("a\nb\n")
    _, place = read(log)
    (tmp_path / "go.log.1").write_text("a\nb\nc\n")
    log.write_text("d\n")
    assert read(log, place)[0] == ["c", "d"]


def test_a_file_that_was_truncated_and_grew_again_begins_anew(tmp_path):
    log = tmp_path / "go.log"
    log.write_text("a\nb\n")
    _, place = read(log)
    log.write_text("x\ny\nz\nw\n")
    assert read(log, place)[0] == ["x", "y", "z", "w"]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12))
@CALM
def test_whatever_is_written_and_rotated_between_looks_every_line_is_read_once(tmp_path_factory, steps):
    log = tmp_path_factory.mktemp("log") / "go.log"
    log.write_text("begin\n")
    seen, place = read(log)
    written, rotated = ["begin"], 0
    for n, (count, rotate) in enumerate(steps):
        with log.open("a") as more:
            for k in range(count):
                more.write(f"{n}-{k}\n")
                written.append(f"{n}-{k}")
        if rotate:
            rotated += 1
            os.utime(log, ns=(0, rotated * 10**9))
            log.rename(log.with_name(f"go.log.{rotated:03}"))
            log.write_text(f"new {n}\n")
            written.append(f"new {n}")
        if n % 2:
            fresh, place = read(log, place)
            seen += fresh
    assert seen + read(log, place)[0] == written


def test_a_line_longer_than_a_block_is_passed_over_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tail, "BLOCK", 64)
    log = tmp_path / "go.log"
    log.write_text("x" * 300 + "\nshort\n")
    blocks = list(tail.blocks(log, Place()))
    assert max(len(block.lines) for block in blocks) <= 64
    assert blocks[-1].lines.endswith(b"short\n")


# A folder


def drop(path, text, age_s=60):
    path.write_text(text)
    stamp = NOW.timestamp() - age_s
    os.utime(path, (stamp, stamp))


def test_complete_files_come_oldest_first_and_the_others_wait(tmp_path):
    for name, age_s in (
        ("new.csv", 20),
        ("old.csv", 90),
        ("now.csv", 1),
        ("a.csv.part", 90),
        (".hidden", 90),
        ("b.csv.rejected", 90),
    ):
        drop(tmp_path / name, "x", age_s)
    (tmp_path / "done").mkdir()
    found = folder.look(tmp_path, NOW)
    assert [path.name for path in found.ready] == ["old.csv", "new.csv"]
    assert found.waiting == 1


def test_a_file_is_a_delivery_of_the_days_in_it(tmp_path):
    drop(tmp_path / "a.csv", "date,clicks,commission_total\n2026-11-15,10,1.50\n2026-11-16,12,2.50\n")
    pulled = folder.delivered(tmp_path / "a.csv", feed(preset="csv_folder"), preset.load("csv_folder"), NOW)
    assert (pulled.first.day, pulled.last.day, len(pulled.rows), pulled.problem) == (15, 16, 2, None)
    assert pulled.payloads[0].hash


@pytest.mark.parametrize(
    "text",
    ["", "   \n", "date,clicks\n", "PK\x03\x04zip", "<html>", "when,clicks\nx,1\n", "date,other\n2026-11-15,1\n"],
)
def test_what_is_no_report_says_why_and_is_set_aside_with_the_reason(tmp_path, text):
    path = tmp_path / "a.csv"
    drop(path, text)
    with pytest.raises(Unreadable) as said:
        folder.delivered(path, feed(preset="csv_folder"), preset.load("csv_folder"), NOW)
    folder.set_aside(path, str(said.value))
    assert (tmp_path / "a.csv.rejected").exists()
    assert (tmp_path / "a.csv.reason.txt").read_text().strip() == str(said.value)
    assert not folder.look(tmp_path, NOW).ready


def test_a_name_that_is_done_already_gets_a_number(tmp_path):
    for text in ("one", "two"):
        drop(tmp_path / "a.csv", text)
        folder.put_away(tmp_path / "a.csv")
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a-2.csv", "a.csv"]
