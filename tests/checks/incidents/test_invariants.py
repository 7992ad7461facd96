"""Whatever fails, recovers, is closed by hand or restarted in whatever order: what always holds of incidents."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from checks.incidents.census import Census, mark_of
from checks.incidents.desk import IncidentDesk
from checks.incidents.labels import labels_of
from checks.incidents.parents import HELD_BY, Parents
from checks.incidents.traffic import Traffic
from data.config.parents import Parent
from data.model.codec import from_json, to_json
from data.model.incident import Finding, Incident, IncidentState
from data.model.money import Loss
from data.model.state import State
from data.model.target import TargetKind
from tests.checks.incidents.conftest import Story, Town

SITES = [f"site:s{n}" for n in range(6)]
LINKS = [f"link:l{n}" for n in range(3)]
FEEDS = ["feed:calls", "feed:api"]
MONEY = ["slice:partner=P02", "slice:partner=P02,geo=DE", "slice:partner=P05", "slice:site=s0"]
CAUSES = {
    "site": ["edge.error", "tcp.refused", "http.gone", "tls.expired", "content.parked"],
    "link": ["edge.error", "link.inactive", "tcp.refused", "geo.blocked"],
    "feed": ["postback.silent", "feed.auth", "feed.restated", "http.5xx"],
    "slice": ["revenue.silence", "revenue.drop"],
}
FAILURES = [
    (target, cause) for target in [*SITES, *LINKS, *FEEDS, *MONEY] for cause in CAUSES[target.partition(":")[0]]
]
LOOKS = ("fail", "recover", "doubt")
COUNTED = ("upstream is", "less likely")
RACK = (Parent("site:s4", "site:s5", "one rack"), Parent("site:s5", "link:l2", "it leads there"))


class House(Town):
    """Sites behind one edge, links on them, what their partners tell and what they earn."""

    def __init__(self) -> None:
        super().__init__(Story())
        for n in range(6):
            self.add(f"s{n}", edge="Halyard" if n < 4 else "Brook", ip=f"203.0.113.{n // 2}")
        for n in range(3):
            link = self.add(f"l{n}", TargetKind.LINK, partner="P02" if n else "P05", geo="DE" if n == 1 else "", edge="Halyard", url="https://go.example/")  # fmt: skip
            self.targets[link] = replace(self.targets[link], site=f"s{n}")
        for name, kind in [(one, TargetKind.FEED) for one in FEEDS] + [(one, TargetKind.SLICE) for one in MONEY]:
            self.add(name.partition(":")[2], kind, partner="P02" if kind is TargetKind.FEED else "")
        self.traffic = Traffic.of([self.targets[one] for one in LINKS], {})
        self.log = []
        self.restart()

    def restart(self) -> None:
        rows = [from_json(to_json(row), Incident) for row in self.incidents.values()]
        found = [from_json(to_json(row), Finding) for row in self.findings.values()]
        self.census = Census()
        for target, state in self.states.items():
            self.census.put(target, labels_of(self.targets[target], state.traits), mark_of(state))
        parents = Parents(lambda target: self.states[target].state)
        parents.declare(RACK)
        self.desk = IncidentDesk(rows, found, census=self.census, parents=parents, traffic=lambda: self.traffic)

    def do(self, minute: float, verb: str, *given) -> None:
        """One act, and what it leads to."""
        self.log.append((minute, verb, *given))
        now = self.story.at(minute)
        if verb in LOOKS and (last := self.states[given[0]].last_at) and last > now:
            return  # by a clock that was set back: older than the last answer, and so none
        match verb:
            case "fail":
                self.fail(given[0], minute, given[1], **self._evidence(given[0]))
            case "recover":
                for part in range(3):
                    self.look(given[0], minute + part / 10)
            case "doubt":
                self.look(given[0], minute, "edge.challenge")
            case "tick":
                for change in self.desk.tick(now, self._priced):
                    self.write(change)
            case "hand":
                self.write(self.desk.close_by(given[0], "tom", now))
            case "acknowledge":
                self.write(self.desk.acknowledge(given[0], "maria", now))

    def _evidence(self, target: str) -> dict[str, str]:
        name = target.partition(":")[2]
        return dict(part.split("=") for part in name.split(",")) if target in MONEY else {}

    @staticmethod
    def _priced(_, members) -> Loss:
        """One an hour for each slice that is missing money."""
        running = {one.target for one in members if one.kind is TargetKind.SLICE and one.closed_at is None}
        return Loss(per_hour=Decimal(len(running)))

    @property
    def story_so_far(self):
        """All but how many were counted for an upstream: a census read back from states knows when each target was seen last,
        not in which slot each was seen before."""
        rows = {number: replace(row, evidence={}, updated_at=None) for number, row in self.incidents.items()}
        told = [(one.incident, one.at, one.who, one.what) for one in self.timeline if not one.what.startswith(COUNTED)]
        return rows, self.findings, told


class Incidents(RuleBasedStateMachine):
    """One desk goes on; another one is built anew from its rows before every act."""

    def __init__(self) -> None:
        super().__init__()
        self.minute, self.steady, self.restarted = 0.0, House(), House()
        self.seen: dict[str, set] = {}

    def do(self, verb: str, *given) -> None:
        self.restarted.restart()
        for house in (self.steady, self.restarted):
            house.do(self.minute, verb, *given)
        self.minute += 1

    @rule(wait=st.sampled_from([1, 4, 13, 14, 15, 16, 40, 125]))
    def time_passes(self, wait) -> None:
        self.minute += wait
        self.do("tick")

    @rule(back=st.sampled_from([1, 20]))
    def the_clock_is_set_back(self, back) -> None:
        self.minute = max(self.minute - back, 0)

    @rule(failure=st.sampled_from(FAILURES))
    def something_fails(self, failure) -> None:
        self.do("fail", *failure)

    @rule(failing=st.lists(st.sampled_from(SITES[:4]), min_size=3, max_size=4, unique=True))
    def an_edge_fails(self, failing) -> None:
        for site in failing:
            self.do("fail", site, "edge.error")

    @rule(what=st.sampled_from([*SITES, *LINKS, *FEEDS, *MONEY]))
    def something_recovers(self, what) -> None:
        self.do("recover", what)

    @rule(what=st.sampled_from([*SITES, *LINKS, *FEEDS]))
    def something_cannot_be_seen(self, what) -> None:
        self.do("doubt", what)

    @precondition(lambda self: self.steady.incidents)
    @rule(pick=st.integers(0, 30), act=st.sampled_from(["hand", "acknowledge"]))
    def somebody_acts(self, pick, act) -> None:
        numbers = sorted(self.steady.incidents)
        self.do(act, numbers[pick % len(numbers)])

    @invariant()
    def a_restart_changes_nothing(self) -> None:
        assert self.restarted.story_so_far == self.steady.story_so_far

    @invariant()
    def what_fails_is_in_one_incident_or_held_back_by_what_fails(self) -> None:
        house = self.steady
        failing = [one for one in house.findings.values() if one.closed_at is None]
        assert len({one.target for one in failing}) == len(failing)
        for one in failing:
            if one.incident is None:
                assert house.states[one.fingerprint[HELD_BY]].state is not State.OK
                assert house.desk.incident_of(one.target) is None
                continue
            assert not house.incidents[one.incident].is_merged
            holders = [row.id for row in house.incidents.values() if one in house.desk.members(row.id)]
            is_open = house.incidents[one.incident].state is not IncidentState.CLOSED
            assert holders == [one.incident]
            assert house.desk.incident_of(one.target) == (one.incident if is_open else None)

    @invariant()
    def an_incident_is_open_as_long_as_a_member_is(self) -> None:
        house = self.steady
        for row in house.incidents.values():
            running = [one for one in house.findings.values() if one.incident == row.id and one.closed_at is None]
            if row.state is not IncidentState.CLOSED:
                assert row.open_members == len(running) > 0
                assert row.members >= len({one.target for one in running})
            elif row.closed_by != "tom":
                assert not running

    @invariant()
    def numbers_stay_and_no_finding_is_forgotten(self) -> None:
        house = self.steady
        assert sorted(house.incidents) == list(range(1, len(house.incidents) + 1))
        for number, row in house.incidents.items():
            if row.is_merged:
                assert int(row.reason.split("#")[1].split()[0]) < number
                assert not [one for one in house.findings.values() if one.incident == number]
        for one in house.findings.values():
            before = self.seen.setdefault(one.id, set())
            assert before <= {one.target}
            before.add(one.target)

    @invariant()
    def money_is_counted_once(self) -> None:
        self.steady.do(self.minute, "tick")
        self.restarted.do(self.minute, "tick")
        house = self.steady
        rows = [row for row in house.incidents.values() if row.state is not IncidentState.CLOSED]
        missing = {
            one.target
            for one in house.findings.values()
            if one.closed_at is None and one.target in MONEY and one.incident in {row.id for row in rows}
        }
        assert sum(row.loss.per_hour for row in rows) == len(missing)

    def teardown(self) -> None:
        again = House()
        for minute, verb, *given in self.steady.log:
            again.do(minute, verb, *given)
        assert again.story_so_far == self.steady.story_so_far


Incidents.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestWhateverHappens = Incidents.TestCase
