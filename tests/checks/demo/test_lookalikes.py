"""What looks like a broken parser in the demo and is none, through the real verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.demo.install import SPEC
from checks.demo.pages import captcha_page, search_page
from checks.demo.script import BARREN_PARSER
from checks.parsers.pull import examine
from checks.parsers.spec import parse_spec
from data.model.state import State

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)
READ = parse_spec(SPEC)


@pytest.fixture
def parser(world):
    return next(one for one in world.parsers if one.name == BARREN_PARSER)


@pytest.fixture
def look(world, parser):
    """Judges one page after another as the hub does; a morning of good ones first."""
    memory = None

    def judged(page, at):
        nonlocal memory
        url = f"http://www.findly.example/search?q={parser.query}"
        seen = examine(READ, page, "text/html; charset=utf-8", url, url, memory, at)
        memory = seen.memory
        return seen

    for quarter in range(16):
        at = DAY + timedelta(minutes=15 * quarter)
        assert judged(search_page(parser, world.sites, at.hour, new_layout=False), at).state is State.OK
    return judged


def test_an_hour_of_captchas_is_blocked_and_never_a_dead_selector(look):
    causes = {look(captcha_page("www.findly.example"), DAY + timedelta(hours=8, minutes=n)).cause for n in (10, 25, 40)}
    assert causes == {"page.blocked"}


def test_a_query_without_results_is_said_to_have_none(look, world, parser):
    page = search_page(parser, world.sites, 10, new_layout=False, none=True)
    assert look(page, DAY + timedelta(hours=4)).cause == "page.no_results"


def test_two_layouts_in_turn_are_no_failure(look, world, parser):
    for quarter in range(24, 40):
        at = DAY + timedelta(minutes=15 * quarter)
        page = search_page(parser, world.sites, at.hour, new_layout=False, trial=bool(quarter % 2))
        assert look(page, at).state is State.OK


def test_a_volatile_day_is_no_failure(look, world, parser):
    for hour in range(24):
        at = DAY + timedelta(hours=4 + hour)
        assert look(search_page(parser, world.sites, at.hour, new_layout=False), at).state is State.OK


def test_the_new_layout_is_one(look, world, parser):
    page = search_page(parser, world.sites, 17, new_layout=True)
    assert look(page, DAY + timedelta(hours=11, minutes=30)).cause in {"parser.field_dead", "parser.selector_dead"}


@pytest.mark.parametrize("days", [1, 2])
def test_the_look_alikes_are_told_apart_on_later_days_too(look, world, parser, days):
    """After a day the layout is known well enough for its structure to speak, too."""
    at = DAY + timedelta(days=days)
    for quarter in range(8):
        look(search_page(parser, world.sites, 6 + quarter // 4, new_layout=False), at + timedelta(minutes=15 * quarter))
    none = search_page(parser, world.sites, 10, new_layout=False, none=True)
    trial = search_page(parser, world.sites, 12, new_layout=False, trial=True)
    assert look(captcha_page("www.findly.example"), at + timedelta(hours=3)).cause == "page.blocked"
    assert look(none, at + timedelta(hours=4)).cause == "page.no_results"
    assert look(trial, at + timedelta(hours=5)).state is not State.FAILING
