"""Faults put into made-up feeds, and long runs without any: how often each test speaks, rightly and wrongly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from checks.feeds.contract import KEEP, Contract, profile
from checks.feeds.drift import changes
from tests.bench import peer_drift
from tests.bench.feed_world import FIELDS, START, Record, World, faults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.feeds.change import Change
    from checks.feeds.contract import Profile

PEERS = ("PSI > .2", "KS p < .01", "Wasserstein > .1")
NUMBERS = ("clicks", "registrations", "ftd", "deposits", "deposit_amount", "ngr", "commission_cpa", "commission_revshare",
           "commission_total", "balance", "bonus", "level", "deal.cpa.amount")  # fmt: skip
DAYS = ("day", "booked_on", "clicked_on")
WORDS = ("country", "device", "status", "brand", "note")
COLUMNS = (*NUMBERS, *DAYS, *WORDS, "at")


@dataclass
class Tally:
    """What came of the runs; `hits` and `tried` by (fault, test), `false` by test over `field_days`."""

    field_days: int = 0
    peer_field_days: int = 0
    false: Counter[str] = field(default_factory=Counter)
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def recall(self, fault: str, test: str = "") -> float:
        return self.hits[fault, test] / max(self.tried[fault], 1)

    def per_10k(self, test: str = "") -> float:
        return self.false[test] * 10_000 / max(self.peer_field_days if test else self.field_days, 1)


def trial(worlds: Iterable[int], days: int, every: int = 5) -> Tally:
    """Each world for 14 days of learning and so many more; each `every` days all faults, on copies, one at a time."""
    tally = Tally()
    for seed in worlds:
        world, past = World(seed), Contract()
        window: list[list[Record]] = []
        for day in range(KEEP + days):
            records = world.payload(day)
            now = _profile(records, day)
            if day >= KEEP:
                _null(tally, seed, day, changes(past, now))
                if day % every == seed % every:
                    _faulty(tally, seed, day, past, window, records)
            past = past.learn(now)
            window = [*window[-KEEP + 1 :], records]
    return tally


def _profile(records: list[Record], day: int) -> Profile:
    return profile(records, payload=str(day), at=START + timedelta(days=day), key=("id",))


def _null(tally: Tally, seed: int, day: int, found: Iterable[Change]) -> None:
    tally.field_days += FIELDS
    for change in found:
        tally.false[""] += 1
        tally.alarms.append(f"world {seed} day {day}: {change.kind} {change.path} {change.was} -> {change.now}")


def _faulty(
    tally: Tally, seed: int, day: int, past: Contract, window: list[list[Record]], records: list[Record]
) -> None:
    before = [_columns(rows, day - len(window) + n) for n, rows in enumerate(window)]
    pooled = {name: _pool([columns[name] for columns in before]) for name in COLUMNS}
    here = _columns(records, day)
    tally.peer_field_days += len(COLUMNS)
    for name in COLUMNS:
        for test in _peers_speak(pooled[name], here[name]):
            tally.false[test] += 1
    for fault in faults(records, seed * 1_000 + day):
        if fault.records == records:
            continue
        tally.tried[fault.name] += 1
        found = changes(past, _profile(fault.records, day))
        if any(change.path == fault.path and change.kind in fault.kinds for change in found):
            tally.hits[fault.name, ""] += 1
        else:
            tally.misses.append(f"world {seed} day {day}: {fault.name} on {fault.path}")
        if fault.path in COLUMNS:
            for test in _peers_speak(pooled[fault.path], _columns(fault.records, day)[fault.path]):
                tally.hits[fault.name, test] += 1


def _peers_speak(before: np.ndarray | list[str], now: np.ndarray | list[str]) -> list[str]:
    if isinstance(before, list):
        return [PEERS[0]] if peer_drift.psi_of_words(before, list(now)) else []
    assert isinstance(now, np.ndarray)
    tests = (peer_drift.psi, peer_drift.ks, peer_drift.wasserstein)
    return [name for name, test in zip(PEERS, tests, strict=True) if test(before, now)]


def _pool(columns: list[np.ndarray | list[str]]) -> np.ndarray | list[str]:
    if isinstance(columns[0], list):
        return [word for column in columns for word in column]
    return np.concatenate(columns)


def _columns(records: list[Record], day: int) -> dict[str, np.ndarray | list[str]]:
    """Columns as the peers want them: numbers, hours of the day, days from the payload's own day, words."""
    today = (START + timedelta(days=day)).date()
    found: dict[str, np.ndarray | list[str]] = {}
    for name in COLUMNS:
        values = [_at(record, name) for record in records]
        if name in WORDS:
            found[name] = [str(value) for value in values]
        elif name in DAYS:
            found[name] = np.array([_days_from(today, value, slashed=name == "booked_on") for value in values])
        elif name == "at":
            found[name] = np.array([float(str(value)[11:13]) for value in values])
        else:
            found[name] = np.array([_number(value) for value in values])
    return found


def _at(record: Record, path: str) -> object:
    value: object = record
    for name in path.split("."):
        value = value[name] if isinstance(value, dict) else None
    return value


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | str) and value != "" else float("nan")


def _days_from(today: date, value: object, *, slashed: bool) -> float:
    text = str(value)
    try:
        read = date(int(text[6:]), int(text[3:5]), int(text[:2])) if slashed else date.fromisoformat(text)
    except ValueError:
        return float("nan")
    return float((read - today).days)


@dataclass
class Clock:
    """Shares of trials in which a shifted clock was found on its first day, and by its second; false ones too."""

    one: float
    two: float
    exact: float
    """Found, and the very hours named."""
    peers: dict[str, float]
    false: int
    quiet_days: int


def clock_trial(worlds: Iterable[int], rows: int, shifts: tuple[int, ...] = (2, 3, -2, -3)) -> Clock:
    """Worlds of so many rows a day whose clock moves on day 14 and stays moved."""
    one = two = exact = tried = false = quiet = 0
    peers: Counter[str] = Counter()
    for seed in worlds:
        world, past = World(seed, rows=rows), Contract()
        rows_before: list[list[Record]] = []
        for day in range(KEEP):
            clocks = world.clocks(day)
            now = _profile(clocks, day)
            if day >= 7:
                quiet += 1
                false += _shifted(past, now) is not None
            past = past.learn(now)
            rows_before.append(clocks)
        pooled = np.array([float(str(row["at"])[11:13]) for rows_ in rows_before for row in rows_])
        for hours in shifts:
            tried += 1
            days = [world.clocks(KEEP + n, shift=hours) for n in range(2)]
            first = _shifted(past, _profile(days[0], KEEP))
            later = past.learn(_profile(days[0], KEEP))
            found = first or _shifted(later, _profile(days[1], KEEP + 1))
            one, two = one + bool(first), two + bool(found)
            exact += bool(found and f"{hours:+d} h" in found)
            seen = np.array([float(str(row["at"])[11:13]) for row in (*days[0], *days[1])])
            peers.update(_peers_speak(pooled, seen))
    return Clock(one / tried, two / tried, exact / tried, {name: peers[name] / tried for name in PEERS}, false, quiet)


def _shifted(past: Contract, now: Profile) -> str | None:
    return next((change.now for change in changes(past, now) if change.kind == "timezone-shifted"), None)
