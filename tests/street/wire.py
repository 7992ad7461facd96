"""Answers as bytes."""

from __future__ import annotations

GOOD_PAGE = (
    "<html><head><title>Quillspin casino review</title></head><body><h1>Quillspin</h1><p>"
    + "An honest review of the games. " * 40
)


def http(body=b"", status="200 OK", **headers):
    """An answer of HTTP/1.1; a header is named with underscores, and left out when it is `None`."""
    body = body.encode() if isinstance(body, str) else body
    named = {"content-type": "text/html; charset=utf-8", "content-length": len(body)}
    named |= {key.replace("_", "-"): value for key, value in headers.items()}
    lines = "".join(f"{key}: {value}\r\n" for key, value in named.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def raw(*lines, body=b""):
    """Header lines exactly as they stand, then the body."""
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


def go(location, status=302, **headers):
    return http(status=f"{status} Moved", location=location, **headers)


def page(body, title="", head=""):
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"
