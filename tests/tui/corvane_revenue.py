"""Corvane Media's revenue as a hub would show it: a partner silent in one country, and quiet slices beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta

from data.model.ids import CauseId, IncidentId, TargetId
from data.model.money import Loss, cents
from data.model.revenue_view import (
    AlarmRow,
    Calibration,
    EvidenceRow,
    Funnel,
    FunnelStep,
    Held,
    Mark,
    PartRow,
    ReportRow,
    RevenueView,
    Watched,
)
from data.model.snapshot import BandPoint, TargetDetail
from data.model.state import State
from data.model.target import name_of
from tests.tui import corvane
from tests.tui.corvane import NOW

HOURS = {"6h": 6, "24h": 24, "7d": 168, "28d": 672}
HOUR = NOW.replace(minute=0, second=0)
BEGAN = HOUR - timedelta(hours=3)


def before(hours: float) -> datetime:
    return HOUR - timedelta(hours=hours)


def noise(at: int, size: float) -> float:
    """The same luck every time."""
    return size * (math.sin(at * 12.9898) + 0.6 * math.sin(at * 78.233 + 1.3))


def series(
    window: str = "24h", *, base: float = 60.0, luck: float = 0.3, fails: int = 0, untold: int = 1, failed: tuple[int, int] = (0, 0)
) -> tuple[BandPoint, ...]:  # fmt: skip
    """Hour by hour: `fails` hours of silence at the end, the last `untold` not reported, `failed` an earlier failure."""
    points = []
    for back in range(HOURS[window], 0, -1):
        at = before(back - 1)
        day = at.timetuple().tm_yday + at.hour / 24
        expected = base * (1 + 0.45 * math.sin((at.hour - 9) / 24 * 2 * math.pi)) * (1.15 if at.weekday() >= 5 else 1.0)
        actual = max(expected * (1 + noise(int(day * 24), luck)), 0.0)
        if back - 1 < fails + untold or failed[0] >= back > failed[1]:
            actual *= 0.02
        spread = 1.28 * math.sqrt(expected * base) * 0.45
        points.append(
            BandPoint(
                at,
                expected,
                max(expected - spread, 0.0),
                expected + spread,
                None if back <= untold else round(actual, 2),
            )
        )
    return tuple(points)


LOSS = Loss(cents(181.2), cents(152.0), cents(210.5), cents(60.4), cents(50.7), cents(70.1), recoverable=cents(24))
MARKS = (
    Mark(BEGAN, "alarm", "clicks go on, FTD stopped"),
    Mark(before(4), "deploy", "deploy aurora 8f31c0"),
    Mark(before(17), "sport", "Derby in Hamburg", before(14)),
    Mark(before(22), "restated", "1.2 % fewer FTD"),
    Mark(before(200), "alarm", "FTD stopped", before(190)),
    Mark(before(260), "holiday", "St Martin's Day", before(236)),
    Mark(before(500), "promotion", "double cashback", before(452)),
)
EVIDENCE = (
    EvidenceRow(before(1), "ftd", 3, 0, 5.8, 10.0, 5.0, "link p05-drakkenspin-de fails from DE since 08:40Z"),
    EvidenceRow(before(2), "ftd", 2, 0, 3.9, 6.6, 5.0, "link p05-drakkenspin-de fails from DE since 08:40Z"),
    EvidenceRow(before(3), "regs", 6, 14, 21.4, 2.1),
    EvidenceRow(before(9), "ftd", 24, 31, 35.2, 0.4, why="2 hours not reported left out"),
)
FUNNEL = Funnel(
    BEGAN, HOUR,
    (FunnelStep("own clicks", 412, 405.2, 378, 432), FunnelStep("partner clicks", 371, 371.1, 350, 392), FunnelStep("registrations", 29, 31.2, 24, 39),
     FunnelStep("FTD", 0, 5.8, 2, 9, moved=True), FunnelStep("commission", 0.0, 181.2, 92, 284, moved=True)),
    "FTD", "cashier, KYC or a changed definition of an FTD", "affiliate manager",
)  # fmt: skip


def slice_target(where: dict[str, str]) -> TargetId:
    return TargetId(
        "slice:"
        + ",".join(f"{dim}={where[dim]}" for dim in ("partner", "offer", "geo", "site", "team") if dim in where)
    )


def part(dim: str, value: str, seen: float, expected: float, share: float | None, nats: float) -> PartRow:
    return PartRow(
        slice_target({"partner": "P05", "geo": "DE", dim: value}),
        dim,
        value,
        seen,
        expected,
        share,
        nats,
        cents(expected - seen) if expected else None,
    )


PARTS = (
    part("offer", "welcome", 0.0, 142.6, 0.0, 8.1), part("offer", "slots", 0.0, 31.0, 0.0, 1.7), part("offer", "live", 9.2, 7.6, None, 0.0),
    part("site", "aurora-001", 0.0, 88.3, 0.0, 4.4), part("site", "aurora-004", 0.0, 61.9, 0.0, 3.1), part("site", "aurora-017", 0.0, 20.4, None, 0.8),
    part("team", "aurora", 0.0, 164.8, 0.0, 9.2), part("team", "kestrel", 9.2, 16.4, None, 0.2),
)  # fmt: skip
REPORTS = (ReportRow("P05", before(0), corvane.ago(22), 1.2),)
SILENT = RevenueView(
    {"partner": "P05", "geo": "DE"}, BEGAN, HOUR, CauseId("revenue.silence"), 15.0, 15.0, "over a million to 1", LOSS, None, 4.4, 1.0, FUNNEL,
    EVIDENCE, MARKS, REPORTS, PARTS,
)  # fmt: skip
CALM = RevenueView(
    {"partner": "P07"}, before(24), HOUR, nats=1.3, page_nats=15.0, odds="3.7 to 1", fires_after_h=1.6, reports=(ReportRow("P07", before(0), corvane.ago(9), 0.2),),
    evidence=(EvidenceRow(before(1), "regs", 12, 171, 188.4, 1.3),), marks=MARKS[2:3],
    funnel=Funnel(before(24), HOUR, tuple(replace(step, seen=(step.expected or 0.0) * 0.98, moved=False) for step in FUNNEL.steps)),
    parts=tuple(replace(PARTS[0], target=TargetId(f"slice:partner=P07,geo={geo}"), dim="geo", value=geo, share=share, nats=0.4, seen=seen, expected=seen / share, lost=cents(seen / share - seen))
                for geo, share, seen in (("BR", 1.04, 1410.0), ("MX", 0.93, 604.2), ("CL", 1.11, 233.0))),
)  # fmt: skip
WAITING = replace(
    CALM, slice={"partner": "P04"}, nats=0.0, odds="", evidence=(), funnel=None, parts=(), common=0.62,
    reports=(ReportRow("P04", before(12), corvane.ago(690), 7.5, waiting=True),), fires_after_h=None,
)  # fmt: skip
BLIND = replace(
    WAITING, slice={"partner": "P10"}, common=1.0, loss=replace(Loss(), unseen=cents(30), unseen_per_hour=cents(75.1)), cause=CauseId("revenue.blind")
)  # fmt: skip
SHARED = replace(
    SILENT, slice={"partner": "P02"}, counted_in=IncidentId(412), loss=replace(LOSS, per_hour=cents(128.9), per_hour_lo=cents(101), per_hour_hi=cents(159))
)  # fmt: skip


def of_slice(whole: TargetDetail, window: str = "24h") -> TargetDetail:
    """What only a slice's detail has: failing ones are silent, the others are fine."""
    whole = replace(whole, check=(), band_unit="EUR", notes=())
    if whole.row.state is State.FAILING:
        view = SILENT if whole.row.partner == "P05" else SHARED
        return replace(whole, band=series(window, fails=3, failed=(200, 190)), revenue=view)
    return replace(whole, band=series(window, base=175, luck=0.12), revenue=replace(CALM, slice={"partner": whole.row.partner}))  # fmt: skip


