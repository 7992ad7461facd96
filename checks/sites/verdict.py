"""From a walked chain to a state, a cause and a host to blame. Pure: (walk, page, check, edges, now) and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.sites.chain import lost_parameters
from data.model.cause import cause, state_of, words_of
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from datetime import datetime

    from checks.sites.edges import Edges
    from checks.sites.exchange import Fault, Walk
    from checks.sites.reading import Reading
    from data.model.ids import CauseId
    from data.model.target import Check, Expect


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is the matter with a chain. Texts are still raw; `at` is the index of the guilty hop."""

    state: State = State.OK
    cause: CauseId = NO_CAUSE
    detail: str = ""
    at: int = -1
    evidence: dict[str, str] = field(default_factory=dict)


def judge(walk: Walk, page: Reading | None, check: Check, edges: Edges, now: datetime) -> Verdict:
    """The first of these that holds, the most telling first.

    1. The chain broke: a fault, a challenge, an edge's own error, a status. 2. The page earns nothing. 3. It is the wrong
    page: host, path, parameters, forbidden and missing text. 4. It works, but: client-side redirects, slowness, an
    expiring certificate.
    """
    found = (
        _broken(walk, check, edges, page)
        or _worthless(walk, check, page)
        or _wrong_page(walk, check.expect)
        or _wrong_text(walk, page)
        or _degraded(walk, check.expect, now)
        or Verdict()
    )
    return _with_evidence(found, walk, edges, page)


def _broken(walk: Walk, check: Check, edges: Edges, page: Reading | None) -> Verdict | None:
    last, at = walk.last, len(walk.exchanges) - 1
    if walk.end:
        return _of_fault(walk.end, at)
    if last.fault and (last.status < 400 or last.fault.deadline):
        return _of_fault(last.fault, at)
    by_edge = edges.cause_of(last)
    expected = last.status in check.expect.status
    if by_edge and not (expected and by_edge != "edge.challenge"):
        edge = edges.recognise(last)
        who = f" ({edge.name})" if edge else ""
        return _verdict(by_edge, f"{last.url.netloc} answers {last.status}: {words_of(by_edge)}{who}", at)
    return None if expected else _status(walk, check, page)


def _of_fault(fault: Fault, at: int) -> Verdict:
    """A deadline that passed is a failure, not mere slowness; so is a lookup failure that two resolvers agree on."""
    severe = (fault.deadline and fault.cause.startswith("slow.")) or fault.agreed
    return Verdict(State.FAILING if severe else state_of(fault.cause), fault.cause, fault.detail, at)


_BY_STATUS = {401: "http.auth", 407: "http.auth", 410: "http.gone", 429: "http.rate_limited", 451: "http.legal_block"}


def _status(walk: Walk, check: Check, page: Reading | None) -> Verdict | None:
    last, at = walk.last, len(walk.exchanges) - 1
    status, accepted = last.status, check.expect.status
    if 200 <= status < 300:
        if not accepted:
            return None
        wanted = ", ".join(map(str, accepted[:5]))
        return _verdict(cause("content.missing_keyword"), f"{last.url.netloc} answers {status}, expected {wanted}", at)
    special = page.match if page else None
    if special:
        detail = f"{last.url.netloc} answers {status}: {words_of(special.cause)}"
        return _verdict(special.cause, detail, at, matched=special.matched)
    if status == 503 and last.header("retry-after"):
        name = "http.maintenance"
    elif status >= 600 or status < 200:
        name = "proto.malformed"
    else:
        name = _BY_STATUS.get(status) or ("http.5xx" if status >= 500 else "http.4xx")
    return _verdict(cause(name), f"{last.url.netloc} answers {status}", at, retry_after=last.header("retry-after"))


def _worthless(walk: Walk, check: Check, page: Reading | None) -> Verdict | None:
    last = walk.last
    if page is None or not 200 <= last.status < 300 or (not last.body and last.status in check.expect.status):
        return None
    if page.match is None:
        return None
    detail = f"{last.url.netloc} answers {last.status} with: {words_of(page.match.cause)}"
    return _verdict(page.match.cause, detail, len(walk.exchanges) - 1, matched=page.match.matched)


