"""What a name, a connection or an answer's framing can do wrong."""

from __future__ import annotations

from tests.street.case import Case
from tests.street.wire import GOOD_PAGE, http, raw

SOON = ("--timeout", "2")
OK = "HTTP/1.1 200 OK"
HTML = "content-type: text/html"
GOOD = http(GOOD_PAGE)


def hangs(visit):
    visit.request()
    visit.hang()


def mute(visit):
    visit.request()


def reset_at_once(visit):
    visit.reset()


def reset_after_request(visit):
    visit.request()
    visit.reset()


def sends_then(answer, then="close"):
    """Send a part, then close, reset or hang."""

    def behave(visit):
        visit.request()
        visit.send(answer)
        if then == "reset":
            visit.pause(0.2)  # a reset that overtakes the bytes would be another case
            visit.reset()
        elif then == "hang":
            visit.hang()

    return behave


def drips(head, piece, pause_s):
    def behave(visit):
        visit.request()
        visit.send(head)
        while True:
            visit.send(piece)
            visit.pause(pause_s)

    return behave


def endless(head, piece):
    def behave(visit):
        visit.request()
        visit.send(head)
        while True:
            visit.send(piece)

    return behave


def late(seconds, answer):
    def behave(visit):
        visit.request()
        visit.pause(seconds)
        visit.send(answer)

    return behave


def half_late(seconds, answer):
    def behave(visit):
        visit.request()
        half = len(answer) - 300
        visit.send(answer[:half])
        visit.pause(seconds)
        visit.send(answer[half:])

    return behave


def speaks_first(answer):
    return lambda visit: (visit.send(answer), visit.request())


ZONE = {
    "*": ["127.0.0.1"],
    "nxdomain.example": "NXDOMAIN",
    "servfail.example": "SERVFAIL",
    "refused.example": "REFUSED",
    "notimp.example": "NOTIMP",
    "formerr.example": "FORMERR",
    "silent.example": "silent",
    "nodata.example": [],
    "garbage.example": "garbage",
    "truncated.example": "truncated",
    "cut.example": "cut",
    "forged.example": "forged",
    "misread.example": "misread",
    "lame.example": "lame",
    "six.example": ["::1"],
    "twice.example": ["127.0.0.2", "127.0.0.1"],
    "loop.example": "loop",
    "alias.example": "cname:shop.example",
    "shop.example": ["127.0.0.1"],
    "dangling.example": "cname:nxdomain.example",
    "hollow.example": "cname:nodata.example",
}


def _named(host):
    return f"http://{host}.example:{{port}}/"


DNS = (
    Case("dns: the name does not exist", "failing dns.nxdomain", GOOD, url=_named("nxdomain")),
    Case("dns: SERVFAIL", "unknown dns.servfail", GOOD, url=_named("servfail")),
    Case("dns: REFUSED", "unknown dns.refused", GOOD, url=_named("refused")),
    Case("dns: not implemented", "unknown dns.servfail", GOOD, url=_named("notimp")),
    Case("dns: format error", "unknown dns.servfail", GOOD, url=_named("formerr")),
    Case("dns: no answer", "unknown dns.timeout", GOOD, SOON, url=_named("silent")),
    Case("dns: no address", "failing dns.nodata", GOOD, url=_named("nodata")),
    Case("dns: garbage", "unknown dns.timeout", GOOD, SOON, url=_named("garbage")),
    Case("dns: answers another question", "unknown dns.timeout", GOOD, SOON, url=_named("misread")),
    Case("dns: a forged answer before the right one", "ok", GOOD, url=_named("forged")),
    Case("dns: truncated over UDP, whole over TCP", "ok", GOOD, url=_named("truncated")),
    Case("dns: truncated over UDP, cut over TCP", "unknown dns.servfail", GOOD, url=_named("cut")),
    Case("dns: a lame referral", "unknown dns.servfail", GOOD, url=_named("lame")),
    Case("dns: an alias loop", "unknown dns.servfail", GOOD, url=_named("loop")),
    Case("dns: an alias of a name that does not exist", "failing dns.nxdomain", GOOD, url=_named("dangling")),
    Case("dns: an alias of a name without address", "failing dns.nodata", GOOD, url=_named("hollow")),
    Case("dns: a good alias", "ok", GOOD, url=_named("alias")),
    Case("dns: the first of two addresses is dead", "ok", GOOD, url=_named("twice")),
    Case("dns: only IPv6, and nobody there", "failing tcp.refused", GOOD, url=_named("six")),
    Case("dns: a redirect to a name that does not exist", "failing dns.nxdomain", http(status="302 Found", location="http://nxdomain.example/"), kind="link"),
    Case("dns: a redirect to a name that fails", "unknown dns.servfail", http(status="302 Found", location="http://servfail.example/"), kind="link"),
)  # fmt: skip

