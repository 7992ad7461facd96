"""Presets: what one platform's connector is, as data. `presets/*.toml` hold them; a feed's options adapt one account."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from data.errors import ConfigError
from data.model.cause import CAUSES

if TYPE_CHECKING:
    from collections.abc import Collection

_DURATION = re.compile(r"(\d+)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PLACEHOLDERS = ("from", "to", "currency", "account", "timezone")
SOURCES = ("http", "folder", "log", "push")
"""Asked for over HTTP; files dropped into a folder; lines added to a file; calls that come to us."""
AUTHS = ("none", "header", "query", "basic", "oauth_cc", "oauth_pw", "session")
PAGINGS = ("none", "page", "offset", "row", "cursor")
FORMATS = ("json", "ndjson", "csv", "xml")
PIVOTS = ("", "cells", "columns")


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str = "none"
    """none | header | query | basic | oauth_cc (client credentials) | oauth_pw (password grant) | session (a token asked for with the key)"""
    name: str = "Authorization"
    format: str = "{secret}"
    path: str = ""
    """oauth_*, session: where the token is asked for; below the base URL, or a whole URL."""
    scope: str = ""
    token: str = "access_token"  # noqa: S105  # a path, no secret
    """oauth_*, session: path of the token in the answer."""
    ttl: str = "1h"
    """How long a token lives when the answer does not say."""
    form: tuple[tuple[str, str], ...] = ()
    """oauth_*: more fields of the token request, as `client_id`; their values and the scope may use {account}, and {client} {client_secret} of a
    secret `client:client_secret:user:password`."""
    body: str = '{"key": "{secret}"}'
    """session: the JSON document posted for a token; its strings may use {secret}, or its halves {user} and {password}."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params, header values and the body may use {from} {to} {currency} {account} {timezone}; the path {from} {to} {account}."""

    path: str = "/"
    method: str = "GET"
    """GET | POST"""
    params: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    body: str = ""
    """POST: a JSON document, its strings with the same placeholders."""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str = "%Y-%m-%d"
    """strftime format; `unix`: seconds since 1970."""
    end_format: str = ""
    """For platforms that take times: `%Y-%m-%d 23:59`; empty: as `format`."""
    end: str = "inclusive"
    """inclusive | exclusive"""
    max_days: int = 31
    same_month: bool = False
    today: bool = True
    """Whether the running day may be asked for."""


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str = "none"
    """none | page (number) | offset (rows skipped) | row (number of the first row) | cursor (from the answer before)"""
    param: str = ""
    where: str = "query"
    """query | body"""
    first: int = 1
    size: int = 0
    size_param: str = ""
    cursor: str = ""
    """cursor: path, or `header:NAME`, of the next one in an answer; nothing there ends the pages. Without a `param` it is an address."""
    total: str = ""
    """Path, or `header:NAME`, of the number of rows (`pages:` before it: of pages) over all pages."""
    max_pages: int = 200


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    min_gap_s: float = 2.0
    """Between two calls of one account."""
    timeout_s: float = 30.0
    """Of one call, body included."""
    throttle: tuple[int, ...] = (429,)
    cool_s: float = 60.0
    """How long to wait after a throttle that names no time."""
    max_body: int = 16 * 1024 * 1024
    """Bytes after decompression."""


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    """json | ndjson | csv | xml"""
    path: str = ""
    """JSON: dotted path of the list. XML: name of the repeated element."""
    pivot: str = ""
    """cells: each row is a list of {name, value}; columns: a row's `columns` list of {column_type, label, id} becomes `columns.TYPE`."""
    section: str = ""
    """CSV: column that takes the name of a section's title line."""
    skip: str = ""
    """Rows whose day matches this regular expression are no rows: `Total`, `Grand total`, ..."""
    totals: str = ""
    """Path of the record of totals, to be compared with the sums of the rows."""
    day: str = "date"
    day_format: str = ""
    """strptime format; empty: ISO dates and `YYYY/MM/DD`; `unix`: seconds."""
    hour: str = ""
    """Path of the hour of day where the report is by hour; the same path as `day` for a timestamp."""
    currency: str = ""
    """Path of the row's own currency; empty: the account's."""
    id: str = ""
    """Where each record is one event: path of its own id. Read twice it counts once, and its time is a moment."""
    decimal: str = "."
    """CSV and texts: `.` or `,`."""


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    source: str = ""
    plus: tuple[str, ...] = ()
    """Paths whose figures are added to `from`: a result and its adjustments."""
    type: str = "count"
    """count | money"""
    unit: str = "major"
    """major | minor (hundredths)"""
    missing: str = "null"
    """null | zero: what a row without it says, where the platform leaves out zeros."""
    sum: tuple[str, ...] = ()
    """Other fields this one adds up, in place of `from`."""
    when: dict[str, tuple[str, ...]] = {}
    """Events: paths, each with the words of which it must hold one (`*`: any that is not empty); of any other record the field says 0.
    Without `from` the records themselves are counted."""


