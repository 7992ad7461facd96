"""Content encodings, undone within a cap: whatever arrives, never more than `limit` bytes are held."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import brotli
import zstandard

from checks.sites.exchange import Fault
from data.model.cause import cause

ACCEPTED = "gzip, deflate, br, zstd"
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
_PLAIN = frozenset({"", "identity", "none"})
_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Decoded:
    body: bytes
    fault: Fault | None = None


class _CutShort(Exception):
    """The encoded stream ended before its end mark."""


def decode(raw: bytes, encodings: str, limit: int) -> Decoded:
    """Undo `Content-Encoding`, last applied first; stops one byte past `limit` and calls that oversize."""
    body = raw
    for name in reversed([part.strip().lower() for part in encodings.split(",")]):
        if name in _PLAIN or not body:
            continue
        try:
            body = _undo(name, body, limit + 1)
        except _CutShort:
            return Decoded(b"", Fault(cause("proto.truncated"), f"the {name} stream ends before its end mark"))
        except LookupError:
            return Decoded(b"", Fault(cause("proto.decode"), f"unknown content encoding {name[:40]}"))
        except (zlib.error, brotli.error, zstandard.ZstdError):
            return Decoded(b"", Fault(cause("proto.decode"), f"the body is not valid {name}"))
    if len(body) > limit:
        return Decoded(body[:limit], oversize(limit))
    return Decoded(body)


def oversize(limit: int) -> Fault:
    return Fault(cause("proto.oversize"), f"the body is larger than {limit:,} bytes")


def _undo(name: str, body: bytes, most: int) -> bytes:
    if name in {"gzip", "x-gzip"}:
        return _inflate(body, _GZIP, most)
    if name == "deflate":
        try:
            return _inflate(body, _ZLIB, most)
        except zlib.error:  # many servers send the bare stream under this name
            return _inflate(body, _RAW_DEFLATE, most)
    if name == "br":
        return _unbrotli(body, most)
    if name == "zstd":
        return _unzstd(body, most)
    raise LookupError(name)


def _inflate(body: bytes, window: int, most: int) -> bytes:
    out = bytearray()
    rest = body
    while rest:
        stream = zlib.decompressobj(window)
        out += stream.decompress(rest, most - len(out))
        if len(out) >= most:
            return bytes(out)
        if not stream.eof:
            raise _CutShort
        rest = stream.unused_data
        if window != _GZIP or rest[:2] != b"\x1f\x8b":  # what follows the last member is ignored, as browsers do
            break
    return bytes(out)


def _unbrotli(body: bytes, most: int) -> bytes:
    stream = brotli.Decompressor()
    out = bytearray(stream.process(body, output_buffer_limit=_PIECE))
    while len(out) < most and not stream.is_finished():
        piece = stream.process(b"", output_buffer_limit=_PIECE)
        if not piece and stream.can_accept_more_data():
            raise _CutShort
        out += piece
    return bytes(out[:most])


def _unzstd(body: bytes, most: int) -> bytes:
    out = bytearray()
    with zstandard.ZstdDecompressor(max_window_size=2**23).stream_reader(body) as stream:
        while len(out) < most:
            piece = stream.read(min(_PIECE, most - len(out)))
            if not piece:
                break
            out += piece
    if len(out) < most and not _zstd_ends(body):
        raise _CutShort
    return bytes(out)


def _zstd_ends(body: bytes) -> bool:
    """Whether the first frame is complete; its output is dropped piece by piece."""
    stream = zstandard.ZstdDecompressor(max_window_size=2**23).decompressobj()
    for start in range(0, len(body), 1024):
        stream.decompress(body[start : start + 1024])
        if stream.eof:
            return True
    return False
