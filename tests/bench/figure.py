from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number beside its peer's, from the same run."""

    what: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    note: str = ""

    def line(self) -> str:
        ratio = f"{self.value / self.peer_value:6.2f}x" if self.peer_value else "      -"
        peer = f"{self.peer} {self.peer_value:,.2f} {self.unit}" if self.peer_value is not None else "-"
        return f"{self.what:<52} {self.value:>12,.2f} {self.unit:<10} {ratio}  {peer:<44} {self.note}"


def told(figures: list[Figure]) -> list[Figure]:
    """A long benchmark tells what it knows on stderr at once."""
    for figure in figures:
        print(figure.line(), file=sys.stderr, flush=True)
    return figures
