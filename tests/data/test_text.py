from __future__ import annotations

import base64
import json
import logging
import unicodedata
from io import StringIO
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.text import MASK, RedactingFilter, cells, clean_text, redact, register_secret

HOSTILE = [
    ("plain", "plain"),
    ("\x1b]52;c;cm0gLXJm\x07", "␛]52;c;cm0gLXJm␇"),
    ("\x1b[2J\x1b[Hgone", "␛[2J␛[Hgone"),
    ("a\x9b31mb", "a�31mb"),
    ("safe\u202efdp.exe", "safe�fdp.exe"),
    ("iso\u2066late\u2069d", "iso�late�d"),
    ("zero\u200bwidth\ufeff \u2060j", "zerowidth j"),
    ("  two\r\n\tlines\u2028three  ", "two lines three"),
    ("lone\ud800half", "lone�half"),
    ("nul\x00del\x7f", "nul␀del␡"),
    ("tag\U000e0041s", "tags"),
    ("z" + "\u0301" * 40 + "algo", "z\u0301\u0301algo"),
    ("日本語", "日本語"),
]


@pytest.mark.parametrize(("foreign", "shown"), HOSTILE)
def test_foreign_text_becomes_one_harmless_line(foreign, shown):
    assert clean_text(foreign) == shown


@given(st.text(st.characters(codec=None), max_size=200), st.integers(1, 60))
def test_whatever_comes_in_fits_its_cells_and_holds_nothing_a_terminal_obeys(foreign, limit):
    shown = clean_text(foreign, limit)
    assert cells(shown) <= limit
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u200b\u200d\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert clean_text(shown, limit) == shown


def test_long_text_is_cut_with_an_ellipsis_at_its_cells():
    assert clean_text("x" * 1000) == "x" * 299 + "…"
    assert clean_text("漢" * 10, 8) == "漢漢漢…"
    assert clean_text("x" * 50_000_000, 5) == "xxxx…"


REDACTED = [
    ("https://u:p@ss@host/x", f"https://{MASK}@host/x"),
    ("//token@host/", f"//{MASK}@host/"),
    ("/r?key=abc&btag=77", f"/r?key={MASK}&btag=77"),
    ("/r?API_KEY=abc#top", f"/r?API_KEY={MASK}#top"),
    ("/r?x_api-key=abc;page=2", f"/r?x_api-key={MASK};page=2"),
    ("?cwauth-token=a.b-c&apipassword=zz", f"?cwauth-token={MASK}&apipassword={MASK}"),
    ("/c?monkey=1&keyword=casino&author=me", "/c?monkey=1&keyword=casino&author=me"),
    ("to?u=https%3A%2F%2Fx%2F%3Ftoken%3Dabc%26b%3D1", f"to?u=https%3A%2F%2Fx%2F%3Ftoken%3D{MASK}%26b%3D1"),
    ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
    ("sent Bearer eyJhbGci.x.y back", f"sent Bearer {MASK} back"),
    ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {MASK}"),
    ("basic authentication failed", "basic authentication failed"),
    ("X-Api-Key: 77aa, Accept: */*", f"X-Api-Key: {MASK}, Accept: */*"),
    ('{"client_secret": "ab\\"c", "day": "x"}', f'{{"client_secret": "{MASK}", "day": "x"}}'),
    ('"{\\"token\\": \\"abc\\", \\"day\\": 1}"', f'"{{\\"token\\": \\"{MASK}\\", \\"day\\": 1}}"'),
    ("{'Authorization': 'abcdef'}", f"{{'Authorization': '{MASK}'}}"),
    ("password=Bearer abc&x=1", f"password={MASK}&x=1"),
    ("mail ops@corvane.example", "mail ops@corvane.example"),
]


@pytest.mark.parametrize(("text", "shown"), REDACTED)
def test_secret_looking_values_are_masked_and_nothing_else(text, shown):
    assert redact(text) == shown


CANARY = 'c4n"ary/ß\\+sécret 77'


def spellings(value):
    raw = value.encode()
    yield from (value, quote(value), quote(value, safe=""), quote_plus(value), quote(value, safe="").lower())
    yield from (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value), raw.hex())
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())


def test_a_known_secret_is_masked_in_every_spelling():
    register_secret(CANARY)
    for spelled in spellings(CANARY):
        masked = redact(f"before {spelled} after")
        assert MASK in masked
        assert "77" not in masked.replace(MASK, "")


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_a_known_secret_is_masked_inside_base64_of_something_longer(before, after):
    register_secret("canary-secret-0123456789")
    encoded = base64.b64encode(before + b"canary-secret-0123456789" + after).decode()
    assert MASK in redact(encoded)


@given(st.text(max_size=80))
def test_redacting_twice_changes_nothing(text):
    assert redact(redact(text)) == redact(text)


def test_both_halves_of_an_id_and_secret_pair_are_known():
    register_secret("client-4711:sup3rsecretvalue")
    assert redact("got sup3rsecretvalue!") == f"got {MASK}!"


def test_of_a_url_that_is_a_secret_the_tokens_are_known_and_the_host_is_not():
    register_secret("json://ops:pa55word@alerts.example:8443/hook/T0kenT0kenT0ken?to=ana@x.example")
    assert redact("https://alerts.example:8443/ and 127.0.0.1:8443 ana@x.example") == (
        "https://alerts.example:8443/ and 127.0.0.1:8443 ana@x.example"
    )
    assert redact("T0kenT0kenT0ken pa55word") == f"{MASK} {MASK}"
    register_secret("json://127.0.0.1:8444/x")
    register_secret("mailto://127.0.0.1:2525?from=losswatch@x.example&to=ana@x.example")
    assert redact("http://127.0.0.1:9/") == "http://127.0.0.1:9/"


def test_a_value_too_short_to_be_a_secret_masks_nothing():
    register_secret("ab")
    assert redact("about") == "about"


def logged(write):
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("test-redaction")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        write(logger)
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


def test_a_traceback_in_the_log_holds_no_secret_and_no_escape():
    register_secret("canary-secret-0123456789")

    def write(logger):
        try:
            int("canary-secret-0123456789 \x1b[2J")
        except ValueError:
            logger.exception("pull of %s failed", "https://u:p@h/?key=1")

    text = logged(write)
    assert "ValueError" in text
    assert "canary-secret" not in text
    assert "\x1b" not in text
    assert "u:p" not in text


def test_a_message_whose_arguments_do_not_fit_is_still_logged_without_its_secret():
    assert "canary" not in logged(lambda logger: logger.warning("%d %d", "token=canary"))  # noqa: PLE1206  # the mistake under test
