"""`losswatch check link URL`: as `check site`, through the whole chain to the page that was meant."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace

from tui.cli.check_site import add_common_arguments, expectations, observe

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2})?")
_MOST_SITES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common_arguments(parser)
    parser.add_argument("--final-host", default="", metavar="HOST", help="host on which the chain must end")
    parser.add_argument("--final-path", default="", metavar="PREFIX", help="beginning of the final path")
    parser.add_argument(
        "--keep", action="append", default=[], metavar="PARAM", help="parameter that must reach the end"
    )
    parser.add_argument(
        "--brand",
        action="append",
        default=[],
        metavar="NAME",
        help="name that the final page must show; any of several",
    )
    parser.add_argument("--locale", type=locale, default="", metavar="LANG", help="language it must be for: de, de-AT")
    parser.add_argument(
        "--depth",
        type=depth,
        default=0,
        metavar="N",
        help="sites to walk through; 1 stops before the first foreign one",
    )


def run(args: argparse.Namespace) -> int:
    from checks.sites.oneshot import check_link

    expect = replace(
        expectations(args),
        final_host=args.final_host,
        final_path=args.final_path,
        keep=tuple(args.keep),
        brand=tuple(args.brand),
        locale=args.locale,
    )
    return observe(args, check_link, expect)


def locale(text: str) -> str:
    if text and not _LOCALE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"a locale is a language or a language and a country, such as de-AT, not {text}"
        )
    return text


def depth(text: str) -> int:
    found = int(text)
    if not 0 <= found <= _MOST_SITES:
        raise argparse.ArgumentTypeError(f"the depth is 0 (to the end) to {_MOST_SITES}, not {text}")
    return found