def of_part(target: str, window: str = "24h") -> TargetDetail:
    """A slice that no list has, as one drills into it."""
    where = dict(pair.split("=") for pair in name_of(TargetId(target)).split(","))
    row = replace(corvane.SLICES[0], target=TargetId(target), name=" ".join(where.values()))
    deeper = tuple(
        replace(one, target=slice_target({**where, one.dim: one.value})) for one in PARTS[3:5] if "site" not in where
    )
    view = replace(SILENT, slice=where, parts=deeper)
    return replace(of_slice(corvane.detail(row), window), revenue=view)


def hidden(whole: TargetDetail) -> TargetDetail:
    """The same for a reader who may see ratios alone."""
    view = whole.revenue
    assert view is not None
    funnel = view.funnel and replace(view.funnel, steps=tuple(
        replace(step, seen=(step.seen or 0.0) / (step.expected or 1.0), expected=1.0, lo=None, hi=None) if step.name == "commission" else step
        for step in view.funnel.steps
    ))  # fmt: skip
    shares = tuple(
        BandPoint(one.at, 1.0, one.lo / one.expected, one.hi / one.expected, None if one.actual is None else one.actual / one.expected)
        for one in whole.band
    )  # fmt: skip
    parts = tuple(replace(one, seen=None, expected=None, lost=None) for one in view.parts)
    row = replace(whole.row, value=None, expected=None, loss_per_hour=None, trend=())
    return replace(
        whole, row=row, band=shares, band_unit="share", revenue=replace(view, loss=None, funnel=funnel, parts=parts)
    )


