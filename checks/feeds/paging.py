"""Whether the pages of one report are all of it, and each record on one of them only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from checks.feeds.change import Change
from checks.feeds.kinds import BREAKING, RISKY

MANY = 3
"""Pages from which it is no accident that every one of them is full."""
OVERLAP = 0.02


def pages(keys: Sequence[Sequence[Hashable]], size: int, total: int | None, usual_rows: int | None) -> list[Change]:
    """Changes of a report by pages: `keys` are each page's record keys in order, `size` what was asked for a page.

    1. A last page that is exactly full says that there was more, or nothing: it counts when the report announced more,
    when it usually had more (`usual_rows`), or when three pages or more were all full and nothing came after them. An
    empty last page is the proof that all was read. 2. A key on two pages is a page that moved while it was read.
    """
    filled = [len(page) for page in keys]
    rows = sum(filled)
    found = []
    fewer = total is not None and rows < total
    full = bool(size) and bool(filled) and all(count == size for count in filled) and (total is None or fewer)
    usually_more = usual_rows is not None and rows < 0.9 * usual_rows
    if fewer or (full and (usually_more or len(filled) >= MANY)):
        severity = BREAKING if fewer or usually_more else RISKY
        was = f"{total} rows" if fewer else f"{usual_rows} rows" if usual_rows else "a page that is not full"
        now = f"{rows} rows on {len(filled)} pages" + (f", each exactly {size}" if full else "")
        found.append(Change("paging-truncated", "", severity, was, now, usual_rows or total or 0, rows))
    places = Counter(key for page in keys for key in set(page))
    twice = sum(1 for count in places.values() if count > 1)
    if twice:
        severity = BREAKING if twice >= OVERLAP * rows else RISKY
        found.append(Change("pages-overlap", "", severity, "each record once", f"{twice} on two pages", rows, rows))
    return found
