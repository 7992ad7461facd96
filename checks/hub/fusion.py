"""What the rest of the hub knows of a slice's money: what speaks for trouble there, and where nobody can see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds import preset as presets
from checks.hub.deploys import Deploys
from checks.hub.site_traffic import SiteTraffic
from checks.revenue.book import Explained
from checks.revenue.cube import NEVER
from checks.revenue.lending import OLD, Sign, lent, of_changes, of_links, of_sites
from data.model.cause import family_of, words_of
from data.model.state import State
from data.model.target import TargetKind, name_of, target_id

if TYPE_CHECKING:
    from checks.hub.hub import Hub
    from checks.revenue.belief import Prior
    from checks.revenue.cube import Cube
    from data.config.diff import Difference
    from data.config.settings import Feed
    from data.model.ids import PartnerId, TargetId
    from data.model.observation import TargetState

EARNS_NOTHING = frozenset({"content", "link", "geo", "redirect"})
"""Families of causes of a site that answers, with a page that earns nothing."""
ASKED_TO_PROVE = frozenset({"edge.challenge", "page.blocked"})
SILENT = "postback.silent"
SURE_NATS = 12.0
"""Nats of silence at which a silent postback is as sure as it gets."""
BLINDING = frozenset({
    "feed.auth", "feed.throttled", "feed.contract", "feed.scale", "feed.timezone", "feed.paging", "feed.late",
})  # fmt: skip
"""What a feed can have that keeps its figures from us, or keeps us from believing them."""
UNREACHED = frozenset({"dns", "tcp", "tls", "http", "proto", "local", "edge", "self", "config"})
"""Families of causes with which no report comes at all."""
PATIENCE = timedelta(hours=2)
"""Reports that are no later than usual by more than this still come, whatever one feed says."""


@dataclass(frozen=True, slots=True)
class Blind:
    """Slices whose figures do not reach us: what is missing there is unseen, not lost."""

    slice: dict[str, str]
    since: datetime
    """Up to here figures are known."""
    feed: str
    why: str

    @property
    def words(self) -> str:
        """`P10 not judged since 11-17 13:10Z because p10-api: token refused`."""
        return f"{' '.join(self.slice.values())} not judged since {self.since:%m-%d %H:%MZ} because {self.feed}: {self.why}"


@dataclass(slots=True)
class Fusion:
    """Reads the board; every answer is as of now, and costs one pass over the states."""

    hub: Hub
    blinds: tuple[Blind, ...] = ()
    """As of the last tick, for the screens."""
    traffic: SiteTraffic = field(init=False)
    deploys: Deploys = field(init=False)
    _changes: list[Sign] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.traffic = SiteTraffic(self.hub)
        self.deploys = Deploys(self.hub, self.traffic)

    def priors(self, now: datetime) -> tuple[Prior, ...]:
        """What failing links and pages, challenges, silent postbacks and changes lend to the slices they concern."""
        self._changes = [sign for sign in self._changes if now - sign.since <= OLD]
        return lent(
            [*self._of_links(), *self._of_sites(), *self._of_postbacks(), *self._changes, *self.deploys.signs(now)], now
        )

    def changed(self, change: Difference, now: datetime) -> None:
        """The configuration was changed: what is new in it is a suspect for a while."""
        self._changes += of_changes([*change.added, *(one.new for one in change.changed)], now)

    def blind(self, now: datetime) -> tuple[Blind, ...]:
        """Partners, or teams' parts of them, whose figures do not come; remembered for the screens.

        A feed that does not deliver blinds nobody while the same figures come another way.
        """
        feeds = [one for one in self.hub.settings.feeds if presets.sources().get(one.preset) in {"http", "folder"}]
        accounts = Counter(feed.partner for feed in feeds)
        found: dict[tuple[tuple[str, str], ...], Blind] = {}
        for feed in feeds:
            state = self.hub.board.states.get(target_id(TargetKind.FEED, feed.name))
            if why := _blinded_by(feed, state):
                one = self._blind(feed, state, why, now, alone=accounts[feed.partner] == 1)
                if one:
                    key = tuple(one.slice.items())
                    found[key] = min(one, found.get(key, one), key=lambda each: each.since)
        self.blinds = tuple(found[key] for key in sorted(found))
        return self.blinds

    def unjudged(self, now: datetime) -> list[Explained]:
        """The slice-hours that must raise nothing because nobody can see them."""
        return [Explained((one.slice,), one.since, now) for one in self.blind(now)]

    def lines(self) -> tuple[str, ...]:
        """Calm lines: who is not judged, since when and why; whose money waits for a rate."""
        return (*(one.words for one in self.blinds), *self.hub.to_facts.lines())

    def blind_to(self, where: dict[str, str]) -> Blind | None:
        """Why a slice is not judged now, if it lies in what nobody sees."""
        return next((one for one in self.blinds if one.slice.items() <= where.items()), None)

    def _blind(self, feed: Feed, state: TargetState | None, why: str, now: datetime, *, alone: bool) -> Blind | None:
        began = state.since if state and state.since else now
        with self.hub.book.at_rest():
            told = reported_until(self.hub.book.cube, feed.partner, now)
        usual = timedelta(seconds=self._lag_s(feed.partner)) + PATIENCE
        if told is not None and now - told <= usual:
            return None
        if told is None and self.hub.to_facts.is_pushed(feed):
            return None
        where = {"partner": str(feed.partner)} if alone else {"partner": str(feed.partner), "team": str(feed.team)}
        return Blind(where, max(told or began - usual, began - OLD), feed.name, why)

    def _lag_s(self, partner: PartnerId) -> float:
        return next((one.report_lag_s for one in self.hub.settings.partners if one.id == partner), 3600.0)

    # ── signs of the board ───────────────────────────────────────────────────────────────────────────────────────

    def _of_links(self) -> list[Sign]:
        board = self.hub.board
        hits: dict[str, dict[TargetId, datetime]] = {"link": {}, "link once": {}, "challenge": {}}
        words: dict[TargetId, str] = {}
        for state in board.states.values():
            if state.kind is TargetKind.LINK and (kind := _link_kind(state)) and (began := _began(state)):
                hits[kind][state.target], words[state.target] = began, words_of(state.cause)
        links = [one for one in board.targets.values() if one.kind is TargetKind.LINK] if words else []
        return [sign for kind, hit in hits.items() for sign in of_links(kind, links, hit, words)]

    def _of_sites(self) -> list[Sign]:
        """Of each site's own slice, and of those whose clicks pass sites that fail for the most part."""
        hits: dict[str, dict[str, datetime]] = {"site": {}, "landing": {}, "challenge": {}}
        words: dict[str, str] = {}
        for state in self.hub.board.states.values():
            if state.kind is TargetKind.SITE and (kind := _site_kind(state)) and (began := _began(state)):
                site = name_of(state.target)
                hits[kind][site], words[site] = began, f"{site}: {words_of(state.cause)}"
        own = [Sign(kind, (("site", site),), at, words[site]) for kind, hit in hits.items() for site, at in hit.items()]
        traffic = self.traffic() if words else None
        return own + [sign for kind, hit in hits.items() if traffic for sign in of_sites(kind, traffic.leaves(), hit)]

    def _of_postbacks(self) -> list[Sign]:
        found = []
        for feed in self.hub.settings.feeds:
            state = self.hub.board.states.get(target_id(TargetKind.FEED, feed.name))
            if state and state.state is State.FAILING and state.cause == SILENT and (began := _began(state)):
                sure = min(float(state.evidence.get("silence_nats") or SURE_NATS) / SURE_NATS, 1.0)
                found.append(
                    Sign(
                        "postbacks",
                        (("partner", str(feed.partner)),),
                        began,
                        f"postbacks of {feed.partner} are silent",
                        sure,
                    )
                )
        return found


