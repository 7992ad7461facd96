"""One record before and after a change, as a person may see it: nothing secret, nothing that belongs to a player."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from checks.feeds.decode import at_path
from checks.feeds.pairs import number
from data.model.parser_view import DiffLine
from data.text import MASK, clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.feeds.canonical import Row
    from checks.feeds.decode import Record

LINES = 60
"""Most lines of one record."""
ITEMS = 5
"""Elements of a list, and fields of an object within the record, that are shown."""
DEEP = 6
LONG = 60
"""Cells of one text."""
CANDIDATES = 5_000
"""Records that are looked through for a telling one."""

_PARTS = re.compile(r"[^a-zA-Z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_PERSON = frozenset((
    "player", "user", "username", "customer", "client", "member", "person", "punter", "visitor", "email", "mail", "phone",
    "mobile", "msisdn", "ip", "firstname", "lastname", "surname", "fullname", "login", "nickname", "birth", "birthday",
    "birthdate", "dob", "address", "street", "zip", "postcode", "iban", "card", "pan", "wallet", "passport", "clickid",
    "click", "transactionid", "sessionid", "userid", "playerid", "customerid", "useragent", "fingerprint", "gaid", "idfa",
))  # fmt: skip
"""Words of a name whose value belongs to a person, where it is no figure."""
_SECRET = frozenset((
    "token", "secret", "password", "passwd", "pwd", "key", "apikey", "auth", "authorization", "signature", "hash",
    "cookie", "session", "jwt", "bearer",
))  # fmt: skip
_ID = frozenset(("id", "uuid", "guid", "ref", "reference", "code", "number", "no"))
_PERSONAL = re.compile(
    r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}|\+?\d[\d ()/-]{8,}\d|(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{1,4}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{24,}|eyJ[\w-]+\.[\w-]+\.?[\w-]*|[A-Z]{2}\d{2}[A-Z0-9]{11,30}"
)
_MOMENT = re.compile(r"\d{2,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d\d:\d\d.*)?|\d\d:\d\d(?::\d\d)?")


@dataclass(frozen=True, slots=True)
class Sample:
    """Two records of the same thing, raw as delivered."""

    before: Record
    after: Record


def chosen(before: Sequence[Row], after: Sequence[Row], paths: Collection[str]) -> Sample | None:
    """The pair that shows a change of `paths` best: the same record by its key, else records at the same place.

    Of several, the one in which most of the paths differ, then the one with the largest figure there: a zero shows nothing.
    """
    if not before or not after:
        return None
    pairs = list(_pairs(before[:CANDIDATES], after[:CANDIDATES]))
    was, now = max(pairs, key=lambda pair: _telling(pair[0].raw, pair[1].raw, paths))
    return Sample(was.raw, now.raw)


def _pairs(before: Sequence[Row], after: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    known: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in before:
        known[(*row.key, row.id)].append(row)
    joined = [(known[key][0], row) for row in after if len(known.get(key := (*row.key, row.id), ())) == 1]
    yield from joined or zip(before, after, strict=False)


def _telling(was: Record, now: Record, paths: Collection[str]) -> tuple[int, float]:
    differ = sum(at_path(was, path) != at_path(now, path) for path in paths)
    sizes = [abs(figure) for path in paths if (figure := number(at_path(was, path))) is not None]
    return differ, max(sizes, default=0.0)


def difference(sample: Sample, hidden: Collection[str] = (), keep: Collection[str] = ()) -> tuple[DiffLine, ...]:
    """The two records line by line, masked; empty where what may be shown of them is the same.

    Values at the paths in `hidden` are masked whatever they are; those in `keep` (what we read: days, figures,
    dimensions) only where they look like a person's or like a secret.
    """
    was, now = (lines(one, hidden, keep) for one in (sample.before, sample.after))
    if was == now:
        return ()
    found: list[DiffLine] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what == "equal":
            found += [DiffLine(" ", i + 1, j + 1, was[i]) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)]
            continue
        gone = [DiffLine("-", i + 1, None, was[i]) for i in range(i1, i2)]
        came = [DiffLine("+", None, j + 1, now[j]) for j in range(j1, j2)]
        alike = [_label(one.text) for one in gone] == [_label(one.text) for one in came]
        found += [line for pair in zip(gone, came, strict=True) for line in pair] if alike else [*gone, *came]
    return tuple(found)


def _label(line: str) -> str:
    """What a line is about: its name, whatever its value."""
    return line.partition(": ")[0]


def lines(record: Record, hidden: Collection[str] = (), keep: Collection[str] = ()) -> list[str]:
    """A record as a person reads JSON, at most 60 lines, each clean and without anything secret or personal."""
    found: list[str] = []
    for line in _object(record, "", "", _Rules(frozenset(hidden), frozenset(keep)), ""):
        if len(found) == LINES - 1:
            return [*found, "  …"]
        found.append(line)
    return found


def value_at(record: Record, path: str, keep: Collection[str] = ()) -> str:
    """One value as it may be quoted to the partner; `absent` where there is none."""
    found = at_path(record, path) if path not in record else record[path]
    there = found is not None or path in record or _holds(record, path)
    return _scalar(found, path, _Rules(frozenset(), frozenset(keep))) if there else "absent"


def _holds(record: Record, path: str) -> bool:
    above, _, name = path.rpartition(".")
    holder = at_path(record, above) if above else record
    return isinstance(holder, dict) and name in holder


@dataclass(frozen=True, slots=True)
class _Rules:
    hidden: frozenset[str]
    keep: frozenset[str]

    def masks(self, path: str, value: object) -> bool:
        """Whether a value must not be seen: by its path, by what its name says, or by what it looks like."""
        if path in self.hidden:
            return True
        text = value.strip() if isinstance(value, str) else ""
        if text and not _MOMENT.fullmatch(text) and number(text) is None and _PERSONAL.search(text):
            return True
        return path not in self.keep and value not in (None, "") and _named_so(path, value)


def _named_so(path: str, value: object) -> bool:
    words = [word.lower() for word in _PARTS.split(path.rpartition(".")[2]) if word]
    if "".join(words) in _PERSON | _SECRET or (_SECRET & set(words) and isinstance(value, str)):
        return True
    if not _PERSON & set(words):
        return False
    figure = not isinstance(value, str) or number(value) is not None
    return not figure or bool(_ID & set(words))


def _object(record: Record, above: str, indent: str, rules: _Rules, label: str, end: str = "") -> Iterator[str]:
    yield f"{indent}{label}{{"
    names = list(record)
    for at, name in enumerate(names):
        if indent and at == 4 * ITEMS:
            yield f"{indent}  … {len(names) - at} more"
            break
        path = f"{above}.{name}" if above else name
        comma = "," if at < len(names) - 1 else ""
        yield from _value(record[name], path, indent + "  ", rules, f'"{clean_text(name, LONG)}": ', comma)
    yield f"{indent}}}{end}"


def _value(value: object, path: str, indent: str, rules: _Rules, label: str, end: str) -> Iterator[str]:
    if isinstance(value, dict | list) and len(indent) // 2 > DEEP:
        yield f"{indent}{label}…{end}"
    elif isinstance(value, dict) and not rules.masks(path, MASK):
        yield from _object(value, path, indent, rules, label, end)
    elif isinstance(value, list) and not rules.masks(path, MASK):
        yield f"{indent}{label}["
        for item in value[:ITEMS]:
            yield from _value(item, f"{path}[]", indent + "  ", rules, "", ",")
        if len(value) > ITEMS:
            yield f"{indent}  … {len(value) - ITEMS:,} more"
        yield f"{indent}]{end}"
    else:
        yield f"{indent}{label}{_scalar(value, path, rules)}{end}"


def _scalar(value: object, path: str, rules: _Rules) -> str:
    if rules.masks(path, value):
        return MASK
    if isinstance(value, str):
        return json.dumps(redact(clean_text(value, LONG)), ensure_ascii=False)
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else f"[{len(value):,}]"
    return clean_text(json.dumps(value), LONG)
