"""XML to plain records, element by element: sections, attributes, nested values, whatever the namespaces."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.parsers import expat

from checks.feeds.payload import Flaws, Reading, Record, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

BLOCK = 1 << 18
LOOK = 4 << 20
"""Bytes by which the place of the records is found."""
DEEPEST = 200
MOST = 1_000
"""Texts around the records that are kept."""
_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"
_REFUSALS = frozenset({"error", "errors", "fault", "exception"})
_ROWS = frozenset({"row", "record", "item", "entry", "line"})

Place = tuple[str, ...]
"""Names of elements from the root to an element."""
_NOWHERE: Place = ("",)


def xml_of(body: bytes, path: str = "") -> list[Record]:
    """The records of a document: at `path`, or the repeated elements that hold most of it.

    An element with attributes or children is an object, one without is its text, an empty `xsi:nil` is null, children of
    one name are a list. What a repeated element around the records says of itself (`<brand name="x">`) stands in each of
    its records as `brand.name`.
    """
    return list(elements(lambda: iter([body]), path).records)


def blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block


def elements(opened: Callable[[], Iterator[bytes]], path: str = "", flaws: Flaws | None = None) -> Reading:
    """The records of a document on its way in; `opened` starts at its first byte each time, for it is begun twice.

    `path` are the names of elements down to the records, dotted; outer ones may be left out. Texts and attributes
    around the records, two levels deep, are the envelope.
    """
    outline = _Outline()
    _parse(opened(), outline, LOOK)
    wanted = tuple(step.removesuffix("[]") for step in path.split(".")) if path else outline.records()
    if path and not any(place[-len(wanted) :] == wanted for place in outline.counts):
        raise Unreadable(f"nothing at the records path {path!r}")
    reading = Reading(iter(()), flaws=flaws if flaws is not None else Flaws())
    sections = {place for place, count in outline.counts.items() if count > 1}
    reading.records = _Reader(wanted, sections, reading.envelope).read(opened())
    return reading


def _parser() -> expat.XMLParserType:
    """A parser that refuses document types, and with them every entity, in any charset."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_: object) -> None:
    raise Unreadable("XML with a document type is refused")


def _parse(source: Iterator[bytes], handler: _Outline, limit: int) -> None:
    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    try:
        for block in source:
            parser.Parse(block[:limit])
            limit -= len(block)
            if limit <= 0:
                return
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        raise Unreadable(f"not valid XML ({str(problem)[:80]})") from None


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class _Outline:
    """How often which element stands where, and how many values it holds."""

    def __init__(self) -> None:
        self.counts: Counter[Place] = Counter()
        self.objects: set[Place] = set()
        """Places of elements with attributes or children."""
        self.leaves: Counter[Place] = Counter()
        self.place: Place = ()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.place) >= DEEPEST:
            raise Unreadable(f"XML nested more than {DEEPEST} deep")
        if self.place:
            self.objects.add(self.place)
        self.place = (*self.place, _local(name))
        self.counts[self.place] += 1
        if attributes:
            self.objects.add(self.place)
            self.leaves[self.place] += len(attributes)

    def end(self, _: str) -> None:
        if self.place not in self.objects:
            self.leaves[self.place] += 1
        self.place = self.place[:-1]

    def records(self) -> Place:
        """The place of the records: repeated objects that hold most of the values, as far in as they have fields.

        A row of cells stays a row: cells have no more than a name and a value. A document without objects below its
        root is one record when it has two values at least, and none otherwise.
        """
        held: Counter[Place] = Counter()
        for place, leaves in self.leaves.items():
            for depth in range(1, len(place) + 1):
                held[place[:depth]] += leaves
        root = next(iter(self.counts), ())
        inner = sorted((place for place in self.objects if len(place) > 1), key=lambda place: (len(place), place))
        most = [place for place in inner if 2 * held[place] > held[root]]
        if not most:
            most = sorted((place for place in inner if self.counts[place] > 1), key=lambda place: -held[place])[:1]
        repeated = [place for place in most if self.counts[place] > 1]
        named = [place for place in most if place[-1].lower() in _ROWS]
        chosen: Place = ()
        for place in repeated or named or most[-1:]:
            fields = place[-1].lower() in _ROWS or held[place] >= 3 * self.counts[place]
            if not chosen or (place[: len(chosen)] == chosen and fields):
                chosen = place
        single = held[root] > 1 and root in self.objects and not inner and root[0].lower() not in _REFUSALS
        return chosen or (root if single else _NOWHERE)


class _Reader:
    """Builds records at one place; keeps the scalars of the elements around them."""

    def __init__(self, wanted: Place, sections: set[Place], envelope: Record) -> None:
        self.wanted, self.sections, self.envelope = wanted, sections, envelope
        self.place: list[str] = []
        self.frames: list[tuple[Record, list[str]]] = []
        self.inside = 0
        """Depth at which the record under construction began, 0 outside of one."""
        self.done: list[Record] = []

    def read(self, source: Iterator[bytes]) -> Iterator[Record]:
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        try:
            for block in source:
                parser.Parse(block)
                yield from self.done
                self.done.clear()
            parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as problem:
            raise Unreadable(f"not valid XML ({str(problem)[:80]})") from None
        yield from self.done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.place) >= DEEPEST:
            raise Unreadable(f"XML nested more than {DEEPEST} deep")
        self.place.append(_local(name))
        here: Record = {_local(key): value.strip() for key, value in attributes.items()} if attributes else {}
        if attributes.get(_NIL, "").strip() in {"true", "1"}:
            here = {"": None}
        self.frames.append((here, []))
        if not self.inside and tuple(self.place[-len(self.wanted) :]) == self.wanted:
            self.inside = len(self.place)

    def _text(self, text: str) -> None:
        if self.inside or not text.isspace():
            self.frames[-1][1].append(text)

    def _end(self, _: str) -> None:
        name, depth = self.place[-1], len(self.place)
        here, texts = self.frames.pop()
        value = _value(here, "".join(texts).strip())
        if depth == self.inside:
            self.done.append(self._record(value))
            self.inside = 0
        elif self.inside:
            _put(self.frames[-1][0], name, value)
        else:
            self._around(name, value, depth)
        self.place.pop()

    def _record(self, value: object) -> Record:
        record: Record = value if isinstance(value, dict) else {"#text": value}
        for depth in range(2, len(self.place)):
            if tuple(self.place[:depth]) in self.sections:
                said = self.frames[depth - 1][0].items()
                record.update({f"{self.place[depth - 1]}.{key}": value for key, value in said})
        return record

    def _around(self, name: str, value: object, depth: int) -> None:
        """An element that is neither record nor part of one: its text is said of what it stands in."""
        if not isinstance(value, dict) and depth > 1:
            self.frames[-1][0][name] = value
        if depth <= 3:
            above = ".".join(self.place[1:])
            inner = value if isinstance(value, dict) else {"": value}
            flat = {f"{above}.{key}".strip(".") or "#text": part for key, part in inner.items()}
            if len(self.envelope) < MOST:
                self.envelope.update(
                    {key: _figure(part) for key, part in flat.items() if isinstance(part, str) and part}
                )


def _value(here: Record, text: str) -> object:
    if not here:
        return text
    if "" in here:
        return None
    return here | {"#text": text} if text else here


def _figure(text: str) -> int | str:
    """A count as a number, so that a total says how many rows there are."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text


def _put(parent: Record, name: str, value: object) -> None:
    """A child's value under its name; a second one of that name makes a list."""
    if name not in parent:
        parent[name] = value
        return
    known = parent[name]
    if isinstance(known, list):
        known.append(value)
    else:
        parent[name] = [known, value]
