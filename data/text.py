"""Foreign text and secrets: `clean_text()` where text enters, `redact()` before anything is stored, logged or shown."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
import unicodedata
from urllib.parse import quote, quote_plus

MASK = "•••"
ELLIPSIS = "…"
_REPLACEMENT = "\ufffd"
_SHORTEST_SECRET = 4
_COMBINING_RUN = 2

_SPACES = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)
_INVISIBLE = (
    0xAD, 0x34F, 0x180E, *range(0x200B, 0x200E), *range(0x2060, 0x2065), *range(0xFE00, 0xFE10), 0xFEFF,
    *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE01F0),
)  # fmt: skip
_BIDI = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x2070))
_VISIBLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT),
    **dict.fromkeys(_BIDI, _REPLACEMENT),
    **dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT),
    **dict.fromkeys(_INVISIBLE, ""),
    **dict.fromkeys(_SPACES, " "),
}
_VISIBLE_LINES = {**_VISIBLE, 0x0A: "\n", 0x09: "    "}


def clean_text(text: str, limit: int = 300) -> str:
    """One line that a terminal can show: no control, bidi override, zero-width or lone surrogate survives.

    Controls become visible substitutes (ESC is `␛`), runs of white space one space, and the result is at most `limit`
    terminal cells, cut with `…`. Cleaning twice changes nothing.
    """
    clipped = text[: 16 * limit + 64]
    if clipped.isascii() and clipped.isprintable():
        line = " ".join(clipped.split())
        return line if len(line) <= limit else line[: max(limit - 1, 0)] + ELLIPSIS[:limit]
    return _fit(_calm(" ".join(clipped.translate(_VISIBLE).split())), limit)


def clean_lines(text: str) -> str:
    """Like `clean_text` for text that keeps its lines and length: logs and tracebacks."""
    return text.translate(_VISIBLE_LINES)


def cells(text: str) -> int:
    """Terminal cells `text` takes; exact for text that passed `clean_text`."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _calm(text: str) -> str:
    """Drop combining marks beyond two in a row, which would draw over the lines above and below."""
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if run <= _COMBINING_RUN:
            kept.append(char)
    return "".join(kept)


def _fit(text: str, limit: int) -> str:
    if cells(text) <= limit:
        return text
    room = limit - 1
    kept: list[str] = []
    for char in text:
        room -= _width(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + ELLIPSIS[: max(limit, 0)]


_NAMES = (
    r"(?:api[_-]?key|api[_-]?password|api[_-]?token|api[_-]?secret|access[_-]?key|access[_-]?token|refresh[_-]?token|"
    r"id[_-]?token|auth[_-]?token|cwauth-token|client[_-]?secret|private[_-]?key|secret[_-]?key|session[_-]?id|"
    r"apikey|authorization|auth|jwt|key|passphrase|password|passwd|pass|pwd|secret|signature|sig|token)"
)
_USERINFO = re.compile(r"(//)[^/\s?#\"'<>]*@")
_PARAMETER = re.compile(rf"(?i)((?<![A-Za-z0-9]){_NAMES}=)(?:(?:bearer|basic)(?:\s|\+|%20)+)?[^&;\s\"'<>#\\]*")
_ENCODED_PARAMETER = re.compile(rf"(?i)((?:%3F|%26|%3B){_NAMES}%3D)(?:(?!%26|%23)[^&\s\"'<>#])*")
_QUOTED = re.compile(rf"(?i)((?<![A-Za-z0-9]){_NAMES}[\"']\s*[:=]\s*)([\"'])(?:(?!\2)[^\\]|\\.)*")
_QUOTED_WITHIN = re.compile(rf"(?i)((?<![A-Za-z0-9]){_NAMES}\\[\"']\s*[:=]\s*\\[\"'])(?:(?!\\[\"']).)*")
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization|x-api-key|api-key|x-auth-token|x-access-token|cwauth-token|(?:set-)?cookie)"
    r"([\"']?\s*:\s*[\"']?(?:(?:bearer|basic|token|digest)\s+)?)[^\s\"',]+"
)
_BEARER = re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{6,}")
_BASIC = re.compile(r"\b([Bb]asic\s+)(?=[A-Za-z0-9+/_-]*[A-Z0-9=])[A-Za-z0-9+/_-]{6,}=*")


