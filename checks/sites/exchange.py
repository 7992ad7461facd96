from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.model.ids import CauseId
from data.model.observation import NO_CAUSE, Timing

if TYPE_CHECKING:
    from checks.sites.certificate import Certificate
    from checks.sites.url import Url

REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request brought no usable answer."""

    cause: CauseId
    detail: str
    deadline: bool = False
    """The deadline of the whole chain passed here."""
    agreed: bool = False
    """A second resolver said the same."""
    ours: bool = False
    """The vantage itself does not work, whatever the host."""
    said: str = ""
    """What the library that met it said, raw: evidence for whoever looks closer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back. Foreign text in it is raw: only `verdict` and `report` let it out, cleaned."""

    url: Url
    ip: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case, in the order they came."""
    body: bytes = b""
    """Decoded, at most `Expect.max_body` bytes."""
    fault: Fault | None = None
    timing: Timing = field(default_factory=Timing)
    """Of this request alone; `ttfb_ms` runs from its start."""
    certificate: Certificate | None = None
    client_side: bool = False
    """A page led here, by script or meta refresh, not the protocol."""

    def header(self, name: str) -> str:
        """The first value of `name`, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def redirects(self) -> bool:
        return self.status in REDIRECTS and self.fault is None

    @property
    def cause(self) -> CauseId:
        return self.fault.cause if self.fault else NO_CAUSE


@dataclass(frozen=True, slots=True)
class Walk:
    """A chain walked to its end. `end` says why it stopped before a page; `None` when the last exchange is the page."""

    exchanges: tuple[Exchange, ...]
    end: Fault | None = None
    client_side: int = 0
    """How many steps were made by script or meta refresh."""
    total_ms: float = 0.0
    vantage: str = ""
    """Country whose proxy carried it; empty from here."""
    ahead: Url | None = None
    """Where the chain goes on, when it was told to stop before; the last exchange is then no page."""

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]
