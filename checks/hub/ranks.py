"""The room that knows where our sites stand in search results, and which of the results are believed.

1. A good run of a parser with a query is a look at its places, unless its canaries or most of its siblings fail: then
rank data are frozen, which teaches nothing, closes nothing and raises nothing. 2. A site that is gone from most of its
queries (`checks.parsers.ranks`) is `degraded seo.deindexed` from its next check on. 3. What a failing parser leaves in
the dark is said in its own evidence and on the screens of the sites it feeds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from checks.hub.rank_words import Gone, gone_words, median_place, place_row, queries_words, when_words
from checks.incidents.blind import host_of, speaks_for, unseen
from checks.parsers.canaries import judged
from checks.parsers.ownsites import OwnSites
from checks.parsers.ranks import REMEMBERED, Look, Place, Standings, missing
from data.model.cause import cause
from data.model.fact import Ranks
from data.model.ids import TargetId
from data.model.parser_view import VolatilityRow
from data.model.snapshot import Aspect
from data.model.state import State
from data.model.target import TargetKind, target_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from checks.hub.board import Board
    from data.model.fact import ParserRun
    from data.model.ids import TeamId
    from data.model.observation import Observation
    from data.model.principal import Scope
    from data.model.target import Target

DEINDEXED = cause("seo.deindexed")
ACCEPT = timedelta(days=7)
"""A site that is gone for so long is how the results are now."""
RESTORED = timedelta(days=8)
SWEEP = timedelta(hours=1)
MOST_LOOKS = REMEMBERED
"""Of one query that are read after a restart: what a place remembers."""
OK = "ok"
_ROWS = 6

Series = tuple[TargetId, str, str]
"""Parser, query, country."""


@dataclass(slots=True)
class RankRoom:
    """Learns from good runs; cheap for every observation that has nothing to do with it."""

    board: Board
    check_soon: Callable[[TargetId], None]
    """Asks for a check of a site whose places changed what is to be said of it."""
    _sites: OwnSites = field(default_factory=OwnSites)
    _parsers: dict[str, list[Target]] = field(default_factory=dict)
    """Parsers of search results by the host they are of."""
    _known: dict[Series, Standings] = field(default_factory=dict)
    _where: dict[str, set[Series]] = field(default_factory=lambda: defaultdict(set))
    """Queries in which a site was ever seen."""
    _gone: dict[TargetId, Gone] = field(default_factory=dict)
    _dark: dict[str, tuple[frozenset[TargetId], frozenset[TargetId]]] = field(default_factory=dict)
    """By host: the parsers that failed when it was last asked, and those that were unseen because of them."""
    _swept_at: datetime | None = None

    async def reconfigure(self, targets: Sequence[Target]) -> None:
        """`configure`, with the index of a hundred thousand sites made beside the loop."""
        self.configure(targets, await asyncio.to_thread(OwnSites.of, targets) if _is_searched(targets) else None)

    def configure(self, targets: Iterable[Target], sites: OwnSites | None = None) -> None:
        """Another inventory: what is known of sites, parsers and searches that are no more is forgotten.

        So are the places of a site that has another address now: where it stood says nothing of where it is.
        """
        every = tuple(targets)
        self._parsers, self._dark = {}, {}
        for one in every:
            if one.kind is TargetKind.PARSER and one.query and not one.paused:
                self._parsers.setdefault(host_of(one), []).append(one)
        before = self._sites
        self._sites = (sites or OwnSites.of(every)) if _is_searched(every) else OwnSites()
        there = {one.id: one for one in every if one.kind is TargetKind.PARSER or one.id in self._where}
        self._known = {key: known for key, known in self._known.items() if _is_asked(key, there)}
        for known in map(TargetId, tuple(self._where)):
            if known not in there or before.site(there[known].url) != self._sites.site(there[known].url):
                self._forget(known)
        fewer = {site for site, keys in self._where.items() if not keys <= self._known.keys()}
        for site in fewer:
            self._where[site] &= self._known.keys()
        for site in fewer:
            self._review(TargetId(site))

    def restore(self, rows: Sequence[Ranks], now: datetime) -> None:
        """Learn again from stored looks, oldest first. What was called deindexed before them stays so for its time."""
        for (at, parser, query, geo), found in groupby(sorted(rows, key=_look_key), key=_look_key):
            teams = list(found)
            places = {site: place for one in teams for site, place in one.places.items()}
            key = target_id(TargetKind.PARSER, parser), query, geo
            if _is_asked(key, self.board.targets):
                self._learn(key, Look(at, teams[0].results, places, teams[0].hosts))
        for site in list(self._where):
            self._review(TargetId(site))
        for state in self.board.states.values():
            told = Gone(state.detail, state.evidence)
            lately = state.cause == DEINDEXED and state.since and now - state.since < ACCEPT
            if lately and state.target not in self._gone and self._unread(state.target, told):
                self._gone[state.target] = told

    def take(self, target: Target, run: ParserRun, ranked: Iterable[tuple[int, str]]) -> list[Ranks]:
        """The rows to store of a run's places; none where it is frozen, was not good or is older than what is known."""
        if not run.query or run.verdict != OK or target.id in self._doubted(host_of(target)):
            return []
        self._sweep(run.at)
        pairs = list(ranked)
        places = self._sites.places(pairs)
        depth = max((position for position, _ in pairs), default=0)
        key = target.id, run.query, run.geo
        before = self._known.get(key)
        if not pairs or not self._learn(key, Look(run.at, depth, places, run.hosts)):
            return []
        was, now = before.places if before else {}, self._known[key].places
        for site in {*was, *now}:
            if _is_news(was.get(site), now.get(site)) or (site in self._gone and was.get(site) != now.get(site)):
                self._review(TargetId(site))
        return self._rows(run, depth, places, {*places, *was})

    def rewrite(self, observation: Observation) -> Observation:
        """What canaries make of a parser's word, what a parser leaves unseen, and that a site is gone."""
        if observation.kind is TargetKind.SITE:
            return self._of_site(observation)
        if observation.kind is not TargetKind.PARSER:
            return observation
        target = self.board.targets.get(observation.target)
        if target is None or not target.query:
            return observation
        told = judged(observation, target, self._canaries(target), self.board.states)
        if told.state is not State.FAILING:
            return told
        words = self.unseen({target.id}, None, told.started_at)
        return replace(told, evidence={**told.evidence, "unseen": words}) if words else told

    def accept(self, targets: Iterable[TargetId]) -> None:
        """Somebody closed the incident of these: where they are gone, they are gone."""
        for target in targets:
            if self._gone.pop(target, None) is None:
                continue
            for key in [one for one in self._where[target] if self._known[one].places[target].missed]:
                self._known[key] = self._known[key].forget(target)
                self._where[target].discard(key)

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────

    def unseen(self, broken: Collection[TargetId], scope: Scope | None, now: datetime) -> str:
        """`ranks of 12 sites unseen since 17:32Z, 214 queries`; empty where no site is known to stand anywhere."""
        hosts = {host_of(one) for target in broken if (one := self.board.targets.get(target))}
        dark = unseen((one for host in hosts for one in self._parsers.get(host, ())), broken)
        series = list(self._known.items())  # details are read in threads
        sites = {
            site
            for key, known in series
            if key[0] in dark
            for site, place in known.places.items()
            if place.steady and self._sees(scope, site)
        }
        if not sites:
            return ""
        queries = len({(key[1], key[2]) for key, _ in series if key[0] in dark})
        noun = "1 site" if len(sites) == 1 else f"{len(sites):,} sites"
        of = "1 query" if queries == 1 else f"{queries:,} queries"
        return f"ranks of {noun} unseen since {when_words(self._failing_since(broken, now), now)}, {of}"

    def aspects(self, site: TargetId, now: datetime) -> tuple[Aspect, ...]:
        """The row of a site's screen that says where it stands; none for a site that never stood anywhere."""
        found = [(key, self._known.get(key, Standings({}))) for key in sorted(self._where.get(site, ()))]
        places = [(key, place) for key, known in found if (place := known.places.get(site)) and place.steady]
        if not places:
            return ()
        last_at = max(known.last_at for _, known in found if known.last_at)
        usual = f"about {median_place(place.usual for _, place in places)} in {queries_words(len(places))}"
        failing = frozenset(self.board.doubted_parsers)
        dark = frozenset[TargetId]().union(*(self._doubted(host) for host in list(self._parsers)))
        frozen = sum(key[0] in dark for key, _ in places)
        absent = sum(place.gone for _, place in places)
        if site in self._gone:
            return (
                Aspect("ranks", State.DEGRADED, f"gone from {absent} of {queries_words(len(places))}", usual, last_at),
            )
        if frozen:
            since = when_words(self._failing_since(failing & dark, now), now)
            value = f"unseen since {since} in {frozen} of {queries_words(len(places))}"
            return (Aspect("ranks", State.UNKNOWN, value, usual, last_at),)
        value = f"seen in {len(places) - absent} of {queries_words(len(places))}"
        return (Aspect("ranks", State.OK, value, usual, last_at),)

    def rows(self, parser: TargetId, scope: Scope, now: datetime) -> tuple[VolatilityRow, ...]:
        """Where the reader's sites stand in a parser's results: information beside what else varies there."""
        found = [
            (place.missed, place.usual, place_row(site, key, place, now))
            for key, known in list(self._known.items())
            if key[0] == parser
            for site, place in known.places.items()
            if place.steady and self._sees(scope, site)
        ]
        return tuple(row for _, _, row in sorted(found, key=lambda one: (-one[0], one[1]))[:_ROWS])

    # ── what is known ────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self, key: Series, look: Look) -> bool:
        """Whether it taught anything."""
        before = self._known.get(key, Standings({}))
        after = before.learn(look)
        if after.last_at != look.at:
            self._known[key] = after
            return False
        for site in before.places.keys() - after.places.keys():
            self._where[site].discard(key)
            told = self._gone.get(TargetId(site))
            if told and told.where == (host_of(self.board.targets[key[0]]), key[2]):
                del self._gone[TargetId(site)]
        for site, place in after.places.items():
            if place.gone and place.missed_since and look.at - place.missed_since >= ACCEPT:
                after = after.forget(site)
                self._where[site].discard(key)
                self._gone.pop(TargetId(site), None)
        self._known[key] = after
        for site in look.places:
            self._where[site].add(key)
        return True

    def _review(self, site: TargetId) -> None:
        """Say anew whether a site is gone, and have it checked when that is news."""
        groups: dict[tuple[str, str], list[tuple[str, Place]]] = defaultdict(list)
        for key in sorted(self._where.get(site, ())):
            parser = self.board.targets.get(key[0])
            if parser is not None and site in self._known[key].places:
                groups[host_of(parser), key[2]].append((key[1], self._known[key].places[site]))
        found = [(where, lost) for where, places in groups.items() if (lost := missing(places)).deindexed]
        was = self._gone.pop(site, None)
        if found:
            self._gone[site] = gone_words(sorted(found, key=lambda one: (-len(one[1].gone), one[0])))
        elif was and self._unread(site, was):
            self._gone[site] = was
            return
        if bool(was) != bool(found):
            self.check_soon(site)

    def _unread(self, site: TargetId, told: Gone) -> bool:
        """Whether the site was missing for so long that no look since a restart says anything of it there."""
        host, geo = told.where
        parsers = {one.id for one in self._parsers.get(host, ()) if one.geo == geo}
        return bool(parsers) and not any(key[0] in parsers for key in self._where.get(site, ()))

    def _of_site(self, observation: Observation) -> Observation:
        gone = self._gone.get(observation.target)
        if gone is None or observation.state not in {State.OK, State.DEGRADED}:
            return observation
        if observation.state is State.OK:
            evidence = {**observation.evidence, **gone.evidence}
            return replace(observation, state=State.DEGRADED, cause=DEINDEXED, detail=gone.detail, evidence=evidence)
        also = "; ".join(filter(None, (observation.evidence.get("also"), f"{DEINDEXED}: {gone.detail}")))
        return replace(observation, evidence={**observation.evidence, "also": also[:300]})

    def _rows(self, run: ParserRun, depth: int, places: dict[str, int], sites: Iterable[str]) -> list[Ranks]:
        by_team: dict[TeamId, dict[str, int]] = defaultdict(dict)
        for site in sites:
            target = self.board.targets.get(TargetId(site))
            if target is not None:
                by_team[target.team] |= {site: places[site]} if site in places else {}
        return [
            Ranks(run.parser, team, run.at, run.query, run.geo, depth, run.hosts, mine)
            for team, mine in sorted(by_team.items())
        ]

    def _canaries(self, parser: Target) -> list[Target]:
        """The canaries whose word counts for a parser, itself left out."""
        alike = self._parsers.get(host_of(parser), [])
        return [one for one in alike if one.canary and one.id != parser.id and speaks_for(one, parser, alike)]

    def _doubted(self, host: str) -> frozenset[TargetId]:
        """Parsers of a host whose ranks are unseen now, also while a failure waits to be confirmed."""
        parsers = self._parsers.get(host, ())
        doubted = self.board.doubted_parsers
        failing = frozenset(one.id for one in parsers if one.id in doubted) if doubted else frozenset[TargetId]()
        known = self._dark.get(host)
        if known is None or known[0] != failing:
            known = self._dark[host] = failing, unseen(parsers, failing) if failing else failing
        return known[1]

    def _forget(self, site: TargetId) -> None:
        """As if the site had never been seen anywhere."""
        for key in self._where.pop(site, ()):
            if key in self._known:
                self._known[key] = self._known[key].forget(site)
        if self._gone.pop(site, None):
            self.check_soon(site)

    def _sweep(self, now: datetime) -> None:
        """Forget searches that nobody ran for as long as a restart looks back: they are not where a site still stands."""
        if self._swept_at and now - self._swept_at < SWEEP:
            return
        self._swept_at = now
        over = [key for key, known in self._known.items() if known.last_at and now - known.last_at > RESTORED]
        for key in over:
            sites = self._known.pop(key).places
            for site in sites:
                self._where[site].discard(key)
            for site in sites:
                self._review(TargetId(site))

    def _failing_since(self, broken: Iterable[TargetId], now: datetime) -> datetime:
        states = (self.board.states.get(one) for one in broken)
        return min((one.first_fail_at for one in states if one and one.first_fail_at), default=now)

    def _sees(self, scope: Scope | None, site: str) -> bool:
        target = self.board.targets.get(TargetId(site))
        return target is not None and (scope is None or scope.sees(target.team))


def _is_news(was: Place | None, now: Place | None) -> bool:
    """Whether a look may change what is said of a site: it is gone or back, or one place fewer speaks for it."""
    gone, steady = bool(was and was.gone), bool(was and was.steady)
    return gone != bool(now and now.gone) or (steady and not (now and now.steady))


def _is_searched(targets: Iterable[Target]) -> bool:
    """Whether any parser may read results; of what others run only the runs say it."""
    return any(one.kind is TargetKind.PARSER and (one.query or one.outside) for one in targets)


def _is_asked(key: Series, targets: Mapping[TargetId, Target]) -> bool:
    """Whether a parser still asks this; what others ask is theirs to say."""
    target = targets.get(key[0])
    return target is not None and (target.outside or (target.query, target.geo) == key[1:])


def _look_key(row: Ranks) -> tuple[datetime, str, str, str]:
    return row.at, row.parser, row.query, row.geo
