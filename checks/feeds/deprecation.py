"""Announcements in response headers: Deprecation (RFC 9745), Sunset (RFC 8594), `Warning: 299`, older drafts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from checks.feeds.change import Change
from checks.feeds.kinds import BREAKING, HARMLESS, RISKY
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Mapping


_LINK = re.compile(r"<([^<>]{1,400})>\s*;[^,<]{0,200}?\brel\s*=\s*\"?(deprecation|sunset)\b", re.IGNORECASE)


def announced(headers: Mapping[str, str], now: datetime) -> list[Change]:
    """A change of kind `endpoint-deprecated` for each header that announces an end.

    An announcement is risky, an end that has passed is breaking; `Deprecation: false` of the old drafts is nothing.
    `X-Deprecation` and the like are read as the header they stand for, and a link of relation `deprecation` or
    `sunset` (RFC 9745, 3) announces where no such header does.
    """
    lower = {name.lower().removeprefix("x-").removeprefix("api-"): value for name, value in headers.items()}
    found: list[Change] = []
    deprecated, sunset = lower.get("deprecation", "") or lower.get("deprecated", ""), lower.get("sunset", "")
    warning, link = lower.get("warning", ""), _LINK.search(lower.get("link", ""))
    if deprecated and deprecated.strip().lower() not in {"false", "?0", "0", "no"}:
        found.append(_change("Deprecation", RISKY, _date_words(deprecated, now)))
    if sunset:
        ends = _moment(sunset)
        severity = BREAKING if ends and ends <= now else RISKY
        found.append(_change("Sunset", severity, _date_words(sunset, now)))
    if link and not found:
        found.append(_change("Link", RISKY, f"{link.group(2).lower()}: {link.group(1)}"))
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


def _date_words(value: str, now: datetime) -> str:
    """The day, and how far it is."""
    moment = _moment(value)
    if moment is None:
        return value
    days = (moment - now).days
    return f"{moment:%Y-%m-%d}, " + (f"in {days} days" if days > 0 else "today" if days == 0 else f"{-days} days ago")
