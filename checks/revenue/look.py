"""Everything that is read of one slice at one moment, for those who show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import views
from checks.revenue.cube import hour_of, moment_of
from data.model.revenue_view import ReportRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.revenue.cube import Cube, Ints
    from checks.revenue.reading import Reader, Share, Window
    from data.model.snapshot import BandPoint

NO_GRACE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Look:
    windows: tuple[Window, ...]
    """Of each channel the strongest that ends now, strongest first."""
    parts: tuple[Share, ...]
    band: tuple[BandPoint, ...]
    reports: tuple[ReportRow, ...]
    fires_after_h: float | None
    page_nats: float
    common: float
    """What moves everybody now."""
    expected_per_hour: float
    """Commission that the calendar expects of the running hour."""
    partners: tuple[str, ...]
    geos: tuple[str, ...]


def look_at(
    reader: Reader,
    leaves: Ints,
    where: Mapping[str, str],
    span: tuple[datetime, datetime],
    window: tuple[datetime, datetime],
    page_nats: float,
    grace: timedelta = NO_GRACE,
) -> Look:
    """`leaves` are the slice, or the part of it that the reader may see; `span` is what its parts are about.

    The book's receipts came `grace` earlier than it knows.
    """
    cube = reader.cube
    week = views.coming_week(cube, reader.model, cube.top)
    known = leaves[leaves < len(reader.model.value)]
    partners = np.unique(cube.codes_of("partner")[leaves]).tolist()
    geos = np.unique(cube.codes_of("geo")[leaves]).tolist()
    return Look(
        windows=reader.windows(leaves),
        parts=reader.parts(leaves, where, hour_of(span[0]), min(hour_of(span[1]), cube.top)),
        band=reader.band(leaves, hour_of(window[0]), hour_of(window[1])),
        reports=tuple(row for number in partners if (row := _report(cube, number, grace))),
        fires_after_h=views.silence_h(week, leaves, page_nats),
        page_nats=page_nats,
        common=reader.common.get(cube.top - 1, 1.0),
        expected_per_hour=float(week.ftd[known, 0] @ reader.model.value[known]),
        partners=tuple(cube.names_of("partner")[number] for number in partners),
        geos=tuple(cube.names_of("geo")[number] for number in geos),
    )


def _report(cube: Cube, partner: int, grace: timedelta) -> ReportRow | None:
    found = views.reported(cube, partner)
    if found is None:
        return None
    last = None if found.last_s is None else datetime.fromtimestamp(found.last_s, UTC) - grace
    usual_h = max(found.usual_h - grace / timedelta(hours=1), 0.0)
    return ReportRow(found.partner, moment_of(found.covered), last, round(usual_h, 2), found.late)
