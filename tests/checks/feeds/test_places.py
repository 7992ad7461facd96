"""Where a report's row happened, whose word counts, and which hours it is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from checks.feeds import precedence
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.places import said, signs
from checks.feeds.stretches import stretch_of
from checks.feeds.to_facts import ANYWHERE, HOUR, Place
from data.config.rates import Rates
from data.config.settings import Feed, Settings
from data.errors import ConfigError
from data.model.fact import PartnerStat
from data.model.ids import PartnerId, TeamId
from data.model.target import Target, TargetKind, target_id

DAY = date(2026, 11, 17)
NOW = datetime(2026, 11, 17, 14, 20, tzinfo=UTC)
FEED = Feed("p01", TeamId("aurora"), PartnerId("P01"), "affilka", base_url="https://a.example", secret="k")


def target(kind, name, url, **more):
    return Target(target_id(kind, name), kind, TeamId("aurora"), name, url=url, **more)


def link(name, url, site, offer="Casino", partner="P01"):
    return target(TargetKind.LINK, name, url, site=site, offer=offer, partner=PartnerId(partner))


SETTINGS = Settings(
    Path(),
    targets=(
        target(TargetKind.SITE, "nord", "https://nord.example/"),
        link("nord-p01", "https://go.example/out/nord-p01?btag=a_100&lang=de", "nord"),
        link("sued-p01", "https://go.example/out/sued-p01?btag=a_200&lang=de", "sued"),
        link("sued-p01-b", "https://go.example/out/b?btag=a_200&lang=de", "sued", offer="Sports"),
        link("other", "https://go.example/out/other?btag=a_300", "nord", partner="P02"),
    ),
    feeds=(FEED,),
)


@pytest.mark.parametrize(
    ("dims", "place"),
    [
        ({"tracker": "a_100"}, Place("Casino", None, "nord")),
        ({"tracker": "A_200", "geo": "de"}, Place(None, "DE", "sued")),
        ({"tracker": "a_200", "brand": "SPORTS"}, Place("Sports", None, "sued")),
        ({"subid": "nord-p01"}, Place("Casino", None, "nord")),
        ({"campaign": "nord.example"}, Place(None, None, "nord")),
        ({"tracker": "a_300"}, ANYWHERE),  # another partner's
        ({"tracker": "de"}, ANYWHERE),  # in every link
        ({"tracker": "", "geo": "Germany", "brand": "Quillspin"}, ANYWHERE),
        ({}, ANYWHERE),
    ],
)
def test_a_row_is_where_its_tracker_brand_and_country_say_for_certain(dims, place):
    assert signs(SETTINGS, FEED).place_of(dims) == place


def test_a_tracker_whose_name_says_nothing_is_given_its_site_in_the_options():
    feed = replace(FEED, options={"tracker.77120": "nord"})
    adapt(presets.load("affilka"), feed.options)
    assert signs(SETTINGS, feed).place_of({"tracker": "77120"}) == Place(None, None, "nord")


def stat(measures, currency="EUR", **dims):
    figures = {name: None if one is None else Decimal(str(one)) for name, one in measures.items()}
    return PartnerStat("p01", TeamId("aurora"), PartnerId("P01"), DAY, dims, figures, currency, NOW)


RATES = Rates("EUR", {"GBP": ((DAY, Decimal("1.2")),)})


def test_rows_of_one_place_add_up_in_our_own_currency():
    rows = [
        stat({"clicks": 100, "registrations": 9, "ftd_count": 2, "commission_total": 200}, tracker="x"),
        stat({"clicks": 50, "registrations": 3, "ftd_count": 1, "commission_total": 100}, "GBP", tracker="y"),
    ]
    found, unpriced = said(rows, signs(SETTINGS, FEED), RATES)
    (one,) = found[DAY, ""]
    assert one.figures == {"clicks": 150, "regs": 12, "ftd": 3, "revenue": 320}
    assert unpriced == set()


def test_money_without_a_rate_is_said_and_the_row_left_out():
    found, unpriced = said([stat({"commission_total": 5}, "XYZ")], signs(SETTINGS, FEED), RATES)
    assert unpriced == {"XYZ"}
    assert [one.figures.get("revenue") for one in found[DAY, ""]] == [0]
    assert said([stat({"commission_total": 0, "clicks": 3}, "XYZ")], signs(SETTINGS, FEED), RATES)[1] == set()


def test_what_is_not_delivered_is_not_said_and_pending_commission_is_earned():
    found, _ = said([stat({"registrations": 4, "ftd_count": None, "commission_total": 10, "commission_pending": 30})], signs(SETTINGS, FEED), RATES)  # fmt: skip
    (one,) = found[DAY, ""]
    assert one.figures == {"regs": 4, "revenue": 40}


def test_a_day_whose_rows_are_all_gone_is_a_day_of_nothing():
    found, _ = said([stat({})], signs(SETTINGS, FEED), RATES)
    (one,) = found[DAY, ""]
    assert (one.place, set(one.figures.values())) == (ANYWHERE, {Decimal(0)})


# whose word counts


def feed(name, preset="affilka", **options):
    address = {"base_url": "https://a.example"} if preset != "postback" else {}
    return Feed(name, TeamId("aurora"), PartnerId("P01"), preset, secret="k", options=options, **address)


@pytest.mark.parametrize(
    ("feeds", "pushed", "telling"),
    [
        ([feed("api"), feed("calls", "postback")], False, {"api", "calls"}),
        ([feed("api"), feed("calls", "postback")], True, set()),
        ([feed("api", facts="report"), feed("calls", "postback")], False, {"api"}),
        ([feed("api"), feed("calls", "postback", facts="postback")], False, {"calls"}),
        ([feed("api", facts="pushed"), feed("calls", "postback")], False, {"calls"}),
        ([feed("api"), feed("log", "alanbase_conversions")], False, {"api"}),
        ([feed("api", facts="pushed"), feed("log", "alanbase_conversions")], False, {"log"}),
        ([feed("clicks", "clicklog")], False, set()),
    ],
)
def test_who_tells_the_facts_of_an_account(feeds, pushed, telling):
    assert {one.name for one in feeds if precedence.tells(one, feeds, pushed=pushed)} == telling


def test_a_word_that_is_no_way_to_facts_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="postback"):
        adapt(presets.load("affilka"), {"facts": "postbacks"})


# which hours


def preset(**options):
    return adapt(presets.load("affilka"), options)


LAG = timedelta(minutes=20)


def at(hour, minute=0, day=17):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read_at", "now", "first", "last", "settled"),
    [
        pytest.param(at(14, 5), at(14, 30), at(13), at(14), False, id="since the last reading, less the lag"),
        pytest.param(at(9, 20), at(14, 20), at(9), at(13), False, id="after a pause, all of it"),
        pytest.param(None, at(14, 20), at(0), at(13), False, id="never read: the day so far"),
        pytest.param(at(0, 5), at(0, 10), at(0), at(0), False, id="the first minutes of a day"),
        pytest.param(at(23, 50), at(0, 10, 18), at(23), at(23), False, id="the last hour, told after midnight"),
        pytest.param(at(2, 0, 18), at(2, 15, 18), at(0), at(23), False, id="late news of a day that is over"),
        pytest.param(at(9, 0, 18), at(9, 15, 18), at(0), at(23), True, id="a day that is settled"),
    ],
)
def test_news_is_of_the_time_since_the_last_reading(read_at, now, first, last, settled):
    found = stretch_of(preset(), DAY, "", LAG, read_at, now)
    assert (min(found.fresh), max(found.fresh), found.settled) == (first, last, settled)
    assert len(found.hours) == 24


def test_a_report_of_the_next_day_is_of_the_whole_day():
    found = stretch_of(preset(cadence="next_day"), DAY, "", LAG, at(6), at(6, 15, 18))
    assert set(found.fresh) == set(found.hours)


@pytest.mark.parametrize(("day", "count"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)])
def test_a_partners_day_has_the_hours_its_clocks_have(day, count):
    zone = preset(timezone="Europe/Malta")
    hours = stretch_of(zone, day, "", LAG, None, NOW + timedelta(days=30)).hours
    assert len(hours) == count
    before = stretch_of(zone, day - timedelta(days=1), "", LAG, None, NOW).hours
    assert before[-1] + HOUR == hours[0]


def test_an_hour_of_a_report_is_named_by_the_partners_clock():
    zone = preset(timezone="Asia/Tokyo", hour="hour")
    assert stretch_of(zone, DAY, "09", LAG, None, NOW).hours == (at(0),)
    twice = stretch_of(preset(timezone="Europe/Malta"), date(2026, 10, 25), "02", LAG, None, NOW)
    assert len(twice.hours) == 2
