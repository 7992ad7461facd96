"""What became of the parameters that must survive a chain, and which hop did it. Pure.

A link earns only while the value that identifies the click stands on the last URL that the partner sees, or reaches the
partner another way. Every way a value can be lost or handed over has a name here.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, unquote_plus

from checks.sites.traits import registrable
from data.text import clean_text, redact

if TYPE_CHECKING:
    from checks.sites.exchange import Walk
    from checks.sites.url import Url

SHOWN_CELLS = 80
_TELLING = 3
"""A value shorter than this stands in other places by chance."""
_MACRO = re.compile(
    r"\{\{?[\w.:-]{1,40}\}?\}|%%[\w.-]{1,40}%%|\$\{[\w.-]{1,40}\}|\A\[[A-Za-z_][\w.-]{0,39}\]\Z|\A#[A-Za-z_]{1,40}#\Z|\A__[A-Z_]{2,40}__\Z"
)
_LONGEST_COOKIE = 4_096


class Fate(StrEnum):
    """What became of one parameter; the first five can reach the partner."""

    PRESENT = "present"
    COOKIE = "cookie"
    RENAMED = "renamed"
    MOVED = "moved"
    """Into the path, the fragment or another parameter: an app store's `referrer`, a gate's `next`."""
    FILLED = "filled"
    """It began as a macro and a hop put a value in its place."""
    CHANGED = "changed"
    TRUNCATED = "truncated"
    LOWERCASED = "lowercased"
    DECODED = "decoded"
    ENCODED = "encoded"
    """Percent-encoded once too often."""
    MACRO = "macro"
    MISSING = "missing"

    @property
    def survives(self) -> bool:
        return self in _SURVIVES


_SURVIVES = frozenset({Fate.PRESENT, Fate.COOKIE, Fate.RENAMED, Fate.MOVED, Fate.FILLED})


@dataclass(frozen=True, slots=True)
class Form:
    """How a value stands on one URL. `now` is raw; `place` says where, when it is not under its own name."""

    fate: Fate
    now: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Param:
    """The fate of one parameter over a whole chain. Texts are cleaned and redacted."""

    name: str
    fate: Fate
    was: str
    now: str
    hop: str = ""
    """Host (and port) that did it; empty when it is simply present."""
    at: int = -1
    """Index of that hop."""
    words: str = ""
    """What that hop did: `cuts btag from 24 to 16 characters`."""
    survives: bool = True
    """Whether the click can still be told from others at the end."""

    def evidence(self) -> dict[str, str]:
        """Keys `param.NAME`, `param_was.NAME`, `param_now.NAME`, `param_hop.NAME`; the last two only where they say something."""
        key = clean_text(self.name, 60)
        told = {f"param.{key}": self.fate.value, f"param_was.{key}": self.was}
        if self.fate is not Fate.PRESENT:
            told |= {f"param_now.{key}": self.now, f"param_hop.{key}": self.hop}
        return told


def values(url: Url, name: str) -> tuple[str, ...]:
    """All decoded values of `name`, whatever its letter case: of the query, else of the path (`/btag/abc`, `;btag=abc`)."""
    return _queried(url, name) or _in_path(url.path, name.lower())


def follow_params(walk: Walk, keep: tuple[str, ...]) -> tuple[Param, ...]:
    """What became of each of `keep`, in that order; those that the first URL does not carry are left out.

    1. Its value is looked for on every URL of the chain, and on the one ahead. 2. Where the last URL does not have it, a
    cookie that the landing's own site set may. 3. The hop to name is the one whose answer led from the last URL that had it.
    """
    urls = [hop.url for hop in walk.exchanges]
    if walk.ahead is not None:
        urls.append(walk.ahead)
    return tuple(_follow(walk, urls, name) for name in keep if values(urls[0], name))


def done_by(hop: int, params: tuple[Param, ...]) -> str:
    """What that hop did to the parameters, in words; empty when nothing."""
    return "; ".join(param.words for param in params if param.at == hop)


def _follow(walk: Walk, urls: list[Url], name: str) -> Param:
    wanted = values(urls[0], name)
    last = _form(urls[-1], urls[0], name, wanted)
    if last.fate is Fate.PRESENT:
        return _param(name, wanted, last)
    forms = [*(_form(url, urls[0], name, wanted) for url in urls[:-1]), last]
    if last.fate is Fate.MISSING:
        handed = _by_cookie(walk, urls[-1], wanted)
        if handed is not None:
            at, cookie = handed
            return _param(name, wanted, Form(Fate.COOKIE, cookie, cookie.partition("=")[0]), walk, at)
        at = max((index for index, form in enumerate(forms) if form.fate.survives), default=0)
        told = forms[min(at + 1, len(forms) - 1)]
        return _param(name, wanted, told, walk, at)
    began = next(index for index, form in enumerate(forms) if all(later.fate is last.fate for later in forms[index:]))
    return _param(name, wanted, last, walk, max(began - 1, 0))


def _form(url: Url, first: Url, name: str, wanted: tuple[str, ...]) -> Form:
    """How the value stands on `url`: whole under its name, whole elsewhere, damaged under its name, not at all."""
    there = values(url, name)
    macro = _macro(there[0]) if there else ""
    if macro:
        return Form(Fate.MACRO, macro)
    if there == wanted:
        moved = _queried(first, name) and not _queried(url, name)
        return Form(Fate.MOVED, url.path, "the path") if moved else Form(Fate.PRESENT, there[0])
    if there and _macro(wanted[0]):
        return Form(Fate.FILLED, there[0])
    if (elsewhere := _elsewhere(url, first, name, wanted[0])) is not None:
        return elsewhere
    if there and there[0]:
        return _damage(url, first, name, wanted[0], there)
    return Form(Fate.MISSING)


def _elsewhere(url: Url, first: Url, name: str, value: str) -> Form | None:
    """The whole value where it did not stand on the first URL: another name, within another, the path, the fragment."""
    if len(value) < _TELLING:
        return None
    before = set(_pairs(first.query))
    for key, other in _pairs(url.query):
        if other == value and (key, other) not in before and key.lower() != name.lower():
            return Form(Fate.RENAMED, f"{key}={other}", key)
        if "=" in other and value in {inner for _, inner in _pairs(other.rpartition("?")[2])}:
            return Form(Fate.MOVED, f"{key}={other}", key)
    if value in _segments(url.path) and value not in _segments(first.path):
        return Form(Fate.MOVED, url.path, "the path")
    if _stands_in(value, unquote(url.fragment)):
        return Form(Fate.MOVED, f"#{url.fragment}", "the fragment")
    return None


def _damage(url: Url, first: Url, name: str, was: str, there: tuple[str, ...]) -> Form:
    now = there[0]
    if len(there) > 1:  # nobody knows which of them a partner reads
        return Form(Fate.CHANGED, " and ".join(there[:3]))
    if _sent_decoded(url, first, name) or now in {unquote_plus(was), unquote(was), unquote(unquote(was))}:
        return Form(Fate.DECODED, now)
    if unquote(now) == was or unquote(unquote(now)) == was:
        return Form(Fate.ENCODED, now)
    if now == was.lower():
        return Form(Fate.LOWERCASED, now)
    if len(now) < len(was) and was.startswith(now):
        return Form(Fate.TRUNCATED, now)
    return Form(Fate.CHANGED, now)


def _sent_decoded(url: Url, first: Url, name: str) -> bool:
    """The raw value was decoded and put back as it was: `%26` became a separator, `%2B` a space, `%23` the fragment."""
    raw = next((part.partition("=")[2] for part in first.query.split("&") if _named(part, name)), "")
    plain = unquote(raw)
    if plain == raw or not set("&+#;").intersection(plain):
        return False
    text = f"{url.query}#{url.fragment}" if url.fragment else url.query
    return re.search(rf"(?i)(?:\A|&){re.escape(name)}={re.escape(plain)}(?:&|#|\Z)", text) is not None


def _by_cookie(walk: Walk, landing: Url, wanted: tuple[str, ...]) -> tuple[int, str] | None:
    """(hop, `name=value`) of a cookie that holds the value and was set by a host of the landing's own site."""
    for at, hop in enumerate(walk.exchanges):
        cookies = [line for key, line in hop.headers if key == "set-cookie"]
        if not cookies or registrable(hop.url.host) != registrable(landing.host):
            continue
        for line in cookies:
            pair, _, attributes = line.partition(";")
            if not re.search(r"max-age\s*=\s*(?:0|-\d+)", attributes, re.IGNORECASE) and _holds(pair, wanted[0]):
                return at, pair.strip()
    return None


