"""One pull of one account: ask, tell a report from anything else that says 200, keep the raw bodies."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import msgspec
import zstandard

from checks.feeds import decode
from checks.feeds.adapt import adapt
from checks.feeds.canonical import Row, canonical, pivot
from checks.feeds.decode import Found, Record, Unreadable
from checks.feeds.fetch import Answer, Problem, fetch, retry_at
from checks.feeds.preset import Preset, Reject
from checks.feeds.request import Call, authorization, call, days, windows
from data.config.settings import Feed
from data.model.cause import cause
from data.model.fact import Payload
from data.text import clean_text, redact, register_secret

TOKEN_LIFE = timedelta(seconds=3600)
TOKEN_MARGIN = timedelta(seconds=60)
MASK = "•••".encode()
LEAST_KEY = 8
"""Characters; a shorter key would blot out innocent figures."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came back. With a `problem` there are no rows that may be used."""

    host: str
    first: date
    last: date
    """The days asked for, inclusive, in the partner's zone."""
    payloads: tuple[Payload, ...] = ()
    rows: tuple[Row, ...] = ()
    problem: Problem | None = None
    headers: dict[str, str] = field(default_factory=dict)
    total: int | None = None
    """Rows the report itself claims over all pages."""
    total_ms: float = 0.0

    @property
    def records(self) -> list[Record]:
        return [row.raw for row in self.rows]


@dataclass(slots=True)
class TokenCache:
    """Access tokens in memory only, by account; a token nobody accepts is forgotten."""

    _tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)

    def get(self, account: str, now: datetime) -> str | None:
        token, until = self._tokens.get(account, ("", now))
        return token if token and now < until else None

    def put(self, account: str, token: str, until: datetime) -> None:
        self._tokens[account] = (token, until)

    def forget(self, account: str) -> None:
        self._tokens.pop(account, None)


TOKENS = TokenCache()


async def pull(
    feed: Feed,
    preset: Preset,
    secret: str,
    client: httpx.AsyncClient,
    now: datetime,
    *,
    tokens: TokenCache = TOKENS,
) -> Pulled:
    """Read the feed's last `days` once. Every failure is `Pulled.problem`; only a bad configuration raises.

    A token that is refused although it should live is renewed once. Raises `ConfigError` for options that no preset has.
    """
    preset = adapt(preset, feed.options)
    for known in (secret, secret.partition(":")[2]):
        if known:
            register_secret(known)
    began = time.perf_counter()
    visit = _Visit(feed, preset, secret, client, now, tokens)
    pulled = await visit.read()
    if visit.reused and pulled.problem and pulled.problem.cause == "feed.auth":
        tokens.forget(visit.account)
        visit = _Visit(feed, preset, secret, client, now, tokens)
        pulled = await visit.read()
    return replace(pulled, total_ms=(time.perf_counter() - began) * 1000)


@dataclass(slots=True)
class _Visit:
    """The calls of one pull, in order."""

    feed: Feed
    preset: Preset
    secret: str = field(repr=False)
    client: httpx.AsyncClient
    now: datetime
    tokens: TokenCache
    reused: bool = False
    """Whether an access token from an earlier pull was used."""

    @property
    def account(self) -> str:
        whose = f"{self.feed.base_url}\0{self.feed.name}\0{self.secret}"
        return hashlib.sha256(whose.encode("utf-8", "replace")).hexdigest()

    async def read(self) -> Pulled:
        first, last = days(self.feed, self.preset, self.now)
        pulled = Pulled(urlsplit(self.feed.base_url).hostname or "", first, last)
        token: str | Problem = await self._token() if self.preset.auth.kind == "oauth_cc" else ""
        if isinstance(token, Problem):
            return replace(pulled, problem=token)
        for start, end in windows(first, last, self.preset.window):
            pulled = await self._window(pulled, start, end, token)
            if pulled.problem:
                break
        return pulled

    async def _window(self, pulled: Pulled, start: date, end: date, token: str) -> Pulled:
        """All pages of one window, until a page is short, empty or a repetition."""
        seen: set[str] = set()
        for page in range(self.preset.paging.max_pages if self.preset.paging.kind != "none" else 1):
            if pulled.payloads:
                await asyncio.sleep(self.preset.pace.min_gap_s)
            answer = await self._ask(call(self.feed, self.preset, self.secret, start, end, page), token)
            if isinstance(answer, Problem):
                return replace(pulled, problem=answer)
            payload = self._keep(answer)
            pulled = replace(pulled, payloads=(*pulled.payloads, payload), headers=answer.headers)
            if payload.hash in seen:
                return replace(
                    pulled, problem=Problem(cause("feed.paging"), f"page {page + 1} repeats an earlier page")
                )
            seen.add(payload.hash)
            try:
                found = read(answer.body, answer.content_type, self.preset)
            except Unreadable as problem:
                return replace(pulled, problem=Problem(cause("feed.contract"), str(problem)))
            rows = canonical(found.records, self.preset)
            pulled = replace(pulled, rows=(*pulled.rows, *rows), total=total_of(found.envelope) or pulled.total)
            if len(found.records) < max(self.preset.paging.size, 1):
                break
        return pulled

    async def _ask(self, request: Call, token: str) -> Answer | Problem:
        headers = request.headers | (authorization(self.preset, token) if token else {})
        pace = self.preset.pace
        answer = await fetch(
            self.client, "GET", request.url, params=request.params, headers=headers,
            timeout_s=pace.timeout_s, max_body=pace.max_body,
        )  # fmt: skip
        return answer if isinstance(answer, Problem) else refusal(answer, self.preset, self.now) or answer

    async def _token(self) -> str | Problem:
        """A living token from the cache, or a new one for the client's credentials."""
        if token := self.tokens.get(self.account, self.now):
            self.reused = True
            return token
        credentials = msgspec.structs.replace(self.preset, auth=msgspec.structs.replace(self.preset.auth, kind="basic"))
        answer = await fetch(
            self.client, "POST", self.feed.base_url.rstrip("/") + self.preset.auth.path,
            headers={**authorization(credentials, self.secret), "Accept-Encoding": "gzip"},
            form={"grant_type": "client_credentials", "scope": self.preset.auth.scope},
            timeout_s=self.preset.pace.timeout_s, max_body=65_536,
        )  # fmt: skip
        if isinstance(answer, Problem):
            return answer
        if answer.status == 400:
            return Problem(cause("feed.auth"), "the token endpoint refused the client (400)")
        if problem := refusal(answer, self.preset, self.now):
            return problem
        return self._remember(answer)

    def _remember(self, answer: Answer) -> str | Problem:
        try:
            grant = decode.json_of(answer.body, answer.content_type)
        except Unreadable:
            grant = None
        token = grant.get("access_token") if isinstance(grant, dict) else None
        if not isinstance(grant, dict) or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            return Problem(cause("feed.auth"), "the token endpoint gave no token")
        register_secret(token)
        life = grant.get("expires_in")
        lives = timedelta(seconds=min(float(life), 86400.0)) if isinstance(life, int | float) else TOKEN_LIFE
        self.tokens.put(self.account, token, self.now + max(lives - TOKEN_MARGIN, TOKEN_MARGIN))
        return token

    def _keep(self, answer: Answer) -> Payload:
        """The body as received, but for our own key where a server repeats it."""
        body = answer.body
        for key in (self.secret, self.secret.rpartition(":")[2]):
            body = body.replace(key.encode(), MASK) if len(key) >= LEAST_KEY else body
        return Payload(
            hash=hashlib.sha256(body).hexdigest(),
            feed=self.feed.name,
            team=self.feed.team,
            received_at=self.now,
            content_type=clean_text(answer.content_type, 80),
            body=zstandard.compress(body),
        )