class Freshness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lag: str = "1h"
    cadence: str = "intraday"
    """intraday | next_day"""
    settle_days: int = 1
    """Age in days from which a day should only move within the envelope."""
    envelope: float = 0.04
    """Share a settled day's money may be lowered without a word."""
    final_days: int = 45
    """Age in days from which nothing should move any more."""


class Reject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that is no report although the status was good."""

    cause: str
    match: str = ""
    """Regular expression on the first 4,000 characters, or on the JSON value."""
    json: str = ""
    """Dotted path that a good body does not have."""
    html: bool = False
    empty: bool = False
    """A body without a character."""
    words: str = ""


class Postback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """push: names of the parameters of a call, and what its events are called."""

    click: str = "click_id"
    transaction: str = "tid"
    event: str = "event"
    status: str = "status"
    amount: str = "payout"
    currency: str = "currency"
    at: str = ""
    """When it happened; empty: nobody says."""
    usual: str = ""
    """What a call is about that names no event."""
    events: dict[str, str] = {}
    """Their word (lower case) to ours: registration | ftd | qftd | deposit | rejected | rebill."""


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """log: names of what stands in a line. One that a line does not have is empty."""

    at: str = "ts"
    """ISO with a zone, or in the preset's; seconds or milliseconds since 1970; or as web servers write it: 17/Nov/2026:14:03:22 +0000."""
    click: str = "click_id"
    site: str = "site"
    link: str = "placement"
    """Name of a link of the inventory."""
    partner: str = "partner"
    offer: str = "offer"
    brand: str = "brand"
    geo: str = "geo"
    device: str = "device"
    status: str = "status"
    host: str = "target_host"
    """Where the click was sent: a host or a whole address."""
    bot: str = "bot"
    pattern: str = ""
    """Lines that are neither JSON nor CSV: a regular expression whose groups have these names; `combined`: a web server's usual one."""
    columns: str = ""
    """CSV without a header: its columns, with commas between."""


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    platform: str
    rows: Rows = Rows("json")
    fields: dict[str, Field] = {}
    id: str = ""
    source: str = "http"
    """http | folder | log | push"""
    currency: str = "EUR"
    timezone: str = "UTC"
    """Of the report's days; where the request has {timezone}, the one asked for."""
    dims: dict[str, str] = {}
    """Canonical dimension to its path in a row."""
    required: tuple[str, ...] = ()
    """Fields without which a body is no report, from the first one on."""
    auth: Auth = Auth()
    request: Request = Request()
    window: Window = Window()
    paging: Paging = Paging()
    pace: Pace = Pace()
    freshness: Freshness = Freshness()
    postback: Postback = Postback()
    dialects: dict[str, Postback] = {}
    """push: other names and words, one for each kind of sender; the option `dialect` chooses."""
    log: Log = Log()
    reject: tuple[Reject, ...] = ()

    @property
    def lag_s(self) -> float:
        return seconds(self.freshness.lag)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def names() -> tuple[str, ...]:
    """Every preset that comes with losswatch."""
    return tuple(sorted(path.name.removesuffix(".toml") for path in _folder().iterdir() if path.name.endswith(".toml")))


def load(name: str) -> Preset:
    """The preset called `name`; raises `ConfigError` with the nearest name for an unknown one."""
    if name not in names():
        nearest = next(iter(difflib.get_close_matches(name, names(), 1)), "")
        raise ConfigError(
            "losswatch.toml", None, "no such preset", value=name, allowed=", ".join(names()), nearest=nearest
        )
    return parse(_folder().joinpath(f"{name}.toml").read_text("utf-8"), name)


@cache
def sources() -> dict[str, str]:
    """Every preset that comes with losswatch, and where its data come from: no more is read of each."""
    texts = {name: _folder().joinpath(f"{name}.toml").read_text("utf-8") for name in names()}
    return {name: str(tomllib.loads(text).get("source", "http")) for name, text in texts.items()}


def _folder() -> Path:
    return Path(str(files("checks.feeds"))) / "presets"


