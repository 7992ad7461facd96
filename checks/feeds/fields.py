"""What changed in one path that is still there: its types, blanks, forms, words, hours and days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from checks.feeds import currency
from checks.feeds.chance import beta_binomial_rare, chernoff_rare
from checks.feeds.change import Change, Use, Uses, is_read, share_words, use_of
from checks.feeds.clockhours import HourShift, latest_shift
from checks.feeds.contract import CLOSED, PathProfile
from checks.feeds.daymonth import day_month_swap
from checks.feeds.formats import ODD_NUMBERS, PLAIN_NUMBERS, is_date, same_family
from checks.feeds.kinds import BREAKING, HARMLESS, RISKY
from checks.feeds.pairs import ENOUGH, Pairs, clock_shift
from checks.feeds.past import REQUIRED_N, Past
from data.text import clean_text

POINTS = 0.05
"""Share points that blanks must rise by, beside being rare."""
ZERO_POINTS = 0.5
FEW = 4
"""Payloads below which their scatter is not known."""
CENTS = 0.5
"""Share of money with a fraction from which whole money is news."""


def path_changes(path: str, was: Past, here: PathProfile, uses: Uses | None, pairs: Pairs | None) -> Iterable[Change]:
    """What changed in a path that the contract knows and the payload has."""
    worst = BREAKING if is_read(path, uses) else RISKY
    typed = _types(path, was, here, worst)
    yield from typed
    yield from _optional(path, was, here, uses)
    yield from _blanks(path, was, here, uses)
    if typed:
        return
    formed = list(_formats(path, was, here, worst))
    yield from formed
    yield from _enum(path, was, here, uses)
    yield from _fractions(path, was, here, uses)
    if not formed:
        yield from _swap(path, was, here, worst)
        yield from _clock(path, was, here, worst, pairs)


def _types(path: str, was: Past, here: PathProfile, worst: str) -> list[Change]:
    """A type the path never had. Integers are numbers; a null is no type."""
    known = {"number" if kind == "integer" else kind for kind in was.types}
    new = {kind for kind in here.types if ("number" if kind == "integer" else kind) not in known}
    if not known or not new:
        return []
    severity = worst if was.n >= REQUIRED_N else RISKY
    words = (", ".join(sorted(was.types)), ", ".join(sorted(here.types)))
    return [Change("response-property-type-changed", path, severity, *words, was.n, here.n)]


def _optional(path: str, was: Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    if was.required and here.presence < 0.95 and chernoff_rare(here.parents - here.n, here.parents, 1 - was.presence):
        severity = RISKY if is_read(path, uses) else HARMLESS
        words = (share_words(was.presence), share_words(here.presence))
        yield Change("response-property-became-optional", path, severity, *words, was.n, here.parents)


_SHARES: tuple[tuple[str, str, float, Callable[[PathProfile], int]], ...] = (
    ("null-share-rose", "blank", POINTS, lambda profile: profile.blanks),
    ("zero-share-rose", "zero", ZERO_POINTS, lambda profile: profile.zeros),
)


def _blanks(path: str, was: Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    """More nulls, empties or zeros than any payload before had, by so many points, and more than chance gives.

    Chance is a beta-binomial whose scatter is learned from the payloads; below four of them nobody knows their
    scatter, and the highest share so far counts as usual.
    """
    if was.n < REQUIRED_N or not here.n:
        return
    for kind, words, points, count in _SHARES:
        before = [(count(profile), profile.n) for profile in was.profiles if profile.n]
        most = max(hits / n for hits, n in before)
        share, usual = count(here) / here.n, sum(hits for hits, _ in before) / was.n
        if share <= (most if len(before) < FEW else usual) + points or share <= most:
            continue
        if not (
            chernoff_rare(count(here), here.n, most)
            if len(before) < FEW
            else beta_binomial_rare(count(here), here.n, before)
        ):
            continue
        only_nulls = kind == "null-share-rose" and usual == 0 and here.nulls == here.blanks
        dead = share >= 0.9 and usual <= 0.1 and is_read(path, uses) and kind == "null-share-rose"
        severity = BREAKING if dead else RISKY if is_read(path, uses) else HARMLESS
        name = "response-property-became-nullable" if only_nulls else kind
        was_words, now_words = f"{share_words(usual)} {words}", f"{share_words(share)} {words}"
        yield Change(name, path, severity, was_words, now_words, was.n, here.n)


def _formats(path: str, was: Past, here: PathProfile, worst: str) -> Iterable[Change]:
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


def _enum(path: str, was: Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    """A word outside a closed set: at most 12 words, each in most payloads, and seen often enough to be a set.

    Where some known word is rare, others that nobody has seen yet are to be expected; codes of two letters are
    countries or languages, of which there are always more.
    """
    if here.values is None and here.distinct <= CLOSED:
        return
    payloads = _sum(dict.fromkeys(profile.values or (), 1) for profile in was.profiles)
    if payloads and currency.are_codes(payloads) and currency.are_codes(here.values or ()):
        yield from _codes(path, was, here, uses, payloads)
        return
    closed = all(profile.values is not None or not profile.distinct for profile in was.profiles)
    words = not any(is_date(name) or name in PLAIN_NUMBERS for profile in was.profiles for name in profile.formats)
    common = min(payloads.values(), default=0) >= 0.8 * len(was.profiles)
    codes = all(len(word) == 2 and word.isupper() for word in payloads)
    enough = was.n >= max(50, 10 * len(payloads)) and common
    if not closed or not words or codes or not enough or not 0 < len(payloads) <= CLOSED:
        return
    new = sorted(set(here.values or ("more than 12 words",)) - payloads.keys())
    if new and use_of(path, uses) not in {Use.DIM, Use.DAY}:
        severity = RISKY if is_read(path, uses) else HARMLESS
        known, now = clean_text(", ".join(sorted(payloads)), 200), clean_text(", ".join(new), 120)
        yield Change("response-property-enum-value-added", path, severity, known, now, was.n, here.n)


def _codes(path: str, was: Past, here: PathProfile, uses: Uses | None, payloads: Mapping[str, int]) -> Iterable[Change]:
    """Currency codes that were never there: breaking when none of the usual ones is left, or money is read by them."""
    new = sorted(set(here.values or ()) - payloads.keys())
    if not new:
        return
    instead = not payloads.keys() & set(here.values or ())
    severity = BREAKING if is_read(path, uses) and (instead or uses is not None) else RISKY
    words = (", ".join(sorted(payloads)), ", ".join(sorted(here.values or ())))
    yield Change("currency-switched", path, severity, *words, was.n, here.n)


def _fractions(path: str, was: Past, here: PathProfile, uses: Uses | None) -> Iterable[Change]:
    """Money whose amounts mostly had cents and now has none: rounded, or counted in cents."""
    if uses is not None and use_of(path, uses) is not Use.MONEY:
        return
    before = [(profile.sized - profile.fractions, profile.sized) for profile in was.profiles if profile.sized]
    sized = sum(n for _, n in before)
    if sized < REQUIRED_N or here.sized < REQUIRED_N or here.fractions:
        return
    usual = 1 - sum(whole for whole, _ in before) / sized
    if usual >= CENTS and beta_binomial_rare(here.sized, here.sized, before):
        words = (f"{share_words(usual)} with cents", "none with cents")
        yield Change("fractions-vanished", path, RISKY if is_read(path, uses) else HARMLESS, *words, sized, here.sized)


def _swap(path: str, was: Past, here: PathProfile, worst: str) -> Iterable[Change]:
    if not here.days:
        return
    swap = day_month_swap([profile.days for profile in was.profiles if profile.days], here.days)
    if swap:
        words = f"{swap.now}: {swap.out} of {swap.n} dates, as {swap.example}"
        severity = worst if was.n >= REQUIRED_N else RISKY
        yield Change("day-month-swapped", path, severity, str(swap.usual), clean_text(words, 120), was.n, here.n)


def _clock(path: str, was: Past, here: PathProfile, worst: str, pairs: Pairs | None) -> Iterable[Change]:
    """A clock that moved: by the same records, else by the hours of the day of all of them."""
    if not any("datetime" in name for name in here.formats):
        return
    joined = pairs.of(path, path) if pairs else []
    shift = clock_shift(joined)
    if shift:
        hours = f"{shift.total_seconds() / 3600:+g} h"
        yield Change("timezone-shifted", path, worst, "same records", hours, was.n, here.n)
    elif here.hours and len(joined) < ENOUGH:
        history = [(profile.hours, profile.days) for profile in was.profiles if profile.hours]
        moved = latest_shift(history, (here.hours, here.days))
        if moved:
            severity = worst if _is_zone(moved) else RISKY
            words = (f"hours of {moved.n_before:,} events", f"{moved.words}, by {moved.n_after:,} events")
            yield Change("timezone-shifted", path, severity, *words, was.n, here.n)


def _is_zone(moved: HourShift) -> bool:
    """One hour alone may be the start or the end of daylight saving."""
    return any(abs(hours) > 1 for hours in (moved.hours, *moved.also))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, n in count.items():
            total[name] = total.get(name, 0) + n
    return total
