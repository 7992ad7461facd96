"""What changed between a contract and a payload. Kinds carry oasdiff's response rule names where one exists."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from checks.feeds import scale
from checks.feeds.contract import CLOSED, Contract, PathProfile, Profile
from checks.feeds.formats import ODD_NUMBERS, PLAIN_NUMBERS, is_date, same_family
from checks.feeds.pairs import ENOUGH, Pairs, clock_shift
from data.text import clean_text

BREAKING, RISKY, HARMLESS = "breaking", "risky", "harmless"
REQUIRED_N = 20
REQUIRED_PRESENCE = 0.99
RARE = 1e-4
PAGE_SIZES = frozenset({10, 20, 25, 50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000})


class Use(StrEnum):
    """What a mapped path is read for."""

    MONEY = "money"
    COUNT = "count"
    DIM = "dim"
    DAY = "day"


Uses = Mapping[str, Use]
"""Mapped path to its use. `None` in place of a mapping means anything may be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `was` and `now` are short words; `n_before` and `n_after` what they rest on."""

    kind: str
    path: str
    severity: str
    was: str
    now: str
    n_before: int
    n_after: int


@dataclass(frozen=True, slots=True)
class _Past:
    """One path over the payloads of a contract."""

    profiles: tuple[PathProfile, ...]
    payloads: int
    """Payloads in which the object above the path was there."""
    n: int
    parents: int
    """Times the object above was there, also in payloads without the path."""
    types: frozenset[str]

    @property
    def presence(self) -> float:
        return self.n / self.parents if self.parents else 0.0


def changes(before: Contract, now: Profile, uses: Uses | None = None, pairs: Pairs | None = None) -> tuple[Change, ...]:
    """All differences, worst first, then by path. Nothing for an empty contract.

    1. Structure: paths that came, went or were renamed; what lies below a changed path is not repeated.
    2. Each path that stayed: types, blanks, formats, enums, clock. 3. Units of money over all paths at once.
    4. The payload as a whole: rows, pages, duplicates.
    """
    if not before.profiles:
        return ()
    past = _past(before)
    whole = list(_whole(before, now))
    if now.records == 0:
        return tuple(whole)
    found = [*_structure(past, now, uses, pairs), *whole]
    gone = {change.path for change in found}
    for path, here in now.paths.items():
        if path in past and path not in gone:
            found.extend(_path(path, past[path], here, uses, pairs))
    found.extend(
        Change("scale-changed", shift.path, BREAKING, shift.was, shift.now, shift.n_before, shift.n_after)
        for shift in scale.shifts(before, now, _money(uses), pairs)
    )
    return tuple(sorted(found, key=lambda change: ([BREAKING, RISKY, HARMLESS].index(change.severity), change.path)))


def use_of(path: str, uses: Uses | None) -> Use | None:
    """The use of a path or of anything mapped below it; money before all else."""
    if uses is None:
        return None
    below = {use for source, use in uses.items() if source == path or source.startswith((path + ".", path + "["))}
    return min(below, key=[Use.MONEY, Use.DAY, Use.COUNT, Use.DIM].index, default=None)


def _money(uses: Uses | None) -> Callable[[str], bool | None]:
    """Whether a path is money: `None` when nobody said."""
    return lambda path: None if uses is None else use_of(path, uses) is Use.MONEY


def _read(path: str, uses: Uses | None) -> bool:
    return uses is None or use_of(path, uses) is not None


def _past(before: Contract) -> dict[str, _Past]:
    """Each path from the first payload that had it: a field added last week is as required as an old one."""
    past: dict[str, _Past] = {}
    for path, profiles in before.paths().items():
        parent = profiles[0].parent
        first = next(place for place, profile in enumerate(before.profiles) if path in profile.paths)
        above = [_objects(profile, parent) for profile in before.profiles]
        since = above[first:] if sum(profile.n for profile in profiles) >= REQUIRED_N else above
        past[path] = _Past(
            profiles,
            payloads=sum(count > 0 for count in since),
            n=sum(profile.n for profile in profiles),
            parents=sum(since),
            types=frozenset(kind for profile in profiles for kind in profile.types),
        )
    return past


def _objects(profile: Profile, path: str) -> int:
    """How many objects or list elements' holders stood at `path`."""
    if not path:
        return profile.records if profile.paths else 0
    here = profile.paths.get(path)
    return here.objects or here.types.get("array", 0) if here else 0


def _structure(past: dict[str, _Past], now: Profile, uses: Uses | None, pairs: Pairs | None) -> list[Change]:
    removed = {path: was for path, was in past.items() if path not in now.paths and _vanished(was, now)}
    added = {
        path: here
        for path, here in now.paths.items()
        if path not in past and not path.endswith("[]") and _known_parent(here.parent, past)
    }
    removed = {
        path: was for path, was in removed.items() if was.profiles[0].parent not in removed and not path.endswith("[]")
    }
    added = {path: here for path, here in added.items() if here.parent not in added}
    found = list(_renames(removed, added, uses, pairs))
    renamed = {name for change in found for name in (change.was, change.now)}
    found += [_removal(path, was, now, uses) for path, was in removed.items() if path not in renamed]
    found += [_addition(path, here) for path, here in added.items() if path not in renamed]
    return found


