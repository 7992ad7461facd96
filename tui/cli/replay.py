"""`losswatch replay`: the revenue detector over recorded facts, in the order they became visible."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli import replay_lines, replay_plan
from tui.cli.paper import complain
from tui.cli.replay_bar import Bar
from tui.cli.replay_out import Out, State

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from checks.revenue.book import RevenueBook, RevenueTick
    from tui.cli.replay_plan import Plan

SAVE_EVERY_S = 10.0
_SHARE = 10
"""Keeping the state takes at most one part in so many of the time."""
_TOLD = 10
"""Lines said of what was not believed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--facts", metavar="DIR", required=True, help="meta.json, and facts and receipts: a .parquet each, or several"
    )
    parser.add_argument("--from", dest="since", metavar="T", help="first tick (default: meta.json's replay_from)")
    parser.add_argument("--to", dest="until", metavar="T", help="last tick (default: meta.json's replay_to)")
    parser.add_argument(
        "--out", metavar="FILE", help="where the JSON lines go (default: standard output); once stopped, "
        "the same command goes on where it was",
    )  # fmt: skip
    parser.add_argument(
        "--chance-alarm", metavar="14d", help="how often chance alone may raise an alarm: rarer is surer, and later"
    )


def run(args: argparse.Namespace) -> int:
    """Replay and write a line whenever what is said of an alarm changes; exit code 0, 128 and the signal when it was stopped.

    Rows are read as their time comes, so that memory holds what the detector keeps and little else. With `--out` the
    state is kept beside it every few seconds and when stopped: the same command goes on from there, after a kill too,
    and the file becomes what it would have been in one go.
    """
    plan = replay_plan.read(Path(args.facts), args.since, args.until, args.chance_alarm)
    with ExitStack() as stack:
        out = stack.enter_context(Out.at(Path(args.out) if args.out else None, plan.fingerprint()))
        stopped = stack.enter_context(_stop_asked())
        return _replay(plan, out, stopped)


def _replay(plan: Plan, out: Out, stopped: list[int]) -> int:
    book, state, tick = _begun(plan, out), out.state, None
    bar, saved_at, told = Bar(plan.ticks), time.monotonic(), dict(state.said)
    for number, tick in ticks(plan, book, state.ticks):
        now = plan.at(number)
        for line in replay_lines.changed(tick.alarms, told, plan.dims):
            out.write(line)
        bar.show(number + 1, now, out.lines)
        if stopped or (out.keeps and time.monotonic() - saved_at > SAVE_EVERY_S):
            begun = time.monotonic()
            out.save(State(number + 1, told, book.memory()))
            saved_at = begun + _SHARE * (time.monotonic() - begun)
        if stopped:
            bar.end()
            complain(f"stopped after {now:%Y-%m-%d %H:%MZ}" + ("; the same command goes on from there" * out.keeps))
            return 128 + stopped[0]
    bar.end()
    out.finish()
    _held(tick)
    return 0


def ticks(plan: Plan, book: RevenueBook, first: int = 0) -> Iterator[tuple[int, RevenueTick]]:
    """Number and outcome of every tick from `first` on; rows reach the book when their time has come."""
    facts, receipts = plan.facts(first), plan.receipts(first)
    for number in range(first, plan.ticks):
        now = plan.at(number)
        for frame in facts.until(now):
            book.add(frame)
        for frame in receipts.until(now):
            book.add_receipts(frame)
        yield number, book.tick(now, with_slices=False)


def _begun(plan: Plan, out: Out) -> RevenueBook:
    """A book as it was when the replay was stopped."""
    from checks.revenue.book import RevenueBook

    book = RevenueBook(currency=plan.currency)
    if plan.calm_days is not None:
        book.calm_days = plan.calm_days
    if out.state.book and (problem := book.remember(out.state.book)):
        complain(f"{problem}; the replay begins again")
        out.forget()
    if out.state.ticks:
        complain(f"goes on after {plan.at(out.state.ticks - 1):%Y-%m-%d %H:%MZ}")
    return book


def _held(tick: RevenueTick | None) -> None:
    """Say what was not believed."""
    lines = tick.held if tick else ()
    for line in lines[:_TOLD]:
        complain(f"not believed: {line}")
    if len(lines) > _TOLD:
        complain(f"and {len(lines) - _TOLD} more")


@contextmanager
def _stop_asked() -> Iterator[list[int]]:
    """Holds the signal that asks to stop: a tick is finished first. The second one stops at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever runs us there stops us
        before = {}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        sys.stderr.flush()
