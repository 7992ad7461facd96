"""Telling a report from anything else that says 200, and what the report holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from checks.feeds import decode, decode_csv, decode_json, decode_xml
from checks.feeds.canonical import pivot_cells, pivot_columns
from checks.feeds.charset import LAST, declared, marked
from checks.feeds.decode import Found, Record, Unreadable
from checks.feeds.decode_json import CHARSET, DUPLICATE, NOT_OBJECTS
from checks.feeds.fetch import Answer, Problem, retry_at
from checks.feeds.pages import Page
from checks.feeds.payload import Flaw, Flaws
from checks.feeds.preset import Reject
from data.model.cause import cause
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from checks.feeds.payload import Reading
    from checks.feeds.preset import Preset

HEADER = "header:"
PAGES = "pages:"
LOGIN_PAGE = Reject("feed.auth", html=True)
TOTALS = frozenset({"total", "total_count", "totalcount", "total_rows", "total_records", "count"})
"""Names under which envelopes tell the number of rows over all pages."""
MOST_RECORDS = 500_000
"""Of one body: rows cost more memory and time than their bytes do."""
MOST_PARTS = 2_000_000
"""Objects and lists of one JSON body."""
_GRAND = re.compile(r"grand", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """One body, understood as far as its format goes."""

    records: list[Record]
    page: Page
    claimed: int | None = None
    """Rows over all pages, by the preset or by the envelope."""
    totals: Record | None = None
    """The report's own record of totals."""
    flaws: Flaws = field(default_factory=Flaws)
    """Damage that it could be read with; paths of repeated keys are those of a record."""


@dataclass
class Reply:
    """An answer under its preset's rules; its JSON is decoded once, when it is first asked for."""

    answer: Answer
    preset: Preset
    flaws: Flaws = field(default_factory=Flaws)
    """What was noticed while it was read."""
    _head: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._head = decode.text_of(self.answer.body[:16_000], self.answer.content_type)[:4_000]

    @cached_property
    def _json(self) -> object:
        """The document; an `Unreadable` where it is none."""
        body = self.answer.body
        if body.count(b"{") + body.count(b"[") > MOST_PARTS:
            return Unreadable(f"more than {MOST_PARTS:,} objects and lists")
        try:
            return decode.json_of(body, self.answer.content_type, self.flaws)
        except Unreadable as problem:
            return problem

    @property
    def document(self) -> object:
        if isinstance(self._json, Unreadable):
            raise self._json
        return self._json

    def at(self, path: str) -> object:
        """What is at a path of a JSON body, or nothing."""
        return None if isinstance(self._json, Unreadable) else decode.at_path(self._json, path)

    # ── is it a report ───────────────────────────────────────────────────────────────────────────────────────────

    def refusal(self, now: datetime) -> Problem | None:
        """Why it is no report: its status first, then what the body says whatever the status."""
        status, pace = self.answer.status, self.preset.pace
        after = retry_at(self.answer.headers.get("retry-after", ""), now)
        patience = after or now + timedelta(seconds=pace.cool_s)
        if status in pace.throttle:
            return Problem(cause("feed.throttled"), f"throttled ({status})", patience)
        if status in {401, 403, 407}:
            told = next((words for rule in self.preset.reject if rule.cause == "feed.auth" and rule.words and (words := self._broken(rule))), "")  # fmt: skip
            return Problem(cause("feed.auth"), f"{status} {told or self._said()}".strip())
        if status >= 500:
            return Problem(cause("http.5xx"), f"the API answered {status}", after)
        rules = [*self.preset.reject, LOGIN_PAGE] if status < 300 else [one for one in self.preset.reject if one.match]
        for rule in rules:
            if words := self._broken(rule):
                return Problem(cause(rule.cause), words, patience if rule.cause == "feed.throttled" else None)
        if status >= 400:
            return Problem(cause("http.gone" if status == 410 else "http.4xx"), f"the API answered {status}", after)
        return Problem(cause("feed.contract"), f"moved ({status})") if status >= 300 else None

    def _broken(self, rule: Reject) -> str:
        """Words for a body that the rule recognises as no report, else nothing."""
        if rule.html:
            return (rule.words or "an HTML page instead of a report") if self.answer.is_html else ""
        if rule.empty:
            return (rule.words or "an empty body instead of a report") if not self.answer.body.strip() else ""
        text = self._head
        if rule.json:
            found = self.at(rule.json)
            if found is None or (not rule.match and not found):
                return ""
            text = str(found)[:4_000]
        if rule.match and not re.search(rule.match, text, re.IGNORECASE):
            return ""
        return rule.words or f"error in the body: {redact(clean_text(text, 80))}"

    def _said(self) -> str:
        """A short error word of a refusal, as `token_expired`; nothing that could be more than a word or two."""
        for path in ("error", "error.code", "code", "message"):
            found = self.at(path)
            if isinstance(found, str) and re.fullmatch(r"[A-Za-z_ -]{3,40}", found):
                return redact(found)
        return ""

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────────

    def report(self) -> Report:
        """The records and what the report says of its pages; raises `Unreadable`."""
        found = self.found()
        total, pages = self._counted()
        claimed = total if self.preset.paging.total else total_of(found.envelope)
        page = Page(len(found.records), total, pages, self._cursor())
        flaws = Flaws()
        flaws.add(_of_record(flaw, found.path, pivoted=bool(self.preset.rows.pivot)) for flaw in self.flaws)
        return Report(found.records, page, claimed, self._totals() or _only(found.totals), flaws)

    def found(self) -> Found:
        """The records; a list that holds anything else would lose it, and is refused as a whole."""
        found = self._found()
        if lost := next((flaw for flaw in self.flaws if flaw.kind == NOT_OBJECTS), None):
            raise Unreadable(lost.words)
        if len(found.records) > MOST_RECORDS:
            raise Unreadable(f"more than {MOST_RECORDS:,} records in one body")
        return found

    def _found(self) -> Found:
        rows = self.preset.rows
        if rows.format == "csv":
            return _held(decode_csv.table(decode_csv.lines_of(StringIO(self._text, newline="")), section=rows.section, flaws=self.flaws), "")  # fmt: skip
        if rows.format == "xml":
            return _held(decode_xml.elements(lambda: iter([self.answer.body]), rows.path, self.flaws), rows.path)
        if rows.format == "ndjson":
            numbered = enumerate(self._text.encode("utf-8", "replace").splitlines(), 1)
            return Found(_few(decode_json.objects(numbered, self.flaws)), "", {})
        if not rows.pivot:
            return decode.find(self.document, rows.path, self.flaws)
        here = decode.at_path(self.document, rows.path)
        if not isinstance(here, list):
            raise Unreadable(f"nothing at the records path {rows.path!r}")
        pivoted = pivot_cells(here) if rows.pivot == "cells" else pivot_columns(here)
        return Found(pivoted, rows.path, decode.find(self.document, "").envelope)

    @property
    def _text(self) -> str:
        """All of it as letters; where they had to be guessed it is noted."""
        body, said = self.answer.body, self.answer.content_type
        if not marked(body[:4]) and not declared(said) and not _is_utf8(body):
            self.flaws.note(CHARSET, "", f"not UTF-8, read as {LAST}")
        return decode.text_of(body, said)

    def _counted(self) -> tuple[int | None, int | None]:
        """Rows and pages there are in all, where the preset says where that is told."""
        where = self.preset.paging.total
        count = _whole(self._told(where.removeprefix(PAGES))) if where else None
        return (None, count) if where.startswith(PAGES) else (count, None)

    def _cursor(self) -> str:
        found = self._told(self.preset.paging.cursor) if self.preset.paging.cursor else None
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""

    def _told(self, where: str) -> object:
        """A value by path, or from a header."""
        if where.startswith(HEADER):
            return self.answer.headers.get(header_of(where))
        return self.at(where) if self.preset.rows.format == "json" else None

    def _totals(self) -> Record | None:
        """A record, or the only one of a list."""
        where = self.preset.rows.totals
        if not where or self.preset.rows.format != "json":
            return None
        here = self.at(where)
        if self.preset.rows.pivot == "cells" and isinstance(here, list):
            here = pivot_cells(here if here and isinstance(here[0], list) else [here])
        if isinstance(here, list):
            here = here[0] if len(here) == 1 else None
        return here if isinstance(here, dict) else None


