"""One account's overrides of its platform's preset: the `options` of a feed."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

import msgspec

from checks.feeds.cadence import NEVER, said
from checks.feeds.precedence import AUTO, MODES
from checks.feeds.preset import Auth, Field, validate
from data.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.feeds.preset import Preset

T = TypeVar("T", bound=msgspec.Struct)


DROP = "-"
"""In place of a path: the account does not deliver it."""
PLUS = " + "
"""Between paths: the figures of one field, in several places."""


def adapt(preset: Preset, options: Mapping[str, str]) -> Preset:
    """A preset with one account's overrides.

    Any platform: `currency`, `timezone`, `unit` (major|minor, all money), `lag`, `cadence`, `settle_days`, `envelope`, `timeout_s`,
    `min_gap_s`, `max_body`, `path`, `params` (query string), `method`, `body`, `format`, `rows`, `day`, `day_format`, `hour`, `currency_path`,
    `decimal`, `auth` (`none`, `basic`, `bearer`, `header:NAME`, `query:NAME`), `auth_path`, `auth_scope`, `auth_form` (query string), `end`, `max_days`, `paging` (none|page|offset|row|
    cursor), `page_param`, `page_first`, `page_size`, `page_size_param`, `page_cursor`, `page_total`, `dim.NAME = PATH`,
    `reread` (`never`, or `8d:1h 45d:1d`: how many days are read how seldom),
    `field.NAME = PATH[ + PATH ..][:money[:minor]]`; what comes to us: `param.NAME = PARAMETER`, `event.THEIRS = OURS`, `dialect`, `pattern`,
    `columns`; `-` in place of a path drops the preset's own. How its figures become facts: `facts` (auto|report|postback|pushed),
    `tracker.NAME = SITE`. Unknown options raise `ConfigError`.
    """
    for name, value in options.items():
        if name not in _OPTIONS and name.partition(".")[0] not in _PREFIXES:
            nearest = next(iter(difflib.get_close_matches(name, _OPTIONS, 1)), "")
            raise ConfigError("losswatch.toml", None, f"no such feed option {name!r}", value=value, nearest=nearest)
    named = {name: _field(text) for name, text in _below(options, "field.").items()}
    fields = {
        name: field for name, field in {**preset.fields, **named}.items() if field.source or field.sum or field.when
    }
    if unit := options.get("unit"):
        fields = {name: _with_unit(field, unit) for name, field in fields.items()}
    dims = {name: path for name, path in {**preset.dims, **_below(options, "dim.")}.items() if path != DROP}
    if "page_param" in options and "paging" not in options and preset.paging.kind == "none":
        options = {**options, "paging": "page"}
    adapted = msgspec.structs.replace(
        _told(preset, options),
        currency=options.get("currency", preset.currency),
        timezone=options.get("timezone", preset.timezone),
        fields=fields,
        required=tuple(name for name in preset.required if name in fields),
        dims=dims,
        auth=_some(_auth(options.get("auth"), preset.auth), options, _AUTH),
        **{part: _some(getattr(preset, part), options, wanted) for part, wanted in _PARTS.items()},
    )
    validate(adapted, "losswatch.toml")
    _known_word("facts", options.get("facts", AUTO), MODES)
    said(options.get("reread", NEVER))
    return adapted


def _told(preset: Preset, options: Mapping[str, str]) -> Preset:
    """The preset with an account's own names for what a call or a line holds."""
    params, postback, log = _below(options, "param."), preset.postback, preset.log
    if dialect := options.get("dialect"):
        if dialect not in preset.dialects:
            nearest = next(iter(difflib.get_close_matches(dialect, preset.dialects, 1)), "")
            allowed = ", ".join(sorted(preset.dialects)) or "none"
            raise ConfigError(
                "losswatch.toml", None, "no such dialect", value=dialect, allowed=allowed, nearest=nearest
            )
        postback = preset.dialects[dialect]
    part: msgspec.Struct = log if preset.source == "log" else postback
    known = {name for name in part.__struct_fields__ if isinstance(getattr(part, name), str)}
    for name in params.keys() - known:
        nearest = next(iter(difflib.get_close_matches(name, known, 1)), "")
        allowed = ", ".join(sorted(known))
        raise ConfigError("losswatch.toml", None, "no such param", value=name, allowed=allowed, nearest=nearest)
    if preset.source == "log":
        more = {name: options[name] for name in ("pattern", "columns") if name in options}
        return msgspec.structs.replace(preset, log=msgspec.structs.replace(log, **params, **more))
    words = {their.lower(): ours for their, ours in _below(options, "event.").items()}
    postback = msgspec.structs.replace(postback, **params, events={**postback.events, **words})
    return msgspec.structs.replace(preset, postback=postback)


_PREFIXES = frozenset({"field", "dim", "param", "event", "tracker"})
_PARTS = {
    "request": {"path": "path", "params": "params", "method": "method", "body": "body"},
    "rows": {
        "format": "format", "path": "rows", "day": "day", "day_format": "day_format", "hour": "hour", "currency": "currency_path", "decimal": "decimal",
    },
    "window": {"end": "end", "max_days": "max_days"},
    "paging": {
        "kind": "paging", "param": "page_param", "first": "page_first", "size": "page_size", "size_param": "page_size_param",
        "cursor": "page_cursor", "total": "page_total",
    },
    "pace": {"timeout_s": "timeout_s", "min_gap_s": "min_gap_s", "max_body": "max_body"},
    "freshness": {"lag": "lag", "cadence": "cadence", "settle_days": "settle_days", "envelope": "envelope"},
}  # fmt: skip
"""Part of a preset, its field, and the option that overrides it."""
_AUTH = {"path": "auth_path", "scope": "auth_scope", "form": "auth_form"}
_OPTIONS = (
    "currency",
    "timezone",
    "unit",
    "auth",
    "reread",
    "facts",
    "dialect",
    "pattern",
    "columns",
    *_AUTH.values(),
    *(name for part in _PARTS.values() for name in part.values()),
)


def _known_word(name: str, word: str, allowed: tuple[str, ...]) -> None:
    if word not in allowed:
        nearest = next(iter(difflib.get_close_matches(word, allowed, 1)), "")
        told = f"feed option {name} is not known"
        raise ConfigError("losswatch.toml", None, told, value=word, allowed=", ".join(allowed), nearest=nearest)


def _below(options: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): text for name, text in options.items() if name.startswith(prefix)}


def _some(part: T, options: Mapping[str, str], wanted: Mapping[str, str]) -> T:
    """`part` with the options given, each converted to its field's type."""
    given: dict[str, object] = {field: options[name] for field, name in wanted.items() if name in options}
    for name in {"params", "form"} & given.keys():
        given[name] = parse_qsl(str(given[name]), keep_blank_values=True)
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
    """`PATH[ + PATH ..][:money[:minor]]`; one without a path is dropped."""
    paths, _, kind = text.partition(":")
    source, *plus = ("" if path == DROP else path for path in paths.split(PLUS))
    kind, _, unit = kind.partition(":")
    return Field(source=source, plus=tuple(plus), type=kind or "count", unit=unit or "major")


def _with_unit(field: Field, unit: str) -> Field:
    return msgspec.structs.replace(field, unit=unit) if field.type == "money" else field
