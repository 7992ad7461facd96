"""Visitors of one partner, country and hour are alike: what one of them does not buy, the others rarely buy either.

Conversions of such a cell and hour come together or not at all, far more than independent clicks would: a mailing to
dormant players, one wholesale visitor. Each cell and hour therefore has a mood, a factor on all its rates drawn from a
gamma distribution of mean 1; its shape is the *crowd*. Counts are then negative binomial, silence of a crowd of shape k
that expects m events weighs k ln(1 + m / k) nats instead of m, and what siblings in the same cell and hour did tells
the mood apart from a failure of one offer or site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from checks.revenue.cube import Floats, Ints

    Singles = NDArray[np.float32]

SHARES = np.array([0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9])
"""Shares of what is due that evidence is laid out for; 1 needs none."""
_BELOW = float(SHARES[-2])
"""Of what is usual: a share above it is nothing missing."""
ROUGH = SHARES[[0, 4]]
_ROUNDED, _ROUNDING = 1e-4, 0.02
"""Sums in single precision are told apart no better, as a part of them and in nats."""
SHAPES = np.geomspace(0.1, 1000.0, 25)
_CLASSES = 40
_HOLD = 50.0
"""Cell-hours of everybody's likelihood that hold the shape of one class."""
_LEAST_DUE = 0.02
_OWN_SHAPES = (1e3, 40.0, 20.0, 12.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.5)
_ENOUGH = 20_000
"""Figures that tell the shape of own moods."""
_WILD = 5.0
"""Times what is due (and one) beyond which a count is one wild hour."""
_MOST = 400


def learned(seen: Floats, due: Floats, classes: Ints) -> Floats:
    """[class]: the shape of greatest likelihood for [cell, hour] counts, each class leaning on all of them.

    Without any history crowds are of independent visitors.
    """
    judged = due >= _LEAST_DUE
    if not judged.any():
        return np.full(_CLASSES, SHAPES[-1])
    events, mean, group = np.clip(np.rint(seen[judged]), 0, _MOST).astype(np.int64), due[judged], classes[judged]
    rows = _CLASSES * (_MOST + 1)
    tally = np.bincount(group * (_MOST + 1) + events, minlength=rows).reshape(_CLASSES, _MOST + 1)
    above = tally.sum(1, keepdims=True) - np.cumsum(tally, 1)
    rising = above @ np.log(SHAPES + np.arange(_MOST + 1)[:, None])
    for number, shape in enumerate(SHAPES):
        fixed = events * (np.log(mean) - np.log(shape + mean)) - shape * np.log1p(mean / shape)
        rising[:, number] += np.bincount(group, fixed, _CLASSES)
    shared = rising.sum(0) * (_HOLD / len(events))
    return np.asarray(SHAPES[np.argmax(rising + shared, 1)])


@dataclass(frozen=True, slots=True)
class Moods:
    """What parts of cells saw, and what the rest of their cell lets expect of them where anything is due."""

    seen: Singles
    """[part, hour]"""
    live: Ints
    """Places in `seen`, flat, at which something is due: a third of all, mostly."""
    mean: Singles
    """[place]: what is due in the mood that the rest of the cell shows."""
    shape: Singles
    """[place]: how sure of that mood one can be."""


def moods(
    seen: Floats, due: Floats, seen_around: Floats, due_around: Floats, crowd: Floats, own: float = np.inf
) -> Moods:
    """From counts and what was due, in the part and in the whole cell, the part included.

    A gamma mood of shape k of which V events were seen and M were due elsewhere is expected at (k + V) / (k + M), with
    shape k + V. `own` is the shape of moods that a part has of its own: they blur what siblings tell, which counts by
    1 / (1 + m / own), siblings being about as large as the part. Six digits are plenty, and half as much to move.
    """
    singles, live = seen.astype(np.float32), np.flatnonzero(due != 0)
    seen, due, seen_around, due_around, crowd = (
        figures.ravel()[live] for figures in (seen, due, seen_around, due_around, crowd)
    )
    trust = 1.0 / (1.0 + due / own)
    known = crowd + trust * np.maximum(seen_around - seen, 0.0)
    mean = due * known / (crowd + trust * np.maximum(due_around - due, 0.0))
    shape = 1.0 / (1.0 / known + 1.0 / own)
    return Moods(singles, live, mean.astype(np.float32), shape.astype(np.float32))


