"""The room that knows what every target was like: it says when one that answers well got worse all the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from checks.sites.hygiene import drift, seo, slowness
from checks.sites.hygiene.pagefacts import KEYS
from checks.sites.hygiene.registry import Allowed, registry_of
from data.config.settings import Hygiene
from data.model.cause import cause
from data.model.fact import Baseline
from data.model.state import State
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from checks.hub.domains import Domains
    from data.config.settings import Settings
    from data.model.ids import CauseId, TargetId, TeamId
    from data.model.observation import Observation

ACCEPT_S = 7 * 86_400.0
"""A change that nobody undid for so long is how the page is now."""
_RANK = {
    "link.wrong_target": 0,
    "link.param_lost": 1,
    "seo.noindex": 3,
    "seo.robots": 4,
    "tls.expiring": 5,
    "dns.expiring": 6,
    "content.missing_keyword": 7,
    "redirect.client_side": 8,
    "seo.canonical": 9,
    "seo.hreflang": 10,
    "slow.ttfb": 11,
    "slow.total": 11,
}
"""Of several conditions the first speaks; the others stand in its evidence."""
_PLANNED = frozenset({"seo.canonical", "seo.hreflang"})
"""What a migration changes on purpose. A noindex that outlives its window was forgotten, not planned."""


class _Body(msgspec.Struct, array_like=True, frozen=True):
    """A memory as it is stored."""

    version: int
    page: tuple[str, ...]
    worse: tuple[str, ...]
    worse_since: float
    registered: str
    looks: int
    often: bytes
    away: bytes
    drift_since: float
    ids: tuple[str, ...]


_decoder = msgspec.msgpack.Decoder(_Body)
_VERSION = 1


@dataclass(slots=True)
class _Memory:
    """One site: what is usual, and since when it is not. Times are seconds of the epoch, 0 is never."""

    team: TeamId
    page: seo.Page | None = None
    worse: seo.Page | None = None
    """What the page said when it was found worse."""
    worse_since: float = 0.0
    links: drift.Presence | None = None
    drift_since: float = 0.0
    strange: tuple[str, ...] = ()
    """Foreign ids on the page now."""
    ids: tuple[str, ...] = ()
    """Foreign ids that were accepted."""


@dataclass(frozen=True, slots=True)
class _Found:
    cause: CauseId
    state: State
    detail: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    blame: str = ""


@dataclass(slots=True)
class HygieneRoom:
    """Compares each good observation with its target's own past; cheap where nothing changed.

    1. Only sites and links that answered well are looked at; nothing else touches what is remembered. 2. A change for the
    worse is told until somebody closes its incident or `ACCEPT_S` pass; then it is what is usual. 3. In a maintenance
    window that covers the target a changed canonical, hreflang or link is planned: it is learned and not told.
    """

    settings: Hygiene = field(default_factory=Hygiene)
    allowed: Allowed = field(default_factory=Allowed)
    domains: Domains | None = None
    speed: float = 1.0
    """Of the hub's clock: servers do not get faster in a simulation."""
    covered: Callable[[TargetId, datetime], bool] = lambda _target, _at: False
    """Whether a maintenance window covers the target then."""
    paces_past: dict[TargetId, tuple[float, float]] = field(default_factory=dict)
    """(median, 95th percentile) in ms of the last days, taken up by the first observation."""
    _known: dict[TargetId, _Memory] = field(default_factory=dict)
    _paces: dict[tuple[TargetId, str], slowness.Pace] = field(default_factory=dict)
    """By target and the place it is seen from."""
    _fleets: dict[str, slowness.Fleet] = field(default_factory=dict)
    _unwritten: set[TargetId] = field(default_factory=set)

    def rewrite(self, observation: Observation) -> Observation:
        """The observation, or what it says of hygiene: `degraded seo.*`, `slow.*` and their like."""
        kind, state = observation.kind, observation.state
        if kind is not TargetKind.SITE and kind is not TargetKind.LINK:
            return observation
        found: list[_Found] = []
        asks = self.settings.domains
        if asks and self.domains is not None and (registrar := self.domains.registrar(observation)):
            observation = replace(observation, evidence={**observation.evidence, "registrar": registrar})
        if state is State.OK or (state is State.DEGRADED and observation.cause in _RANK):
            if kind is TargetKind.SITE:
                found = self._page(observation)
            if asks and self.domains is not None and (ending := self.domains.warning(observation)):
                words = ending.detail, ending.evidence, ending.blame
                found.append(_Found(cause("dns.expiring"), ending.state, *words))
            if state is State.OK and self.settings.slowness and (late := self._pace(observation)):
                found.append(_Found(late.cause, State.DEGRADED, late.detail))
        if found:
            return _told(observation, found)
        if KEYS.isdisjoint(observation.evidence):
            return observation
        return replace(observation, evidence=_without(observation.evidence))

    def configure(self, settings: Settings) -> None:
        """New switches, a new inventory."""
        self.settings = settings.hygiene
        self.speed = settings.clock.speed if settings.clock else 1.0
        self.allowed = registry_of(settings.targets)[1] if settings.hygiene.links else Allowed()
        if self.domains is not None:
            self.domains.settings = settings.hygiene
            if settings.hygiene.domains:
                self.domains.watch(settings.targets)

    def accept(self, targets: Iterable[TargetId]) -> None:
        """Somebody closed the incident of these: what they are like now is what they are like."""
        for target in targets:
            known = self._known.get(target)
            if known is not None:
                if known.links is not None and known.drift_since:
                    drift.forgive(known.links)
                self._accept(target, known)
            for region in self._fleets:
                if (target, region) in self._paces and self._paces[target, region].slow:
                    self._paces[target, region] = slowness.Pace()

    def forget(self, target: TargetId) -> None:
        """It is watched no more."""
        self._known.pop(target, None)
        self._unwritten.discard(target)
        self.paces_past.pop(target, None)
        for region in self._fleets:
            self._paces.pop((target, region), None)

    def restore(self, kept: Iterable[Baseline]) -> None:
        """Take up what was stored; a body of another version is forgotten and learned anew."""
        for baseline in kept:
            try:
                body = _decoder.decode(baseline.body)
            except msgspec.MsgspecError:
                continue
            if body.version == _VERSION:
                self._known[baseline.target] = _memory(baseline.team, body)

    def drain(self, now: datetime) -> list[Baseline]:
        """What changed since the last time, to be stored."""
        changed = [(target, self._known[target]) for target in self._unwritten if target in self._known]
        self._unwritten.clear()
        rows = [Baseline(target, known.team, now, _body(known)) for target, known in changed]
        return [*rows, *(self.domains.drain(now) if self.domains else ())]

    # ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, observation: Observation) -> list[_Found]:
        evidence = observation.evidence
        page = seo.page_of(evidence) if self.settings.seo else None
        look = drift.look_of(evidence) if self.settings.links else None
        if page is None and look is None:
            return []
        target = observation.target
        known = self._known.get(target)
        if known is None:
            known = self._known[target] = _Memory(observation.team, page)
            self._unwritten.add(target)
        found = self._compared(known, page, observation) if page is not None and page != known.page else None
        if found is None and known.worse is not None and page is not None:
            known.worse, known.worse_since = None, 0.0
            self._unwritten.add(target)
        made = [found] if found else []
        if look is not None and (drifted := self._drift(known, look, observation)):
            made.append(drifted)
        return made

    def _compared(self, known: _Memory, page: seo.Page, observation: Observation) -> _Found | None:
        target, at = observation.target, observation.started_at
        change = seo.compare(known.page, page) if known.page is not None else None
        planned = change is not None and change.cause in _PLANNED and self.covered(target, at)
        if change is None or planned:
            settled = seo.settle(known.page, page) if known.page is not None else page
            if settled != known.page:
                known.page = settled
                self._unwritten.add(target)
            return None
        if known.worse != page:
            known.worse, known.worse_since = page, known.worse_since or at.timestamp()
            self._unwritten.add(target)
        elif at.timestamp() - known.worse_since >= ACCEPT_S:
            self._accept(target, known)
            return None
        evidence = {"was": change.was, "now": change.now, "usual_from": _day(known.worse_since + ACCEPT_S)}
        return _Found(change.cause, State.DEGRADED, change.detail, evidence)

    def _drift(self, known: _Memory, look: drift.Look, observation: Observation) -> _Found | None:
        target, at = observation.target, observation.started_at
        if known.links is None:
            known.links = drift.Presence("")
        looks = known.links.looks
        drifted = drift.judge(known.links, look, self.allowed, known.ids)
        if looks < drift.LOOKS <= known.links.looks:
            self._unwritten.add(target)
        if drifted is None:
            if known.drift_since:
                known.drift_since, known.strange = 0.0, ()
                self._unwritten.add(target)
            return None
        known.strange = drift.foreign(look, self.allowed)
        if not known.drift_since:
            known.drift_since = at.timestamp()
            self._unwritten.add(target)
        if self.covered(target, at) or at.timestamp() - known.drift_since >= ACCEPT_S:
            self._accept(target, known)
            drift.forgive(known.links)
            return None
        evidence = {**drifted.evidence, "usual_from": _day(known.drift_since + ACCEPT_S)}
        if partner := self.allowed.partner(name_of(target), drifted.links):
            evidence["partner"] = partner
        return _Found(drifted.cause, drifted.state, drifted.detail, evidence)

    def _accept(self, target: TargetId, known: _Memory) -> None:
        if known.worse is not None:
            known.page = known.worse
        known.ids = tuple(dict.fromkeys((*known.ids, *known.strange)))[-16:]
        known.worse, known.worse_since, known.strange, known.drift_since = None, 0.0, (), 0.0
        self._unwritten.add(target)

    # ── the pace ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _pace(self, observation: Observation) -> slowness.Slow | None:
        total_ms = observation.total_ms
        if total_ms is None:
            return None
        key = (observation.target, observation.region)
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = slowness.Pace()
            if past := self.paces_past.pop(observation.target, None):
                pace.seed(slowness.spread(*past))
        fleet = self._fleets.get(observation.region)
        if fleet is None:
            fleet = self._fleets[observation.region] = slowness.Fleet()
        now_s = observation.started_at.timestamp() / self.speed
        return slowness.judge(pace, fleet, observation.target, total_ms, observation.timing, now_s)


