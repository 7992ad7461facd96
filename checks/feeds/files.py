"""Payload files of a one-shot comparison: JSON, NDJSON, CSV or XML, gzip accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.feeds import decode
from checks.feeds.decode import Found, Unreadable
from checks.feeds.pull import read

if TYPE_CHECKING:
    from pathlib import Path

    from checks.feeds.preset import Preset


def load(path: Path, records: str | None, preset: Preset | None) -> Found:
    """The records of a payload file; raises `Unreadable` naming the file."""
    try:
        return _read(path, records, preset)
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror or 'cannot be read'}") from None
    except Unreadable as problem:
        raise Unreadable(f"{path}: {problem}") from None


def _read(path: Path, records: str | None, preset: Preset | None) -> Found:
    body = decode.gunzip(path.read_bytes())
    if not body.strip():
        raise Unreadable("empty")
    head = body[:256].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise Unreadable("an HTML page, not a report")
    if preset and records is None:
        return read(body, "", preset)
    name = path.name.removesuffix(".gz").lower()
    if name.endswith((".ndjson", ".jsonl")):
        return Found(decode.ndjson_of(body), "", {})
    if name.endswith(".xml") or head.startswith(b"<"):
        return Found(decode.xml_of(body), "", {})
    if name.endswith(".csv") or not head.replace(b"\x00", b"").startswith((b"{", b"[")):
        return Found(decode.csv_of(decode.text_of(body)), "", {})
    return decode.find(_document(body), records)


def _document(body: bytes) -> object:
    """A JSON document; several of them, one a line, are a list."""
    try:
        return decode.json_of(body)
    except Unreadable:
        lines = body.splitlines()
        if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
            raise
        return decode.ndjson_of(body)


def headers(path: Path) -> dict[str, str]:
    """Response headers of a `curl -D` dump or of a JSON object; raises `Unreadable`."""
    try:
        body = decode.gunzip(path.read_bytes())
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror or 'cannot be read'}") from None
    if body.lstrip().startswith(b"{"):
        document = decode.json_of(body)
        return {str(name): str(value) for name, value in document.items()} if isinstance(document, dict) else {}
    pairs = (line.partition(":") for line in decode.text_of(body).splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}
