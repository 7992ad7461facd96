"""Times of day as people write them: `09:00`, `22:00-07:00`."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.config.table import Table

_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_AT = re.compile(_TIME)
_SPAN = re.compile(rf"({_TIME})\s*-\s*({_TIME})")


def time_of_day(table: Table, key: str, default: time) -> time:
    text = table.text(key)
    if not text:
        return default
    if _AT.fullmatch(text):
        return time.fromisoformat(text)
    table.wrong(key, "is not a time of day", value=text, allowed='"HH:MM", such as "09:00"')
    return default


def span_of_day(table: Table, key: str) -> tuple[time, time] | None:
    """From and until; over midnight where the second is the earlier."""
    text = table.text(key)
    found = _SPAN.fullmatch(text)
    if found and found[1] != found[2]:
        return time.fromisoformat(found[1]), time.fromisoformat(found[2])
    if text:
        table.wrong(key, "is no part of a day", value=text, allowed='"HH:MM-HH:MM", such as "22:00-07:00"')
    return None