def _told(observation: Observation, found: list[_Found]) -> Observation:
    """The observation in the words of the worst that was found, the rest of it as evidence."""
    if observation.cause:
        found = [*found, _Found(observation.cause, observation.state, observation.detail, {}, observation.blame)]
    first, *rest = sorted(found, key=lambda one: (one.state is not State.FAILING, _RANK[one.cause]))
    evidence = _without(observation.evidence) | dict(first.evidence)
    if rest:
        evidence["also"] = "; ".join(f"{one.cause}: {one.detail}" for one in rest)[:200]
    return replace(
        observation,
        state=first.state,
        cause=first.cause,
        detail=first.detail,
        blame=first.blame or _host(observation),
        evidence=evidence,
    )


def _day(seconds: float) -> str:
    """When a change that nobody undid is told no more."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _host(observation: Observation) -> str:
    """Of the last hop."""
    try:
        return urlsplit(observation.hops[-1].url).hostname or "" if observation.hops else ""
    except ValueError:
        return ""


def _without(evidence: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in evidence.items() if key not in KEYS}


def _body(known: _Memory) -> bytes:
    links = known.links or drift.Presence("")
    return msgspec.msgpack.encode(
        _Body(
            _VERSION,
            tuple(known.page or ()),
            tuple(known.worse or ()),
            known.worse_since,
            links.registered,
            links.looks,
            bytes(links.often),
            bytes(links.away),
            known.drift_since,
            known.ids,
        )
    )


def _memory(team: TeamId, body: _Body) -> _Memory:
    links = drift.Presence(body.registered, body.looks, bytearray(body.often), bytearray(body.away))
    return _Memory(
        team,
        seo.Page(*body.page) if body.page else None,
        seo.Page(*body.worse) if body.worse else None,
        body.worse_since,
        links if body.registered else None,
        body.drift_since,
        (),
        body.ids,
    )