WATCHED = tuple(
    Watched(TargetId(f"slice:{','.join(f'{dim}={value}' for dim, value in where.items())}"), where, channel, nats, seen, expected, corvane.ago(minutes), cents(cost))
    for where, channel, nats, seen, expected, minutes, cost in (
        ({"partner": "P03", "geo": "CZ"}, "ftd", 13.9, 2, 11.4, 612, 31.2), ({"partner": "P07", "offer": "sports", "geo": "MX"}, "regs", 13.1, 21, 44.0, 420, 9.4),
        ({"geo": "UK", "site": "delta-102"}, "ftd", 12.6, 0, 6.8, 1310, 14.8), ({"partner": "P06"}, "value", 12.2, 4, 0.2, 95, 55.0),
        ({"team": "delta", "site": "delta-017"}, "clicks", 12.0, 140, 388.0, 240, 4.1),
    )
)  # fmt: skip
ALARMS = tuple(
    AlarmRow(f"a{at}", TargetId(f"slice:{name}"), CauseId(cause), before(hours), before(hours + 5), None if status == "open" else before(hours - lasted), status, nats,
             *(None if figure is None else cents(figure) for figure in (first, lo, hi, last)), verdict)
    for at, (name, cause, hours, lasted, status, nats, first, lo, hi, last, verdict) in enumerate((
        ("partner=P05,geo=DE", "revenue.silence", 1, 0, "open", 15.0, 181.2, 152.0, 210.5, 181.2, ""),
        ("partner=P02", "revenue.drop", 9, 7, "closed", 22.4, 840.0, 610.0, 1090.0, 902.4, "confirmed"),
        ("geo=NO,team=aurora", "revenue.drop", 74, 3, "withdrawn", 16.2, 120.0, 60.0, 190.0, 0.0, ""),
        ("partner=P06,offer=welcome", "revenue.value", 201, 26, "closed", 41.0, 2310.0, 2100.0, 2520.0, 2604.1, "confirmed"),
        ("partner=P09,geo=CA", "revenue.leak", 420, 91, "closed", 15.8, 310.0, 120.0, 560.0, 388.0, "false"),
        ("partner=P01", "revenue.silence", 511, 11, "closed", 19.9, None, None, None, 77.0, ""),
    ))
)  # fmt: skip
CALIBRATION = Calibration(
    date(2026, 10, 20), date(2026, 11, 17), 14, 1,
    (Held("P01", 26, 21, 0.8), Held("P02", 26, 19, 0.8), Held("P03", 26, 15, 0.8), Held("P06", 26, 26, 0.8), Held("P09", 9, 6, 0.8), Held("all together", 26, 21, 0.8)),
    Held("first estimates of a loss", 12, 9, 0.8), ALARMS,
)  # fmt: skip