def redact(text: str) -> str:
    """`text` without secrets: values of secret-looking parameters, userinfo, credentials in headers, known secrets.

    Known secrets (`register_secret`) are found as they are and URL-encoded, base64, JSON- and HTML-escaped.
    """
    for form in _forms:
        if form in text:
            text = text.replace(form, MASK)
    if "//" in text:
        text = _USERINFO.sub(rf"\1{MASK}@", text)
    assigns, names = "=" in text, ":" in text
    if (assigns or names) and ('"' in text or "'" in text):
        text = _QUOTED.sub(rf"\1\2{MASK}", text)
        text = _QUOTED_WITHIN.sub(rf"\1{MASK}", text) if "\\" in text else text
    if names and _may_hold_header(text):
        text = _HEADER.sub(rf"\1\2{MASK}", text)
    if assigns:
        text = _PARAMETER.sub(rf"\1{MASK}", text)
    if "%3" in text:
        text = _ENCODED_PARAMETER.sub(rf"\1{MASK}", text)
    if "earer" in text.lower():
        text = _BEARER.sub(rf"\1{MASK}", text)
    return _BASIC.sub(rf"\1{MASK}", text) if "asic" in text else text


def _may_hold_header(text: str) -> bool:
    """Whether `_HEADER` could match: a plain search for one of its words spares it on nearly every text.

    Outside ASCII it could always, since `(?i)` also lets letters such as the dotless i pass.
    """
    lower = text.lower()
    return not text.isascii() or any(word in lower for word in ("authorization", "api-key", "token", "cookie"))


_lock = threading.Lock()
_values: set[str] = set()
_forms: tuple[str, ...] = ()
"""Every spelling of every known secret, longest first; replaced as a whole, so readers need no lock."""


def register_secret(value: str) -> None:
    """From now on `redact()` replaces `value` in all its spellings; below four characters it would hit ordinary text."""
    global _forms  # noqa: PLW0603  # one registry a process, swapped atomically
    parts = {value, *_pieces(value)}
    with _lock:
        fresh = {part for part in parts if len(part) >= _SHORTEST_SECRET} - _values
        if not fresh:
            return
        _values.update(fresh)
        spelled = {form for part in fresh for form in _spellings(part)}
        _forms = tuple(sorted(spelled.union(_forms), key=len, reverse=True))


def _pieces(value: str) -> list[str]:
    """What is secret by itself within `value`: both sides of `user:password`; of a URL its tokens, never its host."""
    if "://" not in value:
        return [part for part in value.split(":") if len(part) >= 2 * _SHORTEST_SECRET]
    rest = value.partition("://")[2]
    tokens = [part for part in _URL_MARKS.split(rest) if len(part) >= 3 * _SHORTEST_SECRET and "." not in part]
    who = _PAST_HOST.split(rest, 1)[0].rpartition("@")[0]
    return tokens + [part for part in who.split(":") if len(part) >= 2 * _SHORTEST_SECRET]


_URL_MARKS = re.compile(r"[/:@?&=#,]")
_PAST_HOST = re.compile(r"[/?#]")


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    quoted = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], repr(raw)[2:-1]}
    spelled = {value, html.escape(value), raw.hex(), *quoted, *escaped}
    spelled |= {re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in quoted}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            spelled.add(_base64_core(raw, shift, encode(b"\0" * shift + raw).decode()))
    return {form for form in spelled if len(form) >= _SHORTEST_SECRET}


def _base64_core(raw: bytes, shift: int, encoded: str) -> str:
    """The digits that depend on the value alone, so that it is found inside `base64(user:value)` too."""
    first = -(-shift * 4 // 3)
    whole = (shift + len(raw)) * 4 // 3
    return encoded[first:whole]


class RedactingFilter(logging.Filter):
    """Put on every log handler: messages, tracebacks and stacks leave without secrets or control characters."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = clean_lines(redact(message)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text, record.exc_info = clean_lines(redact(record.exc_text)), None
        if record.stack_info:
            record.stack_info = clean_lines(redact(record.stack_info))
        return True
