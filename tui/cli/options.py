from __future__ import annotations

import argparse


def everywhere(parser: argparse.ArgumentParser) -> None:
    """`--home` and `--json` also after a sub-command's own words; what was given earlier stands."""
    parser.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number