def _vanished(was: _Past, now: Profile) -> bool:
    """Gone for a reason: the object above is there, and chance alone would not have hidden the path.

    A path in nearly every record may not be missing at all. One that only some records had counts when every payload
    had it and so many payloads, or records, cannot all be luck.
    """
    above = _objects(now, was.profiles[0].parent)
    if not above:
        return False
    if was.presence >= REQUIRED_PRESENCE:
        return True
    everywhere = len(was.profiles) == was.payloads
    luck = (1 - was.presence) ** above
    return everywhere and (luck < 0.01 or (was.payloads >= 2 and luck < 0.05) or was.payloads >= 10)


def _known_parent(parent: str, past: dict[str, _Past]) -> bool:
    return not parent or any(profile.objects for profile in (past[parent].profiles if parent in past else ()))


def _renames(
    removed: dict[str, _Past], added: dict[str, PathProfile], uses: Uses | None, pairs: Pairs | None
) -> Iterable[Change]:
    """Removed and added under one parent with equal values on the same records; names and types prove nothing."""
    for old, was in removed.items() if pairs else ():
        for new, here in added.items():
            if here.parent != was.profiles[0].parent or pairs is None:
                continue
            equal, compared = pairs.same(old, new)
            if compared >= ENOUGH and equal >= 0.9 * compared:
                severity = BREAKING if _read(old, uses) else HARMLESS
                yield Change("field-renamed", old, severity, old, new, was.n, here.n)
                break


def _removal(path: str, was: _Past, now: Profile, uses: Uses | None) -> Change:
    required = was.presence >= REQUIRED_PRESENCE and was.n >= REQUIRED_N
    kind = "response-required-property-removed" if required else "response-optional-property-removed"
    severity = (BREAKING if required else RISKY) if _read(path, uses) else (RISKY if required else HARMLESS)
    return Change(kind, path, severity, _share(was.presence), "absent", was.n, _objects(now, was.profiles[0].parent))


def _addition(path: str, here: PathProfile) -> Change:
    required = here.presence >= REQUIRED_PRESENCE and here.n >= REQUIRED_N
    kind = "response-required-property-added" if required else "response-optional-property-added"
    return Change(kind, path, HARMLESS, "absent", _share(here.presence), 0, here.n)


def _path(path: str, was: _Past, here: PathProfile, uses: Uses | None, pairs: Pairs | None) -> Iterable[Change]:
    worst = BREAKING if _read(path, uses) else RISKY
    typed = _types(path, was, here, worst)
    yield from typed
    yield from _optional(path, was, here, uses)
    yield from _blanks(path, was, here, uses)
    if not typed:
        yield from _formats(path, was, here, worst)
        yield from _enum(path, was, here, uses)
    shift = clock_shift(pairs.of(path, path)) if pairs and any("datetime" in name for name in here.formats) else None
    if shift:
        hours = f"{shift.total_seconds() / 3600:+g} h"
        yield Change("timezone-shifted", path, worst, "same records", hours, was.n, here.n)


def _types(path: str, was: _Past, here: PathProfile, worst: str) -> list[Change]:
    """A type the path never had. Integers are numbers; a null is no type."""
    known = {"number" if kind == "integer" else kind for kind in was.types}
    new = {kind for kind in here.types if ("number" if kind == "integer" else kind) not in known}
    if not known or not new:
        return []
    severity = worst if was.n >= REQUIRED_N else RISKY
    words = (", ".join(sorted(was.types)), ", ".join(sorted(here.types)))
    return [Change("response-property-type-changed", path, severity, *words, was.n, here.n)]