TCP = (
    Case("tcp: refused", "failing tcp.refused", None),
    Case("tcp: unreachable", "failing tcp.unreachable", GOOD, url="http://127.255.255.255:{port}/"),
    Case("tcp: a full backlog", "failing tcp.timeout", GOOD, SOON, url="http://127.0.0.1:{full}/"),
    Case("tcp: reset at once", "failing tcp.reset", reset_at_once),
    Case("tcp: reset after the request", "failing tcp.reset", reset_after_request),
    Case("tcp: reset inside the headers", "failing tcp.reset", sends_then(b"HTTP/1.1 200 OK\r\ncontent-le", "reset")),
    Case("tcp: reset after the headers", "failing tcp.reset", sends_then(raw(OK, HTML, "content-length: 5000"), "reset")),
    Case("tcp: reset inside the body", "failing tcp.reset", sends_then(http(GOOD_PAGE)[:-200], "reset")),
    Case("tcp: closed without a word", "failing proto.empty_reply", mute),
    Case("tcp: silence", "failing slow.ttfb", hangs, SOON),
    Case("tcp: a redirect to a dead port", "failing tcp.refused", http(status="302 Found", location="http://127.0.0.1:9/"), kind="link"),
)  # fmt: skip

_HINTS = raw("HTTP/1.1 103 Early Hints", "link: </a.css>; rel=preload")
_CONTINUE = raw("HTTP/1.1 100 Continue")
_CHUNKS = b"%x\r\n%s\r\n" % (len(GOOD_PAGE), GOOD_PAGE.encode())
_CHUNKED = (OK, HTML, "transfer-encoding: chunked")
_BODY = GOOD_PAGE.encode()
_LENGTH = f"content-length: {len(_BODY)}"

FRAMING = (
    Case("http: a banner of another protocol", "failing proto.malformed", speaks_first(b"SSH-2.0-OpenSSH_9.2\r\n")),
    Case("http: a mail server", "failing proto.malformed", speaks_first(b"220 mail.example ESMTP ready\r\n")),
    Case("http: HTTP/0.9", "failing proto.malformed", _BODY),
    Case("http: a status line without number", "failing proto.malformed", raw("HTTP/1.1 banana")),
    Case("http: a status of two digits", "failing proto.malformed", raw("HTTP/1.1 20 OK", _LENGTH, body=_BODY)),
    Case("http: a status line without words", "ok", raw("HTTP/1.1 200", HTML, _LENGTH, body=_BODY)),
    Case("http: version 1.0", "ok", raw("HTTP/1.0 200 OK", HTML, body=_BODY)),
    Case("http: a version of the future", "failing proto.malformed", raw("HTTP/7.7 200 OK", HTML, _LENGTH, body=_BODY)),
    Case("http: bare line feeds", "ok", f"{OK}\n{HTML}\n{_LENGTH}\n\n".encode() + _BODY),
    Case("http: one header of 100 kB", "failing proto.oversize", raw(OK, "x-big: " + "y" * 100_000, _LENGTH, body=_BODY)),
    Case("http: headers without end", "failing proto.oversize", endless(raw(OK)[:-2], b"x-more: " + b"y" * 500 + b"\r\n")),
    Case("http: a header that drips", "failing slow.total", drips(raw(OK)[:-2], b"x-more: y\r\n", 0.1), SOON),
    Case("http: a NUL in a header", "failing proto.malformed", raw(OK, "x-a: b\0c", _LENGTH, body=_BODY)),
    Case("http: closed inside the headers", "failing proto.truncated", raw(OK, HTML)[:-2]),
    Case("http: two different lengths", "failing proto.malformed", raw(OK, HTML, "content-length: 5", _LENGTH, body=_BODY)),
    Case("http: the same length twice", "ok", raw(OK, HTML, _LENGTH, _LENGTH, body=_BODY)),
    Case("http: two lengths in one header", "failing proto.malformed", raw(OK, HTML, f"{_LENGTH}, 5", body=_BODY)),
    Case("http: a length that is no number", "failing proto.malformed", raw(OK, HTML, "content-length: many", body=_BODY)),
    Case("http: a negative length", "failing proto.malformed", raw(OK, HTML, "content-length: -5", body=_BODY)),
    Case("http: length and chunks together", "ok", raw(*_CHUNKED, "content-length: 7", body=_CHUNKS + b"0\r\n\r\n")),
    Case("http: shorter than announced", "failing proto.truncated", raw(OK, HTML, "content-length: 9000", body=_BODY)),
    Case("http: longer than announced", "ok", raw(OK, HTML, _LENGTH, body=_BODY + b"more")),
    Case("http: chunks", "ok", raw(*_CHUNKED, body=_CHUNKS + b"0\r\n\r\n")),
    Case("http: chunks without their end", "failing proto.truncated", raw(*_CHUNKED, body=_CHUNKS)),
    Case("http: closed inside a chunk", "failing proto.truncated", raw(*_CHUNKED, body=_CHUNKS[:-100])),
    Case("http: a chunk size that is none", "failing proto.malformed", raw(*_CHUNKED, body=b"zz\r\nhello\r\n0\r\n\r\n")),
    Case("http: a chunk size beyond reason", "failing proto.malformed", raw(*_CHUNKED, body=b"f" * 20 + b"\r\nhello\r\n0\r\n\r\n")),
    Case("http: a chunk longer than its size", "failing proto.malformed", raw(*_CHUNKED, body=b"3\r\nhello\r\n0\r\n\r\n")),
    Case("http: an unknown transfer encoding", "failing proto.malformed", raw(OK, HTML, "transfer-encoding: rot13", body=_BODY)),
    Case("http: a body that ends with the connection", "ok", raw(OK, HTML, body=_BODY)),
    Case("http: 100 Continue before the answer", "ok", _CONTINUE + GOOD),
    Case("http: early hints before the answer", "ok", _HINTS + GOOD),
    Case("http: early hints, then an error", "failing http.5xx", _HINTS + http("x", "500 Oops")),
    Case("http: early hints, then silence", "failing slow.ttfb", sends_then(_HINTS, "hang"), SOON),
    Case("http: early hints, then the end", "failing proto.empty_reply", sends_then(_HINTS)),
    Case("http: protocols switched unasked", "failing proto.malformed", raw("HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: upgrade")),
)  # fmt: skip

