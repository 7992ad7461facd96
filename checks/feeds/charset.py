"""Which bytes are which letters: by mark, by declaration, by proof, and Windows-1252 when nothing else is left."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

BLOCK = 1 << 20
LAST = "cp1252"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(r"charset\s*=\s*\"?([\w.:-]{1,40})", re.IGNORECASE)
_LETTERS = re.compile(r"utf-?(8|16|32).*|ascii|iso8859.*|cp\d+|koi8.*|mac.*|gb\w+|big5.*|shift_jis.*|euc.*|iso2022.*")
"""Python knows codecs that are no charsets: some take quadratic time, some unpack."""


def marked(head: bytes) -> str | None:
    """The charset that the first bytes prove: a byte order mark, or the zeros that two-byte letters leave."""
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return charset
    if len(head) >= 4 and head[1] == 0 == head[3] and head[0] and head[2]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == 0 == head[2] and head[1] and head[3]:
        return "utf-16-be"
    return None


def declared(content_type: str) -> str | None:
    """The charset of a content type, when it is one."""
    match = _DECLARED.search(content_type)
    try:
        name = codecs.lookup(match.group(1)).name if match else ""
    except (LookupError, ValueError):
        return None
    return name if _LETTERS.fullmatch(name.replace("-", "", 1) if name.startswith("iso8859-") else name) else None


def text_of(body: bytes, content_type: str = "") -> str:
    """Text by byte order mark, declared charset, UTF-8, else Windows-1252, which always answers something."""
    if charset := marked(body[:4]):
        return body.decode(charset, "replace")
    for charset in (declared(content_type) or "utf-8", "utf-8"):
        try:
            return body.decode(charset)
        except UnicodeError:
            continue
    return body.decode(LAST, "replace")


def charset_of(stream: BinaryIO) -> str:
    """The charset of a stream without a declaration, read to its end block by block."""
    first = stream.read(BLOCK)
    if charset := marked(first[:4]):
        return charset
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = first
    try:
        while block:
            decoder.decode(block)
            block = stream.read(BLOCK)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return LAST
    return "utf-8"
