"""Whether the unit of a number changed: by the same records first, by medians only where records cannot be joined."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.feeds.pairs import ENOUGH, Pairs, power_of_ten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from checks.feeds.contract import Contract, PathProfile, Profile

ENOUGH_N = 20
FEW = 5
"""Values in each of as many payloads that may do instead, when their medians hardly moved."""
THIN = 2
"""Values that may do for two powers of ten or more, where eight payloads never had their like."""
CLEAR = 0.5
"""Decades above everything seen."""
SNAP = 0.15
"""Decades a median may be off ten; twice as much off larger powers, which no business reaches by itself."""
STILL = 0.3
"""Decades within which a control path counts as unchanged."""
FLOOR = 0.05
"""Least spread of log10 medians between payloads, in decades."""
Z = 6.0


@dataclass(frozen=True, slots=True)
class Shift:
    path: str
    power: int
    was: str
    now: str
    n_before: int
    n_after: int


def shifts(
    before: Contract, now: Profile, money: Callable[[str], bool | None], pairs: Pairs | None
) -> tuple[Shift, ...]:
    """Paths whose numbers moved by a power of ten while something else in the records stood still.

    `money` says whether a path is money (`None`: not known). Joined records decide where there are five of a path;
    otherwise the log10 median must lie more than 6 robust deviations off, within .15 decades of a power of ten, and a
    count or another number must not have moved: a big day moves counts and money alike and is no change of unit.
    """
    history = before.paths()
    moved: dict[str, Shift] = {}
    still: set[str] = set()
    pooled = _pooled(now, money, pairs)
    for path, here in now.paths.items():
        if path not in history or here.log_median is None:
            continue
        centre = _centre(history[path])
        joined = _joined(path, pairs, pooled if money(path) else None)
        power = joined if joined is not None else _power(history[path], here)
        drift = abs(here.log_median - centre) if centre is not None else 0.0
        if power and money(path) is not False:
            moved[path] = _shift(path, power, history[path], here)
        elif joined == 0 or (joined is None and drift < STILL):
            still.add(path)
    if not moved or (not still and not _alone(moved, now, money)):
        return ()
    return tuple(moved.values())


def _joined(path: str, pairs: Pairs | None, pooled: int | None) -> int | None:
    """The power that a path's own joined records agree on; few of them must agree exactly, or with all money at once."""
    ratios = pairs.ratios(path) if pairs else []
    power = power_of_ten(ratios)
    if power is None and 2 <= len(ratios) < ENOUGH:
        power = power_of_ten([*ratios] * ENOUGH, tolerance=0.01, share=1.0)
    if power is None and pooled is not None and len(ratios) < ENOUGH:
        power = pooled if any(abs(ratio - pooled) <= 2 * SNAP for ratio in ratios) else None
    return power


def _pooled(now: Profile, money: Callable[[str], bool | None], pairs: Pairs | None) -> int | None:
    if pairs is None:
        return None
    return power_of_ten([ratio for path in now.paths if money(path) for ratio in pairs.ratios(path)])


def _alone(moved: dict[str, Shift], now: Profile, money: Callable[[str], bool | None]) -> bool:
    """Nothing else could have stood still: one number is all there is, or all there is is known to be money."""
    rest = any(path not in moved and here.numbers for path, here in now.paths.items())
    return not rest and (len(moved) == 1 or all(money(path) for path in moved))


def _power(history: Iterable[PathProfile], here: PathProfile) -> int:
    """The power of ten by medians alone, 0 when there is none or too little to say so."""
    seen = [profile for profile in history if profile.log_median is not None]
    thinnest = min((profile.sized for profile in seen), default=0)
    if here.log_median is None or not seen or here.sized < THIN:
        return 0
    medians = [profile.log_median for profile in seen if profile.log_median is not None]
    centre = statistics.median(medians)
    away = here.log_median - centre
    power = round(away)
    spread = max(1.4826 * statistics.median(abs(median - centre) for median in medians), FLOOR)
    reach = max(medians) - min(medians)
    if power and _never_so(seen, here, power):
        return power
    if not power or abs(away - power) > (SNAP if abs(power) == 1 else 2 * SNAP):
        return 0
    if abs(away) <= max(Z * spread, 2 * reach):
        return 0
    many = min(here.sized, thinnest) >= ENOUGH_N or (thinnest >= FEW and len(seen) >= FEW and abs(away) > 4 * reach)
    return power if many else 0


def _never_so(seen: Sequence[PathProfile], here: PathProfile, power: int) -> bool:
    """A few values that tell by themselves: far above any of many before, or all in fractions where none ever was."""
    known = sum(profile.sized for profile in seen)
    if abs(power) < 2 or known < 3 * ENOUGH_N or len(seen) < 2 * FEW or here.log_median is None:
        return False
    if power < 0:
        return here.fractions == here.sized and 50 * sum(profile.fractions for profile in seen) <= known
    most = max(max(abs(profile.high or 0), abs(profile.low or 0)) for profile in seen)
    return most > 0 and here.log_median > math.log10(most) + CLEAR


def _centre(history: Iterable[PathProfile]) -> float | None:
    medians = [profile.log_median for profile in history if profile.log_median is not None]
    return statistics.median(medians) if medians else None


def _shift(path: str, power: int, history: tuple[PathProfile, ...], here: PathProfile) -> Shift:
    centre = _centre(history) or 0.0
    factor = f"× {10**power:,}" if power > 0 else f"÷ {10**-power:,}"
    usual, median = f"median {_figure(10**centre)}", f"median {_figure(10 ** (here.log_median or 0.0))}"
    n_before = sum(profile.sized for profile in history)
    return Shift(path, power, usual, f"{factor}, {median}", n_before, here.sized)


def _figure(value: float) -> str:
    return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"
