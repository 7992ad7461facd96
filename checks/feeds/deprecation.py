"""Announcements in response headers: Deprecation (RFC 9745), Sunset (RFC 8594), `Warning: 299`, older drafts."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from checks.feeds.drift import BREAKING, HARMLESS, RISKY, Change
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Mapping


def announced(headers: Mapping[str, str], now: datetime) -> list[Change]:
    """A change of kind `endpoint-deprecated` for each header that announces an end.

    An announcement is risky, an end that has passed is breaking; `Deprecation: false` of the old drafts is nothing.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    found: list[Change] = []
    deprecated, sunset, warning = lower.get("deprecation", ""), lower.get("sunset", ""), lower.get("warning", "")
    if deprecated and deprecated.strip().lower() not in {"false", "?0"}:
        found.append(_change("Deprecation", RISKY, _date_words(deprecated)))
    if sunset:
        ends = _moment(sunset)
        severity = BREAKING if ends and ends <= now else RISKY
        found.append(_change("Sunset", severity, _date_words(sunset)))
    if warning.lstrip().startswith("299"):
        severity = RISKY if "deprecat" in warning.lower() or "sunset" in warning.lower() else HARMLESS
        found.append(_change("Warning", severity, warning))
    return found


def _change(header: str, severity: str, words: str) -> Change:
    return Change("endpoint-deprecated", header, severity, "not announced", redact(clean_text(words, 120)), 0, 1)


def _moment(value: str) -> datetime | None:
    """`@1735689600` of RFC 9745, or an HTTP date."""
    text = value.strip()
    try:
        if text.startswith("@"):
            return datetime.fromtimestamp(int(text[1:]), UTC)
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date_words(value: str) -> str:
    moment = _moment(value)
    return f"{moment:%Y-%m-%d}" if moment else value
