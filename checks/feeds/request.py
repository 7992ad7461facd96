"""Which calls one pull makes: windows of days in the partner's time zone, and the dialect of each call."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.feeds.preset import Preset, Window
    from data.config.settings import Feed

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `params` and `headers` hold secrets: neither is ever logged or stored."""

    url: str
    params: tuple[tuple[str, str], ...]
    headers: dict[str, str] = field(repr=False, default_factory=dict)
    first: date | None = None
    last: date | None = None


def days(feed: Feed, preset: Preset, now: datetime) -> tuple[date, date]:
    """First and last day to read, both inclusive: today in the partner's zone and the days before it."""
    today = now.astimezone(preset.zone).date()
    return today - (max(feed.days, 1) - 1) * DAY, today


def windows(first: date, last: date, window: Window) -> list[tuple[date, date]]:
    """The days cut into what one call may ask for; a call never crosses a month where that is refused."""
    found: list[tuple[date, date]] = []
    while first <= last:
        end = min(last, first + (max(window.max_days, 1) - 1) * DAY)
        if window.same_month and end.month != first.month:
            end = end.replace(day=1) - DAY if (end.year, end.month) == _next_month(first) else _month_end(first)
        found.append((first, end))
        first = end + DAY
    return found


def _next_month(day: date) -> tuple[int, int]:
    return (day.year + day.month // 12, day.month % 12 + 1)


def _month_end(day: date) -> date:
    year, month = _next_month(day)
    return date(year, month, 1) - DAY


def call(feed: Feed, preset: Preset, secret: str, first: date, last: date, page: int = 0) -> Call:
    """The request for `first..last`, both inclusive; an exclusive platform is asked for one day more."""
    end = last + DAY if preset.window.end == "exclusive" else last
    names = {
        "from": first.strftime(preset.window.format),
        "to": end.strftime(preset.window.format),
        "currency": preset.currency,
        "account": feed.account,
    }
    params = [(key, value.format_map(names)) for key, value in preset.request.params]
    if preset.paging.kind != "none":
        params.append((preset.paging.param, str(preset.paging.first + page)))
        if preset.paging.size_param:
            params.append((preset.paging.size_param, str(preset.paging.size)))
    headers = {**preset.request.headers, "Accept-Encoding": "gzip"}
    if preset.auth.kind == "query":
        params.insert(0, (preset.auth.name, secret))
    elif preset.auth.kind != "oauth_cc":
        headers |= authorization(preset, secret)
    return Call(feed.base_url.rstrip("/") + preset.request.path, tuple(params), headers, first, last)


def authorization(preset: Preset, secret: str) -> dict[str, str]:
    """The header that carries `secret`: a key, a token or Basic credentials."""
    if preset.auth.kind == "header":
        return {preset.auth.name: preset.auth.format.format(secret=secret)}
    if preset.auth.kind == "basic":
        return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    if preset.auth.kind == "oauth_cc":
        return {"Authorization": f"Bearer {secret}"}
    return {}