def own_shape(seen: Floats, due: Floats, seen_around: Floats, due_around: Floats, crowd: Floats) -> float:
    """How much parts of cells have moods of their own: the shape of greatest likelihood for figures as in `moods`."""
    judged = np.flatnonzero(due >= _LEAST_DUE)
    some = judged[:: max(len(judged) // _ENOUGH, 1)]
    tame = np.minimum(seen, _WILD * (due + 1.0))
    part, of_part, cell, of_cell, shape = (
        figures.ravel()[some] for figures in (tame, due, seen_around, due_around, crowd)
    )
    return max(_OWN_SHAPES, key=lambda own: _likelihood(moods(part, of_part, cell, of_cell, shape, own)))


def _likelihood(moods: Moods) -> float:
    """Of counts that are negative binomial, in nats, less what depends on the counts alone."""
    counts = moods.seen.ravel()[moods.live]
    rising = np.argsort(counts, kind="stable")
    seen, mean, shape = (part[rising].astype(np.float64) for part in (np.rint(counts), moods.mean, moods.shape))
    total = float((seen * np.log(mean / (shape + mean)) - shape * np.log1p(mean / shape)).sum())
    for count in range(int(seen.max(initial=0.0))):
        total += float(np.log(shape[np.searchsorted(seen, count, "right") :] + count).sum())
    return total


def bounds(moods: Moods, spans: Floats) -> Singles:
    """[part, span, 3]: events seen, and what `table` gains at two of `ROUGH` of what was due before these speak against it.

    The gain is convex in the share that is missing, so that between the two and none at all it lies below the chords: see
    `reach`.
    """
    weight, part, columns = *_weights(moods), spans.astype(np.float32)
    sums = np.empty((len(moods.seen), spans.shape[1], 1 + len(ROUGH)), np.float32)
    sums[:, :, 0] = moods.seen @ columns
    surprise = np.zeros(moods.seen.shape, np.float32)
    for number, share in enumerate(ROUGH.astype(np.float32), start=1):
        surprise.ravel()[moods.live] = weight * np.log1p((share - np.float32(1.0)) * part)
        sums[:, :, number] = -(surprise @ columns)
    return sums


def _weights(moods: Moods) -> tuple[Singles, Singles]:
    """[place]: what a surprise weighs, and which part of shape and mean the mean is."""
    return moods.shape + moods.seen.ravel()[moods.live], moods.mean / (moods.shape + moods.mean)


def reach(bounds: Floats, usual: Floats, size: Floats) -> Floats:
    """What `missing_nats` of the same counts do not exceed, from [slice, window, 3] sums of `bounds`."""
    seen, *gains = np.moveaxis(bounds, 2, 0)
    missing = np.concatenate([1.0 - ROUGH, [0.0]])
    knots = [*gains, np.zeros_like(seen)]
    most = np.full(seen.shape, -np.inf)
    for share in SHARES:
        upper = max(int(np.searchsorted(-missing, share - 1.0, "right")) - 1, 0)
        part = (missing[upper] - (1.0 - share)) / (missing[upper] - missing[upper + 1])
        gain = knots[upper] + part * (knots[upper + 1] - knots[upper])
        told = seen * np.log(share) + gain * (1.0 + _ROUNDED)
        most = np.maximum(most, np.where(share <= _BELOW * usual * (1.0 + _ROUNDED), told, -np.inf))
    return np.asarray(most + 0.5 * size * np.log(usual) ** 2 + _ROUNDING)


def table(moods: Moods, spans: Floats) -> Singles:
    """[part, span, share]: log-likelihood of what was seen at each of `SHARES` of what was due, less that at all of it.

    In nats, summed over the columns of `spans` [hour, span]. Only the part is thought to be thinned: with shape k and
    mean m, v events weigh v ln s - (k + v) ln(1 - (1 - s) m / (k + m)).
    """
    weight, part, columns = *_weights(moods), spans.astype(np.float32)
    seen, surprise = moods.seen @ columns, np.zeros(moods.seen.shape, np.float32)
    sums = np.empty((*seen.shape, len(SHARES)), np.float32)
    for number, share in enumerate(SHARES.astype(np.float32)):
        surprise.ravel()[moods.live] = weight * np.log1p((share - np.float32(1.0)) * part)
        sums[:, :, number] = seen * np.log(share) - surprise @ columns
    return sums


def silence_nats(due: Floats, cell: Ints, crowd: Floats) -> Floats:
    """[leaf, hour]: what silence of a leaf adds to that of its whole cell, for events `due` and the cell's `crowd`."""
    together = np.zeros((int(cell.max(initial=-1)) + 1, due.shape[1]))
    np.add.at(together, cell, due)
    total = together[cell]
    nats = crowd * np.log1p(total / crowd)
    return np.asarray(due * np.divide(nats, total, out=np.zeros_like(total), where=total > 0))


def missing_nats(table: Floats, usual: Floats, size: Floats) -> Floats:
    """Evidence that a share is missing, from [slice, window, share] sums of `table`.

    `usual` [slice, window] is the share that is expected here and now (less than 1 on a holiday or among junk clicks),
    `size` how far the level of the slice wanders: it stays within a factor e^d of the usual at a price of size d^2 / 2.
    The best share well below the usual is held against the best explanation by wandering alone.
    """
    complete = np.concatenate([table, np.zeros((*table.shape[:2], 1))], 2)
    shares = np.append(SHARES, 1.0)
    distance = np.log(shares) - np.log(usual)[:, :, None]
    wandering = np.max(complete - 0.5 * size[:, :, None] * distance**2, 2)
    own = np.max(np.where(distance <= np.log(_BELOW) + 1e-9, complete, -np.inf), 2)
    null = np.maximum(wandering, _between(complete, shares, usual))
    return np.asarray(np.maximum(np.where(np.isfinite(own), own, null) - null, 0.0))


def _between(table: Floats, shares: Floats, at: Floats) -> Floats:
    """[slice, window]: `table` read at any share, linearly between its columns."""
    upper = np.clip(np.searchsorted(shares, at), 1, len(shares) - 1)
    low, high = shares[upper - 1], shares[upper]
    part = np.clip((at - low) / (high - low), 0.0, 1.0)
    below, above = (np.take_along_axis(table, column[:, :, None], 2)[:, :, 0] for column in (upper - 1, upper))
    return np.asarray(below + part * (above - below))
