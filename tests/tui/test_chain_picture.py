from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.cause import cause
from data.model.observation import Hop
from data.model.state import State
from tui.lines import plain, width_of
from tui.screens.chain_picture import picture

FIRST = Hop("https://go.aurora.example/p05?tag=a1", "198.51.100.7", 302, 24.0, cert_days_left=61.0, issuer="R3")
LAST = Hop("https://www.drakkenspin.example/de", "203.0.113.9", 451, 61.0, cert_days_left=44.0)


def text(lines):
    return "\n".join(plain(line) for line in lines)


def roles(lines, words):
    return {role for line in lines for said, role in line if words in said}


def test_a_healthy_chain_is_two_quiet_lines_a_hop():
    lines = picture((FIRST, replace(LAST, status=200)), State.OK, 60)
    assert len(lines) == 4
    assert {role for line in lines for _, role in line} <= {"dim", "rule", "strong", ""}


@pytest.mark.parametrize(
    ("state", "mark", "role"), [(State.FAILING, "✖", "bad"), (State.DEGRADED, "▲", "warn"), (State.UNKNOWN, "╌", "dim")]
)
def test_the_guilty_hop_is_marked_and_says_why(state, mark, role):
    lines = picture((FIRST, replace(LAST, cause=cause("geo.blocked"))), state, 60)
    assert [plain(line)[1] for line in lines if plain(line)[1] in "●✖▲╌"] == ["●", mark]
    assert role in roles(lines, "blocked in this country")


def test_what_a_hop_did_to_the_parameters_stands_under_it():
    lines = picture((replace(FIRST, params="cuts tag from 32 to 16 characters"), LAST), State.FAILING, 60)
    assert plain(lines[2]).strip().endswith("cuts tag from 32 to 16 characters")


def test_a_step_made_by_the_page_and_one_down_to_http_are_named():
    assert "script or refresh" in text(picture((FIRST, replace(LAST, client_side=True)), State.OK, 60))
    assert "from https down to http" in text(picture((FIRST, replace(LAST, url="http://x.example/")), State.OK, 60))


@pytest.mark.parametrize(("days", "role"), [(61.0, "dim"), (12.0, "warn"), (-3.0, "bad")])
def test_a_certificate_near_its_end_stands_out(days, role):
    lines = picture((replace(LAST, cert_days_left=days),), State.OK, 60)
    assert role in roles(lines, "d ago" if days < 0 else f"{days:.0f} d")


@given(
    st.lists(
        st.builds(Hop, url=st.text(max_size=300), status=st.integers(0, 999), params=st.text(max_size=80)), max_size=12
    ),
    st.integers(8, 200),
)
def test_no_line_is_wider_than_its_room_whatever_a_hop_is_called(hops, width):
    assert all(width_of(line) <= width for line in picture(hops, State.FAILING, width))
