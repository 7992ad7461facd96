from __future__ import annotations

import codecs
import re

_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_:.-]{2,40})")
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEAD_BYTES = 4096
_WIDE = 0.25
"""Share of characters with a NUL; a page in Cyrillic has them in its markup only."""

_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932",
}  # fmt: skip
"""Browsers read each of these labels as its superset; pages count on it."""
_KNOWN = frozenset({
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "big5", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949",
    "koi8-r", "koi8-u", "cp866", "cp874", *(f"cp125{n}" for n in range(9)),
    *(f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
})  # fmt: skip
"""Everything else Python can 'decode' (rot13, hex, idna, utf-7, ...) is not a charset of the web."""


def decode(body: bytes, content_type: str = "") -> tuple[str, str]:
    """`body` as text, and the charset used. Never raises; wrong bytes become U+FFFD.

    In the order of browsers: byte order mark, Content-Type header, meta element, then the bytes themselves. A label
    that the bytes contradict is not believed: a page that is valid UTF-8 with non-ASCII text *is* UTF-8.
    """
    for bom, charset in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(charset, "replace"), charset
    label = _label(body, content_type)
    if label.startswith("utf-16"):
        label = label if b"\0" in body[:64] else ""
    label = _every_second_nul(body) or label
    if not label.startswith("utf-16"):
        text = _strict(body, "utf-8")
        if text is not None:
            return text, "utf-8"
    if label and label != "utf-8":
        return body.decode(label, "replace"), label
    charset = _guess(body, declared_utf8=label == "utf-8")
    return body.decode(charset, "replace"), charset


def _label(body: bytes, content_type: str) -> str:
    head = body[:_HEAD_BYTES]
    for found in (_HEADER.search(content_type), _META.search(head), _XML.search(head)):
        if found:
            word = found[1] if isinstance(found[1], str) else found[1].decode("ascii")
            charset = _canonical(word)
            if charset:
                return charset
    return ""


def _every_second_nul(body: bytes) -> str:
    """UTF-16 that nobody announced: markup has a NUL in every character, on one side only."""
    head = body[:_HEAD_BYTES]
    first, second = head[::2].count(0), head[1::2].count(0)
    if max(first, second) < _WIDE * (len(head) // 2) or min(first, second) * 10 > max(first, second):
        return ""
    return "utf-16-le" if second > first else "utf-16-be"


def _canonical(word: str) -> str:
    try:
        name = codecs.lookup(word.strip()).name
    except (LookupError, ValueError):
        return ""
    name = _WIDER.get(name, name)
    return name if name in _KNOWN else ""


def _strict(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        return None


_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_ENOUGH = 200_000


def _guess(body: bytes, *, declared_utf8: bool) -> str:
    """A charset for bytes that are not UTF-8, by the shape of their runs of high bytes.

    In western text high bytes stand alone; GB text comes in pairs led by common characters (B0-D7); Cyrillic comes in
    words of any length, of small letters (E0-FF) in cp1251, and of C0-DF in KOI8. A few broken bytes in declared UTF-8 leave it UTF-8.
    """
    runs = _HIGH_RUN.findall(body[:_ENOUGH])
    high = sum(map(len, runs))
    if not high:
        return "utf-8"
    if declared_utf8:
        broken = body[:_ENOUGH].decode("utf-8", "replace").count("�")
        if broken * 10 < high:
            return "utf-8"
    words = sum(len(run) for run in runs if len(run) >= 3)
    if words * 2 < high:
        return "cp1252"
    joined = b"".join(run[: len(run) // 2 * 2] for run in runs)
    common = sum(0xB0 <= byte <= 0xD7 or 0xA1 <= byte <= 0xA3 for byte in joined[::2])
    even = sum(len(run) % 2 == 0 for run in runs)
    if even > 0.9 * len(runs) and common > 0.3 * len(joined):
        return "gb18030"
    small = sum(byte >= 0xE0 for byte in joined)
    return "cp1251" if small * 2 > len(joined) else "koi8-r"
