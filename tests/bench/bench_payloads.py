"""Memory and time of `losswatch check feed` over payloads of 200 MB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import feed_sizes

if TYPE_CHECKING:
    from tests.bench.figure import Figure


def run() -> list[Figure]:
    return feed_sizes.large()
