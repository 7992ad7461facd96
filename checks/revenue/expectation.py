"""What clicks should bring: conversion rates, values and click levels, learned from what is visible.

Rates are pooled multiplicatively over the dimensions (iterative proportional fitting with Gamma shrinkage), then each
leaf departs from its pooled rate as far as its own counts carry it; an hour-of-week profile multiplies all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import bursts, crowds
from checks.revenue.cube import AGES_H, DAY_H, WEEK_H
from checks.revenue.past import HALF_LIFE_H, Channel, Past, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.revenue.bursts import Bursts
    from checks.revenue.cube import Cube, Floats, Ints

FIT_H = 35 * DAY_H
LEVEL_HALF_LIFE_H = 7 * DAY_H
_ROUNDS = 8
_POOL = 10.0
"""Pseudo-conversions that hold a dimension's factor at 1."""
_LEAF = 15.0
"""Pseudo-conversions that hold a leaf at its pooled rate."""
_PROFILE = 40.0
"""Pseudo-conversions that hold an hour of the week at 1."""
_CLICK_PROFILE = 30.0
"""Pseudo-clicks per hour of the week that hold a group's click profile at its parent's."""
_ALTERNATIONS = 4
_LEAST_LOW = 0.01
_ENOUGH_VALUES = 50
_PRIOR = 10.0
"""Pseudo-conversions a configured EPC weighs against a partner's own history."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One day's model; all per leaf unless said otherwise."""

    hour: int
    """Epoch hour it was made."""
    history_h: int
    """Hours of history it saw."""
    ftd_rate: Floats
    """FTD per click, on average over bursts as they usually come."""
    reg_rate: Floats
    ftd_single: Floats
    """FTD per click before the factor of bursts."""
    reg_single: Floats
    ftd_bursts: Bursts
    reg_bursts: Bursts
    ftd_crowds: Floats
    """By size class of a cell's clicks: how much the FTD of a cell and hour come together (`checks.revenue.crowds`)."""
    reg_crowds: Floats
    value: Floats
    """Commission per FTD."""
    value_cv2: Floats
    """Squared coefficient of variation of the commission of one FTD."""
    low_value: Floats
    """Commission per FTD below which an hour counts as worthless."""
    low_share: Floats
    """Share of FTD that were below it."""
    ftd_seen: Floats
    """Weighted FTD in history: what the rate rests on."""
    regs_seen: Floats
    clicks_level: Floats
    """Clicks an hour, on average over the week."""
    profile: Floats
    """[168] of conversion rates by hour of the week, mean 1."""
    click_profile: Floats
    """[leaf, 168] of clicks, mean 1."""
    arrival: Floats
    """[partner, age]: share of FTD visible this many hours after their report."""

    def usual_clicks(self, hours: Ints) -> Floats:
        """[leaf, hour]: clicks the calendar expects."""
        shape = np.take(
            self.click_profile, hours % WEEK_H, axis=1
        )  # an index would lay it out hour by hour, and be slow
        return np.asarray(self.clicks_level[:, None] * shape)


def fit(cube: Cube, epc: Mapping[str, float]) -> Fit:
    """Learn from the last 35 days of `cube`, newest weighing most (half-life 21 days); incidents left out.

    `epc` is the configured commission per click by partner, believed while a partner's history is thin.
    """
    top, leaves = cube.top, cube.leaves
    low, high = cube.columns(top - FIT_H, top)
    since, until = cube.kept(top - FIT_H, top)
    hours = np.arange(since, until)
    partner = cube.codes_of("partner")
    arrival = arrival_curve(cube)
    past = Past(
        cube=cube,
        hours=hours,
        usable=cube.received(since, until)[partner] & ~cube.masked[:leaves, low:high],
        recency=0.5 ** ((top - hours) / HALF_LIFE_H),
        partner=partner,
        cell=bursts.cells(cube),
    )
    clicks = cube.measure("clicks", since, until)
    visible = _visible(cube, arrival, since, until)
    sizes = bursts.sizes(clicks, past.cell)
    by_ftd = _per_click(Channel(past, "ftd", visible, *sizes), with_profile=len(hours) >= 2 * WEEK_H)
    by_regs = _per_click(Channel(past, "regs", np.ones(visible.shape), *sizes), with_profile=False)
    ftd_rate = by_ftd.average
    value = _values(past.total("revenue"), by_ftd.seen, cube)
    low_value, low_share = _worthless(past)
    level, click_profile = _click_model(clicks, hours, top, cube)
    value = _with_prior(value, ftd_rate, by_ftd.seen, partner, cube, epc)
    return Fit(
        hour=top,
        history_h=int(clicks.any(0).sum()),
        ftd_rate=ftd_rate,
        reg_rate=by_regs.average,
        ftd_single=by_ftd.single,
        reg_single=by_regs.single,
        ftd_bursts=by_ftd.bursts,
        reg_bursts=by_regs.bursts,
        ftd_crowds=by_ftd.crowds,
        reg_crowds=by_regs.crowds,
        value=value,
        value_cv2=_value_cv2(past, value),
        low_value=low_value,
        low_share=low_share,
        ftd_seen=by_ftd.seen,
        regs_seen=by_regs.seen,
        clicks_level=level,
        profile=by_ftd.profile,
        click_profile=click_profile,
        arrival=arrival,
    )


