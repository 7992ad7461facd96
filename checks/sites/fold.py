"""Texts made comparable: case, accents, width and typographic quotes do not count."""

from __future__ import annotations

import re
from functools import cache
from unicodedata import normalize

_MARKS = re.compile("[\u0300-\u036f\u200b-\u200d\u2060\u00ad\ufeff]+")
_LETTERS = tuple(
    zip("łđøıßæœðþς’‘ʼ´“”„", ("l", "d", "o", "i", "ss", "ae", "oe", "d", "th", "σ", *"''''", *'"""'), strict=True)
)
_CODE = re.compile(r"\\.|\(\?P|[^\\(]+|\(", re.DOTALL)


def fold(text: str) -> str:
    """Lower case without accents; Hangul, kana and other scripts keep their letters. Length may change."""
    text = text.lower()
    if text.isascii():
        return text
    for letter, plain in _LETTERS:
        if letter in text:
            text = text.replace(letter, plain)
    return text if text.isascii() else normalize("NFC", _MARKS.sub("", normalize("NFKD", text)))


@cache
def fold_pattern(pattern: str) -> str:
    r"""The same for a regular expression, whose escapes keep their case: `\W` is not `\w`."""
    return "".join(part if part[0] == "\\" or part == "(?P" else fold(part) for part in _CODE.findall(pattern))
