"""Telling a report from anything else that says 200, and what the report holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from checks.feeds import decode
from checks.feeds.canonical import pivot_cells, pivot_columns
from checks.feeds.decode import Found, Record, Unreadable
from checks.feeds.decode_json import NOT_OBJECTS
from checks.feeds.fetch import Answer, Problem, retry_at
from checks.feeds.pages import Page
from checks.feeds.payload import Flaws
from checks.feeds.preset import Reject
from data.model.cause import cause
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    from checks.feeds.preset import Preset

HEADER = "header:"
PAGES = "pages:"
LOGIN_PAGE = Reject("feed.auth", html=True)
TOTALS = frozenset({"total", "total_count", "totalcount", "total_rows", "total_records", "count"})
"""Names under which envelopes tell the number of rows over all pages."""


@dataclass(frozen=True, slots=True)
class Report:
    """One body, understood as far as its format goes."""

    records: list[Record]
    page: Page
    claimed: int | None = None
    """Rows over all pages, by the preset or by the envelope."""
    totals: Record | None = None
    """The report's own record of totals."""


@dataclass
class Reply:
    """An answer under its preset's rules; its JSON is decoded once, when it is first asked for."""

    answer: Answer
    preset: Preset
    _head: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._head = decode.text_of(self.answer.body[:16_000], self.answer.content_type)[:4_000]

    @cached_property
    def _json(self) -> object:
        """The document; an `Unreadable` where it is none."""
        try:
            return decode.json_of(self.answer.body, self.answer.content_type)
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
        return Report(found.records, page, claimed, self._totals())

    def found(self) -> Found:
        """The records; a list that holds anything else would lose it, and is refused as a whole."""
        flaws = Flaws()
        found = self._found(flaws)
        if lost := next((flaw for flaw in flaws if flaw.kind == NOT_OBJECTS), None):
            raise Unreadable(lost.words)
        return found

    def _found(self, flaws: Flaws) -> Found:
        rows = self.preset.rows
        body, content_type = self.answer.body, self.answer.content_type
        if rows.format == "csv":
            return Found(decode.csv_of(decode.text_of(body, content_type), section=rows.section), "", {})
        if rows.format == "xml":
            return Found(decode.xml_of(body, rows.path), rows.path, {})
        if rows.format == "ndjson":
            return Found(decode.ndjson_of(body), "", {})
        if not rows.pivot:
            return decode.find(self.document, rows.path, flaws)
        here = decode.at_path(self.document, rows.path)
        if not isinstance(here, list):
            raise Unreadable(f"nothing at the records path {rows.path!r}")
        pivoted = pivot_cells(here) if rows.pivot == "cells" else pivot_columns(here)
        return Found(pivoted, rows.path, decode.find(self.document, "").envelope)

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


def _whole(value: object) -> int | None:
    """A count, also as text; nothing for anything else."""
    text = str(value).strip()
    return int(text) if not isinstance(value, bool) and text.isascii() and text.isdigit() and len(text) < 12 else None


def read(body: bytes, content_type: str, preset: Preset) -> Found:
    """The records of a body in the preset's format; raises `Unreadable`."""
    return Reply(Answer(200, {"content-type": content_type}, body), preset).found()


def total_of(envelope: Record) -> int | None:
    """The number of rows over all pages that an envelope claims."""
    for path, value in envelope.items():
        if path.rpartition(".")[2].lower() in TOTALS and type(value) is int:
            return value
    return None
