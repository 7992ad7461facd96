from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data.model.cause import CAUSES, state_of
from data.model.ids import CauseId, FindingId, TeamId
from data.model.incident import Finding
from data.model.observation import Observation, TargetState
from data.model.state import State
from data.model.target import TargetKind, kind_of, target_id

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
