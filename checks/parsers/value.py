"""Typed reading of the short texts that pages show: numbers, dates, URLs and positions in the notations of many countries."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from checks.parsers.spec import FieldKind

_NUMBER = re.compile(r"[-+−]?\d(?:[\d.,'’\s]*\d)?")
_GROUPS = re.compile(r"[\s'’]")
_MONTHS = (
    "jan|feb|mar|mär|mrz|apr|may|mai|maj|jun|jul|aug|sep|oct|okt|nov|dec|dez|"
    "янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек|ene|abr|ago|dic|fév|avr|juin|juil|août|déc|gen|mag|giu|lug|set|ott|fev|out"
)
_DATE = re.compile(
    r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b|\d{4}年\d{1,2}月|"
    rf"\b\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:de\s+)?(?:{_MONTHS})|\b(?:{_MONTHS})\w*\.?\s+\d{{1,2}}\b|"
    rf"\b(?:{_MONTHS})\w*\.?\s+\d{{4}}\b|"
    r"\b\d+\s+(?:sec|min|hour|day|week|month|year)\w*\s+ago\b|\bvor\s+\d+\s+\w+|\bhace\s+\d+\s+\w+|\bil y a\s+\d+|"
    r"\b\d+\s+\w+\s+назад|\b(?:today|yesterday|heute|gestern|вчера|сегодня)\b|\bP\d*T?\d",
    re.IGNORECASE,
)

_ADDRESS_CHARS = 120
_ADDRESS = re.compile(r"(?:https?://\S+|(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,12}(?:/\S*)?)(?:\s*(?:[›»>].*)?)$")


def is_valid(kind: FieldKind, text: str, base: str = "") -> bool:
    """Whether `text` is a value of `kind`; any non-empty text is text."""
    if kind is FieldKind.URL:
        return is_url(text, base)
    if kind is FieldKind.NUMBER:
        return number_of(text) is not None
    if kind is FieldKind.DATE:
        return bool(_DATE.search(text))
    if kind is FieldKind.POSITION:
        return text.strip(" .#").isdecimal()
    return bool(text.strip())


def is_url(text: str, base: str = "") -> bool:
    """An http(s) URL, or a relative one written as a link writes it: `/path`, `?query`, `page.html`; never free text."""
    text = text.strip()
    if not text:
        return False
    try:
        parts = urlsplit(urljoin(base or "http://page.invalid/", text))
    except ValueError:
        return False
    relative = not urlsplit(text).scheme
    shaped = not relative or (("/" in text or "." in text or text[0] == "?") and not any(map(str.isspace, text)))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and shaped


def is_address(text: str) -> bool:
    """Whether `text` is an address as pages show one: `https://host/path`, `host.example`, `www.host.example > path`."""
    return len(text) <= _ADDRESS_CHARS and bool(_ADDRESS.match(text))


def number_of(text: str) -> float | None:
    """The first number in `text`, whichever way it groups thousands; `None` where there is none.

    The last of `.` and `,` is the decimal mark, unless it is followed by exactly three digits and stands alone of its
    kind with no other mark: `1.234` and `1,234` are thousands.
    """
    found = _NUMBER.search(text)
    if not found:
        return None
    digits = _GROUPS.sub("", found[0]).replace("−", "-")
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        group, mark = (".", ",") if comma > dot else (",", ".")
        digits = digits.replace(group, "").replace(mark, ".")
    elif comma >= 0 or dot >= 0:
        mark = "," if comma >= 0 else "."
        whole, _, rest = digits.rpartition(mark)
        grouped = mark in whole or (len(rest) == 3 and whole.lstrip("+-") not in {"", "0"})
        digits = digits.replace(mark, "" if grouped else ".")
    try:
        return float(digits)
    except ValueError:
        return None
