"""Time lines of the desk as a table: events in minutes after 11:20Z, and the incidents that come of them.

Each is played twice: by one desk, and by a desk built anew from its rows before every event. Both must come out the same.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.incidents.desk import IncidentDesk
from checks.incidents.owning import Owners
from checks.incidents.parents import HELD_BY, Parents
from checks.incidents.traffic import Traffic
from data.config.notifying import Route
from data.config.parents import Parent
from data.model.codec import from_json, to_json
from data.model.ids import CauseId
from data.model.incident import Finding, Incident, IncidentState
from data.model.money import NO_LOSS
from data.model.state import State
from data.model.target import Target, TargetKind, kind_of, target_id
from tests.checks.incidents.conftest import Story

RACK = (Parent("site:rack", "site:on-*", "they stand in it"), Parent("site:on-1", "link:l*", "they lead there"))
CIRCLE = (Parent("site:x", "site:y"), Parent("site:y", "site:x"))


class Stage:
    """Plays a time line and writes down what the desk says, as the store would."""

    def __init__(self, declared=(), links=(), *, restarts: bool) -> None:
        self.story, self.declared, self.restarts = Story(), declared, restarts
        self.traffic = Traffic.of(links, {})
        self.incidents, self.findings, self.timeline, self.states = {}, {}, [], {}
        self.looked, self.root = {}, Route()
        self.desk = self._desk()

    def play(self, *events: str) -> Stage:
        for event in events:
            minute, verb, *rest = event.split()
            now = self.story.at(float(minute))
            if self.restarts:
                self.desk = self._desk()
            for change in self.desk.tick(now, lambda *_: NO_LOSS):
                self._write(change)
            self._do(verb, rest, float(minute), now)
        return self

    def _do(self, verb, rest, minute, now) -> None:
        match verb, rest:
            case "+", [target, cause, *labels]:
                given = dict(label.split("=", 1) for label in labels)
                began = float(given.pop("began", minute))
                given |= slice_labels(target)
                self._write(
                    self.desk.open(self.story.finding(target, cause, began, given.pop("team", "aurora"), **given), now)
                )
            case "-", [target]:
                self._write(self.desk.close(self._open(target).id, now))
            case "~", [target, cause]:
                self._write(self.desk.open(replace(self._open(target), cause=CauseId(cause)), now))
            case "is", [target, state]:
                self.states[target] = State(state)
            case "look", [target]:
                self.looked[target] = now
            case "tick", []:
                pass
            case _:
                self._people(verb, rest, now)

    def _people(self, verb, rest, now) -> None:
        match verb, rest:
            case "ack", [number, who]:
                self._write(self.desk.acknowledge(int(number), who, now))
            case "give", [number, who]:
                self._write(self.desk.assign(int(number), who, "lead", now))
            case "hand", [number, who]:
                self._write(self.desk.close_by(int(number), who, now))
            case "note", [number, who]:
                self._write(self.desk.note(int(number), who, "called them", now))
            case "rules", labels:
                self.root = rules(*labels)
                self._write(self.desk.route(self.root, now))
            case _:
                raise AssertionError((verb, rest))

    def _open(self, target: str) -> Finding:
        (found,) = [one for one in self.findings.values() if one.target == target and one.closed_at is None]
        return found

    def _desk(self) -> IncidentDesk:
        parents = Parents(lambda target: self.states.get(target, State.FAILING))
        parents.declare(self.declared)
        rows = [from_json(to_json(row), Incident) for row in self.incidents.values()]
        found = [from_json(to_json(row), Finding) for row in self.findings.values()]
        return IncidentDesk(
            rows, found, parents=parents, traffic=lambda: self.traffic, owners=Owners(self.root), looked_at=self.looked.get
        )  # fmt: skip

    def _write(self, change) -> None:
        self.incidents |= {row.id: row for row in change.incidents}
        self.findings |= {row.id: row for row in change.findings}
        self.timeline += change.timeline

    @property
    def outcome(self) -> list[str]:
        """`1 new link.inactive: link:a link:b`, `2 closed`, `3 in 1`, and `held by feed:f: slice:partner=P10`."""
        lines = [self._line(row) for row in sorted(self.incidents.values(), key=lambda row: row.id)]
        running = sorted(self.findings.values(), key=lambda one: one.target)
        return lines + [
            f"held by {one.fingerprint[HELD_BY]}: {one.target}"
            for one in running
            if one.closed_at is None and one.incident is None
        ]

    def _line(self, row: Incident) -> str:
        if row.is_merged:
            return f"{row.id} in {row.reason.rpartition('#')[2]}"
        mine = sorted(one.target for one in self.findings.values() if one.incident == row.id and one.closed_at is None)
        if row.state is IncidentState.CLOSED:
            return " ".join(
                [f"{row.id} closed", *([f"by {row.closed_by}"] if row.closed_by != "losswatch" else []), *mine]
            )
        who = f" {row.acknowledged_by}" if row.acknowledged_by else ""
        return f"{row.id} {row.state.value}{who} {row.cause}: {' '.join(mine)}"

    def told(self, number: int) -> list[str]:
        return [entry.what for entry in self.timeline if entry.incident == number]


def rules(*words: str) -> Route:
    """One rule a word, `cause=link,partner=P02,owner=seo`; a word of `owner` alone is the topmost rule's."""
    names = {"cause": "causes", "team": "teams", "partner": "partners", "geo": "geos", "severity": "severities"}
    made = []
    for number, word in enumerate(words):
        given = dict(pair.split("=") for pair in word.split(","))
        owner, on = given.pop("owner", ""), bool(given.pop("continue", ""))
        fields = {names[name]: (value,) for name, value in given.items()}
        made.append(Route(owner=owner, goes_on=on, place=f"toml:{number}", **fields))
    root = next((one for one in made if one == Route(owner=one.owner, place=one.place)), Route())
    return replace(root, routes=tuple(one for one in made if one is not root))