def read(body: bytes, content_type: str, preset: Preset) -> Found:
    """The records of a body in the preset's format; raises `Unreadable`."""
    rows = preset.rows
    if rows.format == "csv":
        return Found(decode.csv_of(decode.text_of(body, content_type), section=rows.section), "", {})
    if rows.format == "xml":
        return Found(decode.xml_of(body), "", {})
    document = decode.json_of(body, content_type)
    if rows.pivot != "cells":
        return decode.find(document, rows.path)
    here = decode.at_path(document, rows.path)
    if not isinstance(here, list):
        raise Unreadable(f"nothing at the records path {rows.path!r}")
    return Found(pivot(here), rows.path, decode.find(document, "").envelope)


def refusal(answer: Answer, preset: Preset, now: datetime) -> Problem | None:
    """Why an answer is no report: its status first, then what a body says although the status was good."""
    status, after = answer.status, retry_at(answer.headers.get("retry-after", ""), now)
    if status in preset.pace.throttle:
        return Problem(cause("feed.throttled"), f"throttled ({status})", after or now + timedelta(seconds=60))
    if status in {401, 403, 407}:
        return Problem(cause("feed.auth"), f"{status} {_said(answer)}".strip())
    if status >= 400:
        name = "http.5xx" if status >= 500 else "http.gone" if status == 410 else "http.4xx"
        return Problem(cause(name), f"the API answered {status}", after)
    if status >= 300:
        return Problem(cause("feed.contract"), f"moved ({status})")
    for rule in (*preset.reject, Reject("feed.auth", html=True)):
        if words := _rejected(answer, rule):
            return Problem(cause(rule.cause), words)
    return None


def _rejected(answer: Answer, rule: Reject) -> str:
    """Words for a body that the rule recognises as no report, else nothing."""
    if rule.html:
        return (rule.words or "an HTML page instead of a report") if answer.is_html else ""
    text = decode.text_of(answer.body[:16_000], answer.content_type)[:4_000]
    if rule.json:
        found = _json_at(answer, rule.json)
        if found in {None, ""}:
            return ""
        text = str(found)
    if rule.match and not re.search(rule.match, text, re.IGNORECASE):
        return ""
    return rule.words or f"error in the body: {redact(clean_text(text, 80))}"


def _json_at(answer: Answer, path: str) -> str | None:
    try:
        found = decode.at_path(decode.json_of(answer.body, answer.content_type), path)
    except Unreadable:
        return None
    return None if found is None else str(found)


def _said(answer: Answer) -> str:
    """A short error word of a refusal, as `token_expired`; nothing that could be more than a word or two."""
    for path in ("error", "error.code", "code", "message"):
        found = _json_at(answer, path)
        if found and re.fullmatch(r"[A-Za-z_ -]{3,40}", found):
            return redact(found)
    return ""


def total_of(envelope: Record) -> int | None:
    """The number of rows over all pages that an envelope claims."""
    for path, value in envelope.items():
        name = path.rpartition(".")[2].lower()
        if (
            name in {"total", "total_count", "totalcount", "total_rows", "total_records", "count"}
            and type(value) is int
        ):
            return value
    return None
