"""Deploys that others tell us of: kept among what people did, and the first to be suspected when something breaks there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.spool import Spool, parse_lines
from checks.incidents.suspects import AFTER, BEFORE, suspects
from data.errors import UsageError
from data.model.audit import AuditEntry
from data.model.ids import FindingId, TeamId
from data.model.incident import Finding
from data.model.principal import EVERYTHING
from data.model.target import kind_of
from data.store import audit
from data.store.store import Store

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
DEPLOY = '{"deploy":{"at":"2026-11-17T11:48:00Z","site":"kiel","what":"release 8f31c0","who":"maria"}}'


@pytest.fixture
def room(tmp_path):
    store = Store.open(tmp_path / "x.duckdb", None)
    (tmp_path / "spool").mkdir()
    yield Spool(tmp_path / "spool", store, lambda _: None)
    store.close()


def broken(target="site:kiel", team="aurora", blame="kiel.example", **labels):
    return Finding(
        FindingId(f"{target}@x"), target, TeamId(team), kind_of(target), "http.5xx", NOON, NOON, "", blame, labels
    )


def told(room, began=NOON, findings=None):
    entries = audit.between(room.store, EVERYTHING, began - BEFORE, began + AFTER)
    return suspects(entries, findings or [broken()], began)


async def test_a_deploy_pushed_or_dropped_into_the_spool_is_a_suspect(room):
    assert await room.take_deploys(DEPLOY.removeprefix('{"deploy":').removesuffix("}").encode()) == 1
    (room.folder / "d.ndjson").write_text(DEPLOY.replace("kiel", "bonn"))
    assert await room.sweep() == 1
    assert told(room) == ("12 min before: deploy kiel, release 8f31c0, by maria",)
    assert told(room, findings=[broken("site:bonn")]) == ("12 min before: deploy bonn, release 8f31c0, by maria",)


async def test_the_same_delivery_twice_is_one_deploy(room):
    for _ in range(2):
        await room.take_lines(DEPLOY.encode(), "ci/17")
    assert len(told(room)) == 1


@pytest.mark.parametrize(
    ("minutes", "seen"), [(-31, False), (-30, True), (0, True), (1, True), (2, False)],
    ids=["too long ago", "half an hour", "at once", "a clock that is late", "after it"],
)  # fmt: skip
async def test_only_what_was_changed_within_half_an_hour_before_is_a_suspect(room, minutes, seen):
    await room.take_lines(DEPLOY.encode())
    began = datetime(2026, 11, 17, 11, 48, tzinfo=UTC) - timedelta(minutes=minutes)
    assert bool(told(room, began)) == seen


@pytest.mark.parametrize(
    ("place", "finding", "touched"),
    [
        ('"site":"kiel"', broken(), True),
        ('"site":"kiel"', broken("link:l1", site="kiel"), True),
        ('"site":"kiel"', broken("site:bonn", blame=""), False),
        ('"host":"go.example"', broken("link:l1", blame="go.example"), True),
        ('"host":"go.example"', broken("link:l1", blame="", tracker="a.example go.example"), True),
        ('"host":"go.example"', broken("link:l1", blame="to.example"), False),
        ('"team":"aurora"', broken(), True),
        ('"team":"cedar"', broken(), False),
    ],
)
async def test_only_a_change_that_touches_a_member_is_a_suspect(room, place, finding, touched):
    await room.take_lines(DEPLOY.replace('"site":"kiel"', place).encode())
    assert bool(told(room, findings=[finding])) == touched


def test_a_change_of_the_configuration_is_suspected_by_what_it_names():
    entry = AuditEntry(NOON - timedelta(minutes=4), "tom", TeamId(""), "apply", "configuration", "0 added, 2 changed: site:kiel, link:x")  # fmt: skip
    assert suspects([entry], [broken()], NOON) == ("4 min before: apply configuration, 0 added, 2 changed, by tom",)
    assert suspects([entry], [broken("site:bonn")], NOON) == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (DEPLOY.replace('"site"', '"sight"'), "no field 'sight'; there are at, what"),
        (DEPLOY.replace('"site":"kiel",', ""), "one of site, host and team"),
        (DEPLOY.replace('"site"', '"team":"x","site"'), "one of site, host and team"),
        (DEPLOY.replace("release 8f31c0", " "), "says what it was"),
        (DEPLOY.replace(":00Z", ":00"), "a time without a zone"),
        (DEPLOY.replace('"2026', '"x2026'), "line 1"),
    ],
)
def test_a_deploy_that_says_too_little_is_refused_with_its_line(line, words):
    with pytest.raises(UsageError, match=words):
        parse_lines(line.encode())


def test_words_of_others_are_cleaned():
    (kept,) = parse_lines(DEPLOY.replace("maria", "ma\\u001b[2Jria").encode()).deploys
    assert "\x1b" not in kept.who
