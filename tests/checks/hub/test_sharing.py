"""Whose a loss is, in tables and by counting every hour of every leaf."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.hub.sharing import Claim, Stake, overlap, share_out, spans
from data.model.ids import IncidentId, TargetId

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LINK, HTTP, REVENUE = 5, 6, 17


def at(hour: float) -> datetime:
    return NOON + timedelta(hours=hour)


def stake(where: str, basis: str = "clicks", start: float = -2, end: float | None = None) -> Stake:
    dims = tuple((part.partition("=")[0], part.partition("=")[2]) for part in where.split(",") if part)
    return Stake(dims, basis, at(start), None if end is None else at(end), TargetId(f"slice:{where}"))


def claim(number: int, rank: int, *stakes: Stake, since: float = -2) -> Claim:
    return Claim(IncidentId(number), rank, at(since), stakes)


@pytest.mark.parametrize(
    ("one", "other", "loser"),
    [
        pytest.param(
            claim(1, REVENUE, stake("partner=P02", "counts")), claim(2, LINK, stake("partner=P02,geo=DE")), 1,
            id="what a dead link explains is not missing for no known reason",
        ),
        pytest.param(
            claim(1, LINK, stake("partner=P02")), claim(2, HTTP, stake("site=kiel", "calendar")), 1,
            id="clicks of a dead site never reach the dead link",
        ),
        pytest.param(
            claim(1, LINK, stake("partner=P02"), since=-3), claim(2, LINK, stake("geo=DE"), since=-2), 2,
            id="of two of a kind the older one counts it",
        ),
        pytest.param(
            claim(1, HTTP, stake("partner=P02"), since=-3), claim(2, LINK, stake("geo=DE"), since=-2), 1,
            id="the cause nearer to the root counts it though it is younger",
        ),
        pytest.param(
            claim(2, LINK, stake("partner=P02")), claim(1, LINK, stake("geo=DE")), 2,
            id="of twins the one with the lower number counts it",
        ),
        pytest.param(
            claim(1, LINK, stake("partner=P02")), claim(2, LINK, stake("")), 2, id="everything touches everything",
        ),
    ],
)  # fmt: skip
def test_one_of_two_counts_what_both_claim(one, other, loser):
    winner = {1: 2, 2: 1}[loser]
    for claims in ([one, other], [other, one]):
        taken = share_out(claims)
        assert set(taken) == {loser}
        assert {found.incident for found in taken[IncidentId(loser)]} == {winner}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("partner=P02", "partner=P01"),
        ("partner=P02,geo=DE", "partner=P01,geo=DE"),
        ("partner=P02,geo=DE", "geo=FI,site=kiel"),
    ],
)
def test_slices_that_fix_one_dimension_differently_share_nothing(one, other):
    assert share_out([claim(1, LINK, stake(one)), claim(2, LINK, stake(other))]) == {}


def test_what_ended_before_the_other_began_is_not_shared():
    early, late = stake("geo=DE", start=-5, end=-3), stake("geo=DE", start=-3)
    assert share_out([claim(1, LINK, early), claim(2, LINK, late)]) == {}
    assert set(share_out([claim(1, LINK, early), claim(2, LINK, stake("geo=DE", start=-4))])) == {2}


def test_what_is_missing_for_no_known_reason_names_one_incident_that_explains_it():
    links = [claim(number, LINK, stake("partner=P02", start=-number)) for number in (2, 3, 4)]
    missing = claim(1, REVENUE, stake("geo=DE", "counts"))
    (found,) = share_out([missing, *links])[IncidentId(1)]
    assert found.incident == 2


def test_an_incident_shares_nothing_with_itself():
    assert share_out([claim(1, LINK, stake("geo=DE"), stake("geo=DE,site=kiel"))]) == {}


def test_equal_hours_are_said_once():
    together = spans([stake("geo=DE"), stake("geo=FI"), stake("geo=FI"), stake("site=kiel", start=-1, end=0)], NOON)
    assert [(len(one.slices), one.start, one.end) for one in together] == [(2, at(-2), NOON), (1, at(-1), NOON)]


GEOS, SITES, PARTNERS = ("DE", "FI"), ("kiel", "oslo"), ("P01", "P02")
LEAVES = [{"geo": geo, "site": site, "partner": partner} for geo in GEOS for site in SITES for partner in PARTNERS]
DIMS = st.fixed_dictionaries(
    {}, optional={"geo": st.sampled_from(GEOS), "site": st.sampled_from(SITES), "partner": st.sampled_from(PARTNERS)}
)
STAKES = st.builds(
    lambda dims, basis, start, hours: Stake(
        tuple(dims.items()), basis, at(start), None if hours is None else at(start + hours), TargetId("slice:x")
    ),
    DIMS,
    st.sampled_from(["calendar", "clicks"]),
    st.integers(-6, -1),
    st.none() | st.integers(1, 5),
)
CLAIMS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-9, -1), st.lists(STAKES, min_size=1, max_size=3)), max_size=5
).map(lambda rows: [claim(number, rank, *stakes, since=since) for number, (rank, since, stakes) in enumerate(rows)])


def cells(one: Stake) -> set[tuple[int, int]]:
    """Leaves and hours, counted from noon, of a stake."""
    first = int((one.start - NOON) / timedelta(hours=1))
    last = 0 if one.end is None else min(int((one.end - NOON) / timedelta(hours=1)), 0)
    inside = [number for number, leaf in enumerate(LEAVES) if all(leaf[name] == value for name, value in one.dims)]
    return {(leaf, hour) for leaf in inside for hour in range(first, last)}


@given(CLAIMS)
def test_every_hour_of_a_leaf_that_anybody_claims_is_counted_exactly_once(claims):
    taken = share_out(claims)
    counted: list[tuple[int, int]] = []
    for one in claims:
        mine: set[tuple[int, int]] = set()
        for basis in ("calendar", "clicks"):
            own = {cell for stake in one.stakes if stake.basis == basis for cell in cells(stake)}
            theirs = (found.stake for found in taken.get(one.incident, ()) if found.from_basis == basis)
            mine |= own - {cell for stake in theirs for cell in cells(stake)}
        counted += mine
    assert len(counted) == len(set(counted))
    assert set(counted) == {cell for one in claims for stake in one.stakes for cell in cells(stake)}


@given(st.lists(STAKES, max_size=4), st.lists(STAKES, max_size=4))
def test_stakes_overlap_where_they_have_a_leaf_and_an_hour_in_common(some, others):
    found = overlap(some, others)
    for other in others:
        meets = any(cells(one) & cells(other) for one in some)
        assert (other in found) >= meets
