"""What changed between a contract and a payload. Kinds carry oasdiff's response rule names where one exists."""

from __future__ import annotations

from collections.abc import Iterable

from checks.feeds import currency, scale
from checks.feeds.change import Change, Use, Uses, is_money, is_read, share_words, use_of
from checks.feeds.contract import Contract, PathProfile, Profile
from checks.feeds.fields import path_changes
from checks.feeds.kinds import BREAKING, HARMLESS, RISKY, SEVERITIES
from checks.feeds.pairs import ENOUGH, Pairs
from checks.feeds.past import REQUIRED_N, REQUIRED_PRESENCE, Past, objects_at, past_of

__all__ = ["BREAKING", "HARMLESS", "RISKY", "Change", "Use", "Uses", "changes", "use_of"]

PAGE_SIZES = frozenset({10, 20, 25, 50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000})
SMALL_PAGE = 50
"""Below it a small account has exactly so many rows by chance on many a day."""


def changes(
    before: Contract,
    now: Profile,
    uses: Uses | None = None,
    pairs: Pairs | None = None,
    *,
    rates: currency.Rates = currency.USUAL,
    own: str = "",
) -> tuple[Change, ...]:
    """All differences, worst first, then by path. Nothing for an empty contract.

    1. Structure: paths that came, went or were renamed; what lies below a changed path is not repeated.
    2. Each path that stayed: types, blanks, formats, enums, clock. 3. Currency and units of money over all paths at
    once; `rates` are units of each currency for one euro, `own` is the account's currency. 4. The payload as a whole: rows, pages, duplicates.
    """
    if not before.profiles:
        return ()
    past = past_of(before)
    whole = list(_whole(before, now))
    if now.records == 0:
        return tuple(whole)
    found = [*_structure(past, now, uses, pairs), *whole]
    gone = {change.path for change in found}
    for path, here in now.paths.items():
        if path in past and path not in gone:
            found.extend(path_changes(path, past[path], here, uses, pairs))
    units = list(_money(before, now, uses, pairs, currency.switches(now, is_money(uses), pairs, rates, own)))
    told = {change.path for change in units}
    found = [change for change in found if change.kind != "fractions-vanished" or change.path not in told]
    return tuple(sorted([*found, *units], key=lambda change: (SEVERITIES.index(change.severity), change.path)))


def _money(
    before: Contract,
    now: Profile,
    uses: Uses | None,
    pairs: Pairs | None,
    switches: Iterable[currency.Switch],
) -> Iterable[Change]:
    """Money in another currency, else in another unit: a rate near ten is no power of ten where records prove it."""
    switches = tuple(switches)
    for switch in switches:
        yield Change("currency-switched", switch.path, BREAKING, *switch.words, switch.n, switch.n)
    switched = {switch.path for switch in switches}
    for shift in scale.shifts(before, now, is_money(uses), pairs):
        if shift.path not in switched:
            yield Change("scale-changed", shift.path, BREAKING, shift.was, shift.now, shift.n_before, shift.n_after)


def _structure(past: dict[str, Past], now: Profile, uses: Uses | None, pairs: Pairs | None) -> list[Change]:
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


def _vanished(was: Past, now: Profile) -> bool:
    """Gone for a reason: the object above is there, and chance alone would not have hidden the path.

    A path in nearly every record may not be missing at all. One that only some records had counts when every payload
    had it and so many payloads, or records, cannot all be luck.
    """
    above = objects_at(now, was.profiles[0].parent)
    if not above:
        return False
    if was.presence >= REQUIRED_PRESENCE:
        return True
    everywhere = len(was.profiles) == was.payloads
    luck = (1 - was.presence) ** above
    return everywhere and (luck < 0.01 or (was.payloads >= 2 and luck < 0.05) or was.payloads >= 10)


def _known_parent(parent: str, past: dict[str, Past]) -> bool:
    return not parent or any(profile.objects for profile in (past[parent].profiles if parent in past else ()))


def _renames(
    removed: dict[str, Past], added: dict[str, PathProfile], uses: Uses | None, pairs: Pairs | None
) -> Iterable[Change]:
    """Removed and added under one parent with equal values on the same records; names and types prove nothing."""
    for old, was in removed.items() if pairs else ():
        for new, here in added.items():
            if here.parent != was.profiles[0].parent or pairs is None:
                continue
            equal, compared = pairs.same(old, new)
            if compared >= ENOUGH and equal >= 0.9 * compared:
                severity = BREAKING if is_read(old, uses) else HARMLESS
                yield Change("field-renamed", old, severity, old, new, was.n, here.n)
                break


def _removal(path: str, was: Past, now: Profile, uses: Uses | None) -> Change:
    kind = "response-required-property-removed" if was.required else "response-optional-property-removed"
    severity = (BREAKING if was.required else RISKY) if is_read(path, uses) else (RISKY if was.required else HARMLESS)
    return Change(
        kind, path, severity, share_words(was.presence), "absent", was.n, objects_at(now, was.profiles[0].parent)
    )


def _addition(path: str, here: PathProfile) -> Change:
    required = here.presence >= REQUIRED_PRESENCE and here.n >= REQUIRED_N
    kind = "response-required-property-added" if required else "response-optional-property-added"
    return Change(kind, path, HARMLESS, "absent", share_words(here.presence), 0, here.n)


def _lost(records: int) -> float:
    """Share of the least usual rows that a report of exactly one page must be under to be called cut off."""
    return 0.9 if records >= SMALL_PAGE else 0.5


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
    elif now.records in PAGE_SIZES and now.records < _lost(now.records) * least and not PAGE_SIZES & set(rows):
        yield Change(
            "paging-truncated", "", BREAKING, f"{usual} rows", f"exactly {now.records} rows", sum(rows), now.records
        )
    if now.duplicates and not any(profile.duplicates for profile in before.profiles):
        severity = BREAKING if now.duplicates >= 0.05 * now.records else RISKY
        words = ("each key once", f"{now.duplicates} records share a key")
        yield Change("key-duplicates", "", severity, *words, sum(rows), now.records)
