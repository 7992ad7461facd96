from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from checks.hub.board import Board
from checks.hub.ranks import RankRoom
from checks.hub.runs import MOST_BYTES, MOST_RUNS, Runs, parse_runs
from checks.hub.spool import Spool
from data.errors import StoreDown, UsageError
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.model.state import State
from data.model.target import Target, TargetKind, target_id
from data.store import parser_runs
from data.store.store import Store

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def line(at=NOW, items=30, parser="prices", **more):
    return json.dumps({"parser": parser, "at": at.isoformat(), "items": items, "fields": {"price": 1.0}} | more)


def body(*lines):
    return "\n".join(lines).encode()


def history(count):
    return body(*(line(NOW - n * QUARTER) for n in range(1, count + 1)))


def parser(name, *, team="aurora", outside=True):
    return Target(target_id(TargetKind.PARSER, name), TargetKind.PARSER, team, name, interval_s=900.0, outside=outside)


class Shown:
    """An intake that only remembers."""

    def __init__(self):
        self.seen = []

    def take(self, observations, rows=()):
        self.seen += observations
        done = asyncio.get_running_loop().create_future()
        done.set_result(True)
        return done


@pytest.fixture
def room(tmp_path):
    store, board = Store.open(tmp_path / "x.duckdb", None), Board()
    for target in (parser("prices"), parser("serp", outside=False), parser("foreign", team="cedar")):
        board.put_target(target)
    clock = SimpleNamespace(at=NOW, now=lambda: clock.at)
    yield Runs(board, Shown(), store, clock, RankRoom(board, lambda _: None))
    store.close()


def kept(room):
    return parser_runs.history(room.store, EVERYTHING, "prices", 10_000)


async def test_runs_are_stored_and_the_fresh_ones_are_shown(room):
    assert await room.take(history(30), EVERYTHING) == 30
    assert len(kept(room)) == 30
    assert [one.started_at for one in room.intake.seen] == [NOW - QUARTER]
    assert room.intake.seen[0].state is State.OK


async def test_a_body_that_is_pushed_again_counts_once(room):
    await room.take(history(30), EVERYTHING)
    assert await room.take(history(31), EVERYTHING) == 1
    assert len(kept(room)) == 31


async def test_searches_pushed_under_one_time_and_address_are_runs_of_their_own(room):
    times = [NOW - n * QUARTER for n in range(1, 9)]
    searches = [line(at, query=query, items=items) for at in times for query, items in (("casino", 30), ("bingo", 3))]
    assert await room.take(body(*searches), EVERYTHING) == 16
    assert {run.query for run in kept(room)} == {"casino", "bingo"}
    assert await room.take(body(*searches, line(query="bingo", items=0, fields={})), EVERYTHING) == 1
    assert room.intake.seen[-1].detail.startswith("0 items, never in 8 runs before, usually 3;")


async def test_a_dead_field_is_found_by_its_own_history(room):
    await room.take(history(30), EVERYTHING)
    await room.take(line(fields={"price": {"n": 0}}).encode(), EVERYTHING)
    assert room.intake.seen[-1].cause == "parser.field_dead"
    newest = kept(room)[0]
    assert (newest.verdict, newest.fields[0].state) == ("parser.field_dead", "dead")


async def test_what_cannot_be_stored_is_not_acknowledged(room, monkeypatch):
    def refuse(_rows, **_):
        raise StoreDown("no space left")

    monkeypatch.setattr(room.store, "write", refuse)
    with pytest.raises(StoreDown):
        await room.take(line().encode(), EVERYTHING)
    assert room.intake.seen == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: Expected `object`"),
        (line(items="many"), r"line 2: Expected `int`.*items"),
        (line(items=-1), "line 2: items is -1"),
        (line(itmes=3), "line 2: .*unknown field `itmes`"),
        (line(at=NOW.replace(tzinfo=None)), "line 2: a time without a zone"),
        (line(at=NOW + timedelta(hours=1)), "line 2: at 2026-11-17T13:00:00Z is in the future"),
        (line(fields={"price": 97}), "line 2: fill of 'price' is 97; a share from 0 to 1"),
        (line(fields={"price": {}}), "line 2: field 'price' has neither n nor fill"),
        (line(fields={f"f{n}": 1 for n in range(201)}), "line 2: 201 fields"),
        (line(parser="price"), "line 2: no outside parser 'price' in your scope. Did you mean 'prices'"),
        (line(parser="serp"), "line 2: parser 'serp' is fetched by the hub; set outside = yes"),
        (line(parser=""), "line 2: parser is empty"),
        ("[" * 100_000, "line 2: "),
        ("\xff\x00\x1b]52;", "line 2: "),
    ],
)
async def test_a_bad_line_is_named_and_nothing_of_its_body_is_stored(room, bad, words):
    with pytest.raises(UsageError, match=words) as told:
        await room.take(body(line(), bad), EVERYTHING)
    assert "\x1b" not in str(told.value)
    assert kept(room) == []