@dataclass(frozen=True, slots=True)
class _PerClick:
    single: Floats
    average: Floats
    bursts: Bursts
    profile: Floats
    crowds: Floats
    seen: Floats


def _per_click(channel: Channel, *, with_profile: bool) -> _PerClick:
    """Rates of leaves, hours of the week and sizes of burst that explain the counts of a channel together."""
    past = channel.past
    effect, profile, week = bursts.none(past.cube), np.ones(WEEK_H), past.hours % WEEK_H
    flat = np.ones(len(week))
    seen, by_hour = channel.seen()
    exposed = channel.earned(effect, flat)
    single = _rates(seen, exposed, past.cube)
    for _ in range(_ALTERNATIONS):
        if with_profile:
            profile = _profile(by_hour, channel.due_by_hour(effect, single), past.hours)
        effect = bursts.refined(effect, partial(channel.told, profile[week], single))
        single = _rates(seen, channel.earned(effect, profile[week]), past.cube)
    usual = np.divide(channel.earned(effect, flat) + 1.0, exposed + 1.0)
    crowd = crowds.learned(*channel.by_cell(effect, profile[week], single))
    return _PerClick(single, single * usual, effect, profile, crowd, seen)


def of_all(figures: Floats, leaves: int) -> Floats:
    """A model's [leaf, ...] figures of all leaves there are now: 0 for those it has not met."""
    known = np.zeros((leaves, *figures.shape[1:]))
    known[: len(figures)] = figures
    return known


def arrival_curve(cube: Cube) -> Floats:
    """[partner, age]: cumulative share of FTD by hours since the report, shrunk to all partners together."""
    counts = cube.arrived
    total = counts.sum(0)
    common = np.cumsum(total) / total.sum() if total.sum() > 0 else np.ones(AGES_H)
    pooled = np.cumsum(counts, 1) + 50.0 * common
    curve: Floats = np.maximum(pooled / pooled[:, -1:], 0.05)
    return curve


