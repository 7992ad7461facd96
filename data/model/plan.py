"""Plans: what was prepared for a trouble before it came, and what became of it when it was used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from data.model.ids import IncidentId, TeamId


class Adapter(StrEnum):
    """The one narrow way in which a plan changes the world."""

    WORDS = "words"
    """Nothing is switched: people act, losswatch records."""
    REDIRECTS = "redirects"
    """Lines of a map file that a web server reads."""
    HTTP = "http"
    """A call to somebody's API."""
    COMMAND = "command"
    """A program of the allow list."""
    KEITARO = "keitaro"
    """Streams of a Keitaro tracker, or of one that speaks as it does."""


class Needs(StrEnum):
    """What must hold at the moment a plan is used."""

    GREEN = "green"
    """Every standby is ok now, in the GEO in question."""
    LICENCE = "licence"
    """The brand that the traffic goes to may be shown there."""
    CAP = "cap"
    """Its partner's cap of the day has room."""
    INDEPENDENT = "independent"
    """No standby is behind what fails."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One declared plan. A scope that is empty does not restrict."""

    id: str
    letter: str
    """A: restore, B: keep earning another way, C: stop the bleeding."""
    title: str
    causes: tuple[str, ...]
    """Exact causes, or families with a dot at the end (`edge.`)."""
    team: str = ""
    partner: str = ""
    geo: str = ""
    site: str = ""
    project: str = ""
    does: Adapter = Adapter.WORDS
    options: dict[str, str] = field(default_factory=dict)
    """The adapter's own: `file`, `url`, `secret`, `revert_url`, ..."""
    sets: dict[str, str] = field(default_factory=dict)
    """Redirects: key to value. Keitaro: stream to `active` or `disabled`."""
    run: tuple[str, ...] = ()
    """Command: program and arguments; redirects: what makes the server read the file again."""
    undo: tuple[str, ...] = ()
    """Command: what takes it back."""
    needs: tuple[Needs, ...] = (Needs.GREEN, Needs.INDEPENDENT)
    standby: tuple[str, ...] = ()
    """Targets that must do well: ids of links and sites."""
    to: dict[str, str] = field(default_factory=dict)
    """Slice that earns instead: `partner`, `offer`, `geo`."""
    cap: int = 0
    """FTD a day that the other partner takes; 0 is no cap."""
    recovers: float = 1.0
    """Share of the loss that it stops, 0..1."""
    approve: str = ""
    """Role that must say yes; empty: whoever may apply plans."""
    two_over: Decimal = Decimal(0)
    """Money moved an hour above which two people must say yes; 0: one is enough."""
    expires_s: float = 7200.0
    """After which it is taken back by itself; 0: never."""
    rehearsed: date | None = None
    auto: bool = False
    """May be used without a person while the rehearsal is fresh."""
    line: int = 0
    """Where it stands in losswatch.toml."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One precondition, as it was found now."""

    need: Needs
    held: bool | None
    """`None`: nobody can tell."""
    detail: str


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A plan carried out on paper: what it would change, what it would bring and whether it may."""

    plan: str
    incident: IncidentId | None
    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]
    """The same lines as they would be; equal where nothing changes."""
    requires: tuple[Requirement, ...]
    clicks_per_hour: float | None
    """Clicks that would be moved."""
    gain_per_hour: Decimal | None
    gain_lo: Decimal | None
    gain_hi: Decimal | None
    refused: str = ""
    """Why it cannot be used now, in words; empty when it can."""
    keys: int = 1
    """People who must say yes."""


class SwitchState(StrEnum):
    """Where the use of a plan stands."""

    ASKED = "asked"
    """Waits for its second key, or for the role that must say yes."""
    APPLYING = "applying"
    """Written down before the world is touched."""
    APPLIED = "applied"
    REVERTING = "reverting"
    REVERTED = "reverted"
    FAILED = "failed"
    """The world is as it was; `detail` says why."""
    STUCK = "stuck"
    """Neither done nor undone: a person must look."""
    WITHDRAWN = "withdrawn"


RUNNING = frozenset({SwitchState.APPLYING, SwitchState.APPLIED, SwitchState.REVERTING, SwitchState.STUCK})
"""In which the world is, or may be, changed."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One use of a plan; versions are appended, the newest counts."""

    id: str
    """`plan@moment`."""
    plan: str
    letter: str
    title: str
    team: TeamId
    incident: IncidentId | None
    state: SwitchState
    at: datetime
    """Of this version."""
    asked_by: str
    asked_at: datetime
    keys: int = 1
    approved: tuple[str, ...] = ()
    """Who said yes, the one who asked included."""
    applied_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    undo: dict[str, str] = field(default_factory=dict)
    """What the adapter needs to take it back: what was there before."""
    detail: str = ""
    drill: bool = False
    """A rehearsal: applied and taken back at once."""

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING


@dataclass(frozen=True, slots=True)
class Declared:
    """A plan in the list of all of them."""

    id: str
    letter: str
    title: str
    causes: tuple[str, ...]
    scope: str
    """`P02 DE`, `aurora`; empty for everything."""
    does: Adapter
    rehearsed: date | None
    """Declared, or the last drill that went well."""
    fresh: bool
    """The rehearsal is not too old."""
    auto: bool
    doubt: str = ""
    """The first precondition that does not surely hold now, in words."""
    live: Switch | None = None


@dataclass(frozen=True, slots=True)
class PlanBook:
    """Every plan in scope, and the last uses."""

    plans: tuple[Declared, ...] = ()
    uses: tuple[Switch, ...] = ()
    """Newest first."""
