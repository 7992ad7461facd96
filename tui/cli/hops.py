"""The hops and parameters of one observation, for `losswatch check site|link`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.text import cells, clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.model.observation import Hop, Observation


def hops_as_json(hops: Sequence[Hop]) -> list[dict[str, object]]:
    return [
        {
            "url": hop.url,
            "ip": hop.ip,
            "status": hop.status,
            "ms": hop.ms,
            "location": hop.location,
            "cert_days_left": hop.cert_days_left,
            "cause": hop.cause,
            "issuer": hop.issuer,
            "cert_ends": hop.cert_ends.isoformat().replace("+00:00", "Z") if hop.cert_ends else None,
            "client_side": hop.client_side,
            "edge": hop.edge,
            "params": hop.params,
        }
        for hop in hops
    ]


def params_of(evidence: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What became of each parameter that must survive, by name: `state`, `hop`, `was`, `now`."""
    found = {}
    for key, state in evidence.items():
        kind, _, name = key.partition(".")
        if kind == "param" and name:
            was = evidence.get(f"param_was.{name}", "")
            now = was if state == "present" else evidence.get(f"param_now.{name}", "")
            found[name] = {"state": state, "hop": evidence.get(f"param_hop.{name}", ""), "was": was, "now": now}
    return found


def evidence_of(evidence: Mapping[str, str]) -> dict[str, str]:
    """What the verdict rests on, without the parameters, which have their own place."""
    return {key: text for key, text in evidence.items() if not key.startswith("param")}


def hop_rows(observation: Observation, guilty: str) -> list[tuple[str, ...]]:
    """Mark, number, status, time, certificate, address and URL of each hop; `guilty` is the mark of the one to blame."""
    return [
        (
            guilty if hop.cause else " ",
            str(number),
            str(hop.status or "-"),
            f"{hop.ms:,.0f} ms",
            "" if hop.cert_days_left is None else f"cert {hop.cert_days_left:.0f} d",
            hop.ip,
            f"{hop.url}  {_note(hop)}",
        )
        for number, hop in enumerate(observation.hops, start=1)
    ]


def _note(hop: Hop) -> str:
    client_side = "by a page" if hop.client_side else ""
    return "  ".join(part for part in (hop.edge, client_side, hop.cause, hop.params) if part)


def param_rows(evidence: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Parameter, what became of it, who did it, before and after."""
    rows: list[tuple[str, ...]] = []
    for name, fate in params_of(evidence).items():
        became = "" if fate["state"] == "present" else f"{fate['was']} -> {fate['now'] or '(nothing)'}"
        rows.append((f"  {clean_text(name, 60)}", fate["state"], fate["hop"], became or fate["was"]))
    return rows


def aligned(rows: Sequence[tuple[str, ...]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows as lines with columns two blanks apart; those in `right` end at one column."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            _pad(cell, width, right=column in right)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _pad(text: str, width: int, *, right: bool) -> str:
    fill = " " * (width - cells(text))
    return fill + text if right else text + fill