def _visible(cube: Cube, arrival: Floats, since: int, until: int) -> Floats:
    """[partner, hour]: share of an hour's FTD that should be visible by now."""
    low, high = cube.columns(since, until)
    hours = np.arange(*cube.kept(since, until))
    told = np.minimum(cube.receipt_s[:, low:high], cube.now_s)
    silent = ~(cube.receipt_s <= cube.now_s).any(1)
    told[silent] = (hours + 1) * 3600
    age = np.clip((cube.now_s - told) // 3600, 0, AGES_H - 1)
    share: Floats = np.take_along_axis(arrival, age, 1)
    return share


def visible_share(cube: Cube, model: Fit, since: int, until: int) -> Floats:
    """[partner, hour] of `Fit.arrival` at each hour's age now; partners the model has not met count as complete."""
    missing = len(cube.arrived) - len(model.arrival)
    arrival = np.concatenate([model.arrival, np.ones((missing, AGES_H))]) if missing else model.arrival
    return _visible(cube, arrival, since, until)


def _rates(counts: Floats, exposure: Floats, cube: Cube) -> Floats:
    """Counts per exposure of each leaf, pooled over the dimensions and shrunk by counts."""
    if exposure.sum() <= 0 or counts.sum() <= 0:
        return np.zeros(cube.leaves)
    overall = counts.sum() / exposure.sum()
    factors = [np.ones(len(names)) for names in cube.names]
    for _ in range(_ROUNDS):
        for dim, codes in enumerate(cube.codes):
            rest = exposure * overall
            for other, factor in enumerate(factors):
                if other != dim:
                    rest = rest * factor[cube.codes[other]]
            size = len(factors[dim])
            observed = np.bincount(codes, counts, size) + _POOL
            factors[dim] = observed / (np.bincount(codes, rest, size) + _POOL)
    pooled = np.full(cube.leaves, overall)
    for dim, codes in enumerate(cube.codes):
        pooled *= factors[dim][codes]
    rates: Floats = pooled * (counts + _LEAF) / (exposure * pooled + _LEAF)
    return rates


def _values(revenue: Floats, ftd: Floats, cube: Cube) -> Floats:
    """Commission per FTD: rates of money counted in average FTDs; who took back more than they paid are worth nothing."""
    revenue = np.maximum(revenue, 0.0)
    average = revenue.sum() / ftd.sum() if ftd.sum() > 0 else 0.0
    return _rates(revenue / average, ftd, cube) * average if average > 0 else np.zeros(cube.leaves)


def _profile(counts: Floats, expected: Floats, hours: Ints) -> Floats:
    """[168] of observed over expected by hour of the week, each hour lent to by its neighbours' days."""
    week = hours % WEEK_H
    observed, due = np.bincount(week, counts, WEEK_H), np.bincount(week, expected, WEEK_H)
    day = np.arange(WEEK_H) % DAY_H
    daily = (np.bincount(day, observed, DAY_H) + _PROFILE) / (np.bincount(day, due, DAY_H) + _PROFILE)
    profile: Floats = daily[day] * (observed + _PROFILE) / (due * daily[day] + _PROFILE)
    return profile


def _click_model(clicks: Floats, hours: Ints, top: int, cube: Cube) -> tuple[Floats, Floats]:
    """Level of each leaf over the newest weeks, and the hour-of-week shape of its partner and GEO."""
    weight = 0.5 ** ((top - hours) / LEVEL_HALF_LIFE_H)
    level = np.concatenate([(clicks[rows] * weight).sum(1) for rows in some_of(len(clicks))] or [np.zeros(0)])
    level /= max(weight.sum(), 1e-9)
    week = hours % WEEK_H
    present = np.bincount(week, minlength=WEEK_H)
    group = bursts.cells(cube)
    by_hour = np.zeros((int(group.max(initial=-1)) + 1, len(hours)))
    np.add.at(by_hour, group, clicks)
    by_week = np.zeros((len(by_hour), WEEK_H))
    np.add.at(by_week.T, week, by_hour.T)
    everyone = _shape(by_week.sum(0)[None], present, np.ones((1, WEEK_H)))
    return level, _shape(by_week, present, everyone)[group]


def _shape(clicks: Floats, present: Ints, parent: Floats) -> Floats:
    """[group, 168] with mean 1: clicks by hour of the week, shrunk to `parent`."""
    mean = clicks.sum(1, keepdims=True) / max(present.sum(), 1)
    shaped = (clicks + _CLICK_PROFILE * parent) / (mean * present + _CLICK_PROFILE)
    normal: Floats = shaped / shaped.mean(1, keepdims=True)
    return normal


def _worthless(past: Past) -> tuple[Floats, Floats]:
    """Per leaf: half the 2 % quantile of commission per FTD at its offer, and the share of FTD below it."""
    cube = past.cube
    offer = cube.codes_of("offer")
    ftd, revenue = past.measure("ftd"), past.measure("revenue")
    leaf, column = np.nonzero((ftd > 0) & past.usable)
    each = revenue[leaf, column] / ftd[leaf, column]
    line = np.zeros(len(cube.names_of("offer")))
    share = np.full(len(line), _LEAST_LOW)
    for number in range(len(line)):
        paid = each[offer[leaf] == number]
        if len(paid) >= _ENOUGH_VALUES:
            line[number] = 0.5 * np.quantile(paid, 0.02)
            share[number] = max(1.5 * float((paid < line[number]).mean()), _LEAST_LOW)
    return line[offer], share[offer]


def _value_cv2(past: Past, value: Floats) -> Floats:
    """Squared coefficient of variation of one FTD's commission, by offer, from how hours scatter around the mean."""
    cube = past.cube
    offer = cube.codes_of("offer")
    scattered, hours = np.zeros(cube.leaves), np.zeros(cube.leaves)
    for rows in past.blocks():
        ftd, revenue, worth = past.measure("ftd")[rows], past.measure("revenue")[rows], value[rows, None]
        used = (ftd > 0) & past.usable[rows] & (worth > 0)
        scaled = np.divide(revenue, worth, out=np.zeros(revenue.shape), where=used)
        scattered[rows] = np.divide((scaled - ftd) ** 2, ftd, out=np.zeros(revenue.shape), where=used).sum(1)
        hours[rows] = used.sum(1)
    size = len(cube.names_of("offer"))
    pooled = scattered.sum() / max(hours.sum(), 1)
    by_offer = (np.bincount(offer, scattered, size) + 20 * pooled) / (np.bincount(offer, hours, size) + 20)
    return np.asarray(by_offer[offer])


def _with_prior(
    value: Floats, rate: Floats, seen: Floats, partner: Ints, cube: Cube, epc: Mapping[str, float]
) -> Floats:
    """Values bent towards the configured EPC where a partner's own FTD are few."""
    told = np.array([epc.get(name, 0.0) for name in cube.names_of("partner")])[partner]
    count = np.bincount(partner, seen, len(cube.names_of("partner")))[partner]
    prior = np.divide(told, rate, out=np.zeros_like(value), where=rate > 0)
    blended = (count * value + _PRIOR * prior) / (count + _PRIOR)
    return np.where((told > 0) & (rate > 0), blended, value)
