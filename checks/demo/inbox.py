"""Where Corvane Media's people read: a receiver of messages on loopback that notes what reached whom and what they should not have read.

`/told/CHANNEL` takes what Apprise and Alertmanager's webhooks send, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from checks.demo.http import Request, Response
from checks.demo.partners import PARTNERS
from data.access.roles import ROLES
from data.model.principal import MoneyRight
from data.text import clean_text

_TITLE = 200
_NUMBER = re.compile(r"(?<![&\w])#(\d+)\b")
_MONEY = re.compile(r"(?:EUR|€)[ \u00a0]?\d|\d[ \u00a0]?(?:EUR\b|€)")
_NAMES = re.compile("|".join(sorted({partner.slug for partner in PARTNERS})), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of the company."""

    name: str
    role: str
    kind: str = "apprise"
    team: str = ""
    """Whose incidents are told there; empty is everybody's."""

    @property
    def secret(self) -> str:
        return f"{self.name}-url"


PLACES = (
    Place("war-room", "lead"),
    Place("dev-pager", "developer"),
    Place("managers", "senior"),
    Place("juniors", "junior"),
    Place("client-desk", "client", "alertmanager", "delta"),
)
_BY_NAME = {place.name: place for place in PLACES}


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it arrived."""

    at: datetime
    """Simulated."""
    channel: str
    title: str
    incidents: tuple[int, ...]
    leaked: tuple[str, ...] = ()
    """What whoever reads there may not know: amounts of money, names of partners."""


@dataclass(slots=True)
class Inbox:
    now: Callable[[], datetime]
    heard: list[Heard] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        place = _BY_NAME.get(request.path.removeprefix("/told/"))
        if place is None or request.method != "POST":
            return Response(404, b"nobody reads here", "text/plain")
        try:
            told = json.loads(request.body)
            title = str(told["title"] if place.kind == "apprise" else told["commonAnnotations"]["summary"])
        except (ValueError, KeyError, TypeError):
            return Response(400, b"that is no message", "text/plain")
        words = "\n".join(_texts(told))
        numbers = tuple(sorted({int(number) for number in _NUMBER.findall(words)}))
        self.heard.append(Heard(self.now(), place.name, clean_text(title, _TITLE), numbers, leaks(words, place.role)))
        return Response(200, b"{}", "application/json")


def _texts(told: object) -> Iterator[str]:
    """Every text of an answer, names of fields included."""
    if isinstance(told, dict):
        for name, value in told.items():
            yield name
            yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)
    elif isinstance(told, str):
        yield told


def leaks(words: str, role: str) -> tuple[str, ...]:
    """What of `words` the role may not read; a partner's name gives it away as part of a host, too."""
    right = ROLES[role]
    found = set() if right.partner_names else {name.lower() for name in _NAMES.findall(words)}
    if right.money is not MoneyRight.FULL:
        found |= set(_MONEY.findall(words))
    return tuple(sorted(found))
