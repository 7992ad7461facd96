from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

from data.config.home import Home
from data.config.load import load
from tui.cli.known import presets
from tui.cli.paper import paper

if TYPE_CHECKING:
    import argparse

    from data.config.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the difference and change nothing")


def run(args: argparse.Namespace) -> int:
    """Read and check here, so that a mistake is told at once; then let the hub compare and store."""
    from tui.cli.hub import answers, ensure_running
    from tui.client import HubClient

    home = Home.find(args.home)
    settings = load(home, presets=presets())
    if args.dry_run and not answers(home):
        return _told(args, settings, "No hub is running, so all of it would be new.")
    ensure_running(home)
    reply = asyncio.run(HubClient(home.socket, timeout_s=120.0).command("apply", dry_run=args.dry_run))
    return _told(args, settings, reply.message)


def counted(settings: Settings) -> str:
    """`1,180 sites, 760 links, 11 feeds` of a configuration."""
    counts = Counter(target.kind for target in settings.targets)
    words = [f"{count:,} {kind.value}{'' if count == 1 else 's'}" for kind, count in counts.items()]
    return ", ".join(words) or "no targets"


def _told(args: argparse.Namespace, settings: Settings, message: str) -> int:
    if args.json:
        print(
            json.dumps({"valid": True, "targets": len(settings.targets), "dry_run": args.dry_run, "message": message})
        )
        return 0
    sheet = paper()
    sheet.say(f"{settings.company.name}: {counted(settings)}.")
    for line in message.splitlines():
        sheet.say(line)
    return 0