def reported_until(cube: Cube, partner: PartnerId, now: datetime) -> datetime | None:
    """End of the newest hour that a partner's report is here for; `None` where it never sent one."""
    code = cube.code("partner", partner)
    if code < 0:
        return None
    told = (cube.receipt_s[code] < NEVER) & (cube.receipt_s[code] <= int(now.timestamp()))
    if not told.any():
        return None
    last = int(told.nonzero()[0][-1]) + cube.base + 1
    return datetime.fromtimestamp(last * 3600, UTC)


def _blinded_by(feed: Feed, state: TargetState | None) -> str:
    """Why a feed does not show us its money; empty where it does."""
    if feed.paused or (state and state.state is State.PAUSED):
        return "it is paused"
    if state is None or state.state in {State.OK, State.DEGRADED} or not state.cause:
        return ""
    blind = state.cause in BLINDING or family_of(state.cause) in UNREACHED
    return words_of(state.cause) if blind else ""


def _link_kind(state: TargetState) -> str:
    if state.state is State.FAILING:
        return "link"
    if state.state is State.UNKNOWN and state.cause in ASKED_TO_PROVE:
        return "challenge"
    return "link once" if state.fails and state.state is not State.PAUSED else ""


def _site_kind(state: TargetState) -> str:
    if state.state is State.FAILING:
        return "landing" if family_of(state.cause) in EARNS_NOTHING else "site"
    return "challenge" if state.state is State.UNKNOWN and state.cause in ASKED_TO_PROVE else ""


def _began(state: TargetState) -> datetime | None:
    return state.first_fail_at if state.fails and state.first_fail_at else state.since