def _holds(pair: str, value: str) -> bool:
    told = pair.partition("=")[2].strip().strip('"')[:_LONGEST_COOKIE]
    readings = (told, unquote_plus(told), unquote(unquote(told)), _from_base64(unquote(told)))
    if len(value) < _TELLING:
        return bool(value) and value in readings
    return any(_stands_in(value, reading) for reading in readings)


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _stands_in(value: str, text: str) -> bool:
    """As a word of its own: the id 12 does not stand in 4123."""
    return value in text and re.search(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", text) is not None


def _param(name: str, wanted: tuple[str, ...], form: Form, walk: Walk | None = None, at: int = -1) -> Param:
    was = _shown(name, " and ".join(wanted[:3]))
    if walk is None:
        return Param(name, form.fate, was, was)
    now = _shown(name, form.now)
    at = min(at, len(walk.exchanges) - 1)
    hop = walk.exchanges[at].url
    words = _words(name, form, wanted[0], was, now, single=len(walk.exchanges) == 1 and walk.ahead is None)
    return Param(name, form.fate, was, now, hop.netloc, at, words, _survives(form.fate, hop, walk))


def _survives(fate: Fate, hop: Url, walk: Walk) -> bool:
    """Whether a parameter with that fate still earns.

    Platforms rename parameters at their own hosts. When the chain's first site, which is ours to get right, sends another
    name than the one agreed, nobody downstream reads it.
    """
    if fate is Fate.RENAMED:
        return registrable(hop.host) != registrable(walk.exchanges[0].url.host)
    return fate.survives


def _words(name: str, form: Form, value: str, was: str, now: str, *, single: bool) -> str:
    """What a host does to the parameter, as the end of a sentence."""
    if form.fate is Fate.MACRO and (single or _macro(value)):
        return f"is given the macro {now} unreplaced as {name}"
    place = clean_text(form.place, 40)
    return {
        Fate.PRESENT: "",
        Fate.COOKIE: f"keeps {name} in its cookie {place}",
        Fate.RENAMED: f"renames the parameter {name} to {place}",
        Fate.MOVED: f"moves {name} into {place}",
        Fate.FILLED: f"fills {name} in ({was} becomes {now})",
        Fate.CHANGED: f"changes the parameter {name} from {was} to {now}",
        Fate.TRUNCATED: f"cuts the parameter {name} from {len(value)} to {len(form.now)} characters",
        Fate.LOWERCASED: f"puts the parameter {name} in lower case ({was} becomes {now})",
        Fate.DECODED: f"URL-decodes the parameter {name} ({was} becomes {now})",
        Fate.ENCODED: f"URL-encodes the parameter {name} once more ({was} becomes {now})",
        Fate.MACRO: f"sends the macro {now} unreplaced as {name}",
        Fate.MISSING: f"drops the parameter {name}",
    }[form.fate]


def _shown(name: str, value: str) -> str:
    """A value as it may be stored: whether it is a secret depends on its name."""
    return clean_text(redact(f"{name}={value}"), SHOWN_CELLS + len(name) + 1)[len(name) + 1 :]


def _macro(value: str) -> str:
    found = _MACRO.search(value)
    return found.group(0) if found else ""


@lru_cache(maxsize=256)
def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Remembered, since one chain asks for each of its queries several times."""
    return tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=None))


def _named(part: str, name: str) -> bool:
    return unquote_plus(part.partition("=")[0]).lower() == name.lower()


def _segments(path: str) -> set[str]:
    return {unquote(part) for part in re.split(r"[/;,]", path) if part}


def _queried(url: Url, name: str) -> tuple[str, ...]:
    wanted = name.lower()
    return tuple(dict.fromkeys(value for key, value in _pairs(url.query) if key.lower() == wanted))


def _in_path(path: str, wanted: str) -> tuple[str, ...]:
    parts = [unquote(part) for part in re.split(r"[/;]", path)]
    for index, part in enumerate(parts):
        key, equals, value = part.partition("=")
        if key.lower() != wanted:
            continue
        if equals:
            return (value,)
        if index + 1 < len(parts) and parts[index + 1]:
            return (parts[index + 1],)
    return ()
