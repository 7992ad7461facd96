"""Presets: what one platform's connector is, as data. `presets/*.toml` hold them; a feed's options adapt one account."""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from data.errors import ConfigError
from data.model.cause import CAUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=msgspec.Struct)
_DURATION = re.compile(r"(\d+)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str = "none"
    """none | header | query | basic | oauth_cc"""
    name: str = "Authorization"
    format: str = "{secret}"
    path: str = ""
    """oauth_cc: the token endpoint."""
    scope: str = ""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str = "/"
    params: tuple[tuple[str, str], ...] = ()
    """Values may use {from} {to} {currency} {account}."""
    headers: dict[str, str] = {}


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str = "%Y-%m-%d"
    end: str = "inclusive"
    """inclusive | exclusive"""
    max_days: int = 31
    same_month: bool = False


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    param: str = ""
    """Query parameter of the page number; empty: one answer holds all."""
    first: int = 1
    size: int = 0
    size_param: str = ""
    max_pages: int = 200


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    min_gap_s: float = 2.0
    timeout_s: float = 30.0
    """Of one call, body included."""
    throttle: tuple[int, ...] = (429,)
    max_body: int = 16 * 1024 * 1024
    """Bytes after decompression."""


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    """json | csv | xml"""
    path: str = ""
    """JSON: dotted path of the list."""
    pivot: str = ""
    """cells: each row is a list of {name, value}."""
    section: str = ""
    """CSV: column that takes the name of a section's title line."""
    day: str = "date"
    day_format: str = ""
    """strptime format; empty: ISO dates and `YYYY/MM/DD`."""
    currency: str = ""
    """Path of the row's own currency; empty: the account's."""


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    source: str = ""
    type: str = "count"
    """count | money"""
    unit: str = "major"
    """major | minor (hundredths)"""
    sum: tuple[str, ...] = ()
    """Other fields this one adds up, in place of `from`."""


class Freshness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lag: str = "1h"
    cadence: str = "intraday"
    """intraday | next_day"""
    settle_days: int = 1
    """Age in days from which a day should only move within the envelope."""
    envelope: float = 0.04
    """Share a settled day's money may be lowered without a word."""


class Reject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that is no report although the status was good."""

    cause: str
    match: str = ""
    """Regular expression on the first 4,000 characters, or on the JSON value."""
    json: str = ""
    """Dotted path that a good body does not have."""
    html: bool = False
    words: str = ""


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    platform: str
    rows: Rows
    fields: dict[str, Field]
    id: str = ""
    currency: str = "EUR"
    timezone: str = "UTC"
    dims: dict[str, str] = {}
    """Canonical dimension to its path in a row."""
    auth: Auth = Auth()
    request: Request = Request()
    window: Window = Window()
    paging: Paging = Paging()
    pace: Pace = Pace()
    freshness: Freshness = Freshness()
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
    _validate(preset, file)
    return preset


def _validate(preset: Preset, file: str) -> None:
    _one_of(file, "auth.kind", preset.auth.kind, ("none", "header", "query", "basic", "oauth_cc"))
    _one_of(file, "window.end", preset.window.end, ("inclusive", "exclusive"))
    _one_of(file, "rows.format", preset.rows.format, ("json", "csv", "xml"))
    _one_of(file, "rows.pivot", preset.rows.pivot, ("", "cells"))
    _one_of(file, "freshness.cadence", preset.freshness.cadence, ("intraday", "next_day"))
    if not _DURATION.fullmatch(preset.freshness.lag):
        raise ConfigError(
            file, None, "freshness.lag is no duration", value=preset.freshness.lag, allowed="20m, 6h, ..."
        )
    try:
        preset.zone  # noqa: B018  # reading it is the check
    except (KeyError, ValueError, OSError):
        raise ConfigError(file, None, "no such time zone", value=preset.timezone, allowed="IANA names") from None
    for name, field in preset.fields.items():
        _one_of(file, f"fields.{name}.type", field.type, ("count", "money"))
        _one_of(file, f"fields.{name}.unit", field.unit, ("major", "minor"))
        if bool(field.source) == bool(field.sum):
            raise ConfigError(file, None, f"fields.{name} needs either `from` or `sum`")
        for part in field.sum:
            _one_of(file, f"fields.{name}.sum", part, tuple(preset.fields))
    for reject in preset.reject:
        _one_of(file, "reject.cause", reject.cause, tuple(CAUSES))


def _one_of(file: str, key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        nearest = next(iter(difflib.get_close_matches(value, allowed, 1)), "")
        shown = ", ".join(name or '""' for name in allowed) if len(allowed) < 12 else ""
        raise ConfigError(file, None, f"{key} is not known", value=value, allowed=shown, nearest=nearest)


def adapt(preset: Preset, options: Mapping[str, str]) -> Preset:
    """A preset with one account's overrides.

    `currency`, `timezone`, `unit` (major|minor, all money), `lag`, `cadence`, `timeout_s`, `min_gap_s`; for the generic
    presets also `path`, `params` (query string), `rows`, `day`, `day_format`, `auth` (`none`, `basic`, `bearer`, `header:NAME`,
    `query:NAME`), `end`, `page_param`, `page_size_param`, `page_size`, `dim.NAME = PATH` and `field.NAME =
    PATH[:money[:minor]]`. Unknown options raise `ConfigError`.
    """
    for name, value in options.items():
        if name not in _OPTIONS and name.partition(".")[0] not in {"field", "dim"}:
            nearest = next(iter(difflib.get_close_matches(name, _OPTIONS, 1)), "")
            raise ConfigError("losswatch.toml", None, f"no such feed option {name!r}", value=value, nearest=nearest)
    fields = {name.partition(".")[2]: _field(text) for name, text in options.items() if name.startswith("field.")}
    fields = fields or preset.fields
    if unit := options.get("unit"):
        fields = {name: _with_unit(field, unit) for name, field in fields.items()}
    dims = {name.partition(".")[2]: path for name, path in options.items() if name.startswith("dim.")}
    adapted = msgspec.structs.replace(
        preset,
        currency=options.get("currency", preset.currency),
        timezone=options.get("timezone", preset.timezone),
        fields=fields,
        dims=dims or preset.dims,
        auth=_auth(options.get("auth"), preset.auth),
        request=_some(preset.request, options, path="path", params="params"),
        rows=_some(preset.rows, options, path="rows", day="day", day_format="day_format", currency="currency_path"),
        window=_some(preset.window, options, end="end"),
        paging=_some(preset.paging, options, param="page_param", size="page_size", size_param="page_size_param"),
        pace=_some(preset.pace, options, timeout_s="timeout_s", min_gap_s="min_gap_s"),
        freshness=_some(preset.freshness, options, lag="lag", cadence="cadence"),
    )
    _validate(adapted, "losswatch.toml")
    return adapted


_OPTIONS = (
    "currency", "timezone", "unit", "lag", "cadence", "timeout_s", "min_gap_s", "path", "params", "rows", "day", "day_format",
    "currency_path", "auth", "end", "page_param", "page_size", "page_size_param",
)  # fmt: skip


def _some(part: T, options: Mapping[str, str], **wanted: str) -> T:
    """`part` with the options given, each converted to its field's type."""
    given: dict[str, object] = {field: options[name] for field, name in wanted.items() if name in options}
    if "params" in given:
        given["params"] = parse_qsl(str(given["params"]), keep_blank_values=True)
    try:
        return msgspec.convert({**_plain(part), **given}, type(part), strict=False)
    except msgspec.ValidationError as problem:
        raise ConfigError("losswatch.toml", None, f"feed options: {problem}") from None


def _plain(part: msgspec.Struct) -> dict[str, object]:
    return {name: getattr(part, name) for name in part.__struct_fields__}


def _auth(text: str | None, usual: Auth) -> Auth:
    if text is None:
        return usual
    kind, _, name = text.partition(":")
    if kind == "bearer":
        return Auth("header", "Authorization", "Bearer {secret}")
    return Auth(kind, name or "Authorization")


def _field(text: str) -> Field:
    source, _, kind = text.partition(":")
    kind, _, unit = kind.partition(":")
    return Field(source=source, type=kind or "count", unit=unit or "major")


def _with_unit(field: Field, unit: str) -> Field:
    return msgspec.structs.replace(field, unit=unit) if field.type == "money" else field


def seconds(text: str) -> float:
    """`20m` as 1200.0."""
    match = _DURATION.fullmatch(text)
    return int(match.group(1)) * float(_SECONDS[match.group(2)]) if match else 0.0
