"""Bodies that are no page at all: known by their first bytes, or by how many control characters stand in them."""

from __future__ import annotations

import re

_FIRST_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"), (b"II*\0", "a TIFF image"), (b"MM\0*", "a TIFF image"), (b"\0\0\1\0", "an icon"),
    (b"%PDF-", "a PDF document"), (b"{\\rtf", "an RTF document"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"PK\3\4", "a ZIP archive"), (b"PK\5\6", "a ZIP archive"), (b"\x1f\x8b\x08", "a gzip archive"), (b"BZh91AY&SY", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"), (b"\x28\xb5\x2f\xfd", "a zstd archive"), (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"), (b"\x7fELF", "a program"), (b"MZ\x90\0", "a program"), (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"), (b"\0asm", "a program"), (b"wOFF", "a font"), (b"wOF2", "a font"), (b"OTTO\0", "a font"),
    (b"\0\1\0\0\0", "a font"), (b"ID3\3", "an MP3 recording"), (b"ID3\4", "an MP3 recording"), (b"fLaC", "a FLAC recording"), (b"OggS\0", "an Ogg recording"),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"), (b"FLV\1", "a Flash video"), (b"SQLite format 3\0", "a database"),
)  # fmt: skip
"""As the files say themselves; https://mimesniff.spec.whatwg.org/ 6 and the formats' own documents."""
_BOXED = {b"WEBP": "a WebP image", b"WAVE": "a WAV recording", b"AVI ": "an AVI video"}
"""What follows the size in a RIFF file."""
_BRANDS = {b"avif": "an AVIF image", b"avis": "an AVIF image", b"heic": "a HEIC image", b"mif1": "a HEIC image"}
"""Of ISO media files that are no video."""

_CONTROL = re.compile(r"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""Never typed; the escape stays out, Japanese pages in ISO-2022 shift with it."""
_LOOKED_AT = 16_384
_FEWEST, _SHARE = 32, 0.05
"""Control characters, and their share, from which it is no text: noise has .11, the worst of 429 real pages .0001."""


def binary_of(body: bytes) -> str:
    """What `body` is by its first bytes, as `a PNG image`; empty where it may be a page."""
    if body[:4] == b"RIFF" and body[8:12] in _BOXED:
        return _BOXED[body[8:12]]
    if body[4:8] == b"ftyp":
        return _BRANDS.get(body[8:12], "an MP4 video")
    return next((what for mark, what in _FIRST_BYTES if body.startswith(mark)), "")


def is_noise(text: str) -> bool:
    """Whether decoded text has too many control characters to be one."""
    head = text[:_LOOKED_AT]
    found = len(_CONTROL.findall(head))
    return found >= _FEWEST and found > _SHARE * len(head)