async def test_parsers_of_other_teams_do_not_exist(room):
    mine = Scope(frozenset({"aurora"}), MoneyRight.FULL)
    with pytest.raises(UsageError, match="no outside parser 'foreign' in your scope"):
        await room.take(line(parser="foreign").encode(), mine)


def test_a_body_is_limited():
    with pytest.raises(UsageError, match="8 MiB"):
        parse_runs(b" " * (MOST_BYTES + 1), NOW)
    with pytest.raises(UsageError, match="5,000 runs"):
        parse_runs(body(*[line()] * (MOST_RUNS + 1)), NOW)


async def test_foreign_text_is_cleaned_and_secrets_are_not_kept(room):
    url = "https://me:word@s.example/?api_key=hunter2hunter2"
    await room.take(line(url=url, error="\x1b[2Jboom", hosts=["A.Example\x07"]).encode(), EVERYTHING)
    (run,) = kept(room)
    assert "hunter2" not in run.url
    assert "word" not in run.url
    assert "\x1b" not in run.error
    assert run.hosts[0].startswith("a.example")
    assert "\x07" not in run.hosts[0]


def stats(items=30, **more):
    given = {
        "item_scraped_count": items,
        "downloader/response_count": 40,
        "finish_reason": "finished",
        "finish_time": "2026-11-17 11:58:00",
        "elapsed_time_seconds": 41.5,
        "log_count/INFO": 12,
        "spidermon_item_scraped_count/dict": items,
        "spidermon_item_scraped_count/dict/title": items,
    }
    return json.dumps(given | more, indent=2).encode()


async def test_the_statistics_of_a_crawl_are_a_run(room):
    price = {"spidermon_item_scraped_count/dict/price": 30}
    assert await room.take(stats(**price), EVERYTHING, "prices") == 1
    (run,) = kept(room)
    assert (run.at, run.items, run.seconds, run.error) == (NOW - timedelta(minutes=2), 30, 41.5, "")
    assert {one.name: one.fill for one in run.fields} == {"title": 1.0, "price": 1.0}


async def test_a_field_that_statistics_are_silent_about_was_empty(room):
    for n in range(6, 0, -1):
        at = (NOW - n * QUARTER).isoformat()
        await room.take(stats(at=at, **{"field_count/price": 30}), EVERYTHING, "prices")
    await room.take(stats(), EVERYTHING, "prices")
    assert room.intake.seen[-1].cause == "parser.field_dead"


async def test_a_refused_crawl_is_blocked(room):
    refused = {"downloader/response_status_count/403": 39, "log_count/ERROR": 2}
    await room.take(stats(0, **refused), EVERYTHING, "prices")
    seen = room.intake.seen[-1]
    assert seen.cause == "page.blocked"
    assert seen.detail == "0 items, then it ended: HTTP 403 on 39 of 40 pages, 2 errors in its log"


async def test_a_parser_is_late_only_when_it_could_have_pushed(room):
    target = room.board.targets["parser:prices"]
    assert room.late(target).state is State.UNKNOWN
    room.newest[target.id] = NOW - timedelta(days=1)
    assert room.late(target) is None
    room.clock.at = NOW + timedelta(minutes=23)
    assert (room.late(target).cause, "24h" in room.late(target).detail or "1d" in room.late(target).detail) == (
        "parser.late",
        True,
    )


async def test_a_run_that_comes_after_it_was_called_late_counts(room):
    """A lateness is newer than the run that ends it: the run must not look like an old answer."""
    target = room.board.targets["parser:prices"]
    await room.take(history(6), EVERYTHING)
    room.clock.at = NOW + timedelta(minutes=30)
    overdue = room.late(target)
    room.board.states[target.id] = SimpleNamespace(last_at=overdue.started_at)
    await room.take(line(NOW + timedelta(minutes=28)).encode(), EVERYTHING)
    assert room.intake.seen[-1].started_at == overdue.started_at


async def test_when_parsers_ran_last_is_known_after_a_restart(room):
    await room.take(history(6), EVERYTHING)
    again = Runs(room.board, Shown(), room.store, room.clock, room.ranks)
    await again.restore()
    assert again.newest == {"parser:prices": NOW - QUARTER}


async def test_the_spool_folder_takes_runs_and_sets_aside_what_is_none(room, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    spool = Spool(folder, room.store, lambda _: None, lambda raw, name: room.take(raw, EVERYTHING, name))
    (folder / "runs-1.ndjson").write_bytes(history(3))
    (folder / "runs-prices.json").write_bytes(stats())
    (folder / "runs-nobody.json").write_bytes(stats())
    (folder / "other.json").write_bytes(b"{}")
    assert await spool.sweep() == 4
    assert sorted(path.name for path in folder.iterdir()) == ["other.json", "runs-nobody.json.rejected"]
    assert len(kept(room)) == 4
