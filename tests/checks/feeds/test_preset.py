from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.canonical import uses
from checks.feeds.drift import Use
from checks.feeds.preset import Window, load, names, parse
from checks.feeds.request import call, days, windows
from data.errors import ConfigError

from .conftest import CALM, NOW, feed

GOOD = 'platform = "X"\n[rows]\nformat = "json"\n[fields]\nclicks = { from = "n" }\n'


def test_every_preset_loads_and_maps_money():
    assert {"affilka", "myaffiliates", "smartico", "inhouse", "incomeaccess", "json", "csv"} <= set(names())
    for name in names():
        found = load(name)
        assert found.id == name
        if found.source in {"http", "folder"}:  # a log and calls have no report to read
            assert Use.MONEY in uses(found).values()
            assert {"clicks", "commission_total"} & set(found.fields)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'affilka'"):
        load("afilka")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x =", "not valid TOML"),
        ('platform = "X"', "rows"),
        (GOOD + 'colour = { from = "x", kind = "count" }', "kind"),
        (GOOD.replace("json", "jsonl"), "allowed: json, ndjson, csv, xml"),
        (GOOD + 'm = { from = "x", type = "mony" }', "did you mean 'money'"),
        (GOOD + 'm = { from = "x", unit = "cents" }', "allowed: major, minor"),
        (GOOD + "m = {}", "either `from` or `sum`"),
        (GOOD + 'm = { sum = ["click"] }', "did you mean 'clicks'"),
        (GOOD + '[auth]\nkind = "oauth"', "auth.kind"),
        (GOOD + '[freshness]\nlag = "soon"', "no duration"),
        (GOOD + '[[reject]]\ncause = "feed.oath"', "did you mean 'feed.auth'"),
        ('timezone = "Mars/Base"\n' + GOOD, "no such time zone"),
    ],
)
def test_a_wrong_preset_says_what_is_allowed(text, words):
    with pytest.raises(ConfigError) as raised:
        parse(text, "mine")
    assert words in str(raised.value)
    assert str(raised.value).startswith("mine.toml")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"currncy": "EUR"}, "did you mean 'currency'"),
        ({"unit": "cents"}, "allowed: major, minor"),
        ({"timezone": "Europe/Nowhere"}, "no such time zone"),
        ({"timeout_s": "soon"}, "timeout_s"),
        ({"auth": "magic"}, "auth.kind"),
    ],
)
def test_a_wrong_option_of_an_account_says_what_is_allowed(options, words):
    with pytest.raises(ConfigError) as raised:
        adapt(load("json"), options)
    assert words in str(raised.value)


def test_a_generic_account_is_described_by_its_options():
    options = {
        "path": "/v2/stats", "params": "d1={from}&d2={to}&acc={account}", "rows": "data.items", "day": "Day", "auth": "query:api_key",
        "field.clicks": "Visits", "field.commission_total": "Earned:money:minor", "dim.geo": "Country", "currency": "USD", "end": "exclusive",
    }  # fmt: skip
    preset = adapt(load("json"), options)
    made = call(feed("http://api.example/", options=options), preset, "k3y", date(2026, 11, 15), date(2026, 11, 17))
    assert made.url == "http://api.example/v2/stats"
    assert made.params == (("api_key", "k3y"), ("d1", "2026-11-15"), ("d2", "2026-11-18"), ("acc", "4711"))
    assert (preset.currency, preset.dims, preset.fields["commission_total"].unit) == (
        "USD",
        {"geo": "Country"},
        "minor",
    )


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("none", {}),
        ("bearer", {"Authorization": "Bearer s:t"}),
        ("header:X-Api-Key", {"X-Api-Key": "s:t"}),
        ("basic", {"Authorization": "Basic czp0"}),
    ],
)
def test_a_secret_travels_as_the_account_says(auth, header):
    preset = adapt(load("json"), {"auth": auth})
    made = call(feed(), preset, "s:t", date(2026, 11, 17), date(2026, 11, 17))
    assert {name: value for name, value in made.headers.items() if name != "Accept-Encoding"} == header
    assert "s:t" not in repr(made)


def test_today_and_the_days_before_are_read():
    assert days(feed(days=3), load("affilka"), NOW) == (date(2026, 11, 15), date(2026, 11, 17))
    tokyo = adapt(load("affilka"), {"timezone": "Asia/Tokyo"})
    assert days(feed(days=1), tokyo, datetime.fromisoformat("2026-11-17T16:00+00:00")) == (
        date(2026, 11, 18),
        date(2026, 11, 18),
    )


@CALM
@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400), st.integers(1, 60), st.booleans())
def test_windows_cover_every_day_once_within_what_one_call_may_ask(first, length, max_days, same_month):
    last = first + timedelta(days=length)
    found = windows(first, last, Window(max_days=max_days, same_month=same_month))
    covered = [start + timedelta(days=n) for start, end in found for n in range((end - start).days + 1)]
    assert covered == [first + timedelta(days=n) for n in range(length + 1)]
    assert all((end - start).days < max_days for start, end in found)
    assert not same_month or all((start.year, start.month) == (end.year, end.month) for start, end in found)


def test_seconds_of_a_duration():
    assert [presets.seconds(text) for text in ("30s", "20m", "6h", "2d")] == [30, 1200, 21600, 172800]
