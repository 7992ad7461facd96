"""Bodies to plain records: JSON, NDJSON, CSV with sections, XML. Whatever cannot be read says so in one sentence."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree as ET  # documents with a DTD are refused before parsing

import msgspec

from data.errors import LosswatchError

MAX_BODY = 64 * 1024 * 1024
CSV_FIELD = 1024 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)

Record = dict[str, object]


class Unreadable(LosswatchError):
    """A payload that is not what it should be; the message says why and never quotes it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The records of a document, where they were, and the scalars around them."""

    records: list[Record]
    path: str
    envelope: Record


def text_of(body: bytes, content_type: str = "") -> str:
    """Text by byte order mark, declared charset, UTF-8, else Windows-1252, which always answers something."""
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return (
                body[len(mark) :].decode("utf-8", "replace") if charset == "utf-8" else body.decode(charset, "replace")
            )
    declared = _CHARSET.search(content_type)
    for charset in (declared.group(1) if declared else "utf-8", "utf-8"):
        try:
            return body.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def json_of(body: bytes, content_type: str = "") -> object:
    """A JSON document; raises `Unreadable` for anything that is not strict JSON (NaN, nesting without end, ...)."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise Unreadable("JSON nested without end") from None
    try:
        return msgspec.json.decode(text_of(body, content_type))
    except RecursionError:
        raise Unreadable("JSON nested without end") from None
    except (msgspec.DecodeError, UnicodeError) as problem:
        raise Unreadable(f"not valid JSON ({_short(problem)})") from None


def ndjson_of(body: bytes) -> list[Record]:
    """One JSON object a line; empty lines are skipped."""
    lines = [line for line in text_of(body).splitlines() if line.strip()]
    found = [json_of(line.encode()) for line in lines]
    if not all(isinstance(record, dict) for record in found):
        raise Unreadable("a line that is not a JSON object")
    return [record for record in found if isinstance(record, dict)]


def csv_of(text: str, *, section: str = "") -> list[Record]:
    """Rows below the header as strings. Sections repeat the header under a line such as `Customer Group: NAME`.

    `section` names the column that a section's NAME is put into when the row itself has none. Cells beyond the header
    are kept as `column N`.
    """
    if "\0" in text:
        raise Unreadable("binary, not a table")
    old_limit = csv.field_size_limit(CSV_FIELD)
    try:
        lines = [cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)) if any(cells)]
    except csv.Error as problem:
        raise Unreadable(f"not valid CSV ({_short(problem)})") from None
    finally:
        csv.field_size_limit(old_limit)
    header: list[str] = []
    name, opened = "", True
    records: list[Record] = []
    for cells in lines:
        if len(cells) == 1 and ":" in cells[0] and len(header) != 1:
            name, opened = cells[0].partition(":")[2].strip(), True
        elif not header or cells == header or (opened and 2 * len(set(cells) & set(header)) > len(header)):
            header, opened = cells, False
        else:
            records.append(_csv_record(header, cells, section, name))
            opened = False
    return records


def _csv_record(header: list[str], cells: list[str], section: str, name: str) -> Record:
    record: Record = {}
    for place, cell in enumerate(cells):
        column = header[place].strip() if place < len(header) else f"column {place + 1}"
        record[column if column not in record else f"{column}#{place + 1}"] = cell.strip()
    if section and not record.get(section):
        record[section] = name
    return record


def _delimiter(text: str) -> str:
    head = next((line for line in text.splitlines()[:20] if any(mark in line for mark in ",;\t|")), "")
    return max(",;\t|", key=head.count)


def xml_of(body: bytes) -> list[Record]:
    """Attributes and child texts of the most frequent repeated element. DTDs and entities are refused."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Unreadable("XML with a document type is refused")
    try:
        root = ET.fromstring(body)  # noqa: S314  # no DTD, so no entities
    except (ET.ParseError, RecursionError, ValueError) as problem:
        raise Unreadable(f"not valid XML ({_short(problem)})") from None
    tags = Counter(element.tag for parent in root.iter() for element in parent if len(element) or element.attrib)
    row = tags.most_common(1)[0][0] if tags else ""
    return [_xml_record(element) for element in root.iter(row)] if row else []


def _xml_record(element: ET.Element) -> Record:
    record: Record = dict(element.attrib)
    record.update({child.tag: (child.text or "").strip() for child in element})
    return record


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
    """The value at a dotted path, or `None`. A list on the way stands for its elements, joined."""
    here: object = document
    for step in path.split(".") if path else []:
        key = step.removesuffix("[]")
        if isinstance(here, list):
            parts = [part[key] for part in here if isinstance(part, dict) and key in part]
            if not parts:
                return None
            here = [item for part in parts for item in (part if isinstance(part, list) else [part])]
        elif isinstance(here, dict):
            here = here.get(key)
        else:
            return None
    return here


def records_at(document: object, path: str) -> list[Record] | None:
    """Objects at `path`: a list gives each, an object gives itself. `None` when there is nothing of the kind."""
    here = at_path(document, path)
    if isinstance(here, dict):
        return [here]
    if isinstance(here, list):
        return [item for item in here if isinstance(item, dict)]
    return None


def find(document: object, path: str | None = None) -> Found:
    """The records of a document: at `path`, or the list of objects that holds most of it, or the document itself."""
    if path is not None:
        records = records_at(document, path)
        if records is None:
            raise Unreadable(f"nothing at the records path {path!r}")
        return Found(records, path, _scalars(document))
    if isinstance(document, list):
        return Found([item for item in document if isinstance(item, dict)], "", {})
    if not isinstance(document, dict):
        raise Unreadable("neither an object nor a list of objects")
    best, where = max(_lists(document, "", 3), default=(0, ""))
    if best * 2 > _leaves(document):
        records = records_at(document, where)
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


def _short(problem: Exception) -> str:
    """What a parser complains of, without the text it complains about."""
    words = str(problem).partition(" - at ")[0].partition("\n")[0]
    return words[:80]
