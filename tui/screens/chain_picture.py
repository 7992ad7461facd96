"""A redirect chain as a picture: a rail from the first hop to the page, the guilty hop marked. Pure lines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.model.cause import words_of
from data.model.state import State
from tui import format as fmt
from tui.lines import Line, crop, spread, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.observation import Hop

_CERT_WARN_D = 21.0
_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})


def picture(hops: Sequence[Hop], state: State, width: int) -> list[Line]:
    """Two lines a hop, more where something happened to the chain there; a hop that only passes on stays quiet."""
    lines: list[Line] = []
    for number, hop in enumerate(hops, 1):
        following = hops[number] if number < len(hops) else None
        lines += _hop(hop, state, width, following)
    return lines


def _hop(hop: Hop, state: State, width: int, following: Hop | None) -> list[Line]:
    role = _role(hop, state)
    parts = urlsplit(hop.url)
    rail = "   " if following is None else " │ "
    edge = f"  {hop.edge}" if hop.edge else ""
    head: Line = ((f" {_mark(hop, state)} ", role or "dim"), (parts.netloc or hop.url, "strong"), (edge, "dim"))
    answer: Line = (
        (str(hop.status) if hop.status else "no answer", role or "strong"),
        (f" {fmt.ms(hop.ms):>7} ", "dim"),
    )
    where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [spread(head, answer, width)]
    lines.append(spread(((rail, "rule"), (where, "dim")), _certificate(hop), width, 2))
    if hop.cause:
        lines += [((rail, "rule"), *line) for line in wrap(words_of(hop.cause), width - 4, role)]
    if hop.params:
        lines += [((rail, "rule"), *line) for line in wrap(hop.params, width - 4, "warn", "  ")]
    if following is not None and (step := _step(hop, following)):
        lines.append(crop(((" ▼ ", "rule"), (step, "warn" if following.client_side else "dim")), width))
    return lines


def _role(hop: Hop, state: State) -> str:
    if not hop.cause:
        return ""
    return {State.FAILING: "bad", State.DEGRADED: "warn"}.get(state, "dim")


def _mark(hop: Hop, state: State) -> str:
    if not hop.cause:
        return "●"
    return {State.FAILING: "✖", State.DEGRADED: "▲"}.get(state, "╌")


def _certificate(hop: Hop) -> Line:
    if hop.cert_days_left is None:
        return ((f"{hop.ip} " if hop.ip else "", "dim"),)
    days = hop.cert_days_left
    role = "bad" if days <= 0 else "warn" if days < _CERT_WARN_D else "dim"
    issuer = f"{hop.issuer} " if hop.issuer else ""
    ends = f"ended {-days:.0f} d ago" if days <= 0 else f"{days:.0f} d"
    return ((issuer or "cert ", "dim"), (f"{ends} ", role))


def _step(hop: Hop, following: Hop) -> str:
    """How the chain goes on, where that is more than a plain redirect to another place."""
    if following.client_side:
        return "the page sends visitors on, by script or refresh"
    if hop.status in _REDIRECTS and urlsplit(hop.url).scheme == "https" and urlsplit(following.url).scheme == "http":
        return "from https down to http"
    return ""
