"""Programs of the allow list: no shell, no terminal, no environment, a deadline, and output that is clipped."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.incidents.plans.way import PlanRefused, PlanStuck, Sight
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TIMEOUT_S = 30.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OUTPUT = 4_000
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Program:
    """A plan that runs one program, and another (or the same with other arguments) to take it back."""

    command: tuple[str, ...]
    undo: tuple[str, ...]
    allowed: Collection[str]
    timeout_s: float = TIMEOUT_S

    async def look(self) -> Sight:
        allow(self.command, self.allowed)
        allow(self.undo, self.allowed)
        return Sight((), (f"run {shown(self.command)}", f"undo {shown(self.undo)}"), {"ran": shown(self.command)})

    async def apply(self, sight: Sight) -> str:
        said = await run(self.command, self.allowed, self.timeout_s)
        return f"{sight.undo['ran']} ended well{said and f': {said}'}"

    async def revert(self, undo: Mapping[str, str]) -> str:
        try:
            said = await run(self.undo, self.allowed, self.timeout_s)
        except PlanRefused as problem:
            raise PlanStuck(f"{undo.get('ran', 'it')} was run and cannot be taken back: {problem}") from problem
        return f"{shown(self.undo)} ended well{said and f': {said}'}"


def allow(command: tuple[str, ...], allowed: Collection[str]) -> None:
    """Raise unless the program stands on the allow list, which may have changed since the plan was declared."""
    if not command or command[0] not in allowed:
        raise PlanRefused(f"{command[0] if command else 'no program'} is not on the allow list of [adapters]")


async def run(command: tuple[str, ...], allowed: Collection[str], timeout_s: float = TIMEOUT_S) -> str:
    """Run to the end; gives the last words of its output.

    Raises:
        PlanRefused: not allowed, cannot be started, or ended with a code that is not 0.
        PlanStuck: it had not ended at the deadline, and was killed halfway.
    """
    allow(command, allowed)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": _PATH, "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as problem:
        raise PlanRefused(f"{command[0]} cannot be started: {problem}") from problem
    try:
        async with asyncio.timeout(timeout_s):
            output = await _tail(process)
            code = await process.wait()
    except TimeoutError:
        raise PlanStuck(f"{shown(command)} had not ended after {timeout_s:g} s and was killed") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    words = clean_text(redact(output.decode("utf-8", "replace")), _WORDS)
    if code:
        raise PlanRefused(f"{shown(command)} ended with {code}{words and f': {words}'}")
    return words


async def _tail(process: asyncio.subprocess.Process) -> bytes:
    """The last words, however much comes."""
    assert process.stdout is not None
    kept = b""
    while chunk := await process.stdout.read(65_536):
        kept = (kept + chunk)[-_OUTPUT:]
    return kept


def shown(command: tuple[str, ...]) -> str:
    """For people: what may be a key is masked."""
    return clean_text(redact(" ".join(command)), _WORDS)