_PLAIN = raw(OK, HTML)
SIZE = len(_BODY)

BODIES = (
    Case("body: without end", "failing proto.oversize", endless(_PLAIN, b"y" * 262_144)),
    Case("body: chunks without end", "failing proto.oversize", endless(raw(*_CHUNKED), b"10000\r\n" + b"y" * 65_536 + b"\r\n")),
    Case("body: 4 GB announced and sent", "failing proto.oversize", endless(raw(OK, HTML, "content-length: 4000000000"), b"y" * 262_144)),
    Case("body: a drip", "failing slow.total", drips(raw(OK, HTML, "content-length: 1000"), b".", 0.1), SOON),
    Case("body: a chunk a while", "failing slow.total", drips(raw(*_CHUNKED), b"1\r\nx\r\n", 0.1), SOON),
    Case("body: half, then silence", "failing slow.total", sends_then(GOOD[:-200], "hang"), SOON),
    Case("body: exactly at the cap", "ok", GOOD, ("--max-body", str(SIZE))),
    Case("body: one byte beyond the cap", "failing proto.oversize", GOOD, ("--max-body", str(SIZE - 1))),
    Case("body: empty", "failing content.empty", http("")),
    Case("body: white space only", "failing content.empty", http(" \r\n\t " * 50)),
    Case("body: tags and a title only", "failing content.empty", http("<html><head><title>Casino</title></head><body><div></div></body></html>")),
    Case("body: a comment only", "failing content.empty", http("<html><body><!-- nothing here --></body></html>")),
    Case("body: blanks that are entities only", "failing content.empty", http("<html><body><p>&nbsp;&nbsp;</p></body></html>")),
    Case("body: an application's shell", "ok", http('<html><body><div id="app"></div><script src="/app.js"></script></body></html>')),
    Case("body: a picture", "ok", http(b"\x89PNG\r\n\x1a\n" + bytes(200), content_type="image/png")),
    Case("body: JSON", "ok", http('{"games": 12}', content_type="application/json")),
    Case("slow: the first byte", "degraded slow.ttfb", late(1.2, GOOD), ("--slow", "0.6")),
    Case("slow: the body", "degraded slow.total", half_late(1.2, GOOD), ("--slow", "0.6")),
    Case("slow: within the threshold", "ok", late(0.1, GOOD), ("--slow", "8")),
)  # fmt: skip

CASES = DNS + TCP + FRAMING + BODIES