def header_of(where: str) -> str:
    """The header that `[pages:]header:NAME` speaks of, in lower case; empty for a path."""
    name = where.removeprefix(PAGES)
    return name.removeprefix(HEADER).strip().lower() if name.startswith(HEADER) else ""


def _held(reading: Reading, path: str) -> Found:
    records = _few(reading.records)
    return Found(records, path, reading.envelope, tuple(reading.totals))


def _few(records: Iterator[Record]) -> list[Record]:
    """As many as may be, and one more where there are too many."""
    return list(islice(records, MOST_RECORDS + 1))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeError:
        return False
    return True


def _only(totals: tuple[Record, ...]) -> Record | None:
    """The totals over all rows: the only ones there are, or the last where they say so; those of sections are none."""
    if len(totals) < 2:
        return totals[0] if totals else None
    first = next((str(cell) for cell in totals[-1].values() if cell), "")
    return totals[-1] if _GRAND.match(first) else None


def _of_record(flaw: Flaw, records: str, *, pivoted: bool) -> Flaw:
    """A flaw with the path it has in a record; empty for a key through which records themselves are lost."""
    if flaw.kind != DUPLICATE:
        return flaw
    steps = [step.removesuffix("[]") for step in records.split(".") if step and not step.isdecimal()]
    here = [step.removesuffix("[]") for step in flaw.path.split(".")]
    if pivoted or here == steps[: len(here)]:
        return replace(flaw, path="")
    return replace(flaw, path=".".join(flaw.path.split(".")[len(steps) :])) if here[: len(steps)] == steps else flaw


def _whole(value: object) -> int | None:
    """A count, also as text; nothing for anything else."""
    text = str(value).strip()
    return int(text) if not isinstance(value, bool) and text.isascii() and text.isdigit() and len(text) < 12 else None


def read(body: bytes, content_type: str, preset: Preset) -> Found:
    """The records of a body in the preset's format; raises `Unreadable`."""
    return reply_of(body, content_type, preset).found()


def reply_of(body: bytes, content_type: str, preset: Preset) -> Reply:
    """A body that was kept, under its preset's rules."""
    return Reply(Answer(200, {"content-type": content_type}, body), preset)


def total_of(envelope: Record) -> int | None:
    """The number of rows over all pages that an envelope claims."""
    for path, value in envelope.items():
        if path.rpartition(".")[2].lower() in TOTALS and type(value) is int:
            return value
    return None
