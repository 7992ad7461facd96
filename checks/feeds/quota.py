"""What a platform says is left of its limit, in the words of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def left(headers: Mapping[str, str]) -> str:
    """`6,100 of 10,000 calls left` by the usual headers; empty where they are not there, or are no counts."""
    lower = {name.lower(): value for name, value in headers.items()}
    remaining, limit = (_count(lower.get(f"x-ratelimit-{name}", "")) for name in ("remaining", "limit"))
    if remaining is None:
        return ""
    return f"{remaining:,} of {limit:,} calls left" if limit else f"{remaining:,} calls left"


def _count(text: str) -> int | None:
    """The first number of `100` or `100, 100;w=60`."""
    head = text.partition(",")[0].partition(";")[0].strip()
    return int(head) if head.isascii() and head.isdigit() and len(head) < 10 else None
