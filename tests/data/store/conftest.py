from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data.model.observation import Observation
from data.model.state import State
from data.model.target import TargetKind
from data.store.store import Store
from data.store.strips import MARKS

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
STATES = {letter: state for state, letter in MARKS.items()}
assert set(STATES.values()) == set(State)
KEY = "correct horse's battery"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "losswatch.duckdb"


@pytest.fixture
def store(path):
    opened = Store.open(path, KEY)
    yield opened
    opened.close()


@pytest.fixture
def put(store):
    """Store rows and wait until they are durable."""

    def put_rows(*rows):
        answer = store.write(rows)
        store.flush()
        return answer.result()

    return put_rows


@pytest.fixture(scope="session")
def observed():
    """Makes observations of one target, a minute apart by default."""

    def make(states="o", target="site:a", start=T0, step_s=60.0, team="aurora", detail="", ms=10.0):
        return [
            Observation(
                target, team, TargetKind.SITE, start + timedelta(seconds=number * step_s), STATES[letter],
                detail=detail, total_ms=ms + number,
            )
            for number, letter in enumerate(states)
        ]  # fmt: skip

    return make
