from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import argparse

    from tui.cli.main import Command

FAMILIES = {
    "site": ("tui.cli.check_site", "one site"),
    "link": ("tui.cli.check_link", "one affiliate link, through its whole redirect chain"),
    "page": ("tui.cli.check_page", "pages through a parser's SPEC"),
    "feed": ("tui.cli.check_feed", "a partner's payload against earlier ones"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    families = parser.add_subparsers(dest="family", required=True, metavar="site|link|page|feed")
    for name, (module, words) in FAMILIES.items():
        family = families.add_parser(name, help=words, description=words)
        cast("Command", import_module(module)).add_arguments(family)


def run(args: argparse.Namespace) -> int:
    return cast("Command", import_module(FAMILIES[args.family][0])).run(args)
