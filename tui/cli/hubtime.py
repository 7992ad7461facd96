from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui.travel import WORDS, moment_of

if TYPE_CHECKING:
    import argparse

    from tui.client import HubClient


@dataclass(frozen=True, slots=True)
class _Status:
    now: datetime


def past_option(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    parser.add_argument("--at", metavar="T", default=default, help=f"as it was then: {WORDS} (UTC)")


async def travel(client: HubClient, words: str | None) -> None:
    """Let everything that is read be about the moment of `--at`."""
    if words:
        client.at = moment_of(words, await now_of(client))


async def now_of(client: HubClient) -> datetime:
    """The hub's clock, which in a simulation is not the wall's; the moment, where one is looked at."""
    return client.at or (await client.get("/v1/status", _Status)).now
