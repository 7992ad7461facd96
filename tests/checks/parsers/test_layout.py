from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from checks.parsers import layout
from checks.parsers.page import read_page


def shape(body):
    return read_page(body).shape


def family_of(*bodies, at, trusted=True):
    families = ()
    for number, body in enumerate(bodies):
        families = layout.learn(families, shape(body), number, at, trusted=trusted)
    return families


@given(st.integers(2, 40))
def test_the_number_of_results_moves_no_core_loss(search_page, at, count):
    families = family_of(*(search_page(10 + n, f"q{n}") for n in range(5)), at=at)
    found = layout.match(families, shape(search_page(count, "other")))
    assert found.known
    assert found.loss < 0.03


def test_another_layout_belongs_to_no_family(search_page, redesign, at):
    families = family_of(*(search_page(10, f"q{n}") for n in range(5)), at=at)
    found = layout.match(families, shape(search_page(10, item=redesign)))
    assert not found.known
    assert found.nearest == families[0].id
    assert found.loss > layout.LOSS_LINE


def test_two_layouts_served_in_one_week_are_two_families(search_page, redesign, at):
    old = [search_page(10 + n, f"q{n}") for n in range(5)]
    new = [search_page(10 + n, f"q{n}", item=redesign).replace(b"class='", b"class='v2-") for n in range(5)]
    families = family_of(*(body for pair in zip(old, new, strict=True) for body in pair), at=at)
    assert len(families) == 2
    assert {layout.match(families, shape(body)).family for body in (*old, *new)} == {family.id for family in families}


def test_a_layout_is_promoted_after_three_pages_of_two_queries(search_page, at):
    families = ()
    for query, promoted in ((1, False), (1, False), (1, False), (2, True)):
        families = layout.learn(families, shape(search_page(10)), query, at, trusted=False)
        assert families[0].promoted is promoted


def test_a_parser_of_one_url_promotes_after_a_day(search_page, at):
    families = ()
    for hours, promoted in ((0, False), (12, False), (25, True)):
        families = layout.learn(families, shape(search_page(10)), 1, at + timedelta(hours=hours), trusted=False)
        assert families[0].promoted is promoted


def test_an_unpromoted_layout_judges_nothing(search_page, redesign, at):
    families = family_of(search_page(10), at=at, trusted=False)
    assert layout.match(families, shape(search_page(10, item=redesign))) is layout.NO_MATCH


def test_old_pages_lose_their_vote(search_page, at):
    """A block that left the page half a year ago is no longer part of the core."""
    extra = search_page(10).replace(b"</main>", b"<aside class='promo'><b class='deal'>x</b></aside></main>")
    families = family_of(*[extra] * 10, at=at)
    assert layout.match(families, shape(search_page(10))).loss > 0
    later = at + timedelta(days=180)
    families = layout.learn(families, shape(search_page(10)), 99, later, trusted=True)
    assert layout.match(families, shape(search_page(10))).loss == 0


def test_families_are_bounded(at):
    families = ()
    for number in range(20):
        body = "".join(f"<div class='k{number}x{n}'><i class='j{number}'></i></div>" for n in range(20))
        families = layout.learn(families, shape(body.encode()), number, at, trusted=True)
    assert len(families) == layout.MAX_FAMILIES


def test_a_page_counts_half_after_two_weeks(search_page, at):
    families = family_of(*[search_page(10)] * 4, at=at)
    (family,) = layout.learn(families, shape(search_page(10)), 9, at + timedelta(days=14), trusted=True)
    assert family.weight == 4 / 2 + 1


def test_a_page_of_each_family_beside_a_third_layout(search_page, redesign, at):
    """Core loss is .25 at the line: both arms of a test are known, what shares less than three quarters is not."""
    arm = [search_page(9 + n, f"q{n}", item=redesign).replace(b"class='", b"class='b-") for n in range(5)]
    families = family_of(*(search_page(9 + n, f"q{n}") for n in range(5)), *arm, at=at)
    third = search_page(10, item=redesign).replace(b"class='", b"class='c-")
    seen = [layout.match(families, shape(body)) for body in (search_page(30), arm[0], third)]
    assert [found.known for found in seen] == [True, True, False]
    assert layout.loss_line(layout.PROMOTE_PAGES * 2) == layout.LOSS_LINE == 0.25


def test_pages_of_one_layout_share_a_name_without_any_history(search_page, redesign):
    old = [shape(search_page(9 + n, f"q{n}")) for n in range(3)]
    new = [shape(search_page(9 + n, f"q{n}", item=redesign).replace(b"class='", b"class='b-")) for n in range(3)]
    names = layout.alike([old[0], new[0], old[1], new[1], new[2], old[2]])
    assert names[0] == names[2] == names[5] != ""
    assert names[1] == names[3] == names[4] != names[0]
    assert layout.alike([]) == []