def slice_labels(target: str) -> dict[str, str]:
    if kind_of(target) is not TargetKind.SLICE:
        return {}
    return dict(part.split("=") for part in target.partition(":")[2].split(","))


A, B, C = (f"link:{name} link.inactive partner=P02 host={name}.example" for name in "abc")
DE = "link:de geo.blocked partner=P05 geo=DE host=de.example"
MONEY = "slice:partner=P02 revenue.drop"
P02 = "slice:partner=P02"
RACKED = {"declared": RACK}


def links_of(partner: str, *places: str) -> list[Target]:
    """One link a place, `s1` or `s1:DE`."""
    made = []
    for place in places:
        site, _, geo = place.partition(":")
        name = f"{partner}-{place}"
        made.append(Target(target_id(TargetKind.LINK, name), TargetKind.LINK, "aurora", name, site=site, partner=partner, geo=geo))  # fmt: skip
    return made


FED = {"links": [*links_of("P02", "s1", "s2", "s3:DE", "s4:FI"), *links_of("P05", "s4", "s5", "s6")]}
S1, S2, S3, S4, S5 = (f"site:s{n} edge.error edge=Halyard host=s{n}.example" for n in range(1, 6))
CALLS = "feed:f postback.silent partner=P02"

OPENING = [
    ("one failure is one incident", [f"0 + {A}"], ["1 new link.inactive: link:a"]),
    ("two partners are two", [f"0 + {A}", "1 + link:z link.inactive partner=P03"], ["1 new link.inactive: link:a", "2 new link.inactive: link:z"]),
    ("the same finding twice is one", [f"0 + {A}", "3 ~ link:a link.inactive"], ["1 new link.inactive: link:a"]),
    ("what is closed before it was opened changes nothing", [f"0 + {A}", "1 - link:a"], ["1 closed"]),
    ("a number is never used again", [f"0 + {A}", "1 - link:a", f"60 + {A}"], ["1 closed", "2 new link.inactive: link:a"]),
    ("trouble without any label stands alone", ["0 + site:a http.5xx", "0 + site:b http.5xx"], ["1 new http.5xx: site:a", "2 new http.5xx: site:b"]),
    ("two parsers of one host are one", ["0 + parser:a parser.field_dead host=serp", "9 + parser:b page.blocked host=serp"], ["1 new parser.field_dead: parser:a parser:b"]),
    ("two feeds of one partner are one", ["0 + feed:a feed.auth partner=P10", "9 + feed:b feed.late partner=P10"], ["1 new feed.auth: feed:a feed:b"]),
]  # fmt: skip
LATE = [
    ("a late member joins while it is open", [f"0 + {A}", f"200 + {B}"], ["1 new link.inactive: link:a link:b"]),
    ("a late member joins what somebody has", [f"0 + {A}", "1 ack 1 maria", f"9 + {B}"], ["1 acknowledged maria link.inactive: link:a link:b"]),
    ("a member that comes a moment after the end reopens it", [f"0 + {A}", "5 - link:a", f"9 + {B}"], ["1 new link.inactive: link:b"]),
    ("a member that comes long after the end is another", [f"0 + {A}", "5 - link:a", f"30 + {B}"], ["1 closed", "2 new link.inactive: link:b"]),
    ("after a close by hand others are another", [f"0 + {A}", "5 hand 1 tom", f"6 + {B}"], ["1 closed by tom link:a", "2 new link.inactive: link:b"]),
    ("one of two recovering leaves the other", [f"0 + {A}", f"1 + {B}", "9 - link:a"], ["1 new link.inactive: link:b"]),
    ("the last one recovering ends it", [f"0 + {A}", f"1 + {B}", "9 - link:b", "12 - link:a"], ["1 closed"]),
    ("recovery in the order of failure ends it, too", [f"0 + {A}", f"1 + {B}", "9 - link:a", "12 - link:b"], ["1 closed"]),
    ("a member that falls again is counted once", [f"0 + {A}", f"1 + {B}", "9 - link:a", f"11 + {A}"], ["1 new link.inactive: link:a link:b"]),
]  # fmt: skip
FLAPPING = [
    ("down, up, down within a quarter of an hour is one", [f"0 + {A}", "5 - link:a", f"12 + {A}"], ["1 new link.inactive: link:a"]),
    ("six falls in an hour are one", [line for fall in range(6) for line in (f"{fall * 10} + {A}", f"{fall * 10 + 5} - link:a")], ["1 closed"]),
    ("exactly a quarter of an hour is still one", [f"0 + {A}", "5 - link:a", f"20 + {A}"], ["1 new link.inactive: link:a"]),
    ("a minute more is another", [f"0 + {A}", "5 - link:a", f"21 + {A}"], ["1 closed", "2 new link.inactive: link:a"]),
    ("what reopens stays in the hands it was in", [f"0 + {A}", "1 ack 1 maria", "5 - link:a", f"9 + {A}"], ["1 acknowledged maria link.inactive: link:a"]),
    ("another kind of trouble of the same target is no flapping", ["0 + link:a tls.expired host=go", "5 - link:a", "16 + link:a link.inactive partner=P02"], ["1 closed", "2 new link.inactive: link:a"]),
    ("what was closed by hand does not flap", [f"0 + {A}", "2 hand 1 tom", "5 - link:a", f"9 + {A}"], ["1 closed by tom", "2 new link.inactive: link:a"]),
]  # fmt: skip
PEOPLE = [
    ("the first to acknowledge stays", [f"0 + {A}", "1 ack 1 maria", "2 ack 1 tom"], ["1 acknowledged maria link.inactive: link:a"]),
    ("assigning hands it over", [f"0 + {A}", "1 ack 1 maria", "2 give 1 tom"], ["1 acknowledged tom link.inactive: link:a"]),
    ("nobody acknowledges what is over", [f"0 + {A}", "1 - link:a", "2 ack 1 maria"], ["1 closed"]),
    ("a number that is none changes nothing", [f"0 + {A}", "1 ack 7 maria", "2 hand 7 tom", "3 give 7 tom", "4 note 7 tom"], ["1 new link.inactive: link:a"]),
    ("what was closed by hand ends in its own time", [f"0 + {A}", "1 hand 1 tom", "40 - link:a"], ["1 closed by tom"]),
    ("a note changes no state", [f"0 + {A}", "1 note 1 maria"], ["1 new link.inactive: link:a"]),
]  # fmt: skip
CAUSES = [
    ("a finding that changes its cause is the same finding", [f"0 + {A}", "4 ~ link:a link.to_home"], ["1 new link.to_home: link:a"]),
    ("the cause nearest to the root names it", ["0 + link:a http.5xx host=go", "1 + link:b tls.expired host=go"], ["1 new tls.expired: link:a link:b"]),
    ("a breach of a licence stays apart", [f"0 + {A}", "1 + link:k link.wrong_target partner=P02 compliance=UK"], ["1 new link.inactive: link:a", "2 new link.wrong_target: link:k"]),
    ("a country that blocks is not an offer that is gone", [f"0 + {A}", "9 + link:d geo.blocked partner=P02 geo=DE"], ["1 new link.inactive: link:a", "2 new geo.blocked: link:d"]),
]  # fmt: skip
MONEY_JOINS = [
    ("money joins the links that explain it", [f"0 + {A}", f"45 + {MONEY} began=10"], ["1 new link.inactive: link:a slice:partner=P02"]),
    ("links join the money that they explain", [f"30 + {MONEY} began=0", f"40 + {A}"], ["1 new link.inactive: link:a slice:partner=P02"]),
    ("money of another partner stands alone", [f"0 + {A}", "45 + slice:partner=P03 revenue.drop"], ["1 new link.inactive: link:a", "2 new revenue.drop: slice:partner=P03"]),
    ("money of another country stands alone", [f"0 + {DE}", "45 + slice:partner=P05,geo=FI revenue.drop"], ["1 new geo.blocked: link:de", "2 new revenue.drop: slice:partner=P05,geo=FI"]),
    ("money of that country joins", [f"0 + {DE}", "45 + slice:partner=P05,geo=DE revenue.drop"], ["1 new geo.blocked: link:de slice:partner=P05,geo=DE"]),
    ("one country's cause does not swallow the other's money", [f"0 + {DE}", "45 + slice:partner=P05,geo=DE revenue.drop", "60 + slice:partner=P05,geo=FI revenue.drop"], ["1 new geo.blocked: link:de slice:partner=P05,geo=DE", "2 new revenue.drop: slice:partner=P05,geo=FI"]),
    ("money of a dead site joins it", ["0 + site:s1 tcp.refused site=s1 host=s1.example", "45 + slice:site=s1 revenue.silence"], ["1 new tcp.refused: site:s1 slice:site=s1"]),
    ("money of an offer joins its links", ["0 + link:a link.inactive offer=x host=go", "45 + slice:offer=x revenue.silence"], ["1 new link.inactive: link:a slice:offer=x"]),
    ("money of two countries of one partner is one", ["0 + slice:partner=P05,geo=DE revenue.drop", "60 + slice:partner=P05,geo=FI revenue.drop"], ["1 new revenue.drop: slice:partner=P05,geo=DE slice:partner=P05,geo=FI"]),
    ("money that went missing long before the links failed is another story", [f"300 + {MONEY} began=0", f"310 + {A}"], ["1 new revenue.drop: slice:partner=P02", "2 new link.inactive: link:a"]),
    ("links that failed for days explain no new fall", [f"0 + {A}", f"3000 + {MONEY}"], ["1 new link.inactive: link:a", "2 new revenue.drop: slice:partner=P02"]),
    ("a feed that does not deliver never mixes with money", ["0 + slice:partner=P10 revenue.drop", "9 + feed:f feed.auth partner=P10"], ["1 new revenue.drop: slice:partner=P10", "2 new feed.auth: feed:f"]),
    ("silent postbacks hide money and explain none", ["0 + slice:partner=P10 revenue.drop", "9 + feed:f postback.silent partner=P10"], ["1 new revenue.drop: slice:partner=P10", "2 new postback.silent: feed:f"]),
    ("a partner that takes figures back explains them", ["0 + feed:f feed.restated partner=P05", "9 + slice:partner=P05 revenue.drop"], ["1 new feed.restated: feed:f slice:partner=P05"]),
    ("money that shows a moment after the links are back joins them", [f"0 + {A}", "30 - link:a", f"40 + {MONEY} began=15"], ["1 new link.inactive: slice:partner=P02"]),
]  # fmt: skip
MERGING = [
    ("money that opened first takes the links in that were apart", ["0 + link:a tcp.refused partner=P02 host=a", "1 + link:b tcp.refused partner=P03 host=a", f"30 + {MONEY} began=5"], ["1 new tcp.refused: link:a link:b slice:partner=P02"]),
    ("what is found later takes the older number", [f"20 + {MONEY} began=0", "25 + link:z link.inactive partner=P03 host=z", "30 + link:a tcp.refused host=z partner=P02", "31 tick"], ["1 new tcp.refused: link:a slice:partner=P02", "2 new link.inactive: link:z"]),
    ("the acknowledgement of the money stays", [f"20 + {MONEY} began=0", "21 ack 1 maria", f"30 + {A}"], ["1 acknowledged maria link.inactive: link:a slice:partner=P02"]),
    ("a cause that joined another incident first takes the money in", ["0 + link:z tls.expired host=go partner=P03", f"20 + {MONEY} began=0", "30 + link:a tls.expired host=go partner=P02", "31 tick"], ["1 new tls.expired: link:a link:z slice:partner=P02", "2 in 1"]),
    ("the older number is the money's when it came first", [f"20 + {MONEY} began=0", "21 + link:z tls.expired host=go partner=P03", "30 + link:a tls.expired host=go partner=P02", "31 tick"], ["1 new tls.expired: link:a link:z slice:partner=P02", "2 in 1"]),
    ("an acknowledgement of the later one survives", [f"20 + {MONEY} began=0", "21 + link:z tls.expired host=go partner=P03", "22 ack 2 tom", "30 + link:a tls.expired host=go partner=P02", "31 tick"], ["1 acknowledged tom tls.expired: link:a link:z slice:partner=P02", "2 in 1"]),
    ("of two acknowledgements the earlier one stays", [f"20 + {MONEY} began=0", "21 + link:z tls.expired host=go partner=P03", "22 ack 2 tom", "23 ack 1 maria", "30 + link:a tls.expired host=go partner=P02", "31 tick"], ["1 acknowledged tom tls.expired: link:a link:z slice:partner=P02", "2 in 1"]),
    ("what merged ends as one", [f"20 + {MONEY} began=0", "21 + link:z tls.expired host=go partner=P03", "30 + link:a tls.expired host=go partner=P02", "40 - link:z", "41 - link:a", f"42 - {P02}"], ["1 closed", "2 in 1"]),
    ("what merged is not opened again by flapping", ["0 + link:z tls.expired host=go partner=P03", f"20 + {MONEY} began=0", "30 + link:a tls.expired host=go partner=P02", "40 - link:z", "45 + link:z tls.expired host=go partner=P03"], ["1 new tls.expired: link:a link:z slice:partner=P02", "2 in 1"]),
]  # fmt: skip
SPLITTING = [
    ("money waits two hours for its cause's recovery to show", [f"0 + {A}", f"45 + {MONEY} began=10", "60 - link:a", "175 tick"], ["1 new link.inactive: slice:partner=P02"]),
    ("money that stays away longer is an incident of its own", [f"0 + {A}", f"45 + {MONEY} began=10", "60 - link:a", "185 tick"], ["1 closed", "2 new revenue.drop: slice:partner=P02"]),
    ("money that comes back in time ends it", [f"0 + {A}", f"45 + {MONEY} began=10", "60 - link:a", f"150 - {P02}", "185 tick"], ["1 closed"]),
    ("while one cause goes on the money stays", [f"0 + {A}", f"1 + {B}", f"45 + {MONEY} began=10", "60 - link:a", "300 tick"], ["1 new link.inactive: link:b slice:partner=P02"]),
    ("all money of one cause leaves together", [f"0 + {A}", "45 + slice:partner=P02,geo=DE revenue.drop", "46 + slice:partner=P02,geo=FI revenue.drop", "60 - link:a", "190 tick"], ["1 closed", "2 new revenue.drop: slice:partner=P02,geo=DE slice:partner=P02,geo=FI"]),
    ("what was split off ends by itself", [f"0 + {A}", f"45 + {MONEY} began=10", "60 - link:a", "185 tick", f"200 - {P02}"], ["1 closed", "2 closed"]),
    ("what was split off is not taken back by the cause that ended", [f"0 + {A}", f"45 + {MONEY} began=10", "60 - link:a", "185 tick", f"190 + {B}", "191 tick"], ["1 new link.inactive: link:b", "2 new revenue.drop: slice:partner=P02"]),
]  # fmt: skip
TRAFFIC = [
    ("sites that carry most of a partner take its money in", FED, [f"0 + {S1}", f"1 + {S2}", f"45 + {MONEY} began=10"], ["1 new edge.error: site:s1 site:s2 slice:partner=P02"]),
    ("money that was seen first takes the sites in", FED, [f"20 + {MONEY} began=0", f"21 + {S1}", f"22 + {S2}", "23 tick"], ["1 new edge.error: site:s1 site:s2 slice:partner=P02", "2 in 1"]),
    ("one site of four does not explain a partner", FED, [f"0 + {S1}", f"45 + {MONEY} began=10", "46 tick"], ["1 new edge.error: site:s1", "2 new revenue.drop: slice:partner=P02"]),
    ("the second site explains what one did not", FED, [f"0 + {S1}", f"15 + {MONEY} began=10", f"20 + {S2}", "21 tick"], ["1 new edge.error: site:s1 site:s2 slice:partner=P02", "2 in 1"]),
    ("money of a country follows the sites of its links", FED, [f"0 + {S3}", "45 + slice:partner=P02,geo=DE revenue.drop", "46 + slice:partner=P02,geo=FI revenue.drop"], ["1 new edge.error: site:s3 slice:partner=P02,geo=DE", "2 new revenue.drop: slice:partner=P02,geo=FI"]),
    ("money of two partners joins the sites that carry both", FED, [f"0 + {S1}", f"1 + {S2}", f"2 + {S4}", f"3 + {S5}", f"45 + {MONEY} began=10", "46 + slice:partner=P05 revenue.drop"], ["1 new edge.error: site:s1 site:s2 site:s4 site:s5 slice:partner=P02 slice:partner=P05"]),
    ("sites that are slow explain no missing money", FED, ["0 + site:s1 slow.ttfb host=h", "1 + site:s2 slow.ttfb host=h", f"45 + {MONEY} began=10"], ["1 new slow.ttfb: site:s1 site:s2", "2 new revenue.drop: slice:partner=P02"]),
    ("sites of two incidents are not added up", FED, [f"0 + {S1}", "1 + site:s2 http.gone host=other", f"45 + {MONEY} began=10"], ["1 new edge.error: site:s1", "2 new http.gone: site:s2", "3 new revenue.drop: slice:partner=P02"]),
    ("money that fell before the sites did is another story", FED, [f"200 + {MONEY} began=0", f"201 + {S1}", f"202 + {S2}", "203 tick"], ["1 new revenue.drop: slice:partner=P02", "2 new edge.error: site:s1 site:s2"]),
    ("money that falls hours after the sites did is another story", FED, [f"0 + {S1}", f"1 + {S2}", f"200 + {MONEY} began=150"], ["1 new edge.error: site:s1 site:s2", "2 new revenue.drop: slice:partner=P02"]),
    ("postbacks are heard to be silent hours later", FED, [f"0 + {S1}", f"1 + {S2}", f"300 + {CALLS}"], ["1 new edge.error: feed:f site:s1 site:s2"]),
    ("the money of sites that are back is told two hours later", FED, [f"0 + {S1}", f"1 + {S2}", f"45 + {MONEY} began=10", "60 - site:s1", "61 - site:s2", "185 tick"], ["1 closed", "2 new revenue.drop: slice:partner=P02"]),
    ("sites closed by hand take no more money in", FED, [f"0 + {S1}", f"1 + {S2}", "5 hand 1 tom", f"45 + {MONEY} began=10", "46 tick"], ["1 closed by tom site:s1 site:s2", "2 new revenue.drop: slice:partner=P02"]),
    ("silent postbacks of a partner join its links", {}, [f"0 + {A}", f"30 + {CALLS}"], ["1 new link.inactive: feed:f link:a"]),
    ("silent postbacks that were heard first take the links in", {}, [f"0 + {CALLS}", f"9 + {A}", "10 tick"], ["1 new link.inactive: feed:f link:a"]),
    ("from the edge to the money it is one incident", FED, [f"0 + {S1}", f"1 + {S2}", "2 + link:l edge.error edge=Halyard host=go partner=P02", f"30 + {CALLS}", f"45 + {MONEY} began=10"], ["1 new edge.error: feed:f link:l site:s1 site:s2 slice:partner=P02"]),
    ("in whatever order it is seen", FED, [f"20 + {MONEY} began=0", f"21 + {CALLS}", f"25 + {S2}", f"26 + {S1}", "27 tick"], ["1 new edge.error: feed:f site:s1 site:s2 slice:partner=P02", "2 in 1", "3 in 1"]),
    ("money held back by silent postbacks is freed by its cause", {}, [f"0 + {CALLS}", f"10 + {MONEY}", f"20 + {A}", "21 tick"], ["1 new link.inactive: feed:f link:a slice:partner=P02"]),
    ("postbacks that stay silent are told apart from money that stays away", {}, [f"0 + {A}", f"30 + {CALLS}", f"45 + {MONEY} began=10", "60 - link:a", "185 tick"], ["1 closed", "2 new revenue.drop: slice:partner=P02", "3 new postback.silent: feed:f"]),
    ("postbacks that are refused after all are another story", {}, [f"0 + {A}", f"30 + {CALLS}", "40 ~ feed:f feed.auth"], ["1 new link.inactive: link:a", "2 new feed.auth: feed:f"]),
    ("a feed that fails otherwise does not join links by its silent neighbour", {}, [f"0 + {A}", f"30 + {CALLS}", "40 + feed:g feed.auth partner=P02"], ["1 new link.inactive: feed:f link:a", "2 new feed.auth: feed:g"]),
    ("silent postbacks join the account that is refused", {}, ["0 + feed:g feed.auth partner=P02", f"30 + {CALLS}"], ["1 new postback.silent: feed:f feed:g"]),
]  # fmt: skip
SUPPRESSION = [
    ("a blind feed holds its money back", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P10 revenue.silence"], ["1 new feed.auth: feed:f", "held by feed:f: slice:partner=P10"]),
    ("not the money of another partner", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P02 revenue.silence"], ["1 new feed.auth: feed:f", "2 new revenue.silence: slice:partner=P02"]),
    ("nor that of another team", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P10 revenue.silence team=cedar"], ["1 new feed.auth: feed:f", "2 new revenue.silence: slice:partner=P10"]),
    ("a feed that takes figures back hides nothing", {}, ["0 + feed:f feed.restated partner=P10", "30 + slice:partner=P10,geo=DE revenue.drop"], ["1 new feed.restated: feed:f slice:partner=P10,geo=DE"]),
    ("money recovers while it is held back", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P10 revenue.silence", "40 - slice:partner=P10"], ["1 new feed.auth: feed:f"]),
    ("a parent that recovers opens at once what still fails", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P10 revenue.silence", "40 - feed:f"], ["1 closed", "2 new revenue.silence: slice:partner=P10"]),
    ("an unknown parent holds nothing back", {}, ["0 + feed:f feed.auth partner=P10", "20 is feed:f unknown", "30 + slice:partner=P10 revenue.silence"], ["1 new feed.auth: feed:f", "2 new revenue.silence: slice:partner=P10"]),
    ("a parent that turns unknown lets go", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P10 revenue.silence", "40 is feed:f unknown", "41 tick"], ["1 new feed.auth: feed:f", "2 new revenue.silence: slice:partner=P10"]),
    ("a parent that is paused lets go", {}, ["0 + feed:f feed.auth partner=P10", "30 + slice:partner=P10 revenue.silence", "40 is feed:f paused", "41 tick"], ["1 new feed.auth: feed:f", "2 new revenue.silence: slice:partner=P10"]),
    ("money that was told before stays told", {}, ["0 + slice:partner=P10 revenue.silence", "30 + feed:f feed.auth partner=P10"], ["1 new revenue.silence: slice:partner=P10", "2 new feed.auth: feed:f"]),
    ("a feed closed by hand still hides its money", {}, ["0 + feed:f feed.auth partner=P10", "5 hand 1 tom", "30 + slice:partner=P10 revenue.silence"], ["1 closed by tom feed:f", "held by feed:f: slice:partner=P10"]),
    ("two parsers that fail leave searches in sight", {}, [*(f"{at} + parser:p{at} page.blocked host=serp{at}" for at in range(2)), "9 + site:s seo.deindexed"], ["1 new page.blocked: parser:p0", "2 new page.blocked: parser:p1", "3 new seo.deindexed: site:s"]),
    ("three that fail hold deindexing back", {}, [*(f"{at} + parser:p{at} page.blocked host=serp" for at in range(3)), "9 + site:s seo.deindexed"], ["1 new page.blocked: parser:p0 parser:p1 parser:p2", "held by parser:p0: site:s"]),
    ("once they are back deindexing is told", {}, [*(f"{at} + parser:p{at} page.blocked host=serp" for at in range(3)), "9 + site:s seo.deindexed", "20 - parser:p1", "21 tick"], ["1 new page.blocked: parser:p0 parser:p2", "2 new seo.deindexed: site:s"]),
    ("a declared parent holds its children back", RACKED, ["0 + site:rack tcp.refused host=r", "3 + site:on-1 tcp.timeout host=h1"], ["1 new tcp.refused: site:rack", "held by site:rack: site:on-1"]),
    ("never itself", RACKED, ["0 + site:rack tcp.refused host=r"], ["1 new tcp.refused: site:rack"]),
    ("while the parent is well the child opens", RACKED, ["3 + site:on-1 tcp.timeout host=h1"], ["1 new tcp.timeout: site:on-1"]),
    ("a child that fell first resolves by itself", RACKED, ["0 + site:on-1 tcp.timeout host=h1", "3 + site:rack tcp.refused host=r", "9 - site:on-1"], ["1 closed", "2 new tcp.refused: site:rack"]),
    ("a child of a child is held back, too", RACKED, ["0 + site:rack tcp.refused host=r", "3 + site:on-1 tcp.timeout host=h1", "4 + link:l1 tcp.reset host=h2"], ["1 new tcp.refused: site:rack", "held by site:on-1: link:l1", "held by site:rack: site:on-1"]),
    ("the top recovering opens the next and keeps the last", RACKED, ["0 + site:rack tcp.refused host=r", "3 + site:on-1 tcp.timeout host=h1", "4 + link:l1 tcp.reset host=h2", "9 - site:rack"], ["1 closed", "2 new tcp.timeout: site:on-1", "held by site:on-1: link:l1"]),
    ("the middle recovering opens the last", RACKED, ["0 + site:rack tcp.refused host=r", "3 + site:on-1 tcp.timeout host=h1", "4 + link:l1 tcp.reset host=h2", "9 - site:on-1"], ["1 new tcp.refused: site:rack", "2 new tcp.reset: link:l1"]),
    ("what belongs to an open incident joins it, parent or not", RACKED, ["0 + site:on-1 tcp.timeout host=h", "3 + site:rack tcp.refused host=r", "4 + site:on-2 tcp.timeout host=h"], ["1 new tcp.timeout: site:on-1 site:on-2", "2 new tcp.refused: site:rack"]),
    ("a child that flaps under its parent stays held back", RACKED, ["0 + site:rack tcp.refused host=r", "3 + site:on-1 tcp.timeout host=h1", "5 - site:on-1", "7 + site:on-1 tcp.timeout host=h1"], ["1 new tcp.refused: site:rack", "held by site:rack: site:on-1"]),
    ("a cause that changes while held back stays held back", RACKED, ["0 + site:rack tcp.refused host=r", "3 + site:on-1 tcp.timeout host=h1", "5 ~ site:on-1 dns.nxdomain"], ["1 new tcp.refused: site:rack", "held by site:rack: site:on-1"]),
    ("in a circle the first one is told", {"declared": CIRCLE}, ["0 + site:x tcp.refused host=x", "1 + site:y tcp.refused host=y"], ["1 new tcp.refused: site:x", "held by site:x: site:y"]),
    ("in a circle the one that goes on is told when the first recovers", {"declared": CIRCLE}, ["0 + site:x tcp.refused host=x", "1 + site:y tcp.refused host=y", "5 - site:x"], ["1 closed", "2 new tcp.refused: site:y"]),
    ("in a circle never both are silent", {"declared": CIRCLE}, ["0 + site:x tcp.refused host=x", "1 + site:y tcp.refused host=y", "5 - site:x", "30 + site:x tcp.refused host=x", "40 - site:y"], ["1 closed", "2 closed", "3 new tcp.refused: site:x"]),
]  # fmt: skip
TABLE = [
    *((name, {}, events, expected) for name, events, expected in [*OPENING, *LATE, *FLAPPING, *PEOPLE, *CAUSES, *MONEY_JOINS, *MERGING, *SPLITTING]),
    *TRAFFIC,
    *SUPPRESSION,
]  # fmt: skip


@pytest.mark.parametrize(("_", "more", "events", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_what_comes_of_it(_, more, events, expected):
    steady = Stage(**more, restarts=False).play(*events)
    assert steady.outcome == expected
    restarted = Stage(**more, restarts=True).play(*events)
    assert restarted.outcome == expected
    assert restarted.timeline == steady.timeline


def test_every_story_has_a_name_of_its_own_and_there_are_enough():
    names = [row[0] for row in TABLE]
    assert len(set(names)) == len(names) >= 60


ACTORS = (
    "link:l1 link.inactive partner=P02 host=a", "link:l2 tcp.refused partner=P02 host=go", "link:l3 tcp.refused partner=P03 host=go",
    "site:rack tcp.refused host=r", "site:on-1 tcp.timeout host=h1", "site:on-2 tcp.timeout host=h2", "feed:f feed.auth partner=P02",
    "slice:partner=P02 revenue.drop", "slice:partner=P02,geo=DE revenue.silence", "slice:partner=P03 revenue.drop",
)  # fmt: skip
MOVES = st.lists(
    st.tuples(st.sampled_from(["+", "+", "+", "-", "is", "hand", "ack"]), st.integers(0, len(ACTORS) - 1), st.sampled_from([1, 4, 14, 50, 130])),
    max_size=25,
)  # fmt: skip


def acted(stage: Stage, moves) -> list[str]:
    """The time line that these moves are, told from what is open as they come."""
    minute, lines = 0, []
    for verb, who, wait in moves:
        minute += wait
        target = ACTORS[who].split()[0]
        is_open = any(one.target == target and one.closed_at is None for one in stage.findings.values())
        line = {
            "+": "" if is_open else f"{minute} + {ACTORS[who]}",
            "-": f"{minute} - {target}" if is_open else "",
            "is": f"{minute} is {target} {'unknown' if wait > 4 else 'failing'}",
            "hand": f"{minute} hand {who % 4 + 1} tom",
            "ack": f"{minute} ack {who % 4 + 1} maria",
        }[verb]
        if line:
            lines.append(line)
            stage.play(line)
    stage.play(f"{minute} tick")
    return [*lines, f"{minute} tick"]


@settings(deadline=None, max_examples=60)
@given(MOVES)
def test_whatever_happens_a_restart_changes_nothing_and_nothing_that_fails_is_lost(moves):
    steady, restarted = Stage(RACK, restarts=False), Stage(RACK, restarts=True)
    restarted.play(*acted(steady, moves))
    assert (restarted.outcome, restarted.timeline) == (steady.outcome, steady.timeline)
    failing = {one.target: one for one in steady.findings.values() if one.closed_at is None}
    for one in failing.values():
        if one.incident is None:
            parent = one.fingerprint[HELD_BY]
            assert parent in failing
            assert steady.states.get(parent, State.FAILING) is State.FAILING
        else:
            assert not steady.incidents[one.incident].is_merged
    for row in steady.incidents.values():
        mine = [one for one in failing.values() if one.incident == row.id]
        assert row.state is IncidentState.CLOSED or row.open_members == len(mine) > 0
