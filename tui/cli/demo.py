from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING

from data.config.home import Home
from data.errors import LosswatchError, UsageError
from tui.cli import dashboard
from tui.cli.paper import complain, shows_utf8

if TYPE_CHECKING:
    import argparse

PIPE_RUN_S = 120.0
"""How long a demo without a terminal runs when nobody says."""
REPORT_EVERY_S = 20.0
PROGRESS_EVERY_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("report",), help="compare what was found with what was scripted")
    parser.add_argument("--speed", type=float, default=90.0, help="simulated seconds per second (default 90)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another company")
    parser.add_argument(
        "--at", type=_moment, default="06:00", metavar="HH:MM", help="join the day later (UTC, from 06:00 on)"
    )
    parser.add_argument("--no-dashboard", action="store_true", help="print a line now and then instead")
    parser.add_argument(
        "--for", dest="duration", metavar="DURATION", help="run that long (wall time) without a dashboard, then report"
    )
    dashboard.add_looks(parser)


def run(args: argparse.Namespace) -> int:
    """The simulated company with its hub, watched until somebody leaves; or its report."""
    home = Home.find(args.home or str(_default_folder()))
    if args.action == "report":
        return _report(home, as_json=args.json)
    if not 0.1 <= args.speed <= 5_000:
        raise UsageError(f"--speed {args.speed:g} is not between 0.1 and 5000")
    seconds = _seconds(args.duration) if args.duration else None
    attended = sys.stdin.isatty() and sys.stdout.isatty()
    if seconds is None and not attended:
        seconds = PIPE_RUN_S
    with _Running(home, speed=args.speed, seed=args.seed, at=args.at):
        if attended and seconds is None and not args.no_dashboard:
            code = _watch(home, args)
            print(
                f"What was found against what was scripted: losswatch demo report --home {home.state}", file=sys.stderr
            )
            return code
        _wait(home, seconds)
        return _farewell(home, as_json=args.json)


class _Running:
    """The company, the hub and the report's scribe, for as long as the block lasts; ends all three whatever happens."""

    def __init__(self, home: Home, *, speed: float, seed: int, at: str) -> None:
        self._home, self._speed, self._seed, self._at = home, speed, seed, at

    def __enter__(self) -> None:
        from checks.demo.process import CompanyProcess, DemoHome
        from tui.cli.hub import ensure_running, stop

        signal.signal(signal.SIGTERM, _leave)
        folder = DemoHome(self._home.state)
        folder.claim()
        self._folder = folder
        stop(self._home)
        folder.clear()
        self._company = CompanyProcess(self._home, speed=self._speed, seed=self._seed, at=self._at)
        self._scribe = _Scribe(self._home)
        try:
            self._company.wait_ready()
            ensure_running(self._home)
        except BaseException:
            self._end()
            raise
        self._scribe.start()

    def __exit__(self, *_: object) -> None:
        self._scribe.finish()
        self._end()

    def _end(self) -> None:
        from tui.cli.hub import stop

        try:
            stop(self._home)
        finally:
            self._company.stop()


class _Scribe(threading.Thread):
    """Keeps demo/report.json as of a moment ago, so that the report outlives the hub."""

    def __init__(self, home: Home) -> None:
        super().__init__(name="demo-report", daemon=True)
        self._home = home
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(REPORT_EVERY_S):
            self._write()

    def finish(self) -> None:
        self._over.set()
        if self.is_alive():
            self.join(REPORT_EVERY_S)
            self._write()

    def _write(self) -> None:
        from tui.cli.demo_report import keep

        try:
            keep(self._home)
        except (LosswatchError, OSError, TimeoutError):
            return


def _moment(text: str) -> str:
    """A time of the day the company has script for; argparse tells the ValueError."""
    return max(time_of_day.fromisoformat(text), time_of_day(6)).strftime("%H:%M")


def _leave(_number: int, _frame: object) -> None:
    """As Ctrl-C does: a running dashboard then puts the terminal back before it ends.

    Where the terminal itself is gone (SIGHUP) there is nothing to put back, and nobody may wait for it: that ends us at
    once, and the company ends the hub and itself as after any other death.
    """
    signal.raise_signal(signal.SIGINT)


def _default_folder() -> Path:
    """Not moved by LOSSWATCH_HOME: a demo stays out of a real installation."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "losswatch" / "demo"


def _seconds(text: str) -> float:
    from data.config.units import DURATION_WORDS, parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise UsageError(f"--for {text!r} is not a duration such as {DURATION_WORDS}") from None


def _watch(home: Home, args: argparse.Namespace) -> int:
    from tui.app import run as run_app

    ascii_only = args.ascii or not shows_utf8()
    looks = {"ascii_only": ascii_only, "lite": args.lite, "theme": args.theme, "bell": not args.no_bell}
    return run_app(home, mouse=not args.no_mouse, **looks)


def _wait(home: Home, seconds: float | None) -> None:
    """A calm line now and then until the time is over or somebody interrupts."""
    until = None if seconds is None else time.monotonic() + seconds
    try:
        while until is None or time.monotonic() < until:
            left = PROGRESS_EVERY_S if until is None else min(PROGRESS_EVERY_S, max(until - time.monotonic(), 0))
            time.sleep(left)
            _say_progress(home)
    except KeyboardInterrupt:
        print(file=sys.stderr)


def _say_progress(home: Home) -> None:
    try:
        snapshot = asyncio.run(dashboard._first_snapshot(home))  # noqa: SLF001 - same floor, same purpose
    except LosswatchError as problem:
        complain(str(problem))
        return
    loss = (
        "" if snapshot.loss_per_hour is None else f", losing {snapshot.currency} {snapshot.loss_per_hour:,.2f} an hour"
    )
    count = len(snapshot.incidents) + snapshot.beyond.open
    print(f"{snapshot.at:%H:%MZ}  {count} open {'incident' if count == 1 else 'incidents'}{loss}", file=sys.stderr)


def _farewell(home: Home, *, as_json: bool) -> int:
    """The Overview as text and the report, before the lights go out."""
    if not as_json:
        dashboard._as_text(home, ascii_only=not shows_utf8(), as_json=False)  # noqa: SLF001 - same floor, same purpose
        print()
    _report(home, as_json=as_json)
    return 0


def _report(home: Home, *, as_json: bool) -> int:
    """0 when every failure that has begun was found and every decoy stayed silent, else 2."""
    from data.model.codec import to_json
    from tui.cli.demo_report import print_view, view_of

    view = view_of(home)
    if as_json:
        for row in view.rows:
            print(to_json(row).decode())
    else:
        print_view(view)
    return 0 if all(row.ok for row in view.rows if row.began_at is not None) else 2
