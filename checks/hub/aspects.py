"""What one check of a site or link looks at, taken apart: a row per thing expected. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.model.cause import family_of, words_of
from data.model.observation import ORIGIN_FINE
from data.model.snapshot import Aspect
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.model.ids import CauseId
    from data.model.observation import Hop, Observation, TargetState
    from data.model.target import Expect, Target

_BEFORE_HTTP = ("dns.", "tcp.", "tls.")
_NOT_THE_ANSWER = ("seo.", "slow.", "link.", "content.", "tls.expiring", "dns.expiring", "redirect.client_side")
"""Causes of an answer that came, with a good status."""


def aspects(target: Target, state: TargetState, seen: Observation | None, warn_days: int) -> tuple[Aspect, ...]:
    """The rows of a detail screen's table of checks, in the order in which a check gets to them.

    `seen` is the last observation that carries hops. What a failure kept from being looked at is `unknown`.
    """
    if seen is None or not seen.hops:
        return ()
    return tuple(_rows(target, state, seen, warn_days))


def _rows(target: Target, state: TargetState, seen: Observation, warn_days: int) -> Iterator[Aspect]:
    cause, last, expect = seen.cause, seen.hops[-1], target.expect
    streak = state.fails if cause else state.oks
    yield _name(seen, cause)
    yield from _certificates(seen, cause, warn_days)
    yield _answer(seen, last, expect, streak)
    reached = not cause or cause.startswith(_NOT_THE_ANSWER)
    yield from _landing(target, seen, last, reached=reached)
    yield from _texts(seen, expect, reached=reached)
    yield _speed(seen, expect, reached=reached)
    yield from _search(seen, cause, reached=reached)
    if target.origin:
        told, word = seen.evidence.get("origin", ""), seen.evidence.get("origin_state", "")
        yield Aspect("origin", _fine(word == ORIGIN_FINE, known=bool(word)), told, target.origin, seen.started_at)


def _name(seen: Observation, cause: CauseId) -> Aspect:
    bad = cause.startswith("dns.") and cause != "dns.expiring"
    where = next((hop.ip for hop in seen.hops if hop.ip), "")
    if not where and not bad:
        return Aspect(
            "DNS",
            State.UNKNOWN,
            "through a vantage" if seen.evidence.get("vantage") else "",
            "an address",
            seen.started_at,
        )
    return Aspect(
        "DNS", seen.state if bad else State.OK, words_of(cause) if bad else where, "an address", seen.started_at
    )


def _certificates(seen: Observation, cause: CauseId, warn_days: int) -> Iterator[Aspect]:
    """One row for the certificate that ends first, of all hops."""
    days = [hop.cert_days_left for hop in seen.hops if hop.cert_days_left is not None]
    bad = family_of(cause) == "tls"
    if not days and not bad:
        return
    value = words_of(cause) if bad and cause != "tls.expiring" else f"{min(days):.0f} d left" if days else ""
    yield Aspect("TLS", seen.state if bad else State.OK, value, f"> {warn_days} d", seen.started_at)


def _answer(seen: Observation, last: Hop, expect: Expect, streak: int) -> Aspect:
    path = urlsplit(last.url).path or "/"
    wanted = ", ".join(map(str, expect.status)) or "2xx"
    bad = bool(seen.cause) and not seen.cause.startswith((*_NOT_THE_ANSWER, *_BEFORE_HTTP))
    kept_from = seen.cause.startswith(_BEFORE_HTTP) and not last.status
    state = State.UNKNOWN if kept_from else seen.state if bad else State.OK
    value = str(last.status) if last.status else "no answer"
    return Aspect(f"GET {path}", state, value, wanted, seen.started_at, streak)


def _landing(target: Target, seen: Observation, last: Hop, *, reached: bool) -> Iterator[Aspect]:
    expect, evidence = target.expect, seen.evidence
    here = urlsplit(last.url)
    wrong = seen.cause in {"link.wrong_target", "link.to_home"}
    if expect.final_host:
        same = (here.hostname or "").endswith(expect.final_host.partition(":")[0].removeprefix("www."))
        yield Aspect("final host", _fine(same, known=reached), here.netloc, expect.final_host, seen.started_at)
    if expect.final_path:
        same = here.path.startswith(expect.final_path)
        yield Aspect("final path", _fine(same, known=reached), here.path or "/", expect.final_path, seen.started_at)
    for name, wanted in (("brand", " or ".join(expect.brand)), ("locale", expect.locale)):
        if wanted:
            told = evidence.get(name, "")
            yield Aspect(
                name, _fine(not (wrong and told), known=reached), told or "as expected", wanted, seen.started_at
            )
    for name in expect.keep:
        told = evidence.get(f"param.{name}", "")
        lost = seen.cause == "link.param_lost" and name in evidence.get("parameter", name)
        yield Aspect(
            f"keeps {name}",
            _fine(not lost, known=reached),
            told or ("lost" if lost else "present"),
            "reaches the end",
            seen.started_at,
        )


def _texts(seen: Observation, expect: Expect, *, reached: bool) -> Iterator[Aspect]:
    for text in expect.text:
        missing = seen.cause == "content.missing_keyword" and seen.evidence.get("missing") == text
        yield Aspect(
            f"text “{text}”",
            _fine(not missing, known=reached),
            "missing" if missing else "present",
            "present",
            seen.started_at,
        )
    for text in expect.forbid:
        there = seen.cause == "content.forbidden_text" and seen.evidence.get("matched") == text
        yield Aspect(
            f"no “{text}”", _fine(not there, known=reached), "present" if there else "absent", "absent", seen.started_at
        )


def _speed(seen: Observation, expect: Expect, *, reached: bool) -> Aspect:
    slow = family_of(seen.cause) == "slow"
    state = seen.state if slow else State.OK if reached else State.UNKNOWN
    value = "" if seen.total_ms is None else f"{seen.total_ms:,.0f} ms"
    wanted = f"< {expect.slow_ms:,} ms" if expect.slow_ms else seen.evidence.get("usual", "as usual")
    return Aspect("speed", state, value, wanted, seen.started_at)


def _search(seen: Observation, cause: CauseId, *, reached: bool) -> Iterator[Aspect]:
    """What search engines are told, where the probe read it."""
    for name in ("noindex", "robots", "canonical", "hreflang"):
        bad = cause == f"seo.{name}"
        told = seen.evidence.get(name, "")
        if bad or told:
            yield Aspect(
                name,
                seen.state if bad else _fine(True, known=reached),
                told or words_of(cause),
                "unchanged",
                seen.started_at,
            )  # told and not bad is fine


def _fine(fine: bool, *, known: bool) -> State:  # noqa: FBT001  # reads as a sentence where it is called
    if not known:
        return State.UNKNOWN
    return State.OK if fine else State.FAILING
