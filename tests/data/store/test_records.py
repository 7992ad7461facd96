"""Every record of the model goes in and comes out the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from data.model.audit import AuditEntry
from data.model.delivery import Delivery, Outcome, Postback, RestatedAs, Restatement
from data.model.fact import Baseline, Fact, FeedChange, FieldYield, ParserRun, PartnerStat, Payload, Receipt
from data.model.incident import Finding, Incident, IncidentState, Severity, TimelineEntry
from data.model.money import Loss
from data.model.observation import Flip, Hop, Observation, TargetState, Timing
from data.model.page import KeptPage
from data.model.principal import EVERYTHING, Scope
from data.model.state import State
from data.model.target import Expect, Target, TargetKind
from data.store import (
    audit,
    baselines,
    deliveries,
    engine,
    facts,
    feed_changes,
    findings,
    flips,
    incidents,
    observations,
    pages,
    parser_runs,
    partner_stats,
    payloads,
    postbacks,
    restatements,
    states,
    targets,
    timeline,
)
from data.store.query import rows
from data.store.tables import TABLES

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
AURORA = Scope(frozenset({"aurora"}))
CEDAR = Scope(frozenset({"cedar"}))
NOBODY = Scope(frozenset())


def at(minutes):
    return T0 + timedelta(minutes=minutes)


TARGET = Target(
    "link:casino", TargetKind.LINK, "aurora", "casino", "https://x.example/", "site-1", "P01", "welcome", "DE", 1,
    "kestrel", 120.0, 5.0, Expect((200, 404), ("a'b",), (), "h", "/p", ("btag",), 900), paused=True, spec="s",
)  # fmt: skip
STATE = TargetState(
    "link:casino", "aurora", TargetKind.LINK, State.FAILING, "http.5xx", "503", T0, at(1), 12.5, 0.5, "host", 3, 0, T0,
    {"edge": "Halyard"},
)  # fmt: skip
OBSERVATION = Observation(
    "link:casino", "aurora", TargetKind.LINK, T0, State.FAILING, "http.5xx", "503 日本", "local", 12.5, None,
    Timing(1.0, None, 2.5), (Hop("http://a/", "::1", 302, 1.5, "http://b/"), Hop("http://b/", cert_days_left=3.5)),
    "b", {"title": "x\ny"},
)  # fmt: skip
FLIP = Flip("link:casino", "aurora", T0, State.OK, State.FAILING, "http.5xx", "2 of 2")
FINDING = Finding(
    "link:casino@x", "link:casino", "aurora", TargetKind.LINK, "http.5xx", T0, at(1), "d", "b", {"ip": "::1"}, None, 7
)
LOSS = Loss(*(Decimal(f"{number}.25") for number in range(9)), currency="SEK")
INCIDENT = Incident(
    7, "*", ("aurora", "cedar"), "http.5xx", Severity.SEV1, IncidentState.NEW, "t", "w", "b", "SEO", T0, at(1), 3, 2,
    "same edge", LOSS, None, "", None, "", at(2),
)  # fmt: skip
ENTRY = TimelineEntry(7, T0, "losswatch", "opened")
FACT = Fact(T0, at(5), "aurora", "P01", "welcome", "DE", "site-1", 10, 2, 1, Decimal("3.1234"), "feed")
RECEIPT = Receipt("P01", T0, at(5))
STAT = PartnerStat(
    "p01",
    "aurora",
    "P01",
    date(2026, 11, 17),
    {"geo": "DE", "brand": "b"},
    {"clicks": Decimal(3), "ggr": None},
    "EUR",
    T0,
)
PAYLOAD = Payload("hash", "p01", "aurora", T0, "text/csv", b"\x00\xff")
CHANGE = FeedChange("p01", "aurora", "hash", "scale-changed", "a.b", "breaking", "1", "100", 5, 6, T0, at(1))
RUN = ParserRun("serp", "aurora", T0, "u", "DE", 30, "ok", (FieldYield("price", 30, 1.0),), "f1", 4096)
PAGE = KeptPage("serp", "aurora", T0, "u", "f1", "page.blocked", good=False, body=b"\x28\xb5", content_type="text/html")
DELIVERY = Delivery(
    "p01", "aurora", T0, date(2026, 11, 15), date(2026, 11, 17), ("h1", "h2"), 12, Outcome.STORED, "", "12 rows"
)
RESTATEMENT = Restatement(
    "p01",
    "aurora",
    "P01",
    date(2026, 11, 14),
    "EUR",
    "ngr",
    Decimal(20),
    Decimal("18.5"),
    3,
    RestatedAs.CLAW_BACK,
    3,
    T0,
    "h1",
    "h2",
)
POSTBACK = Postback("p01", "aurora", "P01", T0, None, "ftd", "c1", "", None, "EUR", "duplicate")
BASELINE = Baseline("feed:p01", "aurora", T0, b"{}")
AUDIT = AuditEntry(T0, "maria", "aurora", "acknowledge", "incident 7", "late")

READS = [
    (TARGET, targets.load),
    (STATE, lambda store, scope: list(states.load(store, scope).values())),
    (DELIVERY, lambda store, scope: deliveries.of_feed(store, scope, "p01")),
    (RESTATEMENT, lambda store, scope: restatements.of_feed(store, scope, "p01")),
    (RESTATEMENT, lambda store, scope: restatements.since(store, scope, T0)),
    (POSTBACK, lambda store, scope: postbacks.since(store, scope, "p01", T0)),
    (OBSERVATION, lambda store, scope: list(observations.of_target(store, scope, "link:casino"))),
    (FLIP, lambda store, scope: list(flips.of_target(store, scope, "link:casino"))),
    (FLIP, lambda store, scope: list(flips.since(store, scope, T0))),
    (FINDING, lambda store, scope: findings.of_incident(store, scope, 7)),
    (FINDING, lambda store, scope: findings.open_or_of(store, scope, [7])),
    (FINDING, lambda store, scope: findings.of_incidents(store, scope, [7])),
    (INCIDENT, incidents.open_incidents),
    (INCIDENT, lambda store, scope: [one for one in [incidents.get(store, scope, 7)] if one]),
    (INCIDENT, lambda store, scope: incidents.page(store, scope, state="all")[1]),
    (PAYLOAD, lambda store, scope: [one for one in [payloads.get(store, scope, "hash")] if one]),
    (STAT, lambda store, scope: partner_stats.current(store, scope, "p01", date(2026, 11, 1))),
    (STAT, lambda store, scope: partner_stats.as_of(store, scope, "p01", T0)),
    (CHANGE, lambda store, scope: feed_changes.of_feed(store, scope, "p01")),
    (RUN, lambda store, scope: parser_runs.history(store, scope, "serp")),
    (PAGE, lambda store, scope: pages.of_parser(store, scope, "serp", good=False)),
    (BASELINE, lambda store, scope: [one for one in [baselines.latest(store, scope, "feed:p01")] if one]),
    (BASELINE, lambda store, scope: baselines.load_all(store, scope, TargetKind.FEED)),
    (AUDIT, audit.entries),
]


@pytest.mark.parametrize(("record", "read"), READS)
def test_a_record_comes_back_as_it_went_in_to_its_team_alone(store, put, record, read):
    put(record)
    assert read(store, EVERYTHING) == [record]
    assert read(store, AURORA) == [record]
    assert read(store, NOBODY) == []
    if record is not INCIDENT:
        assert read(store, CEDAR) == []


def test_an_incident_is_seen_by_every_team_that_has_a_member_in_it(store, put):
    put(INCIDENT, ENTRY, FINDING)
    assert incidents.page(store, CEDAR)[0] == 1
    assert timeline.of_incident(store, CEDAR, 7) == (ENTRY,)
    assert incidents.of_target(store, CEDAR, "link:casino") == [INCIDENT]
    assert findings.of_incident(store, CEDAR, 7) == []
    outsider = Scope(frozenset({"birch"}))
    assert incidents.get(store, outsider, 7) is None
    assert timeline.of_incident(store, outsider, 7) == ()
    assert incidents.page(store, outsider, state="all") == (0, [])


def test_the_schema_has_a_column_for_every_field_of_every_record(store):
    for table in TABLES:
        present = [name for name, *_ in rows(store, f"DESCRIBE {table.name}")]
        assert [column.name for column in table.columns] == present[: len(table.columns)], table.name


def test_the_schema_steps_are_numbered_without_a_gap():
    assert sorted(engine.versions()) == list(range(1, len(engine.versions()) + 1))


KEYED = [
    (TARGET, replace(TARGET, tier=2), lambda store: targets.load(store, EVERYTHING)),
    (STATE, replace(STATE, state=State.OK), lambda store: list(states.load(store, EVERYTHING).values())),
    (FINDING, replace(FINDING, detail="more"), lambda store: findings.open_or_of(store, EVERYTHING, [])),
    (INCIDENT, replace(INCIDENT, members=9), lambda store: incidents.open_incidents(store, EVERYTHING)),
    (CHANGE, replace(CHANGE, last_seen=at(9)), lambda store: feed_changes.of_feed(store, EVERYTHING, "p01")),
    (DELIVERY, replace(DELIVERY, outcome=Outcome.RELEASED), lambda store: deliveries.of_feed(store, EVERYTHING, "p01")),
    (PAYLOAD, replace(PAYLOAD, content_type="text/plain"), lambda store: [payloads.get(store, EVERYTHING, "hash")]),
]


@pytest.mark.parametrize(("old", "new", "read"), KEYED)
def test_a_keyed_record_is_replaced_and_the_last_of_a_batch_wins(store, put, old, new, read):
    put(old)
    put(new)
    assert read(store) == [new]
    put(new, old)
    assert read(store) == [old]


def test_a_closed_finding_and_incident_are_no_longer_open(store, put):
    put(replace(FINDING, closed_at=at(9)), replace(INCIDENT, state=IncidentState.CLOSED))
    assert findings.open_or_of(store, EVERYTHING, []) == []
    assert incidents.open_incidents(store, EVERYTHING) == []
    assert [total for total, _ in (incidents.page(store, EVERYTHING, state=s) for s in ("open", "closed", "all"))] == [
        0,
        1,
        1,
    ]


def test_incidents_are_paged_newest_first_and_the_last_number_is_known(store, put):
    assert incidents.last_id(store) == 0
    put(*(replace(INCIDENT, id=number, detected_at=at(number)) for number in range(1, 8)))
    total, page = incidents.page(store, EVERYTHING, offset=2, limit=3)
    assert (total, [one.id for one in page]) == (7, [5, 4, 3])
    assert incidents.last_id(store) == 7


def test_an_unchanged_account_day_gets_no_new_version(store, put):
    put(STAT)
    put(
        replace(
            STAT,
            observed_at=at(15),
            measures={"ggr": None, "clicks": Decimal("3.00")},
            dims={"brand": "b", "geo": "DE"},
        )
    )
    assert [stat.version for stat in partner_stats.current(store, EVERYTHING, "p01", STAT.day)] == [1]


def test_a_changed_account_day_gets_the_next_version_and_the_old_one_stays_visible_as_of_then(store, put):
    lowered = replace(STAT, observed_at=at(30), measures={"clicks": Decimal(2), "ggr": Decimal(0)})
    put(STAT, replace(STAT, dims={"geo": "AT"}))
    put(lowered, replace(lowered, observed_at=at(45), measures={"clicks": None}))
    current = {stat.dims["geo"]: stat for stat in partner_stats.current(store, EVERYTHING, "p01", STAT.day)}
    assert (current["DE"].version, current["DE"].measures) == (3, {"clicks": None})
    assert current["AT"].version == 1
    (then,) = [stat for stat in partner_stats.as_of(store, EVERYTHING, "p01", at(40)) if stat.dims["geo"] == "DE"]
    assert then == replace(lowered, version=2)


def test_the_latest_baseline_of_each_target_is_loaded(store, put):
    put(BASELINE, replace(BASELINE, target="feed:p02"), replace(BASELINE, target="parser:x"))
    put(replace(BASELINE, at=at(1), body=b"new"))
    assert [one.body for one in baselines.load_all(store, EVERYTHING, TargetKind.FEED)] == [b"new", b"{}"]


def test_a_removed_target_is_gone_with_its_state_and_keeps_its_history(store, put):
    put(TARGET, STATE, OBSERVATION)
    targets.remove(store, [TARGET.id])
    assert targets.load(store, EVERYTHING) == []
    assert states.load(store, EVERYTHING) == {}
    assert len(observations.of_target(store, EVERYTHING, TARGET.id)) == 1


def test_facts_come_as_a_frame_of_what_was_visible_then(store, put):
    put(
        FACT,
        replace(FACT, seen_at=at(90), revenue=Decimal("-1.5")),
        replace(FACT, team="cedar", partner="P02"),
        RECEIPT,
    )
    everything = facts.frame(store, EVERYTHING, T0)
    assert everything.columns[:4] == ["hour", "seen_at", "team", "partner"]
    assert everything["revenue"].to_list() == [3.1234, 3.1234, -1.5]
    assert everything["hour"].to_list()[0] == T0
    assert facts.frame(store, AURORA, T0, seen_until=at(60)).height == 1
    assert facts.frame(store, EVERYTHING, at(1)).height == 0
    assert facts.frame(store, EVERYTHING, T0, until=T0).height == 0
    assert facts.receipts(store, EVERYTHING, T0).row(0) == (RECEIPT.partner, RECEIPT.hour, RECEIPT.seen_at)
    assert facts.receipts(store, CEDAR, T0).height == 0
    assert facts.receipts(store, EVERYTHING, T0, seen_until=at(4)).height == 0


def test_facts_that_are_columns_already_are_the_same_facts(store, put):
    put(FACT)
    frame = facts.frame(store, EVERYTHING, T0)
    store.write_facts(facts.columns(frame.drop("source")), worker="spool", seq=2**64 - 1).result()
    twice = facts.frame(store, EVERYTHING, T0)
    assert twice.drop("source").row(0) == twice.drop("source").row(1)
    with pytest.raises(ValueError, match="time zone"):
        facts.columns(frame.with_columns(frame["hour"].dt.replace_time_zone(None)))
    with pytest.raises(ValueError, match="geo"):
        facts.columns(frame.drop("geo"))


def test_a_time_in_another_zone_is_the_same_moment(store, put):
    cet = timezone(timedelta(hours=1))
    put(replace(OBSERVATION, started_at=T0.astimezone(cet)))
    assert observations.of_target(store, EVERYTHING, OBSERVATION.target)[0].started_at == T0


def test_what_is_stored_otherwise_than_wanted_is_found_and_what_nobody_wants(store, put):
    other = replace(TARGET, id="site:other", kind=TargetKind.SITE)
    put(TARGET, other)
    assert targets.difference(store, [TARGET, other]) == ([], [])
    fresh = replace(TARGET, id="site:new", kind=TargetKind.SITE)
    changed, gone = targets.difference(store, [replace(TARGET, tier=2, expect=Expect(text=("x",))), fresh])
    assert (sorted(changed), gone) == (sorted([TARGET.id, "site:new"]), ["site:other"])
    assert targets.difference(store, []) == ([], [TARGET.id, "site:other"])