def parse(text: str, name: str) -> Preset:
    """A preset from TOML; raises `ConfigError` that names the key, the value and what is allowed."""
    file = f"{name}.toml"
    try:
        preset = msgspec.convert({**tomllib.loads(text), "id": name}, Preset)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(file, None, f"not valid TOML: {problem}") from None
    except msgspec.ValidationError as problem:
        raise ConfigError(file, None, str(problem)) from None
    validate(preset, file)
    return preset


def validate(preset: Preset, file: str) -> None:
    """Raises `ConfigError` for a word, a pattern or a combination that no connector understands."""
    for key, value, allowed in (
        ("source", preset.source, SOURCES),
        ("auth.kind", preset.auth.kind, AUTHS),
        ("request.method", preset.request.method, ("GET", "POST")),
        ("window.end", preset.window.end, ("inclusive", "exclusive")),
        ("paging.kind", preset.paging.kind, PAGINGS),
        ("paging.where", preset.paging.where, ("query", "body")),
        ("rows.format", preset.rows.format, FORMATS),
        ("rows.pivot", preset.rows.pivot, PIVOTS),
        ("rows.decimal", preset.rows.decimal, (".", ",")),
        ("freshness.cadence", preset.freshness.cadence, ("intraday", "next_day")),
    ):
        _one_of(file, key, value, allowed)
    for key, text in (("freshness.lag", preset.freshness.lag), ("auth.ttl", preset.auth.ttl)):
        if not _DURATION.fullmatch(text):
            raise ConfigError(file, None, f"{key} is no duration", value=text, allowed="20m, 6h, ...")
    try:
        preset.zone  # noqa: B018  # reading it is the check
    except (KeyError, ValueError, OSError):
        raise ConfigError(file, None, "no such time zone", value=preset.timezone, allowed="IANA names") from None
    _validate_fields(preset, file)
    _validate_request(preset, file)
    for pattern in (preset.rows.skip, preset.log.pattern, *(reject.match for reject in preset.reject)):
        try:
            re.compile(pattern)
        except re.error as problem:
            raise ConfigError(file, None, f"not a regular expression: {problem}", value=pattern) from None
    for reject in preset.reject:
        _one_of(file, "reject.cause", reject.cause, tuple(CAUSES))


def _validate_fields(preset: Preset, file: str) -> None:
    if preset.source in {"http", "folder"} and not preset.fields:
        raise ConfigError(file, None, "`rows` and `fields` must say how the report is read")
    for name, field in preset.fields.items():
        _one_of(file, f"fields.{name}.type", field.type, ("count", "money"))
        _one_of(file, f"fields.{name}.unit", field.unit, ("major", "minor"))
        _one_of(file, f"fields.{name}.missing", field.missing, ("null", "zero"))
        if bool(field.source or field.when) == bool(field.sum):
            raise ConfigError(file, None, f"fields.{name} needs either `from` or `sum`")
        for part in field.sum:
            _one_of(file, f"fields.{name}.sum", part, tuple(preset.fields))
    for name in preset.required:
        _one_of(file, "required", name, tuple(preset.fields))


def _validate_request(preset: Preset, file: str) -> None:
    """Documents that are JSON, placeholders that there are, and a parameter for each kind of pages."""
    request, paging = preset.request, preset.paging
    texts = [(f"request.params.{name}", value) for name, value in request.params]
    texts += [(f"request.headers.{name}", value) for name, value in request.headers.items()]
    texts += [("request.path", request.path), ("request.body", request.body)]
    for key, text in texts:
        for found in _PLACEHOLDER.findall(text):
            _one_of(file, f"{{{found}}} in {key}", found, PLACEHOLDERS)
    for key, text in (("request.body", request.body), ("auth.body", preset.auth.body)):
        try:
            msgspec.json.decode(text or "{}")
        except msgspec.DecodeError as problem:
            raise ConfigError(file, None, f"{key} is not valid JSON: {problem}", value=text[:80]) from None
    if paging.kind not in {"none", "cursor"} and not paging.param:
        raise ConfigError(file, None, f"paging.kind = {paging.kind!r} needs `param`, the name that the page goes by")
    if paging.kind == "cursor" and not paging.cursor:
        raise ConfigError(file, None, "paging.kind = 'cursor' needs `cursor`, where an answer names the next page")


def _one_of(file: str, key: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        nearest = next(iter(difflib.get_close_matches(value, allowed, 1)), "")
        shown = ", ".join(name or '""' for name in allowed) if len(allowed) < 12 else ""
        raise ConfigError(file, None, f"{key} is not known", value=value, allowed=shown, nearest=nearest)


def seconds(text: str) -> float:
    """`20m` as 1200.0."""
    match = _DURATION.fullmatch(text)
    return int(match.group(1)) * float(_SECONDS[match.group(2)]) if match else 0.0
