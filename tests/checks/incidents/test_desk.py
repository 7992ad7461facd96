"""Time lines of the desk: findings open and close at minutes after 11:20Z, incidents are what comes of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.incidents.change import Change
from checks.incidents.desk import IncidentDesk
from data.model.codec import from_json, to_json
from data.model.incident import Finding, Incident, IncidentState, Severity
from data.model.money import NO_LOSS, Loss

HALYARD = {"edge": "Halyard Edge"}


def free(_incident, _findings):
    return NO_LOSS


class Book:
    """Writes what the desk says and can rebuild the desk from it, through the store's encoding."""

    def __init__(self):
        self.desk, self.incidents, self.findings, self.timeline = IncidentDesk(), {}, {}, []

    def write(self, change):
        self.incidents |= {row.id: row for row in change.incidents}
        self.findings |= {row.id: row for row in change.findings}
        self.timeline += change.timeline
        return change

    def find(self, finding):
        return self.write(self.desk.open(finding, finding.detected_at))

    def restart(self):
        rows = [from_json(to_json(row), Incident) for row in self.incidents.values()]
        found = [from_json(to_json(row), Finding) for row in self.findings.values()]
        self.desk = IncidentDesk(rows, found)

    @property
    def open(self):
        return [row for row in self.incidents.values() if row.state is not IncidentState.CLOSED]


@pytest.fixture
def book():
    return Book()


def outage(story, members=450):
    """The edge provider's 5xx of the scenario world: three teams, starts spread over an hour, several details."""
    causes = ["edge.error"] * 8 + ["tcp.timeout", "edge.origin_unreachable"]
    return [
        story.finding(
            f"site:s{number:04d}",
            causes[number % len(causes)],
            (number * 7) % 60,
            ("aurora", "baltic", "cedar")[number % 3],
            site=f"s{number:04d}",
            host=f"s{number:04d}.example",
            **HALYARD,
        )
        for number in range(members)
    ]


PAIRS = [
    ("same edge", ("site:a", "edge.error", 0, HALYARD), ("site:b", "edge.error", 2, HALYARD), 1),
    ("same edge an hour later", ("site:a", "edge.error", 0, HALYARD), ("site:b", "edge.error", 61, HALYARD), 1),
    ("same edge, another face", ("site:a", "edge.error", 0, HALYARD), ("site:b", "tcp.timeout", 9, HALYARD), 1),
    ("another edge", ("site:a", "edge.error", 0, HALYARD), ("site:b", "edge.error", 1, {"edge": "Fastly"}), 2),
    ("no edge is not an edge", ("site:a", "edge.error", 0, {}), ("site:b", "edge.error", 1, {}), 2),
    ("same edge, but a missing page", ("site:a", "edge.error", 0, HALYARD), ("site:b", "http.4xx", 1, HALYARD), 2),
    (
        "own server errors hours apart behind one edge",
        ("site:a", "http.5xx", 0, HALYARD),
        ("site:b", "http.5xx", 180, HALYARD),
        2,
    ),
    ("same redirector", ("link:a", "tls.expired", 0, {"host": "go"}), ("link:b", "tls.expired", 50, {"host": "go"}), 1),
    ("other hosts", ("link:a", "tls.expired", 0, {"host": "go"}), ("link:b", "tls.expired", 0, {"host": "to"}), 2),
    ("a link and its site", ("site:a", "tcp.refused", 0, {"host": "h"}), ("link:b", "tcp.reset", 4, {"host": "h"}), 1),
    (
        "offers of one partner",
        ("link:a", "link.inactive", 0, {"partner": "P02", "host": "x"}),
        ("link:b", "link.wrong_target", 9, {"partner": "P02", "host": "y"}),
        1,
    ),
    (
        "offers of two partners",
        ("link:a", "link.inactive", 0, {"partner": "P02"}),
        ("link:b", "link.inactive", 1, {"partner": "P03"}),
        2,
    ),
    (
        "two accounts at one partner",
        ("feed:a", "feed.auth", 0, {"partner": "P10"}),
        ("feed:b", "feed.auth", 15, {"partner": "P10"}),
        1,
    ),
    (
        "a feed that takes figures back and money",
        ("feed:a", "feed.restated", 0, {"partner": "P10"}),
        ("slice:partner=P10", "revenue.silence", 200, {"partner": "P10"}),
        1,
    ),
    (
        "links and money",
        ("link:a", "link.inactive", 0, {"partner": "P02", "geo": "FI", "site": "s1"}),
        ("slice:partner=P02", "revenue.silence", 260, {"partner": "P02"}),
        1,
    ),
    (
        "links of one country and money of another",
        ("link:a", "geo.blocked", 0, {"partner": "P05", "geo": "DE"}),
        ("slice:partner=P05,geo=AT", "revenue.silence", 60, {"partner": "P05", "geo": "AT"}),
        2,
    ),
    (
        "a dead site and its money",
        ("site:s1", "tcp.refused", 0, {"site": "s1", "host": "s1.example"}),
        ("slice:site=s1", "revenue.drop", 60, {"site": "s1"}),
        1,
    ),
    (
        "money and money of one partner",
        ("slice:partner=P02,geo=DE", "revenue.silence", 0, {"partner": "P02", "geo": "DE"}),
        ("slice:partner=P02,geo=FI", "revenue.drop", 120, {"partner": "P02", "geo": "FI"}),
        1,
    ),
    ("one deploy", ("site:a", "link.param_lost", 0, {"deploy": "aurora btag"}), ("site:b", "link.param_lost", 20, {"deploy": "aurora btag"}), 1),
    ("two deploys", ("site:a", "link.param_lost", 0, {"deploy": "aurora btag"}), ("site:b", "link.param_lost", 20, {"deploy": "cedar btag"}), 2),
    ("loopback proves nothing", ("site:a", "tcp.refused", 0, {"ip": "127.0.0.1"}), ("site:b", "tcp.refused", 0, {"ip": "127.0.0.1"}), 2),
    ("one address", ("site:a", "tcp.refused", 0, {"ip": "192.0.2.7"}), ("site:b", "tcp.timeout", 20, {"ip": "192.0.2.7"}), 1),
    ("one address, hours apart", ("site:a", "tcp.refused", 0, {"ip": "192.0.2.7"}), ("site:b", "tcp.refused", 90, {"ip": "192.0.2.7"}), 2),
    ("parsers of one engine", ("parser:a", "parser.field_dead", 0, {"host": "serp"}), ("parser:b", "parser.selector_dead", 15, {"host": "serp"}), 1),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "incidents"), [row[1:] for row in PAIRS], ids=[row[0] for row in PAIRS])
