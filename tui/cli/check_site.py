"""`losswatch check site URL`."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING

import msgspec

from data.errors import UsageError
from data.model.cause import words_of
from data.model.state import State
from data.text import clean_text, redact
from tui.cli.hops import aligned, evidence_of, hop_rows, hops_as_json, param_rows, params_of
from tui.cli.options import everywhere

if TYPE_CHECKING:
    from data.model.observation import Observation
    from data.model.target import Expect

_MARK = {State.OK: "●", State.DEGRADED: "▲", State.FAILING: "✖", State.UNKNOWN: "?", State.PAUSED: "‖"}
_ASCII = {State.OK: "o", State.DEGRADED: "!", State.FAILING: "x", State.UNKNOWN: "?", State.PAUSED: "|"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument(
        "--origin", type=origin, metavar="HOST[:PORT]", help="server behind the edge, asked when it fails"
    )


def origin(text: str) -> str:
    from data.config.urls import origin_fault

    if fault := origin_fault(text):
        raise argparse.ArgumentTypeError(f"{clean_text(redact(text))!r} {fault}")
    return text


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    everywhere(parser)
    parser.add_argument("url", metavar="URL", help="where to begin")
    parser.add_argument(
        "--expect", action="append", default=[], metavar="TEXT", help="text that must stand on the page"
    )
    parser.add_argument("--forbid", action="append", default=[], metavar="TEXT", help="text that must not stand on it")
    parser.add_argument("--status", type=statuses, default=(), metavar="200,404", help="accepted final statuses")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="seconds for the whole chain (10)")
    parser.add_argument("--slow", type=seconds, default=0.0, metavar="S", help="degraded when it takes longer")
    parser.add_argument(
        "--max-body", type=size, default=1_048_576, metavar="BYTES", help="largest decoded body (1 MiB)"
    )
    parser.add_argument("--ca", default="", metavar="FILE", help="extra trusted certificates (PEM)")
    parser.add_argument("--resolver", default="", metavar="HOST:PORT", help="name server to ask")
    parser.add_argument("--device", choices=["desktop", "mobile"], default="desktop", help="mobile asks as a phone")
    parser.add_argument("--user-agent", type=header_value, default="", metavar="UA", help="what to call ourselves")


def run(args: argparse.Namespace) -> int:
    from checks.sites.oneshot import check_site

    return observe(args, check_site, expectations(args))


def expectations(args: argparse.Namespace) -> Expect:
    from data.model.target import Expect

    return Expect(
        status=args.status,
        text=tuple(args.expect),
        forbid=tuple(args.forbid),
        slow_ms=math.ceil(args.slow * 1000),
        max_body=args.max_body,
    )


def observe(args: argparse.Namespace, check: object, expect: Expect) -> int:
    """Run `check`, print its observation and return the exit code of its state."""
    from checks.sites.oneshot import CheckOptions
    from data.config.home import Home
    from data.config.load import own_rules

    options = CheckOptions(
        expect=expect,
        timeout_s=args.timeout,
        ca_file=args.ca,
        resolver=args.resolver,
        user_agent=args.user_agent or CheckOptions().user_agent,
        device=args.device if args.device == "mobile" else "",
        depth=getattr(args, "depth", 0),
        origin=getattr(args, "origin", None) or "",
        rules=own_rules(Home.find(args.home)),
    )
    try:
        assert callable(check)
        observation: Observation = check(args.url, options)
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    except OSError as problem:
        raise UsageError(f"cannot read the CA file {args.ca}: {problem.strerror or problem}") from None
    url = clean_text(redact(args.url))
    text = msgspec.json.encode(as_json(url, observation)).decode() if args.json else as_text(url, observation)
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding))
    return observation.state.exit_code


def as_json(url: str, observation: Observation) -> dict[str, object]:
    """The one object of the contract."""
    timing = observation.timing
    return {
        "url": url,
        "state": observation.state.value,
        "cause": observation.cause,
        "detail": observation.detail,
        "hops": hops_as_json(observation.hops),
        "timing": {
            "dns_ms": timing.dns_ms,
            "connect_ms": timing.connect_ms,
            "tls_ms": timing.tls_ms,
            "ttfb_ms": timing.ttfb_ms,
            "total_ms": timing.total_ms,
        },
        "checked_at": observation.started_at.isoformat().replace("+00:00", "Z"),
        "params": params_of(observation.evidence),
        "evidence": evidence_of(observation.evidence),
    }


def as_text(url: str, observation: Observation) -> str:
    """Hops in columns, the guilty one marked, and the verdict in one line."""
    marks = _MARK if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else _ASCII
    lines = aligned(hop_rows(observation, marks[observation.state]), right=frozenset({1, 2, 3, 4}))
    words = words_of(observation.cause)
    cause = f"  {observation.cause} ({words})" if observation.cause else ""
    took = f"  {observation.total_ms:,.0f} ms" if observation.total_ms is not None else ""
    lines.append(f"{marks[observation.state]} {observation.state.value}{cause}{took}  {url}")
    if observation.detail:
        lines.append(f"  {observation.detail}")
    if rule := observation.evidence.get("rule"):
        lines.append(f"  {observation.evidence.get('matched', '')}  (rule {rule})")
    lines.extend(aligned(param_rows(observation.evidence)))
    return "\n".join(line.rstrip() for line in lines)


def statuses(text: str) -> tuple[int, ...]:
    """`200,404`; argparse turns the `ValueError` of anything else into a usage error."""
    found = tuple(int(part) for part in text.split(","))
    if not all(100 <= status <= 599 for status in found):
        raise argparse.ArgumentTypeError(f"statuses are between 100 and 599, not {text}")
    return found


def seconds(text: str) -> float:
    found = float(text)
    if not 0 < found <= 600:
        raise argparse.ArgumentTypeError(f"seconds must be above 0 and at most 600, not {text}")
    return found


def header_value(text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise argparse.ArgumentTypeError("a header value is printable ASCII on one line")
    return text


def size(text: str) -> int:
    found = int(text)
    if not 0 < found <= 2**30:
        raise argparse.ArgumentTypeError(f"bytes must be between 1 and 1073741824, not {text}")
    return found
