"""From a walked chain to a state, a cause and a host to blame. Pure: (walk, page, check, edges, now) and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from checks.sites.answer import by_status, no_success
from checks.sites.certificate import WARN_DAYS
from checks.sites.landing import gone_from_store, wrong_page, wrong_text
from checks.sites.outcome import Verdict, verdict
from data.model.cause import cause, state_of, words_of
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from checks.sites.edges import Edges
    from checks.sites.exchange import Fault, Walk
    from checks.sites.reading import Reading
    from data.config.settings import Brand
    from data.model.target import Check, Expect


def judge(  # what is known of the world comes last
    walk: Walk,
    page: Reading | None,
    check: Check,
    edges: Edges,
    now: datetime,
    brands: Iterable[Brand] = (),
    warn_days: Collection[int] = WARN_DAYS,
) -> Verdict:
    """The first of these that holds, the most telling first.

    1. The chain broke: a fault, a challenge, an edge's own error, a status. 2. The page earns nothing. 3. It is the wrong
    page: host, path, parameters, forbidden and missing text. 4. It works, but: client-side redirects, slowness, an
    expiring certificate.
    """
    found = (
        gone_from_store(walk, check)
        or _broken(walk, check, edges, page)
        or _worthless(walk, check, page)
        or wrong_page(walk, page, check, brands)
        or wrong_text(walk, page)
        or _degraded(walk, check.expect, now, warn_days)
        or Verdict()
    )
    return _with_evidence(found, walk, edges, page)


def _broken(walk: Walk, check: Check, edges: Edges, page: Reading | None) -> Verdict | None:
    last, at = walk.last, len(walk.exchanges) - 1
    by_edge = edges.cause_of(last, page.signs if page else None)
    if walk.end and not (walk.end.cause == "redirect.no_location" and by_edge == "edge.challenge"):
        return _of_fault(walk.end, at)
    if last.fault and (last.status < 400 or last.fault.deadline):
        return _of_fault(last.fault, at)
    expected = last.status in check.expect.status
    if by_edge and not (expected and by_edge != "edge.challenge"):
        edge = edges.recognise(last)
        who = f" ({edge.name})" if edge else ""
        return verdict(by_edge, f"{last.url.netloc} answers {last.status}: {words_of(by_edge)}{who}", at)
    if walk.ahead:
        return None
    if flaw := no_success(last, check.expect.status):
        return verdict(flaw[0], f"{last.url.netloc} {flaw[1]}", at)
    return None if expected else _status(walk, check, page)


def _of_fault(fault: Fault, at: int) -> Verdict:
    """A deadline that passed is a failure, not mere slowness; so is a lookup failure that two resolvers agree on."""
    severe = (fault.deadline and fault.cause.startswith("slow.")) or fault.agreed
    evidence = {"said": fault.said} if fault.said else {}
    return Verdict(State.FAILING if severe else state_of(fault.cause), fault.cause, fault.detail, at, evidence)


def _status(walk: Walk, check: Check, page: Reading | None) -> Verdict | None:
    last, at = walk.last, len(walk.exchanges) - 1
    status, accepted = last.status, check.expect.status
    if 200 <= status < 300:
        if not accepted:
            return None
        wanted = ", ".join(map(str, accepted[:5]))
        return verdict(cause("content.missing_keyword"), f"{last.url.netloc} answers {status}, expected {wanted}", at)
    special = page.match if page else None
    if special:
        detail = f"{last.url.netloc} answers {status}: {words_of(special.cause)}"
        return verdict(special.cause, detail, at, **special.evidence)
    name, words = by_status(last)
    return verdict(name, f"{last.url.netloc} {words}", at, retry_after=last.header("retry-after"))


def _worthless(walk: Walk, check: Check, page: Reading | None) -> Verdict | None:
    last = walk.last
    if (
        page is None
        or walk.ahead
        or not 200 <= last.status < 300
        or (not last.body and last.status in check.expect.status)
    ):
        return None
    if page.match is None:
        return None
    detail = f"{last.url.netloc} answers {last.status} with: {words_of(page.match.cause)}"
    return verdict(page.match.cause, detail, len(walk.exchanges) - 1, **page.match.evidence)


def _degraded(walk: Walk, expect: Expect, now: datetime, warn_days: Collection[int]) -> Verdict | None:
    at = len(walk.exchanges) - 1
    if ending := _expiring(walk, now, warn_days):
        return ending
    if walk.client_side:
        return verdict(cause("redirect.client_side"), "a page sends visitors on by script or meta refresh", at)
    if expect.slow_ms and walk.total_ms > expect.slow_ms:
        return _slow(walk, expect.slow_ms)
    return None


def _expiring(walk: Walk, now: datetime, warn_days: Collection[int]) -> Verdict | None:
    """Of all hops that are warned of the one that ends first."""
    warned = [
        (hop.certificate.ends, index, hop.certificate, crossed)
        for index, hop in enumerate(walk.exchanges)
        if hop.certificate and (crossed := hop.certificate.warned_at(now, warn_days)) is not None
    ]
    if not warned:
        return None
    _, index, certificate, crossed = min(warned, key=lambda one: one[:2])
    whose = f", by its authority {certificate.shortest}," if certificate.shortest else ""
    host, left = walk.exchanges[index].url.netloc, certificate.days_left(now)
    detail = f"the certificate of {host}{whose} ends in {left:.1f} days (warning at {crossed})"
    return verdict(
        cause("tls.expiring"), detail, index, ends=f"{certificate.ends:%Y-%m-%dT%H:%MZ}", warning=str(crossed)
    )


def _slow(walk: Walk, limit_ms: int) -> Verdict:
    """`slow.ttfb` when more than half of the time went into waiting for first bytes."""
    waits = [hop.timing.ttfb_ms or 0.0 for hop in walk.exchanges]
    totals = [hop.timing.total_ms or 0.0 for hop in walk.exchanges]
    slowest = totals.index(max(totals))
    name = "slow.ttfb" if sum(waits) > walk.total_ms / 2 else "slow.total"
    host = walk.exchanges[slowest].url.netloc
    return verdict(cause(name), f"{walk.total_ms:,.0f} ms, more than {limit_ms:,} ms, most of it at {host}", slowest)


def _with_evidence(found: Verdict, walk: Walk, edges: Edges, page: Reading | None) -> Verdict:
    """Add what correlation and people need: who answered, from where, under which certificate."""
    guilty = walk.exchanges[found.at]
    edge, chain = edges.recognise(guilty), guilty.certificate
    seen = {
        "edge": edge.name if edge else "",
        "pop": edges.pop(guilty) if edge else "",
        "ip": guilty.ip,
        "host": guilty.url.host if found.cause else "",
        "issuer": chain.issuer if chain else "",
        "names": ", ".join(chain.names[:5]) if chain and found.cause.startswith("tls.") else "",
        "ends": f"{chain.ends:%Y-%m-%dT%H:%MZ}" if chain and found.cause.startswith("tls.") else "",
        "title": page.title if page else "",
        "status": str(guilty.status) if guilty.status else "",
        "vantage": walk.vantage,
    }
    evidence = {**{key: value for key, value in seen.items() if value}, **found.evidence}
    return replace(found, evidence=evidence)
