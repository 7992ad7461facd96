from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from checks.engine.wire import Configure, ProbeSettings
from checks.hub.board import Board
from checks.hub.hygiene import HygieneRoom
from checks.hub.maintenance import Windows
from data.config.settings import Hygiene, Maintenance, Settings
from data.model.cause import cause
from data.model.ids import TargetId, TeamId
from data.model.observation import Hop, Observation, Timing
from data.model.state import State
from data.model.target import Expect, Target, TargetKind

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
PAGE = {"seo": "index", "canonical": "self", "ip": "127.0.0.1"}


def seen(name="a", ms=200.0, at=0, evidence=PAGE, kind=TargetKind.SITE, region="local", **more):
    return Observation(
        TargetId(f"{kind}:{name}"),
        TeamId("aurora"),
        kind,
        NOON + timedelta(minutes=5 * at),
        more.pop("state", State.OK),
        region=region,
        total_ms=ms,
        timing=Timing(5.0, 10.0, 20.0, ms - 40.0, ms),
        hops=(Hop("https://shop.example/"),),
        evidence=dict(evidence),
        **more,
    )


def link(name, url, **more):
    return Target(TargetId(f"link:{name}"), TargetKind.LINK, TeamId("aurora"), name, url, **more)


def learned(room, n=40, **how):
    for number in range(n):
        assert room.rewrite(seen(ms=200.0 + number % 7, at=number, **how)).state is State.OK
    return room


@pytest.mark.parametrize("kind", [TargetKind.SITE, TargetKind.LINK])
def test_a_target_slower_than_its_own_past_is_degraded_with_both_figures(kind):
    room = learned(HygieneRoom(), kind=kind)
    told = [room.rewrite(seen(ms=1500.0, at=50 + number, kind=kind)) for number in range(3)][-1]
    assert (told.state, told.cause, told.blame) == (State.DEGRADED, "slow.ttfb", "shop.example")
    assert told.detail == "1,500 ms against 203 ms as usual, mostly first byte"


def test_each_place_has_its_own_measure():
    room = learned(HygieneRoom())
    for number in range(40):
        assert room.rewrite(seen(ms=1500.0, at=50 + number, region="JP")).state is State.OK
    assert room.rewrite(seen(ms=203.0, at=99)).state is State.OK


def test_a_pace_of_the_past_is_taken_up_by_the_first_observation():
    room = HygieneRoom(paces_past={TargetId("site:a"): (200.0, 260.0)})
    told = [room.rewrite(seen(ms=1500.0, at=number)) for number in range(3)][-1]
    assert told.cause == "slow.ttfb"


def test_a_closed_incident_of_a_slow_target_makes_the_present_pace_the_usual_one():
    room = learned(HygieneRoom())
    for number in range(3):
        room.rewrite(seen(ms=1500.0, at=50 + number))
    room.accept([TargetId("site:a")])
    for number in range(40):
        assert room.rewrite(seen(ms=1500.0, at=60 + number)).state is State.OK


@pytest.mark.parametrize("kind", [TargetKind.PARSER, TargetKind.FEED])
def test_other_kinds_pass_untouched(kind):
    observation = seen(kind=kind)
    assert HygieneRoom().rewrite(observation) is observation


@pytest.mark.parametrize(("state", "why"), [(State.UNKNOWN, "edge.challenge"), (State.FAILING, "http.5xx")])
def test_what_does_not_answer_well_is_passed_on_and_teaches_nothing(state, why):
    room = learned(HygieneRoom())
    bad = seen(state=state, cause=cause(why), evidence={**PAGE, "seo": "noindex by meta robots"}, ms=9000.0)
    for _ in range(9):
        told = room.rewrite(bad)
        assert (told.state, told.cause) == (state, why)
    assert room.rewrite(seen(at=90)).state is State.OK


def test_a_window_absorbs_a_moved_canonical_of_the_sites_it_covers_and_of_no_others():
    board = Board()
    for name in ("a", "b"):
        board.put_target(Target(TargetId(f"site:{name}"), TargetKind.SITE, TeamId("aurora"), name))
    window = Maintenance("move to the new host", site="a", start=NOON, end=NOON + timedelta(hours=2))
    room = HygieneRoom(covered=Windows(board, lambda: [window]).covers)
    moved = {**PAGE, "canonical": "https://new.example/"}
    for name in ("a", "b"):
        room.rewrite(seen(name))
    told = {name: room.rewrite(seen(name, at=6, evidence=moved)).cause for name in ("a", "b")}
    assert told == {"a": "", "b": "seo.canonical"}
    later = {name: room.rewrite(seen(name, at=60, evidence=moved)).cause for name in ("a", "b")}
    assert later == {"a": "", "b": "seo.canonical"}


def test_a_target_that_left_the_inventory_is_forgotten():
    room = learned(HygieneRoom())
    room.forget(TargetId("site:a"))
    assert room.drain(NOON) == []
    assert room.rewrite(seen(evidence={**PAGE, "seo": "noindex by meta robots"}, at=99)).state is State.OK


def test_only_what_changed_is_stored_again():
    room = learned(HygieneRoom())
    assert [one.target for one in room.drain(NOON)] == ["site:a"]
    learned(room)
    assert room.drain(NOON) == []


def test_probes_are_sent_the_links_of_every_site_and_what_must_stand_on_them(tmp_path):
    targets = (
        link("p1", "https://www.go.example/c/1?btag=A&lp=2", site="best"),
        link("p2", "https://go.example/c/2?tok=B", site="best", expect=Expect(keep=("Tok",))),
        link("p3", "https://go.example/c/3?btag=C"),
    )
    sent = ProbeSettings.of(Settings(tmp_path, targets=targets))
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(Configure(sent)), type=Configure).settings
    assert back.links.pages == {"best": (targets[0].url, targets[1].url)}
    assert back.links.tracked == {"go.example": ("btag", "tok")}
    off = ProbeSettings.of(Settings(tmp_path, targets=targets, hygiene=Hygiene(links=False)))
    assert not off.links.pages


def test_a_new_inventory_changes_whose_ids_are_ours(tmp_path):
    room = HygieneRoom()
    strange = {**PAGE, "links": "1.abcd:1:0", "links_ids": "go.example btag=B"}
    room.configure(Settings(tmp_path, targets=(link("p1", "https://go.example/?btag=A", site="a"),)))
    assert room.rewrite(seen(evidence=strange)).cause == "link.wrong_target"
    both = (link("p1", "https://go.example/?btag=A", site="a"), link("p2", "https://go.example/?btag=B"))
    room.configure(Settings(tmp_path, targets=both))
    assert room.rewrite(seen(evidence=strange, at=1)).state is State.OK


def test_the_worst_speaks_and_the_others_stand_in_its_evidence():
    room = learned(HygieneRoom())
    ending = seen(evidence={**PAGE, "seo": "noindex by meta robots"}, at=80)
    ending = replace(ending, state=State.DEGRADED, cause=cause("tls.expiring"), detail="ends in 3.0 days")
    told = room.rewrite(ending)
    assert told.cause == "seo.noindex"
    assert told.evidence["also"] == "tls.expiring: ends in 3.0 days"
    lesser = replace(ending, evidence={**PAGE, "canonical": ""})
    assert room.rewrite(lesser).cause == "tls.expiring"
    assert "seo.canonical" in room.rewrite(lesser).evidence["also"]
