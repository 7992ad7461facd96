from __future__ import annotations

from dataclasses import replace

from data.model.incident import TimelineEntry
from data.model.snapshot import UpstreamRow
from tests.tui.cli.test_listing import DETAIL, HELLO, INCIDENT, NOW, STATUS

BLAMED = replace(
    INCIDENT,
    open_members=411,
    reason="they share the edge provider Halyard Edge",
    upstream="edge=Halyard Edge",
    evidence={
        "fails": "412 of 413 looked at since 11:20:00Z fail",
        "fine": "1 is fine",
        "rivals": "network X: 412 fail",
    },
)
WHY = replace(
    DETAIL,
    incident=BLAMED,
    timeline=(
        TimelineEntry(412, NOW, "losswatch", "took in #413 and #414: they share the edge provider Halyard Edge"),
    ),
    upstreams=(
        UpstreamRow("edge provider", "Halyard Edge", 431, 412, 1, chosen=True),
        UpstreamRow("network", "203.0.113.0/24", 640, 412, 200),
    ),
    teams=(("aurora", 300), ("cedar", 112)),
)


def test_why_names_the_upstream_its_members_by_team_the_evidence_the_rivals_and_the_decisions(canned_hub, run):
    canned_hub({"/v1/hello": HELLO, "/v1/status": STATUS, "/v1/incidents/412": WHY})
    done = run("incidents", "why", "412")
    assert done.code == 0
    words = [" ".join(line.split()) for line in done.out.splitlines()]
    for line in (
        "one because they share the edge provider Halyard Edge",
        "members 412, 411 still failing: aurora 300, cedar 112",
        "fails 412 of 413 looked at since 11:20:00Z fail",
        "fine 1 is fine",
        "edge provider Halyard Edge 431 412 1 blamed",
        "network 203.0.113.0/24 640 412 200 not blamed",
    ):
        assert line in words
    assert words[-1].endswith("losswatch: took in #413 and #414: they share the edge provider Halyard Edge")


def test_why_of_one_target_says_that_it_is_one(canned_hub, run):
    alone = replace(WHY, incident=replace(INCIDENT, members=1, open_members=1, reason=""), upstreams=(), teams=())
    canned_hub({"/v1/hello": HELLO, "/v1/status": STATUS, "/v1/incidents/412": alone})
    assert "one because  it is one target" in run("incidents", "why", "412").out
