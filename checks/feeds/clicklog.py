"""Our own redirector's click log: lines in several forms, who is meant by each, and clicks by slice and hour. Pure.

A line of a person counts as a click whatever was answered: who got an error wanted to go there all the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from checks.feeds.heartbeat import SIGNIFICANT, Verdict
from checks.feeds.loglines import Parts, moment
from data.model.cause import cause
from data.model.fact import Fact
from data.model.ids import PartnerId, TeamId
from data.model.observation import NO_CAUSE
from data.model.state import State
from data.model.target import TargetKind
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from checks.feeds.heartbeat import Rhythm
    from data.config.settings import Feed, Settings
    from data.model.ids import CauseId

LONGEST = 64 * 1024
"""Bytes of a line; a longer one is none."""
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=400)
MOST_CELLS = 100_000
"""Different slice-hours of one reading; beyond it sites are counted together."""
_MOST_KNOWN = 100_000
_ROBOT = re.compile(r"(?i)bot\b|bot/|crawl|spider|slurp|preview|headless|monitor|curl/|python-|wget/|libwww|facebookexternalhit|lighthouse")  # fmt: skip
K = TypeVar("K")
V = TypeVar("V")
_CLF_LENGTH = len("17/Nov/2026:14:03:22 +0000")
_YES = frozenset({"1", "true", "yes", "y", "bot", "t"})


# ── who is meant ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Slice:
    team: str
    partner: str
    offer: str
    geo: str
    site: str


@dataclass(frozen=True, slots=True)
class Registry:
    """What the inventory knows of links, sites and partners; built once a configuration."""

    links: Mapping[str, Slice]
    """By name."""
    sites: Mapping[str, tuple[str, str]]
    """Name and team, by name and by host."""
    hosts: Mapping[str, str]
    """Partner, by the hosts its links lead to."""
    partners: Mapping[str, str]
    """Id, by id and by name in lower case."""

    def slice_of(self, line: Parts, team: str) -> Slice | None:
        """Whose click it is; nothing where no partner can be told. `team` is whose it is where nobody else is known."""
        site, link, partner, offer, brand, geo, host = line[3:]
        known = self.links.get(link) or self.links.get(_last(link))
        told = self.partners.get(partner.strip().lower(), "") if partner else ""
        told = told or (known.partner if known else "") or self.hosts.get(host_of(host), "")
        if not told:
            return None
        named, owner = self.sites.get(site) or self.sites.get(host_of(site)) or ("", "")
        if known and known.partner != told:
            known = None  # the link leads elsewhere by now: the line itself is nearer to the truth
        country = geo.strip().upper()
        return Slice(
            owner or (known.team if known else "") or team,
            told,
            _plain(offer) or (known.offer if known else "") or _plain(brand),
            (country if len(country) == 2 and country.isalpha() else "") or (known.geo if known else ""),
            named or (known.site if known else "") or _plain(host_of(site) or site),
        )


def registry(settings: Settings) -> Registry:
    links, sites = dict[str, Slice](), dict[str, tuple[str, str]]()
    leading: dict[str, set[str]] = defaultdict(set)
    for target in settings.targets:
        if target.kind is TargetKind.SITE:
            sites[target.name] = sites[host_of(target.url)] = (target.name, str(target.team))
        elif target.kind is TargetKind.LINK:
            links[target.name] = Slice(str(target.team), str(target.partner), target.offer, target.geo, target.site)
            for host in (target.expect.final_host, host_of(target.url)):
                leading[host].add(str(target.partner))
    hosts = {host: next(iter(found)) for host, found in leading.items() if host and len(found) == 1 and found != {""}}
    hosts |= {host: str(brand.partner) for brand in settings.brands for host in brand.hosts}
    named = {key.lower(): str(one.id) for one in settings.partners for key in (one.name, one.id)}
    return Registry(links, sites, hosts, named)


def host_of(address: str) -> str:
    """The host of an address or of a bare host, lower case, without a port."""
    if not address or address == "-":
        return ""
    try:
        return (urlsplit(address if "//" in address else f"//{address}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _last(path: str) -> str:
    """`/out/NAME?btag=1` as `NAME`."""
    return path.partition("?")[0].rstrip("/").rpartition("/")[2]


def _plain(text: str) -> str:
    """Free text that may stand in a slice's name."""
    return clean_text(text.translate(_NO_MARKS), 80) if text else ""


