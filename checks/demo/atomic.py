from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace(place: Path, body: bytes) -> None:
    """Write a whole file so that nobody ever sees half of it."""
    hidden = place.with_name(f".{place.name}.tmp")
    hidden.write_bytes(body)
    hidden.replace(place)
