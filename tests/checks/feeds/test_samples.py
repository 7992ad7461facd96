from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unicodedata import category
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds import quota
from checks.feeds.canonical import Row
from checks.feeds.message import MOST, TEMPLATES, Correction, Facts, Told, message
from checks.feeds.samples import DEEP, LINES, Sample, chosen, difference, lines, value_at
from data.model.cause import CAUSES
from data.text import MASK, register_secret
from tests.checks.feeds.conftest import CALM

AT = datetime(2026, 11, 17, 9, 15, tzinfo=UTC)
DAY = date(2026, 11, 17)


def row(raw, day=DAY, tracker="", **measures):
    return Row(day, {"tracker": tracker}, {name: Decimal(str(one)) for name, one in measures.items()}, "EUR", raw)


def harmless(line):
    """Whether nothing in it moves a terminal's cursor or turns its text round."""
    return not any(category(char) in {"Cc", "Cs"} or char in "\u202e\u2066\u200f" for char in line)


# Which record


def test_the_same_record_is_compared_and_of_several_the_one_that_shows_most():
    before = [row({"afp": n, "net": 10.0 * n}, tracker=f"go-{n}") for n in range(5)]
    after = [row({"afp": n, "net": 1000.0 * n}, tracker=f"go-{n}") for n in reversed(range(5))]
    assert chosen(before, after, {"net"}) == Sample({"afp": 4, "net": 40.0}, {"afp": 4, "net": 4000.0})


def test_where_no_key_fits_any_more_records_at_the_same_place_are_compared():
    before = [row({"date": "2026-11-17", "n": 1})]
    after = [row({"date": "17.11.2026", "n": 1}, day=None)]
    assert chosen(before, after, {"date"}) == Sample(before[0].raw, after[0].raw)
    assert chosen(before, (), {"date"}) is None


def test_a_key_that_stands_twice_proves_nothing():
    twice = [row({"n": 1}), row({"n": 2})]
    assert chosen(twice, [row({"n": 3})], {"n"}) == Sample({"n": 1}, {"n": 3})


# What is seen of it


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("player_id", 4711), ("playerId", "ab-17"), ("customer_reference_id", "XX12"), ("username", "maria77"), ("email", "n/a"), ("token", "abc"), ("api_key", "x"),
        ("user", {"first": "Maria"}), ("click_id", "c-1"), ("ClickID", "c-1"), ("first_name", "Maria"), ("client_ip", "local"), ("session_token", "77f"), ("card_number", "4"),
        ("note", "write to maria@example.com"), ("extra", "203.0.113.9"), ("ref", "6f1e0a52-7c1b-4c1e-9d53-0f2f1c0b7a55"), ("x", "eyJhbGciOi.eyJzdWIi.c2ln"),
        ("contact", "+49 170 1234567"), ("z", "DE89370400440532013000"), ("v6", "2001:db8:0:1:2:3:4:5"),
    ],
)  # fmt: skip
def test_what_belongs_to_a_person_or_is_a_secret_is_masked(name, value):
    text = "\n".join(lines({name: value}))
    assert MASK in text
    assert str(value) not in text
    assert "Maria" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clicks", 812), ("visit_count", 90), ("registration_count", "12"), ("brand_name", "Zefirion"), ("afp", "go-1"), ("player_count", 7), ("client_count", "7"), ("dt", "2026-11-17T00:00:00Z"),
        ("day", "17.11.2026"), ("time", "12:30:45"), ("net", "1234567890.12"), ("campaign", "Welcome 2026"), ("n", None), ("user", None), ("ok", True), ("unique_visitors", 31),
    ],
)  # fmt: skip
def test_figures_days_and_names_of_brands_are_shown(name, value):
    text = "\n".join(lines({name: value}))
    assert MASK not in text
    assert json.dumps(value) in text


def test_what_we_read_is_shown_and_what_a_reader_may_not_see_is_not():
    record = {"click_id": "brand-7", "net": 12.5}
    assert '"brand-7"' in "\n".join(lines(record, keep={"click_id"}))
    assert "12.5" not in "\n".join(lines(record, hidden={"net"}))
    assert difference(Sample({"net": 1}, {"net": 100}), hidden={"net"}) == ()


def test_our_own_key_in_a_record_is_never_shown():
    register_secret("sup3rs3cretkey")
    assert "sup3rs3cretkey" not in "\n".join(lines({"echo": "key sup3rs3cretkey"}))


