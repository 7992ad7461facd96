from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING

from data.config.home import Home
from data.errors import ConfigError, HubUnreachable
from tui.cli.hubtime import past_option, travel
from tui.cli.paper import paper, shows_utf8

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from data.model.snapshot import Snapshot

PIPE_WIDTH = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_looks(parser)
    past_option(parser)


def add_looks(parser: argparse.ArgumentParser) -> None:
    """How the dashboard is drawn; the demo has these too, and an `--at` of its own."""
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--ascii", action="store_true", help="ASCII only (by itself in a locale without UTF-8)")
    parser.add_argument("--lite", action="store_true", help="for slow lines: fewer colours, fewer updates")
    parser.add_argument("--theme", default="", metavar="NAME", help="one of the colour themes")
    parser.add_argument("--no-bell", action="store_true", help="no ring for a new SEV1 or SEV2, and no title")


def run(args: argparse.Namespace) -> int:
    """The dashboard; without a terminal the Overview as text."""
    from tui.cli.hub import answers, ensure_running

    home = Home.find(args.home)
    if not answers(home):
        if not home.toml.exists():
            words = "does not exist. Start with: losswatch init (or look around first: losswatch demo)"
            raise ConfigError(home.toml, None, words)
        ensure_running(home)
    ascii_only = args.ascii or not shows_utf8()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _as_text(home, args.at, ascii_only=ascii_only, as_json=args.json)
    at = asyncio.run(_moment(home, args.at)) if args.at else None

    gc.disable()  # until the first frame: a start makes much and drops little
    from tui.app import run as run_app

    return run_app(
        home,
        mouse=not args.no_mouse,
        ascii_only=ascii_only,
        lite=args.lite,
        theme=args.theme,
        at=at,
        bell=not args.no_bell,
    )


def _as_text(home: Home, at: str | None = None, *, ascii_only: bool, as_json: bool) -> int:
    from data.model.codec import to_json
    from tui.overview_text import render

    snapshot = asyncio.run(_past_snapshot(home, at) if at else _first_snapshot(home))
    text = to_json(snapshot).decode() + "\n" if as_json else render(snapshot, paper().width or PIPE_WIDTH, ascii_only)
    print(text, end="")
    return 0


async def _moment(home: Home, words: str) -> datetime | None:
    from tui.client import HubClient

    client = HubClient(home.socket)
    await travel(client, words)
    return client.at


async def _past_snapshot(home: Home, words: str) -> Snapshot:
    from data.model.snapshot import Snapshot
    from tui.client import HubClient

    client = HubClient(home.socket)
    await travel(client, words)
    return await client.get("/v1/snapshot", Snapshot)


async def _first_snapshot(home: Home) -> Snapshot:
    from tui.client import HubClient

    async for line in HubClient(home.socket).events():
        if line.snapshot is not None:
            return line.snapshot
    raise HubUnreachable("The hub sent no picture. Try: losswatch hub status")
