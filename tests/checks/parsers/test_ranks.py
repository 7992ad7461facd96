"""When a site is gone from search results, and when places only come and go."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.ranks import ENOUGH, FEWEST, REMEMBERED, Look, Place, Standings, missing

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
RIVALS = tuple(f"rival{n}.example" for n in range(9))


def look(number, place=None, *, results=30, hosts=RIVALS, site="kiel"):
    return Look(T0 + number * QUARTER, results, {site: place} if place else {}, hosts)


def learned(*looks, standings=None):
    found = standings or Standings({})
    for one in looks:
        found = found.learn(one)
    return found


def places(*positions, results=30):
    """What is known of a site that stood there, 0 being nowhere."""
    return learned(*(look(n, position, results=results) for n, position in enumerate(positions))).places["kiel"]


@pytest.mark.parametrize(
    ("before", "needed"),
    [
        ([4] * 30, 3),
        ([4] * 10, 4),
        ([4] * 5, 5),
        ([4] * 20 + [0] + [4] * 9, 4),
        ([4] * 9 + [0] + [4] * 9 + [0] + [4] * 9, 4),
    ],
)
def test_the_steadier_a_site_stood_the_fewer_absences_say_that_it_is_gone(before, needed):
    assert not places(*before, *[0] * (needed - 1)).gone
    assert places(*before, *[0] * needed).gone


def test_a_site_that_was_missing_three_pages_in_a_row_before_may_be_again():
    before = [4] * 18 + [0] * 3 + [4] * 18
    assert places(*before).needed == 5
    assert not places(*before, 0, 0, 0, 0).gone


def test_a_site_seen_on_too_few_pages_or_now_and_then_is_never_gone():
    assert not places(*[4] * (ENOUGH - 1), *[0] * 50).gone
    assert not places(*[4, 0, 4, 0, 0, 4] * 5, *[0] * 50).gone


def test_a_short_page_says_nothing_of_a_site_that_stands_low():
    evening = [look(n, 25) for n in range(20)]
    morning = [look(20 + n, results=11) for n in range(20)]
    found = learned(*evening, *morning).places["kiel"]
    assert (found.missed, found.gone) == (0, False)
    assert learned(*evening, *(look(20 + n) for n in range(4))).places["kiel"].gone


def test_a_place_at_the_lower_edge_falls_off_without_being_gone():
    assert not places(*[9, 10, 10, 9, 10, 9, 10, 10], *[0] * 50, results=10).gone
    assert places(*[1, 2, 1, 1, 2, 1, 1, 2], *[0] * 5, results=10).gone


def test_a_page_of_another_query_by_its_hosts_teaches_nothing():
    known = learned(*(look(n, 4) for n in range(20)))
    strange = look(20, hosts=tuple(f"other{n}.example" for n in range(9)))
    assert known.learn(strange).places == known.places
    assert known.learn(strange).learn(look(20)).places["kiel"].missed == 1


def test_pages_of_another_kind_that_stay_are_learned_anew():
    known = learned(*(look(n, 4) for n in range(20)))
    for n in range(20, 29):
        known = known.learn(look(n, hosts=tuple(f"other{n}.example" for n in range(9))))
        assert known.places["kiel"].steady
        assert not known.places["kiel"].missed
    known = known.learn(look(29, 2, hosts=tuple(f"other{n}.example" for n in range(9))))
    assert known.places["kiel"].looks == (2,)
    assert known.last_at == look(29).at


def test_an_older_page_or_the_same_again_teaches_nothing():
    known = learned(look(0, 4), look(1, 4))
    assert known.learn(look(1)) is known
    assert known.learn(look(0)) is known


def test_a_site_that_is_back_is_not_missed_and_its_absence_is_remembered():
    found = places(*[4] * 20, 0, 0, 5)
    assert (found.missed, found.missed_since, found.looks[-3:]) == (0, None, (0, 0, 5))


def test_being_gone_lasts_however_long_nobody_looks_back():
    assert places(*[4] * 30, *[0] * 1_000).gone


def test_a_site_gone_from_most_of_its_queries_is_deindexed_one_gone_from_few_lost_ranks():
    stood, gone = places(*[4] * 30), places(*[4] * 30, 0, 0, 0)
    assert missing([("a", gone), ("b", gone), ("c", stood)]).deindexed
    assert not missing([("a", gone), ("b", stood)]).deindexed
    assert not missing([]).deindexed
    assert not missing([("a", Place())]).deindexed
    assert missing([("a", gone)]).since == T0 + 30 * QUARTER


def test_a_week_of_churn_calls_nobody_gone_and_a_removal_is_found_within_an_hour_and_a_half():
    """Thirty sites whose places wander, on pages of 10 in the morning and 30 in the evening, one page in fifty another arm."""
    dice = random.Random(4)
    homes = {f"s{n}": n + 1 for n in range(30)}
    known, called = Standings({}), set()
    for number in range(4 * 24 * 7):
        results = 10 if number // 4 % 24 < 12 else 30
        order = sorted(homes, key=lambda site: homes[site] + dice.gauss(0, 0.06 * homes[site] + 0.5))
        shown = order[:results] if dice.random() > 0.02 else dice.sample(order, results)
        places = {site: n for n, site in enumerate(shown, 1)}
        known = known.learn(
            Look(T0 + number * QUARTER, results, places, tuple(f"{site}.example" for site in shown[:10]))
        )
        called |= {site for site, place in known.places.items() if place.gone}
    assert called == set()
    for more in range(6):
        places = {site: homes[site] for site in homes if site != "s3"}
        known = known.learn(Look(T0 + (number + 1 + more) * QUARTER, 30, places))
    assert {site for site, place in known.places.items() if place.gone} == {"s3"}


@given(st.lists(st.integers(0, 40), max_size=120), st.lists(st.integers(1, 40), min_size=1, max_size=9))
def test_whatever_was_seen_what_is_known_stays_small_and_one_look_is_no_proof(positions, sizes):
    known = Standings({})
    for number, position in enumerate(positions):
        size = sizes[number % len(sizes)]
        known = known.learn(look(number, position if position <= size else 0, results=size))
    for place in known.places.values():
        assert len(place.looks) <= REMEMBERED
        assert place.needed >= FEWEST
        assert not place.gone or place.missed >= place.needed
    back = known.learn(look(len(positions), 1))
    assert not back.places["kiel"].gone
