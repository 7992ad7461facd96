"""What a cell of the inventory may hold, one column at a time, for values that come from elsewhere."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from data.config.inventory import OPTIONAL, REQUIRED
from data.config.table import is_country
from data.config.units import parse_duration
from data.config.urls import origin_fault
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = {kind: (*REQUIRED[kind], *OPTIONAL[kind]) for kind in (TargetKind.SITE, TargetKind.LINK)}

_STATUSES = re.compile(r"[1-5]\d\d(;[1-5]\d\d)*", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2})?")
_YES_NO = frozenset({"1", "true", "yes", "y", "0", "false", "no", "n"})


def _seconds(text: str) -> float | None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return None
    return seconds if seconds <= 400 * 86_400.0 else None


def _is_plain(value: str) -> bool:
    return "," not in value and "=" not in value


_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "tier": (lambda value: value in {"1", "2", "3"}, "is not 1, 2 or 3"),
    "geo": (is_country, "is not a country code"),
    "interval": (lambda value: (_seconds(value) or 0.0) >= 1.0, "is not a duration of at least 1s"),
    "slow": (lambda value: _seconds(value) is not None, "is not a duration"),
    "status": (lambda value: _STATUSES.fullmatch(value) is not None, "is not a list of HTTP statuses"),
    "paused": (lambda value: value.lower() in _YES_NO, "is neither yes nor no"),
    "device": (lambda value: value.lower() in {"desktop", "mobile"}, "is neither desktop nor mobile"),
    "depth": (lambda value: value.isascii() and value.isdigit() and int(value[:3]) <= 10, "is not 0 to 10"),
    "locale": (lambda value: _LOCALE.fullmatch(value) is not None, "is not a language"),
    "origin": (lambda value: not origin_fault(value), "is not HOST or HOST:PORT"),
    **dict.fromkeys(("offer", "project", "site", "partner"), (_is_plain, "holds a comma or =")),
}


@lru_cache(maxsize=4_096)
def cell_fault(column: str, value: str) -> str:
    """What is wrong with a value that is not empty, as the end of a sentence; empty when the inventory takes it."""
    good, words = _RULES.get(column, (bool, ""))
    return "" if good(value) else words
