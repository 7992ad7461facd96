"""One parser run: fetch the page, judge it, remember it if it was good."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import httpx
import zstandard

from checks.parsers import memory as memories
from checks.parsers.page import MAX_BYTES, host_of, read_page
from checks.parsers.repair import repairs_from_memory
from checks.parsers.spec import FieldKind
from checks.parsers.transport import DEADLINE, cause_of_error, cause_of_status
from checks.parsers.value import number_of
from checks.parsers.verdict import judge
from checks.parsers.witness import unwrap
from data.model.cause import cause, state_of
from data.model.fact import FieldYield, ParserRun
from data.model.observation import Hop, Observation
from data.model.state import State
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from checks.parsers.extract import Extraction
    from checks.parsers.repair import Repair
    from checks.parsers.spec import Spec
    from data.model.ids import CauseId
    from data.model.target import Target

    _Trace = Callable[[str, object], Awaitable[None]]

MAX_REDIRECTS = 10
MAX_POSITION = 10_000
VANTAGE_DOWN = cause("local.network")
_OF_PROXIES = (httpx.ProxyError, httpx.ConnectError, httpx.ConnectTimeout)
_THROUGH = frozenset({"proxy.start_tls.started", "socks.start_tls.started"})
"""Handshakes with the page's own server: the proxy has connected to it. With an HTTPS proxy itself it is `connection.`."""
_LOGIN = 407
HOSTS = 10
"""Results whose hosts a run remembers."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer as far as it could be had. `cause` is empty for a page that can be judged."""

    cause: CauseId
    detail: str = ""
    status: int = 0
    final_url: str = ""
    content_type: str = ""
    body: bytes = b""
    hops: tuple[Hop, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """A judged page without its tree: may cross a process border."""

    state: State
    cause: CauseId
    detail: str
    items: int
    fields: tuple[FieldYield, ...]
    family: str
    evidence: dict[str, str]
    memory: bytes
    ranked: tuple[tuple[int, str], ...] = ()
    """Position from 1 and address of each result."""


@dataclass(frozen=True, slots=True)
class ParserOutcome:
    """What one run leaves behind."""

    observation: Observation
    run: ParserRun
    memory: bytes
    """To be handed to the next run; unchanged after a page that could not be read."""
    page: bytes
    """The page, zstd; empty when none arrived."""
    content_type: str = ""
    """As the server named it."""
    ranked: tuple[tuple[int, str], ...] = ()
    """Position from 1 and address of each result, for ranks."""


async def run(
    target: Target, spec: Spec, client: httpx.AsyncClient, memory: bytes | None, now: datetime, *, vantage: str = ""
) -> ParserOutcome:
    """Fetch and judge `target.url` within `target.timeout_s` real seconds; no failure of the page is raised.

    `client` decides proxy, resolver, certificates and User-Agent; `vantage` names the one that it looks through. The
    judging runs in a thread.
    """
    began = perf_counter()
    fetched = await fetch(client, target.url, target.timeout_s, vantage=vantage)
    total_ms = (perf_counter() - began) * 1000
    if fetched.cause:
        return _failed(target, spec, fetched, memory, now, total_ms)
    examined = await asyncio.to_thread(
        examine, spec, fetched.body, fetched.content_type, target.url, fetched.final_url, memory, now
    )
    observation = _observation(target, fetched, now, total_ms, examined)
    record = _record(target, fetched, now, examined)
    page = await asyncio.to_thread(zstandard.ZstdCompressor(level=6).compress, fetched.body)
    return ParserOutcome(
        observation, record, examined.memory, page, clean_text(fetched.content_type, 100), examined.ranked
    )


def examine(
    spec: Spec, body: bytes, content_type: str, url: str, final_url: str, memory: bytes | None, at: datetime
) -> Examined:
    """The CPU part of a run: pure, picklable in and out, 5-20 ms for a page of 1 MB."""
    known = memories.load(memory, spec)
    page = read_page(body, content_type=content_type, url=url, final_url=final_url)
    verdict = judge(spec, page, known)
    if verdict.readable:
        known = memories.learn(known, page, verdict.extraction, at, seen=verdict.sighting)
    repairs = repairs_from_memory(spec, page, verdict, known) if verdict.state is State.FAILING else ()
    evidence = {
        "layout_loss": f"{verdict.layout.loss:.2f}" if verdict.layout.nearest else "",
        "witness": str(len(verdict.witness.results)),
        "charset": page.charset,
        "repair": clean_text("; ".join(map(_proposal, repairs))),
        "title": _title(page.tree.css_first("title")),
    }
    return Examined(
        verdict.state, verdict.cause, clean_text(redact(verdict.detail)), verdict.extraction.items, verdict.fields,
        verdict.layout.family, {name: fact for name, fact in evidence.items() if fact}, memories.dump(known),
        ranked_of(verdict.extraction),
    )  # fmt: skip


def ranked_of(extraction: Extraction) -> tuple[tuple[int, str], ...]:
    """Where the results lead, by the first field that holds addresses, each with its position.

    The position is what a field of that type says where it says one for every address, else the place on the page.
    """
    urls = next((one.values for one in extraction.fields if one.kind is FieldKind.URL), ())
    told = next((one.values for one in extraction.fields if one.kind is FieldKind.POSITION), ())
    numbers = [number_of(text) for text in told] if len(told) == len(urls) else []
    if not numbers or any(number is None or not 1 <= number <= MAX_POSITION for number in numbers):
        return tuple(enumerate(urls, 1))
    return tuple((int(number or 0), url) for number, url in zip(numbers, urls, strict=True))


def _hosts(ranked: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(clean_text(host_of(unwrap(url)), 100) for _, url in ranked[:HOSTS])


def seen_from(outcome: ParserOutcome, vantage: str) -> ParserOutcome:
    """The outcome of a look through a vantage, which says so; one that failed by itself is named for its watch."""
    seen = outcome.observation
    told = {"vantage_down": f"{vantage}: {seen.detail}"[:200]} if seen.cause == VANTAGE_DOWN else {"vantage": vantage}
    return replace(outcome, observation=replace(seen, region=vantage, evidence={**seen.evidence, **told}))


async def fetch(client: httpx.AsyncClient, url: str, timeout_s: float, *, vantage: str = "") -> Fetched:
    """GET with redirects; the whole chain ends at `timeout_s`, the body at `MAX_BYTES` after decoding.

    Through a `vantage` nothing is connected to but its proxy: what goes wrong there is no word about the page, until the
    page's own server is spoken to.
    """
    step = ""

    async def connecting(event: str, _: object) -> None:
        nonlocal step
        step = event if event.endswith((".connect_tcp.started", ".start_tls.started")) else step

    if not url.startswith(("http://", "https://")) or not host_of(url):
        return Fetched(cause("config.url"), f"not an http(s) address: {_shown(url)!r}")
    try:
        async with asyncio.timeout(timeout_s):
            got = await _get(client, url, timeout_s, connecting)
        if vantage and got.status == _LOGIN:
            return Fetched(VANTAGE_DOWN, "asks for a login", final_url=url)
        return got  # noqa: TRY300 - the deadline is for the fetching alone
    except TimeoutError:
        return Fetched(DEADLINE, f"no complete page within {timeout_s:g} s", final_url=url)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, UnicodeError) as problem:
        down = vantage and isinstance(problem, _OF_PROXIES) and step not in _THROUGH
        why = VANTAGE_DOWN if down else cause_of_error(problem)
        words = clean_text(redact(str(problem))) or type(problem).__name__
        return Fetched(why, words, final_url=url)


async def _get(client: httpx.AsyncClient, url: str, timeout_s: float, trace: _Trace) -> Fetched:
    chunks: list[bytes] = []
    size = 0
    async with client.stream(
        "GET", url, follow_redirects=True, timeout=timeout_s, extensions={"trace": trace}
    ) as response:
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BYTES:
                break
    why = cause("proto.oversize") if size > MAX_BYTES else cause_of_status(response.status_code, response.headers)
    hops = tuple(_hop(answer) for answer in (*response.history, response))[-MAX_REDIRECTS - 1 :]
    detail = f"larger than {MAX_BYTES >> 20} MiB" if size > MAX_BYTES else f"status {response.status_code}"
    content_type = response.headers.get("content-type", "")
    body = b"".join(chunks)[:MAX_BYTES]
    return Fetched(why, detail if why else "", response.status_code, str(response.url), content_type, body, hops)


def _hop(answer: httpx.Response) -> Hop:
    location = answer.headers.get("location", "")
    return Hop(_shown(str(answer.url)), status=answer.status_code, location=_shown(location))


def _shown(url: str) -> str:
    return clean_text(redact(url), 500)


def _proposal(repair: Repair) -> str:
    return f"{repair.field}: {repair.selector} ({repair.matches} values, {'verified' if repair.verified else 'unverified'})"


def _title(node: object) -> str:
    return clean_text(node.text(deep=True), 120) if node is not None else ""  # type: ignore[attr-defined]


def _failed(
    target: Target, spec: Spec, fetched: Fetched, memory: bytes | None, now: datetime, total_ms: float
) -> ParserOutcome:
    fields = tuple(FieldYield(field.name, 0, 0.0, "dead") for field in spec.fields)
    state = State.FAILING if fetched.cause == DEADLINE else state_of(fetched.cause)
    nothing = Examined(state, fetched.cause, fetched.detail, 0, fields, "", {}, memory or b"")
    observation = _observation(target, fetched, now, total_ms, nothing)
    page = zstandard.ZstdCompressor(level=6).compress(fetched.body) if fetched.body else b""
    return ParserOutcome(
        observation, _record(target, fetched, now, nothing), memory or b"", page, clean_text(fetched.content_type, 100)
    )


def _observation(target: Target, fetched: Fetched, now: datetime, total_ms: float, examined: Examined) -> Observation:
    host = host_of(fetched.final_url) if examined.cause else ""
    return Observation(
        target=target.id, team=target.team, kind=target.kind, started_at=now, state=examined.state, cause=examined.cause,
        detail=examined.detail, total_ms=round(total_ms, 1), value=float(examined.items), hops=fetched.hops,
        blame=clean_text(host, 100), evidence=examined.evidence,
    )  # fmt: skip


def _record(target: Target, fetched: Fetched, now: datetime, examined: Examined) -> ParserRun:
    return ParserRun(
        parser=target.name, team=target.team, at=now, url=_shown(fetched.final_url or target.url), geo=target.geo,
        items=examined.items, verdict=examined.cause or "ok", fields=examined.fields, family=examined.family,
        bytes=len(fetched.body), hosts=_hosts(examined.ranked), query=target.query,
    )  # fmt: skip
