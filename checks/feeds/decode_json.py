"""JSON and JSON lines to plain records; a key that stands twice in one object is noticed, not swallowed."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from checks.feeds.charset import LAST, text_of
from checks.feeds.contract import join_path
from checks.feeds.payload import Flaws, Reading, Record, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

CHUNK = 1_000
LINE = 16 * 1024 * 1024
MARK = b"\xef\xbb\xbf"
DUPLICATE, NOT_OBJECTS, CHARSET = "key-repeated", "records-not-objects", "charset-not-utf8"
_SURROGATE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def json_of(body: bytes, content_type: str = "", flaws: Flaws | None = None) -> object:
    """A JSON document; raises `Unreadable` for anything that is not strict JSON (NaN, nesting without end, ...).

    A key that stands twice in one object with different values is noted in `flaws`; without them it raises, because
    nobody can say which value is meant.
    """
    try:
        document = _decode(body.removeprefix(MARK))
    except (msgspec.DecodeError, UnicodeError):
        text = text_of(body, content_type).encode("utf-8", "replace")
        if flaws is not None and text != body.removeprefix(MARK):
            flaws.note(CHARSET, "", "not UTF-8")
        body = text
        try:
            document = _decode(text.removeprefix(MARK))
        except (msgspec.DecodeError, UnicodeError) as problem:
            raise Unreadable(f"not valid JSON ({_short(problem)})") from None
    _notice(body, document, flaws)
    return document


def _decode(body: bytes) -> object:
    """A document whose halves of letters, as cut texts leave them, became `U+FFFD`."""
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise Unreadable("JSON nested without end") from None
    except msgspec.DecodeError:
        whole = _SURROGATE.sub(lambda found: rb"\ufffd" if found.group(1) else found.group(), body)
        if whole == body:
            raise
    return _decode_whole(whole)


def _decode_whole(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise Unreadable("JSON nested without end") from None


def _notice(body: bytes, document: object, flaws: Flaws | None) -> None:
    """Look for repeated keys, but only where there are more colons than a rewritten document has."""
    colons = body.count(b":")
    if colons == msgspec.json.encode(document).count(b":") and b"\\u003" not in body:
        return
    for path, n in _repeated(body).items():
        if flaws is None:
            raise Unreadable("a key stands twice in one object, with different values")
        flaws.note(DUPLICATE, path, "twice in one object, with different values", n)


class _Doubled(dict[str, object]):
    """An object in which some keys stood twice with different values."""

    names: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    first: dict[str, object] = {}
    names = {key for key, value in pairs if first.setdefault(key, value) != value}
    doubled = _Doubled(plain)
    doubled.names = tuple(sorted(names))
    return doubled


def _repeated(body: bytes) -> dict[str, int]:
    """Paths of repeated keys whose values differ, with how often."""
    try:
        document = json.loads(body, object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise Unreadable("a key may stand twice in one object") from None
    counts: dict[str, int] = {}
    stack: list[tuple[str, object]] = [("", document)]
    while stack:
        above, here = stack.pop()
        if isinstance(here, _Doubled):
            for name in here.names:
                path = join_path(above, name)
                counts[path] = counts.get(path, 0) + 1
        if isinstance(here, dict):
            stack.extend((join_path(above, name), value) for name, value in here.items())
        elif isinstance(here, list):
            stack.extend((above + "[]" if above else "", value) for value in here)
    return counts


def ndjson_of(body: bytes, flaws: Flaws | None = None) -> list[Record]:
    """One JSON object a line; empty lines are skipped."""
    return list(objects(enumerate(text_of(body).encode("utf-8", "replace").splitlines(), 1), flaws))


def lines(stream: BinaryIO, charset: str, flaws: Flaws) -> Reading:
    """The records of JSON lines, one by one."""
    if charset == LAST:
        flaws.note(CHARSET, "", "not UTF-8")
    return Reading(objects(enumerate(_lines(stream, charset), 1), flaws), flaws=flaws)


def _lines(stream: BinaryIO, charset: str) -> Iterator[bytes]:
    if charset.startswith(("utf-16", "utf-32")):
        yield from stream.read().decode(charset, "replace").encode("utf-8", "replace").splitlines()
        return
    first = True
    while line := stream.readline(LINE):
        if len(line) == LINE and not line.endswith(b"\n"):
            raise Unreadable(f"a line longer than {LINE // 1024 // 1024} MiB")
        line = line.removeprefix(MARK) if first else line
        first = False
        yield line.decode(LAST, "replace").encode() if charset == LAST else line


def objects(numbered: Iterable[tuple[int, bytes]], flaws: Flaws | None) -> Iterator[Record]:
    """Objects of numbered lines, looked through for repeated keys a thousand at a time."""
    stream = ((number, line.strip()) for number, line in numbered)
    full = ((number, line) for number, line in stream if line)
    while chunk := list(islice(full, CHUNK)):
        found: list[Record] = []
        for number, line in chunk:
            found.append(_line(number, line))
        _notice(b"[" + b",".join(line for _, line in chunk) + b"]", found, flaws)
        yield from found


def _line(number: int, line: bytes) -> Record:
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeError) as problem:
        raise Unreadable(f"line {number}: not valid JSON ({_short(problem)})") from None
    if not isinstance(record, dict):
        raise Unreadable(f"line {number} is not a JSON object")
    return record


def parts(body: bytes, path: str | None, flaws: Flaws) -> Reading:
    """The records of a UTF-8 document too large to be held as values: its elements stay bytes until their turn.

    `path` as for `decode.find`; without one, the list of objects that fills more than half of the document, else the
    document itself.
    """
    try:
        whole = msgspec.json.decode(body.removeprefix(MARK), type=msgspec.Raw)
        raws = (
            [whole]
            if path is None and _starts(whole) == b"["
            else _at(whole, _largest(whole) if path is None else path)
        )
        return Reading(_records(_elements(raws), flaws), _around(whole), flaws)
    except RecursionError:
        raise Unreadable("JSON nested without end") from None
    except (msgspec.DecodeError, UnicodeError) as problem:
        raise Unreadable(f"not valid JSON ({_short(problem)})") from None


def _at(whole: msgspec.Raw, path: str) -> list[msgspec.Raw]:
    level = [whole]
    for step in path.split(".") if path else []:
        key = step.removesuffix("[]")
        if key.isdecimal() and len(level) == 1 and _starts(level[0]) == b"[":
            level = _elements(level)[int(key[:5]) :][:1]
        else:
            level = [part for raw in _elements(level) if (part := _members(raw).get(key)) is not None]
        if not level:
            raise Unreadable(f"nothing at the records path {path!r}")
    return level


def _elements(level: list[msgspec.Raw]) -> list[msgspec.Raw]:
    """Each list as its elements."""
    found: list[msgspec.Raw] = []
    for raw in level:
        found.extend(msgspec.json.decode(raw, type=list[msgspec.Raw]) if _starts(raw) == b"[" else [raw])
    return found


def _members(raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(raw, type=dict[str, msgspec.Raw]) if _starts(raw) == b"{" else {}


def _starts(raw: msgspec.Raw) -> bytes:
    return bytes(memoryview(raw)[:1])


def _largest(whole: msgspec.Raw) -> str:
    """The dotted path of the longest list of objects, three levels deep, when it is most of the document."""
    found: list[tuple[int, str]] = []
    level = [("", whole)]
    for _ in range(3):
        below = [(f"{above}{name}", part) for above, raw in level for name, part in _members(raw).items()]
        found += [(len(memoryview(part)), path) for path, part in below if _starts(part) == b"["]
        level = [(f"{path}.", part) for path, part in below if _starts(part) == b"{"]
    size, path = max(found, default=(0, ""))
    return path if 2 * size > len(memoryview(whole)) else ""


def _around(whole: msgspec.Raw) -> Record:
    """Scalars two levels deep."""
    flat: Record = {}
    for name, part in _members(whole).items():
        inner = {f"{name}.{key}": value for key, value in _members(part).items()} or {name: part}
        flat.update({path: msgspec.json.decode(raw) for path, raw in inner.items() if _starts(raw) not in b"[{"})
    return {path: value for path, value in flat.items() if isinstance(value, str | int | float)}


def _records(raws: list[msgspec.Raw], flaws: Flaws) -> Iterator[Record]:
    for start in range(0, len(raws), CHUNK):
        chunk = raws[start : start + CHUNK]
        try:
            found = [_decode(bytes(memoryview(raw))) for raw in chunk]
        except (msgspec.DecodeError, UnicodeError) as problem:
            raise Unreadable(
                f"element {start} or one of the next {CHUNK}: not valid JSON ({_short(problem)})"
            ) from None
        _notice(b"[" + b",".join(memoryview(raw) for raw in chunk) + b"]", found, flaws)
        yield from only_objects(found, flaws)


def only_objects(found: Iterable[object], flaws: Flaws | None) -> list[Record]:
    """The objects among the elements of a list; what is none of them is noted, not lost."""
    items = list(found)
    records = [item for item in items if isinstance(item, dict)]
    if flaws is not None and len(records) < len(items):
        flaws.note(NOT_OBJECTS, "", "an element of the list is no object", len(items) - len(records))
    return records


def _short(problem: Exception) -> str:
    """What a parser complains of, without the text it complains about."""
    words = str(problem).partition(" - at ")[0].partition("\n")[0]
    return words[:80]
