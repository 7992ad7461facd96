"""What the command line prints on: a terminal, a pipe or a file, and what that can show."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.text import clean_text
from tui.lines import to_ascii

if TYPE_CHECKING:
    from data.model.state import State

_CODES = {"bad": "31", "warn": "33", "dim": "2", "bold": "1"}


@dataclass(frozen=True, slots=True)
class Paper:
    width: int | None
    """Columns of the terminal; `None` in a pipe, where nothing is cut."""
    color: bool
    ascii_only: bool

    def ink(self, text: str, role: str) -> str:
        """`text` in the colour of a role, where there are colours."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.color and role in _CODES else text

    def say(self, text: str = "") -> None:
        """Print one line; what the terminal cannot show becomes ASCII."""
        print(to_ascii(text) if self.ascii_only else text)

    def mark(self, state: State) -> str:
        """The state's glyph in its colour."""
        from tui.look import GLYPH, ROLE

        return self.ink(GLYPH[state], ROLE[state])


def paper() -> Paper:
    """How standard output is now."""
    terminal = sys.stdout.isatty()
    dumb = os.environ.get("TERM", "") in {"dumb", ""}
    return Paper(
        width=shutil.get_terminal_size().columns if terminal else None,
        color=terminal and not dumb and not os.environ.get("NO_COLOR"),
        ascii_only=not shows_utf8(),
    )


def shows_utf8() -> bool:
    """Whether output may hold more than ASCII: the stream takes it and the locale, where there is one, agrees."""
    stated = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    says_utf8 = not stated or stated.rpartition(".")[2].partition("@")[0].lower().replace("-", "") == "utf8"
    return says_utf8 and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def complain(text: str) -> None:
    """One sentence on standard error."""
    line = f"losswatch: {clean_text(text, 2_000)}"
    print(line if shows_utf8() else to_ascii(line), file=sys.stderr)


def attended() -> bool:
    """Whether a person can answer questions."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, default: str = "") -> str:
    """Ask on standard error, so that output stays clean; the default on an empty answer or end of input."""
    hint = f" [{default}]" if default else ""
    print(f"{question}{hint}: ", end="", file=sys.stderr, flush=True)
    return clean_text(sys.stdin.readline(), 2_000) or default


def agreed(question: str) -> bool:
    """Whether a person says yes; anything else is no."""
    return ask(f"{question} (y/N)").lower() in {"y", "yes"}
