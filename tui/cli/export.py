from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from data.config.exporting import export
from data.config.home import Home
from data.config.importing import FORMATS
from data.config.load import load
from data.durable import replace_text
from data.model.target import TargetKind
from tui.cli.known import presets
from tui.cli.paper import complain, paper

if TYPE_CHECKING:
    import argparse

KINDS = {"sites": TargetKind.SITE, "links": TargetKind.LINK}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=KINDS, help="which targets of the configuration")
    parser.add_argument("--to", dest="form", choices=FORMATS, default="csv", help="for whom (default: csv)")
    parser.add_argument("--out", metavar="FILE", help="write there; a file that stood there is kept as .bak")
    parser.add_argument("--team", default="", metavar="NAME", help="only the targets of this team")


def run(args: argparse.Namespace) -> int:
    """Write what is configured; needs no hub."""
    settings = load(Home.find(args.home), presets=presets())
    targets = [target for target in settings.targets if not args.team or target.team == args.team]
    done = export(targets, KINDS[args.what], args.form)
    for line in done.notes:
        complain(line)
    if args.out is None:
        print(done.text, end="")
        return 0
    replace_text(Path(args.out).absolute(), done.text)
    if args.json:
        print(json.dumps({"file": args.out, "count": done.count, "not_carried_over": list(done.notes)}))
    else:
        paper().say(f"Wrote {done.count:,} {args.what} to {args.out}.")
    return 0