_NO_MARKS = str.maketrans({",": " ", "=": " "})


# ── many lines ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Tally:
    """What a stretch of lines held."""

    lines: int = 0
    malformed: int = 0
    bots: int = 0
    errors: int = 0
    """Answered with 500 or more."""
    unknown: int = 0
    """Clicks that lead to no partner we know."""
    ahead: int = 0
    """Written more than five minutes after our own now."""
    clicks: int = 0
    latest: float = 0.0
    """Seconds since 1970 of the newest line, none of those ahead."""
    broken: str = ""
    """Shape of the beginning of the first line that could not be read, letters as `x` and digits as `0`: lines hold people's ids."""
    cells: dict[Slice, dict[int, int]] = field(default_factory=dict)
    """Clicks by slice and epoch hour."""

    def plus(self, other: Tally) -> Tally:
        """Both together, the slices aside."""
        names = ("lines", "malformed", "bots", "errors", "unknown", "ahead", "clicks")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Tally(**sums, latest=max(self.latest, other.latest), broken=other.broken or self.broken)


@dataclass
class Counting:
    """Counts line after line; what is dear is found once: times by their text, slices by the texts that decide them."""

    read: Callable[[bytes], Parts | None]
    registry: Registry
    team: str
    zone: ZoneInfo
    now: datetime
    tally: Tally = field(default_factory=Tally)
    room: int = MOST_CELLS
    _times: dict[str, float | None] = field(default_factory=dict)
    _slices: dict[Parts, dict[int, int] | None] = field(default_factory=dict)
    _bots: dict[str, bool] = field(default_factory=dict)

    def add(self, block: bytes) -> None:
        """Lines with their ends; a blank one is none, one that is too long or cannot be read is malformed."""
        tally, read = self.tally, self.read
        if not block:
            tally.lines += 1
            tally.malformed += 1
        for raw in block.split(b"\n"):
            if not raw or raw.isspace():
                continue
            tally.lines += 1
            line = read(raw) if len(raw) <= LONGEST else None
            at = self._at(line[0]) if line else None
            if line is None or at is None:
                tally.malformed += 1
                if not tally.broken:
                    tally.broken = _shape(raw)
            else:
                self._click(line, at)

    def _click(self, line: Parts, at: float) -> None:
        tally = self.tally
        if at > self._ahead:
            tally.ahead += 1
            at = self.now.timestamp()
        elif at > tally.latest:
            tally.latest = at
        if line[2] and self._bot(line[2]):
            tally.bots += 1
            return
        if line[1][:1] == "5" and len(line[1]) == 3:
            tally.errors += 1
        hours = self._hours(line)
        if hours is None:
            tally.unknown += 1
            return
        tally.clicks += 1
        hour = int(at // 3600)
        if hour not in hours:
            self.room -= 1
            hours[hour] = 0
        hours[hour] += 1

    @cached_property
    def _ahead(self) -> float:
        return (self.now + AHEAD).timestamp()

    @cached_property
    def _oldest(self) -> float:
        return (self.now - OLDEST).timestamp()

    def _at(self, text: str) -> float | None:
        """By whole seconds where a web server wrote it: times of one minute differ in two digits."""
        if text[2:3] == "/" and len(text) == _CLF_LENGTH:
            minute = self._time(f"{text[:18]}00{text[20:]}")
            second = text[18:20]
            return minute + int(second) if minute is not None and second.isdigit() else None
        return self._time(text)

    def _time(self, text: str) -> float | None:
        if text not in self._times:
            found = moment(text, self.zone)
            _remember(self._times, text, found if found and found > self._oldest else None)
        return self._times[text]

    def _bot(self, mark: str) -> bool:
        if mark not in self._bots:
            _remember(self._bots, mark, is_bot(mark))
        return self._bots[mark]

    def _hours(self, line: Parts) -> dict[int, int] | None:
        """Counts by hour of the slice a line belongs to; where there are too many slices, of all its sites together."""
        key = line[3:]
        if key not in self._slices:
            found = self.registry.slice_of(line, self.team)
            if found and found not in self.tally.cells and self.room <= 0:
                found = Slice(found.team, found.partner, "", "", "other")
            _remember(self._slices, key, self.tally.cells.setdefault(found, {}) if found else None)
        return self._slices[key]


def _remember(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[key] = value


def _shape(raw: bytes) -> str:
    text = clean_text(raw[:200].decode("utf-8", "replace"), 80)
    return "".join("0" if char.isdigit() else "x" if char.isalpha() else char for char in text)


def is_bot(mark: str) -> bool:
    """A mark that says so, or the name a robot goes by."""
    return bool(mark) and (mark.lower() in _YES or (len(mark) > 5 and _ROBOT.search(mark) is not None))


def facts(feed: Feed, cells: Mapping[Slice, Mapping[int, int]], now: datetime) -> list[Fact]:
    return [
        Fact(
            datetime.fromtimestamp(hour * 3600, UTC), now, TeamId(one.team), PartnerId(one.partner), one.offer, one.geo,
            one.site, clicks=count, source=feed.name,
        )
        for one, hours in cells.items()
        for hour, count in hours.items()
    ]  # fmt: skip


def by_hour(cells: Mapping[Slice, Mapping[int, int]]) -> dict[datetime, int]:
    """Clicks of all slices by the start of their hour."""
    found: dict[datetime, int] = defaultdict(int)
    for hours in cells.values():
        for hour, count in hours.items():
            found[datetime.fromtimestamp(hour * 3600, UTC)] += count
    return dict(found)


# ── how the log does ─────────────────────────────────────────────────────────────────────────────────────────────────

ENOUGH = 50
"""Lines before a share of them says something."""
MALFORMED, ERRORS, UNKNOWN, FUTURE = 0.02, 0.2, 0.2, 0.5
"""Shares from which it is told: lines that cannot be read, clicks answered with an error, to nobody known, and times to come."""


def judge(recent: Sequence[Tally], beat: Rhythm, last_at: datetime | None, now: datetime) -> Verdict:
    """What the lines of the last hour say; `last_at` is when the newest line came."""
    total = Tally()
    for one in recent:
        total = total.plus(one)
    nats = beat.nats(last_at, now) if last_at else 0.0
    if last_at and nats >= SIGNIFICANT:
        words = f"no line since {last_at:%a %H:%M}Z, {beat.expected(last_at, now):,.0f} clicks expected by now"
        return Verdict(State.FAILING, cause("feed.late"), words, nats)
    told = _shares(total)
    if told:
        return Verdict(*told, nats)
    if last_at is None:
        return Verdict(State.OK, NO_CAUSE, "no line yet")
    words = f"{total.clicks:,} clicks in the last hour, {total.bots:,} by robots, last {last_at:%H:%M}Z"
    return Verdict(State.OK, NO_CAUSE, words, nats)


def _shares(total: Tally) -> tuple[State, CauseId, str] | None:
    if total.lines < ENOUGH:
        return None
    people = max(total.clicks + total.unknown, 1)
    checks: Iterable[tuple[int, int, float, State, str, str]] = (
        (total.malformed, total.lines, MALFORMED, State.FAILING, "feed.contract", "lines cannot be read"),
        (total.ahead, total.lines, FUTURE, State.FAILING, "feed.timezone", "lines are ahead of our clock"),
        (total.errors, people, ERRORS, State.FAILING, "http.5xx", "clicks were answered with an error"),
        (total.unknown, people, UNKNOWN, State.DEGRADED, "feed.contract", "clicks lead to no partner we know"),
    )
    for hits, n, share, state, name, words in checks:
        if hits >= max(share * n, 5):
            return state, cause(name), f"{hits:,} of {n:,} {words} ({hits / n:.0%})"
    return None