def _optional(path: str, was: _Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    sure = was.presence >= REQUIRED_PRESENCE and was.n >= REQUIRED_N
    if sure and here.presence < 0.95 and _rare(here.parents - here.n, here.parents, 1 - was.presence):
        severity = RISKY if _read(path, uses) else HARMLESS
        words = (_share(was.presence), _share(here.presence))
        yield Change("response-property-became-optional", path, severity, *words, was.n, here.parents)


_SHARES: tuple[tuple[str, str, float, Callable[[PathProfile], int]], ...] = (
    ("null-share-rose", "blank", 0.05, lambda profile: profile.blanks),
    ("zero-share-rose", "zero", 0.5, lambda profile: profile.zeros),
)


def _blanks(path: str, was: _Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    """More nulls, empties or zeros than any payload before had, and more than chance gives."""
    if was.n < REQUIRED_N or not here.n:
        return
    for kind, words, margin, count in _SHARES:
        before = [count(profile) / profile.n for profile in was.profiles if profile.n]
        share, usual = count(here) / here.n, sum(map(count, was.profiles)) / was.n
        if share <= max(before) + margin or not _rare(count(here), here.n, max(*before, usual)):
            continue
        only_nulls = kind == "null-share-rose" and usual == 0 and here.nulls == here.blanks
        dead = share >= 0.9 and usual <= 0.1 and _read(path, uses) and kind == "null-share-rose"
        severity = BREAKING if dead else RISKY if _read(path, uses) else HARMLESS
        name = "response-property-became-nullable" if only_nulls else kind
        yield Change(name, path, severity, f"{_share(usual)} {words}", f"{_share(share)} {words}", was.n, here.n)


def _formats(path: str, was: _Past, here: PathProfile, worst: str) -> Iterable[Change]:
    """Strings of a class that a reader of the usual class cannot read."""
    before = _sum(profile.formats for profile in was.profiles)
    total, after = sum(before.values()), sum(here.formats.values())
    if total < ENOUGH:
        return
    usual = max(before, key=lambda name: before[name], default="")
    family = sum(count for name, count in before.items() if same_family(name, usual))
    strange = {name for name in here.formats if not any(same_family(name, known) for known in before)}
    odd = sum(here.formats[name] for name in strange)
    regular = is_date(usual) or usual in PLAIN_NUMBERS or usual in ODD_NUMBERS
    if not regular or family < 0.95 * total or not strange or odd < 0.05 * after:
        return
    kind = "date-format-changed" if is_date(usual) else "number-format-changed"
    if usual in PLAIN_NUMBERS and not strange & ODD_NUMBERS:
        kind = "response-property-type-changed"
    severity = worst if total >= REQUIRED_N else RISKY
    yield Change(kind, path, severity, usual, ", ".join(sorted(strange)), total, after)


def _enum(path: str, was: _Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    """A word outside a closed set: at most 12 words, each seen in two payloads and often enough to be a set."""
    if (here.values is None and here.distinct <= CLOSED) or use_of(path, uses) in {Use.DIM, Use.DAY}:
        return
    before = _sum(dict.fromkeys(profile.values or (), 1) for profile in was.profiles)
    closed = all(profile.values is not None or not profile.distinct for profile in was.profiles)
    words = not any(is_date(name) or name in PLAIN_NUMBERS for profile in was.profiles for name in profile.formats)
    enough = was.n >= max(50, 10 * len(before)) and (len(was.profiles) == 1 or min(before.values(), default=0) > 1)
    if not closed or not words or not enough or not 0 < len(before) <= CLOSED:
        return
    new = sorted(set(here.values or ("more than 12 words",)) - before.keys())
    if new:
        severity = RISKY if _read(path, uses) else HARMLESS
        words_now = clean_text(", ".join(new), 120)
        yield Change(
            "response-property-enum-value-added", path, severity, ", ".join(sorted(before)), words_now, was.n, here.n
        )


def _whole(before: Contract, now: Profile) -> Iterable[Change]:
    """Rows, pages and duplicates of the payload itself; its path is empty."""
    rows = [profile.records for profile in before.profiles]
    usual, least = sorted(rows)[len(rows) // 2], min(rows)
    if now.records == 0:
        if least > 0:
            yield Change("rows-vanished", "", BREAKING, f"{usual} rows", "0 rows", sum(rows), 0)
        return
    short = now.total is not None and now.total > now.records
    if short and not any(profile.total is not None and profile.total > profile.records for profile in before.profiles):
        words = (f"{usual} rows", f"{now.records} of {now.total} rows")
        yield Change("paging-truncated", "", BREAKING, *words, sum(rows), now.records)
    elif now.records in PAGE_SIZES and now.records < 0.9 * least and not PAGE_SIZES & set(rows):
        yield Change(
            "paging-truncated", "", BREAKING, f"{usual} rows", f"exactly {now.records} rows", sum(rows), now.records
        )
    if now.duplicates and not any(profile.duplicates for profile in before.profiles):
        severity = BREAKING if now.duplicates >= 0.05 * now.records else RISKY
        words = ("each key once", f"{now.duplicates} records share a key")
        yield Change("key-duplicates", "", severity, *words, sum(rows), now.records)


def _rare(hits: int, n: int, chance: float) -> bool:
    """Whether `hits` of `n` at `chance` has probability below 1e-4, by Chernoff's bound (never claims too early)."""
    share, chance = hits / n if n else 0.0, min(max(chance, 1 / (n + 2)), 1 - 1e-9)
    if share <= chance:
        return False
    away = share * math.log(share / chance)
    away += (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return n * away > -math.log(RARE)


def _share(part: float) -> str:
    return f"{part:.0%}" if part in {0, 1} or 0.1 <= part <= 0.9 else f"{part:.1%}"


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, n in count.items():
            total[name] = total.get(name, 0) + n
    return total
