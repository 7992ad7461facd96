"""A domain's registration as RDAP tells it (RFC 9083). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from data.model.state import State
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable

FATAL = {
    "client hold": "the registrar has taken the domain out of the zone (clientHold)",
    "server hold": "the registry has taken the domain out of the zone (serverHold)",
    "redemption period": "the registration has lapsed and can only be redeemed (redemptionPeriod)",
    "pending delete": "the registration is about to be deleted (pendingDelete)",
}
_NAME_SERVERS = 4


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registry says of one domain. Texts are cleaned; empty and `None` are not told."""

    ends: datetime | None = None
    registrar: str = ""
    name_servers: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    """Lower case words as in RFC 8056: `client hold`, `active`."""


@dataclass(frozen=True, slots=True)
class DomainWarning:
    state: State
    detail: str
    evidence: dict[str, str]
    blame: str


def read_registration(answer: object) -> Registration | None:
    """An RDAP answer about a domain; `None` for anything else, whatever it is."""
    if not isinstance(answer, dict) or answer.get("objectClassName", "domain") != "domain":
        return None
    found = Registration(
        ends=_ends(_records(answer.get("events"))),
        registrar=_registrar(_records(answer.get("entities"))),
        name_servers=_name_servers(_records(answer.get("nameservers"))),
        status=_status(answer.get("status")),
    )
    return found if found != Registration() else None


def warning(domain: str, known: Registration, warn_days: Iterable[int], now: datetime) -> DomainWarning | None:
    """What to say of a registration; `now` is real time. A lapsed one is failing, one that ends soon degraded."""
    evidence = {"domain": domain, "registrar": known.registrar}
    if known.ends is not None:
        evidence["domain_ends"] = f"{known.ends:%Y-%m-%d}"
    evidence = {key: text for key, text in evidence.items() if text}
    fatal = next((FATAL[word] for word in known.status if word in FATAL), "")
    if fatal:
        return DomainWarning(State.FAILING, f"{domain}: {fatal}", evidence, domain)
    if known.ends is None:
        return None
    left = (known.ends - now).total_seconds() / 86_400
    crossed = min((days for days in warn_days if left < days), default=None)
    if crossed is None:
        return None
    by = f" at {known.registrar}" if known.registrar else ""
    words = f"ends in {left:.0f} days" if left >= 0 else f"ended {-left:.0f} days ago"
    return DomainWarning(
        State.DEGRADED, f"the registration of {domain}{by} {words} (warning at {crossed} days)", evidence, domain
    )


def _records(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _ends(events: list[dict[str, Any]]) -> datetime | None:
    for event in events:
        if str(event.get("eventAction", "")).lower() == "expiration":
            try:
                found = datetime.fromisoformat(str(event.get("eventDate", "")))
            except ValueError:
                continue
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _registrar(entities: list[dict[str, Any]]) -> str:
    """The formatted name in the vCard of whoever has the role."""
    for entity in entities:
        roles, card = entity.get("roles"), entity.get("vcardArray")
        if not isinstance(roles, list) or "registrar" not in roles or not isinstance(card, list) or len(card) < 2:
            continue
        for field in card[1] if isinstance(card[1], list) else ():
            if isinstance(field, list) and len(field) >= 4 and field[0] == "fn" and isinstance(field[3], str):
                return clean_text(field[3], 80)
    return ""


def _name_servers(servers: list[dict[str, Any]]) -> tuple[str, ...]:
    names = {clean_text(str(one["ldhName"]), 100).lower().rstrip(".") for one in servers if one.get("ldhName")}
    return tuple(sorted(names)[:_NAME_SERVERS])


def _status(value: object) -> tuple[str, ...]:
    words = value if isinstance(value, list) else []
    return tuple(clean_text(word, 40).lower() for word in words if isinstance(word, str))
