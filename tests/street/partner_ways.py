"""What the dialects of several partners share: an application of a few paths, pages of rows, and what is missing in a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.street.partners import days

T = TypeVar("T")
Json = dict[str, Any]
Answer = Callable[[Request], Awaitable[Response]]


def api(**paths: Answer) -> Starlette:
    """An application that answers both GET and POST: `api(**{"/report": report})`."""
    return Starlette(routes=[Route(path, answer, methods=["GET", "POST"]) for path, answer in paths.items()])


def missing(asked: Mapping[str, object], *names: str) -> str:
    """The first parameter that should be in a call and is not."""
    return next((name for name in names if name not in asked), "")


def page_of(rows: Sequence[T], first: int, size: int) -> list[T]:
    """`size` rows from place `first` (0 is the first)."""
    return list(rows[first : first + size])


def exclusive(first: str, end: str) -> list[date]:
    """ISO days from `first` up to and without `end`; times after the day are ignored."""
    return days(first[:10], (date.fromisoformat(end[:10]) - timedelta(1)).isoformat())
