"""What goes wrong on the demo's day, and what only looks wrong, as data.

Start times are those of the company's day (simulated UTC). Durations are stretched to where a person can watch them at the
default speed: F1 06:10-09:40, F2 07:40-09:10, F3 08:30-11:00, F4 09:15-10:05, F5 11:20-14:30, F6 12:00-14:00, F7 13:10-13:40,
D10 10:10-11:10, D11 12:00-16:00, D3 12:30-16:30, F8 14:00-14:50, D9 14:10-15:10, F9 15:05-17:00, F10 16:00-18:00, F11 16:45-22:30, F12 17:30-18:50, F13 18:20-19:50, F14 19:10-20:40,
F15 21:00-21:30. People of the company act at the times of `ACTS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Reach:
    """Which targets an event touches; a field that is empty does not restrict. Used to match incidents to events."""

    kinds: tuple[str, ...]
    partner: str = ""
    geo: str = ""
    team: str = ""
    causes: tuple[str, ...] = ()
    """Causes (or families such as `revenue.`) an incident must have to be this event's; empty is any."""
    blames: tuple[str, ...] = ()
    """Hosts or upstreams whose name in an incident's blame is enough."""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    kind: str
    """failure | decoy"""
    title: str
    start: time
    end: time
    expected_causes: tuple[str, ...]
    reach: Reach
    traffic: str = ""
    """What it does to the company's clicks: `clicks` (they never happen), `conversions` (they earn nothing),
    `thinned` (fewer people, nobody's fault), `flooded` (clicks of machines beside them) or nothing."""
    shared: dict[str, str] = field(default_factory=dict)

    def began(self, day: datetime) -> datetime:
        return datetime.combine(day.date(), self.start, day.tzinfo)

    def ended(self, day: datetime) -> datetime:
        return datetime.combine(day.date(), self.end, day.tzinfo)

    def active(self, day: datetime, now: datetime) -> bool:
        return self.began(day) <= now < self.ended(day)


_REVENUE = ("revenue.silence", "revenue.drop", "revenue.leak")

