"""Bodies to plain records: JSON, NDJSON, CSV with sections, XML. Whatever cannot be read says so in one sentence."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING

from checks.feeds.charset import text_of
from checks.feeds.decode_csv import csv_of
from checks.feeds.decode_json import json_of, ndjson_of, only_objects
from checks.feeds.decode_xml import xml_of
from checks.feeds.payload import Found, Record, Unreadable

if TYPE_CHECKING:
    from checks.feeds.payload import Flaws

__all__ = [
    "Found", "Record", "Unreadable", "at_path", "csv_of", "find", "gunzip", "json_of", "ndjson_of", "records_at", "text_of",
    "xml_of",
]  # fmt: skip

MAX_BODY = 64 * 1024 * 1024


def gunzip(body: bytes, limit: int = MAX_BODY) -> bytes:
    """The decompressed body when it is gzip, itself otherwise; never more than `limit` bytes in memory."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            plain = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise Unreadable("broken gzip") from None
    if len(plain) > limit:
        raise Unreadable(f"larger than {limit // 1024 // 1024} MiB after decompression")
    return plain


def at_path(document: object, path: str) -> object:
    """The value at a dotted path, or `None`. A list on the way stands for its elements, joined; a number picks one of them."""
    here: object = document
    for step in path.split(".") if path else []:
        key = step.removesuffix("[]")
        if isinstance(here, list) and key.isdecimal() and len(key) < 5:
            here = here[int(key)] if int(key) < len(here) else None
        elif isinstance(here, list):
            parts = [part[key] for part in here if isinstance(part, dict) and key in part]
            if not parts:
                return None
            here = [item for part in parts for item in (part if isinstance(part, list) else [part])]
        elif isinstance(here, dict):
            here = here.get(key)
        else:
            return None
    return here


def records_at(document: object, path: str, flaws: Flaws | None = None) -> list[Record] | None:
    """Objects at `path`: a list gives each, an object gives itself. `None` when there is nothing of the kind."""
    here = at_path(document, path)
    if isinstance(here, dict):
        return [here]
    if isinstance(here, list):
        return only_objects(here, flaws)
    return None


def find(document: object, path: str | None = None, flaws: Flaws | None = None) -> Found:
    """The records of a document: at `path`, or the list of objects that holds most of it, or the document itself.

    Elements of the list that are no objects are noted in `flaws`.
    """
    if path is not None:
        records = records_at(document, path, flaws)
        if records is None:
            raise Unreadable(f"nothing at the records path {path!r}")
        return Found(records, path, _scalars(document))
    if isinstance(document, list):
        return Found(only_objects(document, flaws), "", {})
    if not isinstance(document, dict):
        raise Unreadable("neither an object nor a list of objects")
    best, where = max(_lists(document, "", 3), default=(0, ""))
    if best * 2 > _leaves(document):
        records = records_at(document, where, flaws)
        return Found(records or [], where, _scalars(document))
    return Found([document], "", {})


def _lists(document: Record, prefix: str, depth: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found.append((_leaves(value), prefix + key))
        elif isinstance(value, dict) and depth > 1:
            found.extend(_lists(value, f"{prefix}{key}.", depth - 1))
    return found


def _leaves(document: object) -> int:
    count, stack = 0, [document]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            stack.extend(here.values())
        elif isinstance(here, list):
            stack.extend(here)
        else:
            count += 1
    return count


def _scalars(document: object) -> Record:
    """Scalars of the envelope, two levels deep: where totals and page counts are."""
    if not isinstance(document, dict):
        return {}
    flat: Record = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{k}": v for k, v in value.items() if isinstance(v, str | int | float)})
        elif isinstance(value, str | int | float):
            flat[key] = value
    return flat
