"""`losswatch check link URL`: as `check site`, through the whole chain to the page that was meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.cli.check_site import add_common_arguments, expectations, observe

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument("--final-host", default="", metavar="HOST", help="host on which the chain must end")
    parser.add_argument("--final-path", default="", metavar="PREFIX", help="beginning of the final path")
    parser.add_argument(
        "--keep", action="append", default=[], metavar="PARAM", help="parameter that must reach the end"
    )


def run(args: argparse.Namespace) -> int:
    from checks.sites.oneshot import check_link

    expect = replace(expectations(args), final_host=args.final_host, final_path=args.final_path, keep=tuple(args.keep))
    return observe(args, check_link, expect)
