from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from checks.incidents.census import Census, mark_of
from checks.incidents.change import Change
from checks.incidents.desk import IncidentDesk
from checks.incidents.labels import WEB, labels_of
from checks.incidents.lifecycle import advance
from data.model.cause import CAUSES, state_of
from data.model.codec import from_json, to_json
from data.model.ids import CauseId, FindingId, TeamId
from data.model.incident import Finding, Incident, IncidentState
from data.model.money import NO_LOSS
from data.model.observation import Observation, TargetState
from data.model.state import State
from data.model.target import Target, TargetKind, kind_of, target_id

HALYARD = "Halyard Edge"
NOW = datetime(2026, 11, 17, 11, 20, tzinfo=UTC)


class Story:
    """Short words for building observations and findings at minutes after 11:20Z."""

    start = NOW
    causes = CAUSES

    def at(self, minutes: float) -> datetime:
        return NOW + timedelta(minutes=minutes)

    def state(self, kind: TargetKind = TargetKind.SITE, name: str = "a1") -> TargetState:
        return TargetState(target_id(kind, name), TeamId("aurora"), kind)

    def seen(
        self, letter: str, minutes: float, kind: TargetKind = TargetKind.SITE, cause: str = "", **more
    ) -> Observation:
        """One letter an observation: o ok, d degraded, f failing, u unknown, p paused."""
        default = {"o": "", "d": "slow.total", "f": "http.5xx", "u": "edge.challenge", "p": ""}[letter]
        cause = CauseId(cause or default)
        state = {"o": State.OK, "p": State.PAUSED}.get(letter) or state_of(cause)
        more = {"detail": f"seen {letter}", "blame": "a1.example"} | more
        return Observation(target_id(kind, "a1"), TeamId("aurora"), kind, self.at(minutes), state, cause, **more)

    def finding(self, target: str, cause: str, minutes: float = 0, team: str = "aurora", **labels: str) -> Finding:
        opened = self.at(minutes)
        return Finding(
            id=FindingId(f"{target}@{opened.isoformat()}"),
            target=target,
            team=TeamId(team),
            kind=kind_of(target),
            cause=CauseId(cause),
            opened_at=opened,
            detected_at=opened + timedelta(seconds=30),
            detail=f"{cause} here",
            blame=labels.get("host", ""),
            fingerprint=labels,
        )


@pytest.fixture
def story() -> Story:
    return Story()


class Town:
    """Sites and links with what they share, observed through the life cycle, the census and a desk; minutes after 11:20Z."""

    def __init__(self, story: Story) -> None:
        self.story, self.census = story, Census()
        self.desk = IncidentDesk(census=self.census)
        self.targets, self.states = {}, {}
        self.incidents, self.findings, self.timeline = {}, {}, []

    def add(self, name: str, kind: TargetKind = TargetKind.SITE, team: str = "aurora", geo: str = "", partner: str = "", offer: str = "", url: str = "", **traits: str) -> str:  # fmt: skip
        target = Target(
            target_id(kind, name), kind, TeamId(team), name, url or f"https://{name}.example/",
            geo=geo, partner=partner, offer=offer,
        )  # fmt: skip
        self.targets[target.id] = target
        self.states[target.id] = TargetState(target.id, target.team, kind, traits=traits)
        if kind in WEB:
            self.census.put(target.id, labels_of(target, traits))
        return target.id

    def look(self, target: str, minutes: float, cause: str = "", **evidence: str) -> None:
        """One observation; without a cause it is ok."""
        known, before = self.targets[target], self.states[target]
        seen = Observation(
            known.id, known.team, known.kind, self.story.at(minutes), state_of(CauseId(cause)), CauseId(cause),
            blame=f"{known.name}.example" if cause else "", evidence=before.traits | evidence,
        )  # fmt: skip
        step = advance(before, seen, target=known)
        self.states[target] = step.state
        if step.state is not before:
            self.census.saw(seen)
        now = seen.started_at + timedelta(seconds=1)
        if step.closed:
            self.write(self.desk.close(step.closed.finding, now))
        for finding in (step.opened, step.revised):
            if finding:
                self.write(self.desk.open(finding, now))

    def fail(self, target: str, minutes: float, cause: str = "edge.error", **evidence: str) -> None:
        """Two failing looks half a minute apart: a confirmed failure."""
        self.look(target, minutes, cause, **evidence)
        self.look(target, minutes + 0.5, cause, **evidence)

    def tick(self, minutes: float) -> None:
        for change in self.desk.tick(self.story.at(minutes), lambda *_: NO_LOSS):
            self.write(change)

    def write(self, change: Change) -> None:
        self.incidents |= {row.id: row for row in change.incidents}
        self.findings |= {row.id: row for row in change.findings}
        self.timeline += change.timeline

    def restart(self) -> None:
        """The desk from its rows and the census from the states, as the store gives them back."""
        rows = [from_json(to_json(row), Incident) for row in self.incidents.values()]
        found = [from_json(to_json(row), Finding) for row in self.findings.values()]
        self.census = Census()
        for target, state in self.states.items():
            if state.kind not in WEB:
                continue
            self.census.put(target, labels_of(self.targets[target], state.traits), mark_of(state))
        self.desk = IncidentDesk(rows, found, census=self.census)

    @property
    def open(self) -> list[Incident]:
        return [row for row in self.incidents.values() if row.state is not IncidentState.CLOSED]

    @property
    def groups(self) -> set[frozenset[str]]:
        """Targets of the open findings, by incident."""
        found = defaultdict(set)
        for finding in self.findings.values():
            if finding.closed_at is None:
                found[finding.incident].add(finding.target)
        return {frozenset(targets) for targets in found.values()}

    def told(self, number: int) -> list[str]:
        return [entry.what for entry in self.timeline if entry.incident == number]


@pytest.fixture
def town(story: Story) -> Town:
    return Town(story)


def street(town: Town, number: int, start: int = 0, **traits: str) -> list[str]:
    """So many sites that share these."""
    return [town.add(f"s{start + at:04d}", **traits) for at in range(number)]


def fine(town: Town, targets: list[str], minutes: float) -> None:
    """Each is looked at within a minute, and is fine."""
    for at, target in enumerate(targets):
        town.look(target, minutes + at / max(len(targets), 1))
