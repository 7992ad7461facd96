"""Encodings and statuses."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

import brotli
import zstandard

from tests.street.case import Case, Made
from tests.street.wire import GOOD_PAGE, http, page, raw

PAGE = GOOD_PAGE.encode()
GOOD = http(GOOD_PAGE)


def zpack(body):
    return zstandard.ZstdCompressor().compress(body)


def bare(body):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


def packed(name, body):
    return http(body, content_encoding=name)


_HUGE = 120
"""Megabytes of zeros in a bomb: unpacked, they would break the memory that a command may take."""


@cache
def bomb(name):
    """Zeros, packed."""
    if name == "br":
        return brotli.compress(bytes(_HUGE * 1_000_000), quality=1)
    stream = zlib.compressobj(6, wbits=31) if name == "gzip" else zstandard.ZstdCompressor().compressobj()
    return b"".join(stream.compress(bytes(1_000_000)) for _ in range(_HUGE)) + stream.flush()


def wide_window(body):
    """A frame that asks for 128 MB of window; browsers stop at 8 MB (RFC 9659)."""
    choice = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=0)
    stream = zstandard.ZstdCompressor(compression_params=choice).compressobj()
    return stream.compress(body) + stream.flush()


_SEEN = ("--expect", "honest review")
ENCODINGS = (
    *(
        Case(f"encoding: {name}", "ok", packed(name, pack(PAGE)), _SEEN)
        for name, pack in (("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zpack))
    ),
    Case("encoding: a bare deflate stream", "ok", packed("deflate", bare(PAGE)), _SEEN),
    Case("encoding: identity", "ok", packed("identity", PAGE), _SEEN),
    Case("encoding: gzip of two members", "ok", packed("gzip", gzip.compress(PAGE[:500]) + gzip.compress(PAGE[500:])), _SEEN),
    Case("encoding: two frames of zstd", "ok", packed("zstd", zpack(PAGE[:500]) + zpack(PAGE[500:])), _SEEN),
    Case("encoding: gzip with bytes behind it", "ok", packed("gzip", gzip.compress(PAGE) + b"\0" * 20), _SEEN),
    Case("encoding: gzip twice, and it says so", "ok", packed("gzip, gzip", gzip.compress(gzip.compress(PAGE))), _SEEN),
    Case("encoding: gzip under br", "ok", packed("gzip, br", brotli.compress(gzip.compress(PAGE))), _SEEN),
    Case("encoding: gzip twice, said once", "failing proto.decode", packed("gzip", gzip.compress(gzip.compress(PAGE)))),
    Case("encoding: gzip that is not announced", "failing proto.decode", http(gzip.compress(PAGE))),
    Case("encoding: zstd that is not announced", "failing proto.decode", http(zpack(PAGE))),
    Case("encoding: an archive to download", "ok", http(gzip.compress(PAGE), content_type="application/gzip")),
    *(
        Case(f"encoding: {name} cut short", "failing proto.truncated", packed(name, pack(PAGE)[:-9]))
        for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zpack))
    ),
    Case("encoding: gzip's head only", "failing proto.truncated", packed("gzip", gzip.compress(PAGE)[:10])),
    *(Case(f"encoding: plain text called {name}", "failing proto.decode", packed(name, PAGE)) for name in ("gzip", "deflate", "br", "zstd")),
    Case("encoding: gzip called br", "failing proto.decode", packed("br", gzip.compress(PAGE))),
    Case("encoding: zstd called gzip", "failing proto.decode", packed("gzip", zpack(PAGE))),
    Case("encoding: an unknown name", "failing proto.decode", packed("rot13", PAGE)),
    Case("encoding: a charset in its place", "failing proto.decode", packed("utf-8", PAGE)),
    Case("encoding: gzip with a wrong checksum", "failing proto.decode", packed("gzip", gzip.compress(PAGE)[:-8] + b"\1\2\3\4" + gzip.compress(PAGE)[-4:])),
    Case("encoding: gzip of nothing", "failing content.empty", packed("gzip", gzip.compress(b""))),
    Case("encoding: gzip announced, nothing sent", "failing content.empty", packed("gzip", b"")),
    Case("encoding: zstd with a window of 128 MB", "failing proto.decode", packed("zstd", wide_window(PAGE))),
    *(Case(f"bomb: {name}", "failing proto.oversize", Made(lambda name=name: packed(name, bomb(name)))) for name in ("gzip", "br", "zstd")),
    Case("bomb: gzip in gzip", "failing proto.oversize", Made(lambda: packed("gzip, gzip", gzip.compress(bomb("gzip"))))),
    Case("bomb: beyond a cap of 1 kB", "failing proto.oversize", packed("gzip", gzip.compress(PAGE)), ("--max-body", "1000")),
)  # fmt: skip


def _says(status, verdict, body="x", *words, note="", **headers):
    return Case(f"status: {status}{note}", verdict, http(body, f"{status} Words", **headers), words)


_FOURS = (
    400,
    402,
    403,
    404,
    405,
    406,
    408,
    409,
    411,
    412,
    413,
    414,
    415,
    416,
    417,
    418,
    421,
    422,
    423,
    424,
    425,
    426,
    428,
    431,
    444,
    499,
)
_FIVES = (500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 521, 598, 599)
_UPKEEP = page("<h1>We are under maintenance</h1><p>Back soon.</p>", "Maintenance")

STATUSES = (
    *(_says(status, "failing http.4xx") for status in _FOURS),
    *(_says(status, "failing http.5xx") for status in _FIVES),
    _says(401, "failing http.auth", www_authenticate="Basic realm=x"),
    _says(401, "failing http.auth", note=" without a realm"),
    _says(407, "failing http.auth"),
    _says(410, "failing http.gone"),
    _says(451, "failing http.legal_block"),
    _says(429, "unknown http.rate_limited", note=" with Retry-After", retry_after="120"),
    _says(429, "unknown http.rate_limited"),
    _says(429, "unknown http.rate_limited", GOOD_PAGE, note=" with a whole page"),
    _says(503, "failing http.maintenance", note=" with Retry-After", retry_after="3600"),
    _says(503, "failing http.maintenance", note=" with a date to retry", retry_after="Wed, 21 Oct 2037 07:28:00 GMT"),
    _says(503, "failing http.maintenance", _UPKEEP, note=" with words of maintenance"),
    _says(500, "failing http.5xx", note=" with Retry-After", retry_after="60"),
    _says(500, "failing http.5xx", GOOD_PAGE, note=" with a whole page"),
    _says(404, "failing http.4xx", GOOD_PAGE, note=" with a whole page"),
    _says(403, "failing http.legal_block", page("<p>This site is not available in your country.</p>"), note=" for the country"),
    _says(999, "failing proto.malformed"),
    _says(600, "failing proto.malformed"),
    _says(201, "ok", GOOD_PAGE),
    _says(202, "ok", GOOD_PAGE),
    _says(203, "ok", GOOD_PAGE),
    _says(207, "ok", GOOD_PAGE),
    _says(226, "ok", GOOD_PAGE),
    Case("status: 204", "failing content.empty", raw("HTTP/1.1 204 No Content")),
    Case("status: 204, and it is what is wanted", "ok", raw("HTTP/1.1 204 No Content"), ("--status", "204")),
    _says(205, "failing content.empty", ""),
    _says(206, "failing proto.truncated", GOOD_PAGE, note=" unasked, a part", content_range=f"bytes 0-{len(PAGE) - 1}/90000"),
    _says(206, "ok", GOOD_PAGE, note=" unasked, the whole", content_range=f"bytes 0-{len(PAGE) - 1}/{len(PAGE)}"),
    Case("status: 304 unasked", "failing proto.malformed", raw("HTTP/1.1 304 Not Modified", "etag: x")),
    _says(300, "failing redirect.no_location", GOOD_PAGE, note=" with a list of choices"),
    _says(305, "failing redirect.no_location", note=" without Location"),
    _says(306, "failing redirect.no_location"),
    _says(399, "failing redirect.no_location"),
    _says(404, "ok", "x", "--status", "404", note=" that is wanted"),
    _says(503, "ok", "x", "--status", "200,503", note=" that is wanted"),
    _says(200, "failing content.missing_keyword", GOOD_PAGE, "--status", "404", note=" where 404 is wanted"),
    _says(200, "ok", GOOD_PAGE, "--expect", "HONEST  review", note=" with the wanted text"),
    _says(200, "failing content.missing_keyword", GOOD_PAGE, "--expect", "no such words", note=" without the wanted text"),
    _says(200, "failing content.forbidden_text", GOOD_PAGE, "--forbid", "honest review", note=" with the forbidden text"),
    _says(200, "failing content.forbidden_text", GOOD_PAGE, "--forbid", "honest", "--expect", "absent", note=" with the forbidden and without the wanted"),
)  # fmt: skip

CASES = ENCODINGS + STATUSES
