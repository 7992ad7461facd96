"""Which calls one pull makes: windows of days in the partner's time zone, and the dialect of each call."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from checks.feeds.pages import START, asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.feeds.pages import Place
    from checks.feeds.preset import Preset, Window
    from data.config.settings import Feed

DAY = timedelta(days=1)
UNIX = "unix"
"""A window's format for platforms that take seconds since 1970."""
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request. The URL, `params`, `headers` and `content` may hold secrets: none is ever logged or stored."""

    url: str = field(repr=False)
    params: tuple[tuple[str, str], ...] = field(repr=False)
    headers: dict[str, str] = field(repr=False, default_factory=dict)
    first: date | None = None
    last: date | None = None
    method: str = "GET"
    content: bytes | None = field(repr=False, default=None)


def days(feed: Feed, preset: Preset, now: datetime) -> tuple[date, date]:
    """First and last day to read, both inclusive: today in the partner's zone and the days before it."""
    newest = newest_day(preset, now)
    return newest - (max(feed.days, 1) - 1) * DAY, newest


def newest_day(preset: Preset, now: datetime) -> date:
    """Today in the partner's zone, or yesterday where the running day may not be asked for."""
    today = now.astimezone(preset.zone).date()
    return today if preset.window.today else today - DAY


def windows(first: date, last: date, window: Window) -> list[tuple[date, date]]:
    """The days cut into what one call may ask for; a call never crosses a month where that is refused."""
    found: list[tuple[date, date]] = []
    while first <= last:
        end = min(last, first + (max(window.max_days, 1) - 1) * DAY)
        if window.same_month and (end.year, end.month) != (first.year, first.month):
            end = _month_end(first)
        found.append((first, end))
        first = end + DAY
    return found


def _month_end(day: date) -> date:
    return (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY


def call(
    feed: Feed, preset: Preset, secret: str, first: date, last: date, place: Place = START, token: str = ""
) -> Call:
    """The request for `first..last`, both inclusive; an exclusive platform is asked for one day more.

    `token` is what a token endpoint gave for the secret, where the platform has one.
    """
    names = _names(feed, preset, first, last)
    paged = asked(preset.paging, place)
    params = [(key, filled(value, names)) for key, value in preset.request.params]
    headers = {key: filled(value, names) for key, value in preset.request.headers.items()}
    headers |= {"Accept-Encoding": "gzip", **authorization(preset, token or secret)}
    if preset.paging.where == "query":
        params += [(name, str(value)) for name, value in paged]
    if preset.auth.kind == "query":
        params.insert(0, (preset.auth.name, secret))
    path = filled(preset.request.path, {name: quote(value, safe="") for name, value in names.items()})
    content = None
    if preset.request.method == "POST":
        content = _content(preset, names, paged if preset.paging.where == "body" else ())
        headers.setdefault("Content-Type", "application/json")
    address = feed.base_url.rstrip("/") + path
    return Call(place.link or address, tuple(params) if not place.link else (), headers, first, last, preset.request.method, content)  # fmt: skip


def _names(feed: Feed, preset: Preset, first: date, last: date) -> dict[str, str]:
    end = last + DAY if preset.window.end == "exclusive" else last
    window = preset.window
    return {
        "from": _moment(first, window.format, preset),
        "to": _moment(end, window.end_format or window.format, preset),
        "currency": preset.currency,
        "account": feed.account,
        "timezone": preset.timezone,
    }


def _moment(day: date, form: str, preset: Preset) -> str:
    if form == UNIX:
        return str(int(datetime.combine(day, time(), preset.zone).timestamp()))
    return day.strftime(form)


def filled(text: str, names: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced; braces that are none stay as they are."""
    return _PLACEHOLDER.sub(lambda found: names.get(found[1], found[0]), text)


def filled_json(document: object, names: Mapping[str, str]) -> object:
    """A JSON document with the placeholders of its strings replaced."""
    if isinstance(document, str):
        return filled(document, names)
    if isinstance(document, list):
        return [filled_json(item, names) for item in document]
    if isinstance(document, dict):
        return {key: filled_json(value, names) for key, value in document.items()}
    return document


def _content(preset: Preset, names: Mapping[str, str], paged: tuple[tuple[str, int | str], ...]) -> bytes:
    document = filled_json(msgspec.json.decode(preset.request.body or "{}"), names)
    for name, value in paged:
        _put(document, name.split("."), value)
    return msgspec.json.encode(document)


def _put(document: object, steps: list[str], value: object) -> None:
    """Set a value at a dotted path of objects; what is missing on the way is made."""
    for step in steps[:-1]:
        document = document.setdefault(step, {}) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document[steps[-1]] = value


def authorization(preset: Preset, secret: str) -> dict[str, str]:
    """The header that carries `secret`: a key, a token or Basic credentials."""
    auth = preset.auth
    if auth.kind in {"header", "session"}:
        return {auth.name: auth.format.replace("{secret}", secret)}
    if auth.kind == "basic":
        return basic(secret)
    return {"Authorization": f"Bearer {secret}"} if auth.kind in {"oauth_cc", "oauth_pw"} else {}


def basic(credentials: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
