"""One pull of one account: ask page by page, tell a report from anything else that says 200, keep the raw bodies."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import zstandard

from checks.feeds.adapt import adapt
from checks.feeds.canonical import Row, canonical, lacking, once, summed
from checks.feeds.decode import Unreadable
from checks.feeds.fetch import Answer, Problem, fetch, retry_at
from checks.feeds.halted import Halted, Progress
from checks.feeds.mask import masked
from checks.feeds.pacing import Closed, Gates
from checks.feeds.pages import following
from checks.feeds.payload import Flaws
from checks.feeds.report import Reply, header_of
from checks.feeds.request import call, days, windows
from checks.feeds.tokens import TOKEN_KINDS, TokenCache, account_key, new_token
from data.model.cause import cause
from data.model.fact import Payload
from data.text import clean_text, register_secret

if TYPE_CHECKING:
    from decimal import Decimal

    import httpx

    from checks.feeds.decode import Record
    from checks.feeds.payload import Flaw
    from checks.feeds.preset import Preset
    from checks.feeds.report import Report
    from data.config.settings import Feed

MOST_BODIES = 4
"""Times the cap of one body that all bodies of a pull may take in memory."""
LARGE = 256 * 1024
"""Bytes from which a body is read in a thread of its own."""
UNNAMED_REST = timedelta(seconds=60)
"""How long to rest where a platform says that no call is left and not until when."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came back. With a `problem` there are no rows."""

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
    totals: dict[str, Decimal | None] = field(default_factory=dict)
    """Measures of the report's own record of totals; empty where it has none for each of its windows."""
    pages: tuple[int, ...] = ()
    """Records in each page, in order."""
    lacking: dict[str, list[str]] = field(default_factory=dict)
    """Paths that no row of some page has although the preset requires them, and the fields that are read from each."""
    flaws: tuple[Flaw, ...] = ()
    """Damage that its bodies could be read with all the same."""

    @property
    def records(self) -> list[Record]:
        return [row.raw for row in self.rows]


@dataclass(slots=True)
class Accounts:
    """What is known of accounts between two calls: tokens, paces, and pulls that broke off. In memory only."""

    tokens: TokenCache = field(default_factory=TokenCache)
    gates: Gates = field(default_factory=Gates)
    halted: Halted = field(default_factory=Halted)


TOKENS = TokenCache()


