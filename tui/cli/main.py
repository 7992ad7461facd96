"""The `losswatch` command: finds the sub-command's module and imports nothing else, so that each starts fast."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Protocol, cast

from data.errors import LosswatchError, UsageError


class Command(Protocol):
    """What a module in `tui/cli/` offers for its sub-command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int:
        """Carry it out and return the exit code; `args.home` is the `--home` given or None, `args.json` a bool."""
        ...


COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("tui.cli.demo", "a simulated company, its failures, and the dashboard over it"),
    "init": ("tui.cli.init", "first run: write losswatch.toml and an inventory, check one site"),
    "apply": ("tui.cli.apply", "read losswatch.toml and inventory/*.csv, show the difference, store it"),
    "hub": ("tui.cli.hub", "run, start, stop or ask the hub"),
    "doctor": ("tui.cli.doctor", "what is wrong with this installation, and the next step"),
    "check": ("tui.cli.check", "check one site, link, page or feed now"),
    "replay": ("tui.cli.replay", "run the revenue detector over recorded facts"),
    "incidents": ("tui.cli.incidents", "list, show, acknowledge or close incidents"),
    "sites": ("tui.cli.listing", "list sites"),
    "links": ("tui.cli.listing", "list links"),
    "parsers": ("tui.cli.listing", "list parsers"),
    "feeds": ("tui.cli.listing", "list partner feeds"),
    "revenue": ("tui.cli.listing", "list revenue slices"),
    "secrets": ("tui.cli.secrets", "set, list, test or rotate secrets in the keyring"),
}


class Parser(argparse.ArgumentParser):
    """argparse, but usage errors exit 64 as sysexits.h says, and options are never abbreviated."""

    def __init__(self, *args: object, **options: object) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through unchanged

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse declares NoReturn; raising is as good
        raise UsageError(f"{message}. Try: {self.prog} --help")


def main(argv: list[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return _dispatch(arguments)
    except LosswatchError as problem:
        print(f"losswatch: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _dispatch(arguments: list[str]) -> int:
    name = next((word for word in _words(arguments) if word in COMMANDS), None)
    parser = Parser(prog="losswatch", description="See the money you are losing before the report does.")
    _common(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    module: Command | None = None
    for command, (path, words) in COMMANDS.items():
        sub = commands.add_parser(command, help=words, description=words)
        if command == name:
            module = cast("Command", import_module(path))
            _common(sub, default=argparse.SUPPRESS)
            module.add_arguments(sub)
    if name is None and not {"-h", "--help"} & set(arguments):
        module = cast("Command", import_module("tui.cli.dashboard"))
        module.add_arguments(parser)
    args = parser.parse_args(arguments)
    assert module is not None
    return module.run(args)


def _words(arguments: list[str]) -> list[str]:
    """The first word that is not an option or the value of `--home`."""
    rest = iter(arguments)
    for word in rest:
        if word == "--home":
            next(rest, None)
        elif not word.startswith("-"):
            return [word]
    return []


def _common(parser: argparse.ArgumentParser, default: object = None) -> None:
    parser.add_argument("--home", metavar="DIR", default=default, help="where everything is (default: XDG folders)")
    quiet = argparse.SUPPRESS if default is argparse.SUPPRESS else False
    parser.add_argument("--json", action="store_true", default=quiet, help="print JSON, one object a line")


if __name__ == "__main__":
    sys.exit(main())
