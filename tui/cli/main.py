"""The `losswatch` command: finds the sub-command's module and imports nothing else, so that each starts fast."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import suppress
from importlib import import_module
from typing import Protocol, TextIO, cast

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
    "export": ("tui.cli.export", "sites or links for another program: CSV, sitemap, Uptime Kuma, Gatus, file_sd"),
    "hub": ("tui.cli.hub", "run, start, stop or ask the hub"),
    "doctor": ("tui.cli.doctor", "what is wrong with this installation, and the next step"),
    "check": ("tui.cli.check", "check one site, link, page or feed now"),
    "replay": ("tui.cli.replay", "run the revenue detector over recorded facts"),
    "incidents": ("tui.cli.incidents", "list, show, acknowledge or close incidents"),
    "route": ("tui.cli.route", "who would be told of what, who is on call, mutes, hand-over notes"),
    "notices": ("tui.cli.notices", "what was said to whom, what waits, what never arrived"),
    "sites": ("tui.cli.listing", "list sites"),
    "links": ("tui.cli.listing", "list links"),
    "parsers": ("tui.cli.listing", "list parsers"),
    "feeds": ("tui.cli.feeds", "list partner feeds, decide about what they sent, read the past, make evidence"),
    "plans": ("tui.cli.plans", "plans A, B and C: what is declared, a dry run, use, second yes, undo, drill"),
    "repair": ("tui.cli.repair", "selectors proposed for a parser that broke; write one into its SPEC, or undo"),
    "revenue": (
        "tui.cli.revenue",
        "list revenue slices, read one closely, why at a past hour, the watch list, calibration",
    ),
    "secrets": ("tui.cli.secrets", "set, list, test or rotate secrets in the keyring"),
}


class Parser(argparse.ArgumentParser):
    """argparse, but usage errors exit 64 as sysexits.h says and a sub-command's module is imported when it is chosen."""

    def __init__(self, *args: object, **options: object) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through unchanged
        self._module = ""
        self._negative_number_matcher = re.compile(r"-\d")  # `--at -2h`: no option of ours begins with a digit

    def lazily(self, module: str) -> None:
        """Let `module` add its arguments, and be the one to run, once this sub-command is chosen."""
        self._module = module

    def parse_known_args(  # type: ignore[override]  # argparse overloads it by the namespace's type
        self, args: list[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        if self._module:
            module, self._module = command(self._module), ""
            module.add_arguments(self)
            self.set_defaults(module=module)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse declares NoReturn; raising is as good
        raise UsageError(f"{message}. Try: {self.prog} --help")


def command(module: str) -> Command:
    return cast("Command", import_module(module))


def main(argv: list[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    _open_streams()
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except LosswatchError as problem:
        print(f"losswatch: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _to_nowhere(sys.stdout)
        return 0
    except OSError as problem:
        _to_nowhere(sys.stdout)
        print(f"losswatch: {problem.filename or 'the output'}: {problem.strerror or problem}", file=sys.stderr)
        return LosswatchError.exit_code
    return code


def _open_streams() -> None:
    """Python has no stream at all where the caller closed one (`>&-`); what is printed there goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end


def _to_nowhere(stream: TextIO) -> None:
    """Let what is still buffered go nowhere: the interpreter flushes once more on its way out."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _dispatch(arguments: list[str]) -> int:
    parser = Parser(prog="losswatch", description="See the money you are losing before the report does.")
    _common(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, (module, words) in COMMANDS.items():
        sub: Parser = commands.add_parser(name, help=words, description=words)
        _common(sub, default=argparse.SUPPRESS)
        sub.lazily(module)
    parser.lazily("tui.cli.dashboard")
    args = parser.parse_args(arguments)
    module_chosen: Command = args.module
    return module_chosen.run(args)


def _common(parser: argparse.ArgumentParser, default: object = None) -> None:
    parser.add_argument("--home", metavar="DIR", default=default, help="where everything is (default: XDG folders)")
    quiet = argparse.SUPPRESS if default is argparse.SUPPRESS else False
    parser.add_argument("--json", action="store_true", default=quiet, help="print JSON, one object a line")


if __name__ == "__main__":
    sys.exit(main())
