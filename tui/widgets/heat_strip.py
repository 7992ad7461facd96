"""Heat strips and sparklines as lines: oldest left, newest right, neighbours of one role merged into one run."""

from __future__ import annotations

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
    """`strip` in `width` cells: the worst bucket of a cell wins; a short strip is padded with `·` on the left."""
    buckets = squeezed(strip, width)
    return merged(CELLS.get(code, CELLS["."]) for code in "." * (width - len(buckets)) + buckets)


def squeezed(strip: str, width: int) -> str:
    """At most `width` buckets, each the worst of as many neighbours; the newest bucket always ends the strip."""
    if width <= 0:
        return ""
    size = -(-len(strip) // width) or 1
    first = len(strip) % size
    groups = ([strip[:first]] if first else []) + [strip[at : at + size] for at in range(first, len(strip), size)]
    return "".join(max(group, key=lambda code: _WORST.get(code, 0)) for group in groups)


def spark(trend: Sequence[float], width: int, role: str = "dim") -> Line:
    """`trend` from zero to its own maximum in `width` cells, the newest figures when there are more."""
    recent = list(trend)[-width:] if width > 0 else []
    top = max(recent, default=0.0)
    drawn = "".join(_RAMP[min(int(max(value, 0.0) / top * 7.999), 7)] if top > 0 else _RAMP[0] for value in recent)
    return ((fit(drawn, width, "right"), role),)
