"""Parents and deploys as people meet them: one incident where a parent explains it, with what was changed first."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from street import kill_hub, lines, losswatch, make_home, until

from tui.client import HubClient

OVER = '[[parents]]\nparent = "site:kiel"\nchild = "site:oslo"\nreason = "one rack"\n'


@pytest.fixture
def home(tmp_path, street, started):
    made = make_home(tmp_path / "h", street, ["kiel", "oslo"])
    toml = made / "losswatch.toml"
    toml.write_text(f"{toml.read_text()}\n{OVER}")
    sites = made / "inventory" / "sites.csv"
    rows = sites.read_text().splitlines(keepends=True)
    rows[-1] = rows[-1].replace("127.0.0.1", "localhost")  # another host: nothing but the parent hangs them together
    sites.write_text("".join(rows))
    started(made)
    return made


def failing(home, name):
    return any(row["name"] == name and row["state"] == "failing" for row in lines(losswatch(home, "sites", "--json")))


def incidents(home):
    return [(one["id"], one["where"]) for one in lines(losswatch(home, "incidents", "--json"))]


def test_a_child_is_silent_while_its_parent_fails_through_a_kill_and_told_once_the_parent_is_back(home, street):
    assert losswatch(home, "hub", "start").returncode == 0
    deploy = {"at": datetime.now(UTC).isoformat(), "site": "kiel", "what": "release 8f31c0", "who": "maria"}
    told = HubClient(home / "hub.sock").post_ndjson("/v1/deploys", [json.dumps(deploy).encode()])
    assert asyncio.run(told) == 1
    street.ill["kiel"] = 503
    assert until(lambda: incidents(home) == [(1, "kiel")])
    street.ill["oslo"] = 503
    assert until(lambda: failing(home, "oslo"))
    kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: failing(home, "oslo"))
    assert incidents(home) == [(1, "kiel")]
    said = lambda word: losswatch(home, "incidents", word, "1").stdout  # noqa: E731  # shortest form
    assert until(lambda: "oslo (http.5xx) is suppressed: kiel fails: one rack" in said("why")), said("why")
    assert until(lambda: "deploy kiel, release 8f31c0, by maria" in said("show")), said("show")
    del street.ill["kiel"]
    assert until(lambda: incidents(home) == [(2, "oslo")])