def test_only_what_differs_is_marked_and_each_pair_stands_together():
    sample = Sample({"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "b": 20, "c": 30, "d": 4})
    found = difference(sample)
    assert [(line.kind, line.text.strip()) for line in found] == [
        (" ", "{"), (" ", '"a": 1,'), ("-", '"b": 2,'), ("+", '"b": 20,'), ("-", '"c": 3,'), ("+", '"c": 30,'), (" ", '"d": 4'), (" ", "}"),
    ]  # fmt: skip
    assert [line.was_no for line in found if line.kind != "+"] == [1, 2, 3, 4, 5, 6]
    assert [line.now_no for line in found if line.kind != "-"] == [1, 2, 3, 4, 5, 6]


def test_a_value_is_quoted_as_it_stands_and_absence_is_named():
    record = {"deal": {"net": 950.0, "none": None}, "columns.NET": "7"}
    assert value_at(record, "deal.net") == "950.0"
    assert value_at(record, "deal.none") == "null"
    assert value_at(record, "deal.gone") == "absent"
    assert value_at(record, "columns.NET") == '"7"'


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=12), inner, max_size=9),
    max_leaves=60,
)
records = st.dictionaries(st.text(max_size=12), anything, max_size=12)


@CALM
@given(records, records)
def test_whatever_a_record_holds_its_lines_are_few_short_and_clean(was, now):
    for line in difference(Sample(was, now)):
        assert harmless(line.text)
        assert len(line.text) < 80 + 60 + 2 * DEEP + 40
    assert len(lines(was)) <= LINES


@CALM
@given(records)
def test_a_record_does_not_differ_from_itself(record):
    assert difference(Sample(record, record)) == ()


def test_a_record_without_end_is_cut():
    deep: dict = {}
    inner = deep
    for _ in range(500):
        inner["a"] = {}
        inner = inner["a"]
    assert len(lines(deep)) < LINES
    assert lines({f"f{n}": n for n in range(5_000)})[-1] == "  …"


# The message


def facts(cause="feed.scale", **more):
    usual = {
        "platform": "Smartico",
        "account": "4711",
        "zone": ZoneInfo("Europe/Malta"),
        "since": AT,
        "detail": "401 token_expired",
        "rows": 214,
        "first": DAY - timedelta(2),
        "last": DAY,
    }
    return Facts(cause=cause, **{**usual, **more})


def test_a_message_says_what_changed_when_where_and_what_we_ask():
    text = message(
        facts(changes=(Told("net_pl", "median 240.18", "× 100, median 24,018", "2375.0", "237500"),), held=True)
    )
    assert text.splitlines()[0] == "Subject: Smartico, account 4711: amounts in another unit or currency"
    for words in (
        "from 17 Nov 2026 09:15 UTC (17 Nov 10:15 Europe/Malta) on", "- net_pl: expected median 240.18, received × 100, median 24,018; for example 2375.0 before, 237500 now",
        "a report of 214 rows for 2026-11-15 to 2026-11-17", "We hold these figures back", "Please tell us which unit",
    ):  # fmt: skip
        assert words in text


def test_a_claw_back_is_told_day_by_day_and_the_rest_is_counted():
    found = tuple(Correction(DAY - timedelta(n), f"ngr {n},000.00 -> 900.00 EUR") for n in range(MOST + 3))
    text = message(facts("feed.restated", corrections=found))
    assert text.count("- 2026-11-") == MOST
    assert "3 more, which we can send you" in text
    assert "with the records they concern" in text


def test_one_zone_is_told_once_and_what_is_not_known_is_left_out():
    text = message(facts("feed.auth", zone=ZoneInfo("UTC"), rows=0, account=""))
    assert "from 17 Nov 2026 09:15 UTC on our requests are refused" in text
    assert "- 401 token_expired" in text
    assert "It concerns" not in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize("cause", [name for name in CAUSES if name.startswith("feed.")] + ["http.5xx", "dns.nxdomain"])
def test_every_cause_of_a_feed_has_words_for_its_partner(cause):
    text = message(facts(cause))
    assert text.endswith("Thank you.")
    assert "Please" in text
    assert (cause in TEMPLATES) == cause.startswith("feed.")


@CALM
@given(st.text(), st.text(), st.text())
def test_no_word_of_a_partner_breaks_the_message(path, expected, seen):
    text = message(facts(changes=(Told(path, expected, seen, seen, expected),), detail=seen))
    assert all(map(harmless, text.splitlines()))
    assert len(text) < 4_000


# The quota


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X-RateLimit-Remaining": "6100", "X-RateLimit-Limit": "10000"}, "6,100 of 10,000 calls left"), ({"x-ratelimit-remaining": "7"}, "7 calls left"),
        ({"x-ratelimit-remaining": "99, 99;w=60", "x-ratelimit-limit": "100;w=60"}, "99 of 100 calls left"), ({}, ""), ({"x-ratelimit-remaining": "many"}, ""),
        ({"x-ratelimit-remaining": "1" * 40}, ""), ({"x-ratelimit-limit": "5"}, ""), ({"x-ratelimit-remaining": "-1"}, ""),
    ],
)  # fmt: skip
def test_what_is_left_of_a_limit_is_told_by_its_usual_headers(headers, words):
    assert quota.left(headers) == words