@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
def test_findings_with_one_upstream_are_one_incident_in_either_order(story, book, first, second, incidents, swapped):
    for target, cause, minutes, labels in (second, first) if swapped else (first, second):
        book.write(book.desk.open(story.finding(target, cause, minutes, **labels), story.at(300)))
    assert len(book.open) == incidents
    assert sum(row.members for row in book.open) == 2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_an_edge_outage_is_one_incident_whatever_the_order(story, random):
    book, findings = Book(), outage(story)
    random.shuffle(findings)
    for number, finding in enumerate(findings):
        book.write(book.desk.open(finding, story.at(number / 10)))
    (incident,) = book.open
    assert (incident.members, incident.open_members) == (450, 450)
    assert (incident.team, incident.teams) == ("*", ("aurora", "baltic", "cedar"))
    assert incident.cause == "edge.error"
    assert incident.blame == "Halyard Edge"
    assert incident.where == "Halyard Edge: 450 sites"
    assert incident.started_at == story.at(0)
    assert incident.severity is Severity.SEV2
    assert len(book.timeline) < 20


def test_an_incident_closes_when_its_last_member_recovers(story, book):
    for finding in outage(story, 5):
        book.write(book.desk.open(finding, story.at(1)))
    for number, finding in enumerate(outage(story, 5)):
        assert book.open
        book.write(book.desk.close(finding.id, story.at(190 + number)))
    (incident,) = book.incidents.values()
    assert (incident.state, incident.closed_by) == (IncidentState.CLOSED, "losswatch")
    assert incident.closed_at == story.at(194)
    assert (incident.members, incident.open_members) == (5, 0)
    assert book.timeline[-1].what == "closed: all 5 members recovered"


def test_one_member_recovering_leaves_the_rest_open(story, book):
    for finding in outage(story, 3):
        book.write(book.desk.open(finding, story.at(1)))
    book.write(book.desk.close(outage(story, 3)[0].id, story.at(20)))
    assert [(row.members, row.open_members) for row in book.open] == [(3, 2)]


def test_a_late_joiner_joins_while_the_incident_is_open_and_not_after(story, book):
    first = story.finding("site:a", "edge.error", 0, **HALYARD)
    book.write(book.desk.open(first, story.at(1)))
    book.write(book.desk.open(story.finding("site:b", "edge.error", 150, **HALYARD), story.at(151)))
    assert len(book.open) == 1
    book.write(book.desk.close_by(1, "maria", story.at(160)))
    book.write(book.desk.open(story.finding("site:c", "edge.error", 161, **HALYARD), story.at(162)))
    assert [row.id for row in book.open] == [2]


def test_flapping_is_one_incident(story, book):
    for minutes in (0, 20, 40):
        finding = story.finding("site:a", "tcp.refused", minutes, host="a.example")
        book.write(book.desk.open(finding, story.at(minutes + 1)))
        book.write(book.desk.close(finding.id, story.at(minutes + 9)))
    (incident,) = book.incidents.values()
    assert incident.members == 1
    assert [entry.what for entry in book.timeline].count("reopened: it failed again") == 2


