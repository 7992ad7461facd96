from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

from data.config.coverage import blind_spots, in_words
from data.config.home import Home
from data.config.importing import FORMATS
from data.config.load import load
from data.errors import UsageError
from tui.cli.known import presets
from tui.cli.paper import complain, paper

if TYPE_CHECKING:
    import argparse

    from data.config.settings import Settings
    from tui.cli.taking import Taken

TOLD = 20
"""Sentences of what was left out; `--json` has them all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the difference and change nothing")
    parser.add_argument(
        "--from", dest="source", metavar="FILE", help="merge what another program watches into inventory/ first"
    )
    parser.add_argument(
        "--as",
        dest="form",
        choices=FORMATS,
        default="",
        help="what FILE is (default: as it looks); - is standard input",
    )
    parser.add_argument("--kind", choices=("site", "link"), default="", help="what its targets are (default: sites)")
    parser.add_argument("--team", default="", metavar="NAME", help="the team that owns them")


def run(args: argparse.Namespace) -> int:
    """Read and check here, so that a mistake is told at once; then let the hub compare and store."""
    from tui.cli.hub import answers, ensure_running
    from tui.client import HubClient

    home = Home.find(args.home)
    if args.source is None:
        if args.form or args.kind or args.team:
            raise UsageError("--as, --kind and --team go with --from FILE")
        settings = load(home, presets=presets())
    elif (taken := _take(args, home)) is None:
        return 0
    else:
        settings = taken
    if args.dry_run and not answers(home):
        return _told(args, settings, "No hub is running, so all of it would be new.")
    ensure_running(home)
    reply = asyncio.run(HubClient(home.socket, timeout_s=120.0).command("apply", dry_run=args.dry_run))
    return _told(args, settings, reply.message)


def _take(args: argparse.Namespace, home: Home) -> Settings | None:
    """Merge the file and tell what that changes; `None` when that is all there is to do."""
    from tui.cli.taking import take

    taken = take(home, args.source, form=args.form, kind=args.kind, team=args.team)
    changes = bool(taken.merged.added or taken.merged.changed)
    if args.json:
        print(json.dumps(_as_dict(taken)))
    else:
        _tell(taken)
    if args.dry_run or not changes:
        return None
    taken.write()
    return taken.settings


def _tell(taken: Taken) -> None:
    words = taken.words()
    for line in words[:TOLD]:
        complain(line)
    if len(words) > TOLD:
        complain(f"and {len(words) - TOLD:,} more sentences like these; --json has all of them")
    sheet = paper()
    for line in taken.change.summary():
        sheet.say(line)


def _as_dict(taken: Taken) -> dict[str, object]:
    return {
        "file": str(taken.path),
        "added": taken.merged.added,
        "changed": taken.merged.changed,
        "skipped": list(taken.imported.skipped),
        "not_carried_over": list(taken.imported.notes),
        "known": list(taken.merged.known),
        "difference": list(taken.change.summary()),
    }


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
    if unseen := in_words(blind_spots(settings)):
        sheet.say(f"{unseen}.")
    return 0
