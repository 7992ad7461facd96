from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from street import Street, losswatch


@pytest.fixture
def street():
    street = Street()
    yield street
    street.close()


@pytest.fixture
def started():
    """Homes whose hubs end with the test."""
    homes = []
    yield homes.append
    for home in homes:
        losswatch(home, "hub", "stop")