EVENTS: tuple[Event, ...] = (
    Event(
        "F1", "failure", "P02 pauses the offer: its links land on another brand's list of offers", time(6, 10), time(9, 40),
        ("link.wrong_target", "link.inactive", *_REVENUE), Reach(("link", "slice"), partner="P02", blames=("lumenjack", "offerlane")), "conversions",
    ),
    Event(
        "F2", "failure", "a CMS update drops the tag on 60 % of P01's placements", time(7, 40), time(9, 10),
        ("link.param_lost", *_REVENUE), Reach(("site", "slice"), partner="P01", causes=("link.", "revenue.")), "conversions",
    ),
    Event(
        "F3", "failure", "P05 answers 451 to Germany; other countries are fine", time(8, 30), time(11, 0),
        ("geo.blocked", "http.legal_block", *_REVENUE), Reach(("link", "slice"), partner="P05", blames=("drakkenspin",)), "conversions", {"geo": "DE"},
    ),
    Event(
        "F4", "failure", "P06's API sends money in minor units", time(9, 15), time(10, 5),
        ("feed.scale",), Reach(("feed",), partner="P06", blames=("zefirion",)),
    ),
    Event(
        "F5", "failure", "Halyard Edge answers 503 in front of 38 % of the sites", time(11, 20), time(14, 30),
        ("edge.error",), Reach(("site",), causes=("edge.", "http.5xx"), blames=("halyard",)), "clicks",
    ),
    Event(
        "F6", "failure", "the certificate of Cedar's redirector expires", time(12, 0), time(14, 0),
        ("tls.expired",), Reach(("link",), causes=("tls.", "redirect.hop_failed", "edge."), blames=("go.cedar",)), "clicks",
    ),
    Event(
        "F7", "failure", "P10's token expires: 401, blind but not dead", time(13, 10), time(13, 40),
        ("feed.auth",), Reach(("feed",), partner="P10", blames=("ambervolt",)),
    ),
    Event(
        "F8", "failure", "our own endpoint for P03's postbacks answers 500 after a deploy", time(14, 0), time(14, 50),
        ("http.5xx", "postback.silent"), Reach(("feed",), partner="P03", causes=("http.", "postback."), blames=("postback endpoint",)),
    ),
    Event(
        "F9", "failure", "P09's daily cap is reached: a waiting list answers 200", time(15, 5), time(17, 0),
        ("link.inactive", *_REVENUE), Reach(("link", "slice"), partner="P09", blames=("nimbusroll",)), "conversions",
    ),
    Event(
        "F10", "failure", "70 % of P07's links to a match land on home", time(16, 0), time(18, 0),
        ("link.to_home", *_REVENUE), Reach(("link", "slice"), partner="P07", blames=("palmarc",)), "conversions",
    ),
    Event(
        "F11", "failure", "P08's firewall challenges people with phones in Poland", time(16, 45), time(22, 30),
        ("edge.challenge", *_REVENUE), Reach(("link", "slice"), partner="P08", blames=("korrigan",)), "conversions", {"geo": "PL"},
    ),
    Event(
        "F13", "failure", "a bulk edit points P04's British links to a sister brand without licence there", time(18, 20), time(19, 50),
        ("link.wrong_target",), Reach(("link", "slice"), partner="P04", blames=("saltwick",)), "conversions", {"geo": "GB"},
    ),
    Event(
        "F14", "failure", "a deploy forbids search engines to index one of Aurora's best sites", time(19, 10), time(20, 40),
        ("seo.noindex",), Reach(("site",), causes=("seo.",)),
    ),
    Event(
        "F12", "failure", "the search engine changes its layout: 32 blocks, no titles", time(17, 30), time(18, 50),
        ("parser.field_dead", "parser.selector_dead"), Reach(("parser",), blames=("findly",)),
    ),
    Event(
        "F15", "failure", "P05 takes back 9 players and EUR 1,880 of net revenue of the last three days", time(21, 0), time(21, 30),
        ("feed.restated",), Reach(("feed",), partner="P05", causes=("feed.",), blames=("drakkenspin", "p05")),
    ),
    Event(
        "D9", "failure", "an hour of captchas for searches from Brazil: refused, not broken", time(14, 10), time(15, 10),
        ("page.blocked",), Reach(("parser",), geo="BR"),
    ),
    Event(
        "D10", "failure", "a query of Delta has no results for an hour: true, not broken", time(10, 10), time(11, 10),
        ("page.no_results",), Reach(("parser",), geo="IE", team="delta"),
    ),
    Event(
        "D1", "decoy", "public holiday in Norway: a third fewer clicks, ratios flat", time(0, 0), time(23, 59),
        (), Reach(("slice",), geo="NO", team="aurora"), "thinned",
    ),
    Event(
        "D2", "decoy", "P04 delivers yesterday five hours late", time(6, 0), time(11, 0),
        (), Reach(("feed", "slice"), partner="P04"),
    ),
    Event(
        "D3", "decoy", "bots flood one page: six times the clicks, registrations flat", time(12, 30), time(16, 30),
        (), Reach(("slice",), team="aurora", causes=("revenue.",)), "flooded",
    ),
    Event(
        "D4", "decoy", "a firewall challenges our probe; people get through", time(9, 0), time(19, 0),
        (), Reach(("site",)),
    ),
    Event(
        "D5", "decoy", "P01 tries out two landing pages", time(10, 0), time(16, 0),
        (), Reach(("link",), partner="P01"),
    ),
    Event(
        "D6", "decoy", "one player wins EUR 40,000 at P05: net revenue of the day below zero, counts flat", time(6, 0), time(20, 0),
        (), Reach(("feed",), partner="P05", causes=("feed.",)),
    ),
    Event(
        "D7", "decoy", "P02 lowers Sunday's net revenue by 1.2 %, as days are at that age", time(8, 0), time(12, 0),
        (), Reach(("feed",), partner="P02", causes=("feed.",)),
    ),
    Event(
        "D8", "decoy", "twelve sites of Delta move to a new host, as announced", time(13, 30), time(23, 0),
        (), Reach(("site",), team="delta", causes=("seo.", "link.", "content.")),
    ),
    Event(
        "D12", "decoy", "10-12 search results in the morning, up to twice as many in the afternoon", time(6, 0), time(14, 0),
        (), Reach(("parser",), blames=("findly",), causes=("parser.",)),
    ),
    Event(
        "D11", "decoy", "the search engine shows two layouts in turn; both can be read", time(12, 0), time(16, 0),
        (), Reach(("parser",), blames=("findly",)),
    ),
)  # fmt: skip

BY_ID: dict[str, Event] = {event.id: event for event in EVENTS}
ACTS: dict[str, time] = {
    "F1": time(6, 34),
    "F4": time(10, 5),
    "F5": time(11, 41),
    "F7": time(13, 40),
    "F15": time(21, 10),
}
"""When somebody of the company sends P02's visitors to P01, maps P06's unit, puts the best sites behind the reserve edge,
stores P10's new token, and packs the evidence against P05."""
BACK = timedelta(minutes=10)
"""So long after a failure is over somebody takes back what was switched for it."""
CAPTCHA_GEO = "BR"
BARREN_PARSER = "serp-ie-online-casino-ireland"
"""The parser whose query has no results on D10."""
HOLIDAY_KEEPS = 0.65
"""Share of Aurora's Norwegian clicks that still happen on D1."""
FLOOD_TIMES = 6
"""Clicks of D3's page over its usual ones."""


@dataclass(frozen=True, slots=True)
class Script:
    """The events, laid on one simulated day. `day` is the simulated start (06:00Z)."""

    day: datetime
    events: tuple[Event, ...] = EVENTS

    def active(self, event: str, now: datetime) -> bool:
        """Whether the event with that id is under way; an id that is not in this script never is."""
        return any(each.id == event and each.active(self.day, now) for each in self.events)

    def begun(self, event: str, now: datetime) -> bool:
        """Whether the event's time has come, however long ago."""
        return any(each.id == event and each.began(self.day) <= now for each in self.events)
