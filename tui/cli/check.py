from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.main import Parser

if TYPE_CHECKING:
    import argparse

FAMILIES = {
    "site": ("tui.cli.check_site", "one site"),
    "link": ("tui.cli.check_link", "one affiliate link, through its whole redirect chain"),
    "page": ("tui.cli.check_page", "pages through a parser's SPEC"),
    "feed": ("tui.cli.check_feed", "a partner's payload against earlier ones"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    families = parser.add_subparsers(dest="family", required=True, metavar="site|link|page|feed", parser_class=Parser)
    for name, (module, words) in FAMILIES.items():
        family: Parser = families.add_parser(name, help=words, description=words)
        family.lazily(module)


def run(args: argparse.Namespace) -> int:
    """Never reached: each family sets the module that runs."""
    raise AssertionError(args)