def _wrong_page(walk: Walk, expect: Expect) -> Verdict | None:
    last, at = walk.last, len(walk.exchanges) - 1
    via = walk.exchanges[-2].url.host if at else ""
    if expect.final_host and not _same_host(last.url.host, last.url.port, expect.final_host):
        detail = f"lands on {last.url.netloc} instead of {expect.final_host}"
        return _verdict(cause("link.wrong_target"), detail, at, via=via)
    if expect.final_path and not last.url.path.startswith(expect.final_path):
        home = last.url.path in {"", "/"}
        name = "link.to_home" if home else "link.wrong_target"
        detail = f"lands on {last.url.netloc}{last.url.path} instead of {expect.final_path}"
        return _verdict(cause(name), detail, at, via=via)
    lost = lost_parameters(walk.exchanges, expect.keep)
    if lost:
        names = ", ".join(name for name, _ in lost)
        where = lost[0][1]
        detail = f"{walk.exchanges[where].url.netloc} drops the parameter {names}"
        return _verdict(cause("link.param_lost"), detail, where, parameter=names)
    return None


def _same_host(host: str, port: int, wanted: str) -> bool:
    """`wanted` may carry a port; a host below it counts as it, `www.` on either side does too."""
    name, colon, number = wanted.lower().rpartition(":")
    if colon and number.isdigit() and not (name.count(":") and not name.endswith("]")):
        if int(number) != port:
            return False
        wanted = name
    name = wanted.lower().strip("[]").removeprefix("www.").removesuffix(".")
    return host == name or host.endswith(f".{name}")


def _wrong_text(walk: Walk, page: Reading | None) -> Verdict | None:
    if page is None:
        return None
    host, at = walk.last.url.netloc, len(walk.exchanges) - 1
    if page.forbidden is not None:
        detail = f"{host} shows “{page.forbidden}”"
        return _verdict(cause("content.forbidden_text"), detail, at, matched=page.forbidden)
    if page.missing is not None:
        detail = f"{host} does not show “{page.missing}”"
        return _verdict(cause("content.missing_keyword"), detail, at, missing=page.missing)
    return None


def _degraded(walk: Walk, expect: Expect, now: datetime) -> Verdict | None:
    at = len(walk.exchanges) - 1
    if walk.client_side:
        return _verdict(cause("redirect.client_side"), "a page sends visitors on by script or meta refresh", at)
    for index, hop in enumerate(walk.exchanges):
        if hop.certificate and hop.certificate.expiring(now):
            days = hop.certificate.days_left(now)
            detail = f"the certificate of {hop.url.netloc} ends in {days:.1f} days"
            return _verdict(cause("tls.expiring"), detail, index)
    if expect.slow_ms and walk.total_ms > expect.slow_ms:
        return _slow(walk, expect.slow_ms)
    return None


def _slow(walk: Walk, limit_ms: int) -> Verdict:
    """`slow.ttfb` when more than half of the time went into waiting for first bytes."""
    waits = [hop.timing.ttfb_ms or 0.0 for hop in walk.exchanges]
    totals = [hop.timing.total_ms or 0.0 for hop in walk.exchanges]
    slowest = totals.index(max(totals))
    name = "slow.ttfb" if sum(waits) > walk.total_ms / 2 else "slow.total"
    host = walk.exchanges[slowest].url.netloc
    return _verdict(cause(name), f"{walk.total_ms:,.0f} ms, more than {limit_ms:,} ms, most of it at {host}", slowest)


def _verdict(cause_id: CauseId, detail: str, at: int, **evidence: str) -> Verdict:
    return Verdict(state_of(cause_id), cause_id, detail, at, {key: value for key, value in evidence.items() if value})


def _with_evidence(found: Verdict, walk: Walk, edges: Edges, page: Reading | None) -> Verdict:
    """Add what correlation and people need: who answered, from where, under which certificate."""
    guilty = walk.exchanges[found.at]
    edge = edges.recognise(guilty)
    seen = {
        "edge": edge.name if edge else "",
        "ip": guilty.ip,
        "host": guilty.url.host if found.cause else "",
        "issuer": guilty.certificate.issuer if guilty.certificate else "",
        "title": page.title if page else "",
        "status": str(guilty.status) if guilty.status else "",
        "vantage": walk.vantage,
    }
    evidence = {**{key: value for key, value in seen.items() if value}, **found.evidence}
    return Verdict(found.state, found.cause, found.detail, found.at, evidence)
