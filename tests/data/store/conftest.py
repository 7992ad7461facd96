from __future__ import annotations

import pytest

from data.store.store import Store

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
        return store.write(rows).result()

    return put_rows
