"""What a string looks like: classes of numbers, dates and text. Ambiguous dates stay ambiguous."""

from __future__ import annotations

import re
from functools import lru_cache

EMPTY, TEXT = "empty", "text"
INTEGER, DECIMAL = "integer", "decimal"
PLAIN_NUMBERS = frozenset({INTEGER, DECIMAL})
ODD_NUMBERS = frozenset({"decimal-comma", "grouped", "money-sign"})
ANY_ORDER = "date ?/?/yyyy"

_SIGN = "[€$£¥₹]|R\\$|EUR|USD|GBP|CHF|PLN|CZK|RON|SEK|NOK|DKK|BRL|MXN|CAD|AUD|NZD|JPY|INR|ZAR|USDT|BTC"

_CLASSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.ASCII))
    for name, pattern in (
        (INTEGER, r"[+-]?\d{1,18}"),
        (DECIMAL, r"[+-]?(\d{1,18}\.\d{0,12}|\.\d{1,12})([eE][+-]?\d{1,3})?"),
        ("date yyyy-mm-dd", r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])"),
        ("datetime utc", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]00:?00)"),
        ("datetime offset", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?[+-]\d\d:?\d\d"),
        ("datetime naive", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"),
        ("date yyyy/mm/dd", r"\d{4}/\d\d?/\d\d?"),
        ("decimal-comma", r"[+-]?\d{1,3}(\.\d{3})*,\d{1,2}|[+-]?\d+,\d{1,2}"),
        ("grouped", r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d{1,3}( \d{3})+([.,]\d+)?"),
        ("money-sign", rf"[+-]?({_SIGN})\s?-?\d[\d.,]*|-?\d[\d.,]*\s?({_SIGN})"),
        ("percent", r"[+-]?\d+([.,]\d+)?\s?%"),
        ("boolean", r"(?i:true|false)"),
        ("uuid", r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        ("url", r"https?://\S+"),
    )
)
_SPLIT_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(?:[ T]\d\d?:\d\d.*)?")


@lru_cache(maxsize=16384)
def format_of(text: str) -> str:
    """The class of one string; `text` when it is none of them."""
    stripped = text.strip()
    if not stripped:
        return EMPTY
    if len(stripped) > 64:
        return TEXT
    for name, pattern in _CLASSES:
        if pattern.fullmatch(stripped):
            return name
    return _split_date(stripped)


def _split_date(text: str) -> str:
    """`dd/mm` or `mm/dd` where a part above 12 proves it, else the ambiguous class."""
    match = _SPLIT_DATE.fullmatch(text)
    if not match:
        return TEXT
    first, mark, second = int(match.group(1)), match.group(2), int(match.group(3))
    if mark == "." and 1 <= second <= 12:
        return "date dd.mm.yyyy"
    if 12 < first <= 31 and 1 <= second <= 12:
        return "date dd/mm/yyyy"
    if 12 < second <= 31 and 1 <= first <= 12:
        return "date mm/dd/yyyy"
    return ANY_ORDER if first <= 12 and second <= 12 else TEXT


def is_date(name: str) -> bool:
    return name.startswith("date")


def same_family(one: str, other: str) -> bool:
    """Whether a reader of `one` also reads `other`: decimals include integers, `?/?/yyyy` fits both orders."""
    if one == other or {one, other} <= PLAIN_NUMBERS:
        return True
    slashed = {ANY_ORDER, "date dd/mm/yyyy", "date mm/dd/yyyy"}
    return ANY_ORDER in {one, other} and {one, other} <= slashed
