from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.expiry import expiring, moment, token_end

from .conftest import CALM

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
END = datetime(2026, 11, 20, 9, tzinfo=UTC)


def token(**claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part(claims)}.c2lnbmF0dXJl"


def test_a_json_web_token_says_itself_when_it_ends():
    assert token_end(token(sub="4711", exp=int(END.timestamp()))) == END
    assert token_end("Bearer " + token(exp=int(END.timestamp()))) == END
    assert token_end(token(sub="4711")) is None


@pytest.mark.parametrize(
    "secret",
    ["", "s3cret", "a.b.c", "aaaa.!!!!.cccc", token(exp="x"), token(exp=True), token(exp=1e400), token(exp=-5)],
)
def test_other_secrets_say_nothing(secret):
    assert token_end(secret) is None


@CALM
@given(st.text() | st.binary(max_size=60).map(lambda raw: f"aaaa.{base64.urlsafe_b64encode(raw).decode()}.cccc"))
def test_no_secret_is_too_odd_to_be_read(secret):
    found = token_end(secret)
    assert found is None or found.tzinfo


def test_a_date_from_the_configuration_is_utc():
    assert moment("2026-11-20") == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "severity", "words"),
    [
        (timedelta(days=40), None, ""),
        (timedelta(days=20), "harmless", "ends in 20 days"),
        (timedelta(days=6), "risky", "ends in 6 days"),
        (timedelta(hours=20), "breaking", "ends in 20 h"),
        (-timedelta(hours=3), "breaking", "ended 3 h ago"),
    ],
)
def test_the_countdown_grows_louder(left, severity, words):
    found = expiring("affilka-main", NOW + left, NOW)
    assert (found.severity if found else None) == severity
    if found:
        assert found.kind == "credential-expires"
        assert found.path == "affilka-main"
        assert found.now.startswith(words)
    assert expiring("x", None, NOW) is None
