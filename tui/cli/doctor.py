from __future__ import annotations

import json
from typing import TYPE_CHECKING

from data.config.home import Home
from data.model.state import State
from tui.cli.checkup import examine
from tui.cli.paper import paper

if TYPE_CHECKING:
    import argparse

_WORDS = {State.OK: "ok", State.DEGRADED: "warn", State.FAILING: "bad"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`doctor` has no options of its own."""


def run(args: argparse.Namespace) -> int:
    """One line for each part of the installation, with the next step where one is needed."""
    home = Home.find(args.home)
    sheet = paper()
    worst = State.OK
    for item in examine(home):
        worst = max(worst, item.state, key=lambda state: state.badness)
        if args.json:
            line = {"name": item.name, "state": _WORDS[item.state], "detail": item.detail, "next": item.next}
            print(json.dumps(line), flush=True)
            continue
        role = {State.OK: "dim", State.DEGRADED: "warn", State.FAILING: "bad"}[item.state]
        sheet.say(
            f"{sheet.mark(item.state)} {sheet.ink(f'{_WORDS[item.state]:<4}', role)} {item.name:<10} {item.detail}"
        )
        if item.next:
            sheet.say(f"{'':>18}next: {item.next}")
    return worst.exit_code