async def pull(
    feed: Feed,
    preset: Preset,
    secret: str,
    client: httpx.AsyncClient,
    now: datetime,
    *,
    tokens: TokenCache = TOKENS,
    accounts: Accounts | None = None,
    span: tuple[date, date] | None = None,
) -> Pulled:
    """Read the feed's last `days`, or the days of `span` (both inclusive), once.

    Every failure is `Pulled.problem`; only a bad configuration raises: `ConfigError` for options that no preset has. A token
    that is refused although it should live is renewed once. What broke off on its way goes on where it was, if it is tried
    again soon with the same `accounts`.
    """
    preset = adapt(preset, feed.options)
    for known in (secret, secret.partition(":")[2]):
        if known:
            register_secret(known)
    visit = _Visit(feed, preset, secret, client, now, accounts or Accounts(tokens), span or days(feed, preset, now))
    pulled = await visit.read()
    if visit.reused and pulled.problem and pulled.problem.cause == "feed.auth":
        visit.renew()
        pulled = await visit.read()
    return replace(pulled, total_ms=visit.elapsed_s * 1000)


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer that is a report."""

    payload: Payload
    report: Report
    rows: tuple[Row, ...]
    lacking: dict[str, list[str]]
    name: str
    """Equal for pages of equal records."""


@dataclass(frozen=True, slots=True)
class _Unread:
    """One answer that should have been a report."""

    payload: Payload
    words: str


@dataclass(slots=True)
class _Visit:
    """The calls of one pull, in order."""

    feed: Feed
    preset: Preset
    secret: str = field(repr=False)
    client: httpx.AsyncClient
    now: datetime
    accounts: Accounts
    span: tuple[date, date]
    reused: bool = False
    """Whether an access token from an earlier pull was used."""
    token: str = field(default="", repr=False)
    _began: float = field(default_factory=time.perf_counter)

    @property
    def account(self) -> str:
        return account_key(self.feed, self.secret)

    @property
    def work(self) -> str:
        """Names what is being read: the same account, asked in the same way for the same days."""
        asked = msgspec.json.encode((self.preset, self.feed.name, self.feed.account, self.span))
        return f"{self.account} {hashlib.sha256(asked).hexdigest()}"

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._began

    @property
    def at(self) -> datetime:
        """The engine's time by now, in whole seconds."""
        return self.now + timedelta(seconds=int(self.elapsed_s * self.accounts.gates.speed))

    def renew(self) -> None:
        self.accounts.tokens.forget(self.account)
        self.reused = False

    async def read(self) -> Pulled:
        empty = Pulled(urlsplit(self.feed.base_url).hostname or "", *self.span)
        progress = self.accounts.halted.take(self.work, self.now) or Progress(empty, self.now)
        if self.preset.auth.kind in TOKEN_KINDS and (problem := await self._token()):
            self.accounts.halted.keep(self.work, progress)
            return replace(progress.pulled, rows=(), problem=problem)
        wanted = windows(*self.span, self.preset.window)
        while progress.window < len(wanted):
            step = await self._page(progress, *wanted[progress.window])
            if isinstance(step, Problem):
                if self._passing(step):
                    self.accounts.halted.keep(self.work, progress)
                return replace(progress.pulled, rows=(), problem=step)
            progress = step
            if progress.problem:
                return replace(progress.pulled, rows=(), problem=progress.problem)
        return replace(progress.pulled, rows=once(progress.pulled.rows))

    def _passing(self, problem: Problem) -> bool:
        """Whether the pages read so far are still good after it: the network, the server or its patience broke off."""
        family = problem.cause.partition(".")[0]
        return family in {"tcp", "dns", "tls", "proto"} or problem.cause in {"http.5xx", "feed.throttled", "feed.auth"}

    async def _page(self, progress: Progress, first: date, last: date) -> Progress | Problem:
        """One page more; a problem that the answer itself is belongs to the progress, for its body is kept."""
        pulled, place = progress.pulled, progress.place
        request = call(self.feed, self.preset, self.secret, first, last, place, self.token)
        answer = await self._ask(
            "GET" if request.method == "GET" else "POST", request.url, params=request.params, headers=request.headers,
            content=request.content, keep=header_of(self.preset.paging.total) or header_of(self.preset.paging.cursor),
        )  # fmt: skip
        if isinstance(answer, Problem):
            return answer
        page = await asyncio.to_thread(self._read, answer) if len(answer.body) > LARGE else self._read(answer)
        if isinstance(page, Problem):
            return page
        pulled = replace(pulled, payloads=(*pulled.payloads, page.payload), headers=answer.headers)
        progress = replace(progress, pulled=pulled, bytes=progress.bytes + len(answer.body))
        if isinstance(page, _Unread):
            return progress.stopped("feed.contract", page.words)
        flaws = Flaws()
        flaws.add((*pulled.flaws, *page.report.flaws))
        pulled = replace(pulled, lacking={**pulled.lacking, **page.lacking}, flaws=tuple(flaws))
        progress = replace(progress, pulled=pulled)
        return self._onward(progress, page, self._own(page.rows, first, last), request.url)

    def _own(self, rows: tuple[Row, ...], first: date, last: date) -> tuple[Row, ...]:
        """Rows of this window's days, and at the ends of all windows what is beyond: no day is read from two windows.

        Some platforms count the end in, whatever they say; some give always the same days.
        """
        begin, end = self.span
        after, before = date.min if first == begin else first, date.max if last == end else last
        return tuple(row for row in rows if not row.day or after <= row.day <= before)

    def _read(self, answer: Answer) -> _Page | _Unread | Problem:
        """All that takes time with the size of a body: whether it is a report, what to keep of it, what it says."""
        reply = Reply(answer, self.preset)
        if problem := reply.refusal(self.at):
            return problem
        payload = self._keep(answer)
        try:
            report = reply.report()
        except Unreadable as unread:
            return _Unread(payload, str(unread))
        rows = canonical(report.records, self.preset)
        name = hashlib.sha256(msgspec.json.encode(report.records)).hexdigest()
        return _Page(payload, report, rows, lacking(rows, self.preset), name)

    def _onward(self, progress: Progress, page: _Page, rows: tuple[Row, ...], address: str) -> Progress:
        """What is known after a page, and where the next begins."""
        pulled, place, paging, report = progress.pulled, progress.place, self.preset.paging, page.report
        number = place.pages + 1
        if report.records and page.name in progress.seen:
            return progress.stopped("feed.paging", f"page {number} repeats an earlier page")
        pulled = replace(pulled, rows=(*pulled.rows, *rows), pages=(*pulled.pages, len(report.records)))
        progress = replace(progress, pulled=pulled, seen=progress.seen | {page.name})
        after = following(paging, place, report.page, address)
        if after and number >= paging.max_pages:
            return progress.stopped("feed.paging", f"more than {paging.max_pages} pages")
        if after and progress.bytes > MOST_BODIES * self.preset.pace.max_body:
            return progress.stopped("proto.oversize", f"more than {progress.bytes // 1024 // 1024} MiB over all pages")
        if after and paging.kind == "cursor" and not report.records and after.cursor == place.cursor:
            return progress.stopped("feed.paging", f"page {number} leads to itself")
        if after:
            return replace(progress, place=after, claimed=report.claimed if report.claimed is not None else progress.claimed)  # fmt: skip
        return self._window_done(progress, report)

    def _window_done(self, progress: Progress, report: Report) -> Progress:
        """Totals count where every window has them."""
        claimed = report.claimed if report.claimed is not None else progress.claimed
        pulled, fresh = progress.pulled, progress.window == 0
        total = None if claimed is None or (not fresh and pulled.total is None) else (pulled.total or 0) + claimed
        told = summed(report.totals, self.preset) if report.totals else {}
        totals = told if fresh else _added(pulled.totals, told)
        return progress.next_window(replace(pulled, total=total, totals=totals))

    async def _ask(self, method: str, url: str, **given: object) -> Answer | Problem:
        """One call in the account's turn; its answer without our own key, which a server may repeat."""
        pace, gate = self.preset.pace, self.accounts.gates.of(self.account)
        try:
            async with gate.turn(pace.min_gap_s):
                answer = await fetch(
                    self.client, method, url, timeout_s=pace.timeout_s, max_body=pace.max_body, **given,  # type: ignore[arg-type]  # handed through unchanged
                )  # fmt: skip
        except Closed as closed:
            return self._patience(closed)
        if isinstance(answer, Problem):
            return answer
        self._rest(answer)
        return replace(answer, body=masked(answer.body, (self.secret, self.token)))

    def _patience(self, closed: Closed) -> Problem:
        until = self.at + timedelta(seconds=closed.wait_s)
        return Problem(cause("feed.throttled"), f"the platform wants no call before {until:%H:%M}Z", until)

    def _rest(self, answer: Answer) -> None:
        """What the answer says of calls to come: a throttle, `Retry-After`, or a rate limit with none left."""
        pace, gate = self.preset.pace, self.accounts.gates.of(self.account)
        after = retry_at(answer.headers.get("retry-after", ""), self.at)
        if answer.status in pace.throttle:
            gate.rest((after - self.at).total_seconds() if after else pace.cool_s)
        elif after:
            gate.rest((after - self.at).total_seconds())
        elif answer.headers.get("x-ratelimit-remaining", "").strip() == "0":
            gate.rest(_until_reset(answer.headers.get("x-ratelimit-reset", ""), self.at).total_seconds())

    async def _token(self) -> Problem | None:
        """A living token from the cache, or a new one for the secret."""
        known = self.accounts.tokens.get(self.account, self.now)
        if known:
            self.token, self.reused = known, True
            return None
        try:
            async with self.accounts.gates.of(self.account).turn(self.preset.pace.min_gap_s):
                granted = await new_token(self.feed, self.preset, self.secret, self.client, self.now)
        except Closed as closed:
            return self._patience(closed)
        if isinstance(granted, Problem):
            return granted
        self.token, until = granted
        self.accounts.tokens.put(self.account, self.token, until)
        return None

    def _keep(self, answer: Answer) -> Payload:
        """The body as received, but for our own key."""
        return Payload(
            hash=hashlib.sha256(answer.body).hexdigest(),
            feed=self.feed.name,
            team=self.feed.team,
            received_at=self.now,
            content_type=clean_text(answer.content_type, 80),
            body=zstandard.compress(answer.body),
        )


def _added(some: dict[str, Decimal | None], more: dict[str, Decimal | None]) -> dict[str, Decimal | None]:
    """Sums of the measures that both have."""
    return {name: (some[name] or 0) + (more[name] or 0) for name in some.keys() & more.keys()}  # type: ignore[misc]


def _until_reset(header: str, now: datetime) -> timedelta:
    """`X-RateLimit-Reset` in seconds from now or since 1970; a minute where it says nothing."""
    text = header.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        return UNNAMED_REST
    seconds = float(text) if len(text) < 9 else float(text) - now.timestamp()
    return timedelta(seconds=min(max(seconds, 0.0), 86_400.0))
