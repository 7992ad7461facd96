"""Heat strips and sparklines as lines: oldest left, newest right, neighbours of one role merged into one run."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tui.lines import Line, fit, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

CELLS = {
    "o": ("▂", "dim"),
    "d": ("▅", "warn"),
    "f": ("█", "bad"),
    "u": ("╌", "dim"),
    "p": ("░", "dim"),
    ".": ("·", "dim"),
}
"""Height and colour both grow with badness, so that a strip survives one colour."""
_WORST = {code: rank for rank, code in enumerate(".poudf")}
_RAMP = "▁▂▃▄▅▆▇█"


def heat(strip: str, width: int) -> Line:
    """`strip` in `width` cells: the worst bucket of a cell wins."""
    return merged(CELLS.get(code, CELLS["."]) for code in resampled(strip, width))


def resampled(strip: str, width: int) -> str:
    """`width` codes over the whole span: each the worst of the buckets it covers, or a share of one."""
    if width <= 0:
        return ""
    if not strip:
        return "." * width
    count = len(strip)
    edges = [at * count // width for at in range(width + 1)]
    return "".join(
        max(strip[start : max(end, start + 1)], key=lambda code: _WORST.get(code, 0))
        for start, end in itertools.pairwise(edges)
    )


def spark(trend: Sequence[float], width: int, role: str = "dim") -> Line:
    """`trend` from zero to its own maximum in `width` cells, the newest figures when there are more."""
    recent = list(trend)[-width:] if width > 0 else []
    top = max(recent, default=0.0)
    drawn = "".join(_RAMP[min(int(max(value, 0.0) / top * 7.999), 7)] if top > 0 else _RAMP[0] for value in recent)
    return ((fit(drawn, width, "right"), role),)
