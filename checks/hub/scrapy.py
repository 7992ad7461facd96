"""The statistics that a scrapy crawl ends with, as one pushed run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

ITEMS = "item_scraped_count"
_RESPONSES = "downloader/response_count"
_STATUS = "downloader/response_status_count/"
_ERRORS = "log_count/ERROR"
_REFUSED = ("401", "403", "429", "503")
_FINE = ("", "finished")
_COUNT = re.compile(r"(?:spidermon_item_scraped_count/[^/]+|item_field_count|field_count|fields)/(.+)")
"""Counts of items that have a field: spidermon's, and how one's own extensions usually name them."""


def is_stats(given: dict[str, Any]) -> bool:
    """Whether a JSON object is a crawl's statistics and no run line."""
    return "items" not in given and any(key in given for key in (ITEMS, "finish_reason", _RESPONSES))


def run_of_stats(given: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A run line: when the crawl ended, its items, which had which field, and what went wrong with it.

    Fields without a single value are not in the statistics at all: the line says that its fields are sparse.
    """
    items = given.get(ITEMS, 0)
    fields = {found[1]: {"n": count} for key, count in given.items() if (found := _COUNT.fullmatch(key)) and items}
    line = {
        "at": _time(given.get("at") or given.get("finish_time")) or now,
        "items": items,
        "fields": fields,
        "duration": given.get("elapsed_time_seconds"),
        "error": _error(given),
        "sparse": bool(fields) or not items,
    }
    return line | {key: given[key] for key in ("parser", "url", "geo") if key in given}


def _time(text: object) -> datetime | None:
    """Scrapy writes UTC without saying so."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _error(given: dict[str, Any]) -> str:
    parts = []
    refused = {code: given[_STATUS + code] for code in _REFUSED if isinstance(given.get(_STATUS + code), int)}
    answers = given.get(_RESPONSES)
    if isinstance(answers, int) and sum(refused.values()) * 2 > answers:
        parts.append(
            f"HTTP {max(refused, key=lambda code: refused[code])} on {sum(refused.values())} of {answers} pages"
        )
    reason = given.get("finish_reason", "")
    if reason not in _FINE:
        parts.append(f"ended as {reason}")
    if given.get(_ERRORS):
        parts.append(f"{given[_ERRORS]} errors in its log")
    return ", ".join(parts)