def test_failing_again_after_a_quiet_quarter_of_an_hour_is_another_incident(story, book):
    for minutes in (0, 60):
        finding = story.finding("site:a", "tcp.refused", minutes, host="a.example")
        book.write(book.desk.open(finding, story.at(minutes + 1)))
        book.write(book.desk.close(finding.id, story.at(minutes + 9)))
        book.desk.tick(story.at(minutes + 40), free)
    assert list(book.incidents) == [1, 2]


def test_what_somebody_closed_by_hand_is_not_reopened_by_flapping(story, book):
    finding = story.finding("site:a", "tcp.refused", 0, host="a.example")
    book.write(book.desk.open(finding, story.at(1)))
    book.write(book.desk.close_by(1, "maria", story.at(2)))
    book.write(book.desk.close(finding.id, story.at(3)))
    book.write(book.desk.open(story.finding("site:a", "tcp.refused", 5, host="a.example"), story.at(6)))
    assert [(row.id, row.state) for row in book.incidents.values()] == [(1, "closed"), (2, "new")]


def test_acknowledging_keeps_the_first_name_and_a_second_time_changes_nothing(story, book):
    book.write(book.desk.open(story.finding("site:a", "tcp.refused", host="a"), story.at(1)))
    book.write(book.desk.acknowledge(1, "maria", story.at(2)))
    assert not book.desk.acknowledge(1, "tom", story.at(3))
    assert book.incidents[1].acknowledged_by == "maria"
    assert book.incidents[1].state is IncidentState.ACKNOWLEDGED


@pytest.mark.parametrize("act", ["acknowledge", "close_by"])
def test_an_unknown_incident_changes_nothing(story, act):
    assert getattr(IncidentDesk(), act)(7, "maria", story.at(0)) == Change()
    assert IncidentDesk().note(7, "maria", "hello", story.at(0)) == Change()
    assert IncidentDesk().close("site:a@never", story.at(0)) == Change()


def test_the_root_cause_names_the_incident_even_when_the_symptom_came_first(story, book):
    book.write(book.desk.open(story.finding("slice:partner=P02", "revenue.silence", partner="P02"), story.at(1)))
    book.write(book.desk.open(story.finding("link:a", "link.inactive", 9, partner="P02", host="go"), story.at(10)))
    (incident,) = book.open
    assert incident.cause == "link.inactive"
    assert incident.owner_role == "affiliate manager"
    assert incident.reason == "money of P02, whose links fail"


def test_a_revised_finding_stays_one_member_and_its_cause_is_told(story, book):
    book.write(book.desk.open(story.finding("site:a", "http.5xx", host="a"), story.at(1)))
    book.write(book.desk.open(story.finding("site:a", "dns.nxdomain", host="a"), story.at(5)))
    (incident,) = book.open
    assert (incident.members, incident.cause) == (1, "dns.nxdomain")
    assert book.timeline[-1].what == "cause is now dns.nxdomain, was http.5xx"


def test_money_sets_the_severity_and_a_rise_is_told_once(story, book):
    book.write(book.desk.open(story.finding("link:a", "link.inactive", partner="P02"), story.at(1)))
    assert book.incidents[1].severity is Severity.SEV3
    for minutes, per_hour in ((2, 90), (3, 250), (4, 190), (5, 90), (6, 45), (7, 20)):
        for change in book.desk.tick(story.at(minutes), lambda *_, money=per_hour: Loss(per_hour=Decimal(money))):
            book.write(change)
    assert book.incidents[1].severity is Severity.SEV3
    told = [entry.what for entry in book.timeline[1:]]
    assert [what for what in told if what.startswith("rose")] == ["rose from SEV3 to SEV2", "rose from SEV2 to SEV1"]
    assert [what for what in told if what not in told[:2]] == [
        "loss per hour from 190 EUR to 90 EUR",
        "loss per hour from 90 EUR to 45 EUR",
        "loss per hour from 45 EUR to 20 EUR",
    ]


def test_a_tick_that_changes_nothing_writes_nothing(story, book):
    book.write(book.desk.open(story.finding("site:a", "tcp.refused", host="a"), story.at(1)))
    assert book.desk.tick(story.at(2), free) == ()


def test_an_incident_says_which_other_counts_a_loss_they_share_and_when_it_no_longer_does(story, book):
    book.write(book.desk.open(story.finding("link:a", "link.inactive", partner="P02"), story.at(1)))
    for minutes, counted_in in ((2, {1: 7}), (3, {})):
        for change in book.desk.tick(story.at(minutes), free, counted_in):
            book.write(change)
        assert book.incidents[1].counted_in == counted_in.get(1)
    assert book.desk.tick(story.at(4), free, {}) == ()


