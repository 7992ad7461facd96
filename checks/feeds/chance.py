"""How likely a count is, when the shares it comes from scatter from payload to payload."""

from __future__ import annotations

import math
from collections.abc import Sequence

RARE = 1e-4


def beta_binomial_rare(hits: int, n: int, before: Sequence[tuple[int, int]]) -> bool:
    """Whether `hits` of `n` or more has probability below 1e-4, given (hits, n) of the payloads before.

    The share of a payload is a draw from a beta distribution: its mean is what was seen (with half an event of doubt
    either way), its scatter between payloads by the method of moments, and what is not known yet of the mean adds to it.
    """
    seen = [(hit, total) for hit, total in before if total > 0]
    whole = sum(total for _, total in seen)
    if not whole or n <= 0:
        return False
    mean = (sum(hit for hit, _ in seen) + 0.5) / (whole + 1)
    if hits <= mean * n:
        return False
    between = scatter(seen)
    correlation = between + (1 - between) / (whole + 2)
    return _tail(hits, n, mean, correlation) < RARE


def scatter(seen: Sequence[tuple[int, int]]) -> float:
    """Correlation between two records of one payload, 0 to .5: variance of shares beyond the binomial's."""
    whole, many = sum(total for _, total in seen), len(seen)
    if many < 2 or whole <= many:
        return 0.0
    mean = sum(hit for hit, _ in seen) / whole
    if not 0 < mean < 1:
        return 0.0
    between = sum(total * (hit / total - mean) ** 2 for hit, total in seen) / (mean * (1 - mean))
    effective = whole - sum(total * total for _, total in seen) / whole
    return min(max((between - (many - 1)) / max(effective - (many - 1), 1), 0.0), 0.5)


def _tail(hits: int, n: int, mean: float, correlation: float) -> float:
    """P(X >= hits) for a beta-binomial of this mean and intra-class correlation."""
    strength = 1 / correlation - 1
    alpha, beta = mean * strength, (1 - mean) * strength
    fixed = math.lgamma(n + 1) - math.lgamma(n + strength) + math.lgamma(strength)
    fixed -= math.lgamma(alpha) + math.lgamma(beta)
    return sum(
        math.exp(
            fixed - math.lgamma(k + 1) - math.lgamma(n - k + 1) + math.lgamma(k + alpha) + math.lgamma(n - k + beta)
        )
        for k in range(hits, n + 1)
    )


def chernoff_rare(hits: int, n: int, chance: float) -> bool:
    """Whether `hits` of `n` at `chance` has probability below 1e-4, by Chernoff's bound (never claims too early)."""
    share, chance = hits / n if n else 0.0, min(max(chance, 1 / (n + 2)), 1 - 1e-9)
    if share <= chance:
        return False
    away = share * math.log(share / chance)
    away += (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return n * away > -math.log(RARE)