def test_an_open_finding_without_an_incident_that_recovers_before_anybody_looked_is_over(story):
    orphan = story.finding("site:a", "tcp.refused", host="a")
    desk = IncidentDesk([], [orphan])
    change = desk.close(orphan.id, story.at(1))
    assert [(one.id, one.closed_at) for one in change.findings] == [(orphan.id, story.at(1))]
    assert desk.tick(story.at(2), free) == ()
    assert desk.open_incidents == ()


def test_a_finding_whose_incident_was_lost_in_a_crash_gets_one(story):
    desk = IncidentDesk([], [story.finding("site:a", "tcp.refused", host="a")], last_id=41)
    (change,) = desk.tick(story.at(5), free)
    assert change.incidents[0].id == 42
    assert change.findings[0].incident == 42


STORIES = st.lists(
    st.tuples(
        st.sampled_from(["open", "open", "open", "close", "ack", "hand", "tick"]),
        st.integers(0, 5),
        st.sampled_from(["edge.error", "tcp.timeout", "http.4xx"]),
        st.integers(1, 25),
    ),
    max_size=30,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STORIES)
def test_a_desk_rebuilt_from_its_own_rows_at_every_step_decides_the_same(story, acts):
    steady, restarted, minutes = Book(), Book(), 0
    for act, number, cause, wait in acts:
        minutes += wait
        for book in (steady, restarted):
            if book is restarted:
                book.restart()
            now, target = story.at(minutes), f"site:s{number}"
            live = [row for row in book.findings.values() if row.target == target and row.closed_at is None]
            if act == "open":
                labels = HALYARD if number < 4 else {"host": target}
                found = story.finding(target, cause, minutes - 1, f"t{number % 2}", **labels)
                book.write(book.desk.open(found if not live else live[0], now))
            elif act == "close" and live:
                book.write(book.desk.close(live[0].id, now))
            elif act == "ack":
                book.write(book.desk.acknowledge(number, "maria", now))
            elif act == "hand":
                book.write(book.desk.close_by(number, "maria", now))
            elif act == "tick":
                for change in book.desk.tick(now, free):
                    book.write(change)
    assert restarted.findings == steady.findings
    assert restarted.incidents == steady.incidents
    assert restarted.timeline == steady.timeline


def test_ten_thousand_members_are_one_incident_with_a_short_story(story):
    desk, changes = IncidentDesk(), 0
    for finding in outage(story, 10_000):
        changes += len(desk.open(finding, story.at(1)).timeline)
    (incident,) = desk.open_incidents
    assert incident.members == 10_000
    assert changes < 30
    assert desk.incident_of("site:s0001") == incident.id
    assert desk.tick(story.at(2) + timedelta(hours=1), free) == ()


def test_trouble_of_another_nature_behind_the_same_host_an_hour_later_is_another_incident(story, book):
    book.find(story.finding("link:a", "tls.expired", 0, host="go.example"))
    book.find(story.finding("link:b", "tls.expired", 1, host="go.example"))
    book.find(story.finding("link:c", "link.inactive", 90, host="go.example", partner="P09"))
    assert sorted(one.cause for one in book.incidents.values()) == ["link.inactive", "tls.expired"]


def test_a_target_whose_trouble_changes_nature_leaves_its_incident_for_another(story, book):
    old = story.finding("link:a", "tls.expired", 0, host="go.example")
    book.find(old)
    book.write(book.desk.close(old.id, story.at(90)))
    book.find(story.finding("link:a", "link.inactive", 88, host="go.example", partner="P09"))
    states = {one.cause: one.state.value for one in book.incidents.values()}
    assert states == {"tls.expired": "closed", "link.inactive": "new"}


def test_a_breach_of_a_licence_is_never_mixed_with_anything_else(story, book):
    book.find(story.finding("link:a", "link.param_lost", 0, host="go.example", partner="P04"))
    book.find(
        story.finding(
            "link:b", "link.wrong_target", 1, host="go.example", partner="P04", compliance="not licensed in UK"
        )
    )
    book.find(
        story.finding(
            "link:c", "link.wrong_target", 2, host="go.example", partner="P04", compliance="not licensed in UK"
        )
    )
    book.find(story.finding("link:d", "link.param_lost", 3, host="go.example", partner="P04"))
    assert sorted((one.cause, one.members) for one in book.incidents.values()) == [
        ("link.param_lost", 2),
        ("link.wrong_target", 2),
    ]


def test_nobody_is_blamed_when_every_member_blames_its_own_host(story, book):
    for at in range(4):
        book.find(story.finding(f"site:s{at}", "link.param_lost", at, host=f"s{at}.example", deploy="aurora btag"))
    (incident,) = book.open
    assert (incident.members, incident.blame) == (4, "")
