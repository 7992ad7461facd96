"""Regular expressions that people write: refused when they could keep a probe busy, before they are ever used."""

from __future__ import annotations

import re
import time
import warnings

LONGEST = 500
"""Characters of one expression."""
BUDGET_S = 0.05
"""CPU seconds that an expression may need for any of the trial texts."""
_TRIAL = 65_536
"""Characters of the longest trial text: as many as rules look at."""
_EXPONENTIAL = 40
"""Repetitions up to which trial texts grow by one: what doubles with each letter is caught there."""
_REPEATED_GROUP = re.compile(r"(?<!\\)\)(?:[*+]|\{\d*,\}|\{(?:\d*,)?\d{2,}\})")
_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=")


def pattern_fault(text: str) -> str:
    """What is wrong with `text` as an expression of a rule, in words, or an empty string.

    1. It must be short and compile. 2. Groups repeated ten times or without bound and references to groups are not
    allowed: all that takes exponential time is among them. 3. It must stay within the budget on texts made of its own
    letters, which grow until it breaks it: no trial takes much longer than the budget.
    """
    if not text.strip() or len(text) > LONGEST:
        return f"is longer than {LONGEST} characters" if text.strip() else "is empty"
    try:
        with warnings.catch_warnings(action="error", category=FutureWarning):
            pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError, FutureWarning) as problem:  # the last: it may mean two things
        return f"is no regular expression: {problem}"
    if _REPEATED_GROUP.search(text):
        return "repeats a group too often; give it a bound below ten, such as (...){0,5}"
    if _REFERENCE.search(text):
        return "refers back to a group, which takes too long on some pages"
    if pattern.search(""):
        return "matches everything"
    slow = "takes too long on some pages; use fewer or bounded repetitions, such as .{0,80}"
    return "" if _is_quick(pattern, text) else slow


def _is_quick(pattern: re.Pattern[str], text: str) -> bool:
    letters = dict.fromkeys([*re.sub(r"\\.|[^\w\s]", "", text)[:24], "a", "0", " ", "é"])
    words = re.sub(r"\\.|[^\w ]", "", text)
    for piece in dict.fromkeys([*letters, words, f"{words} ", "a ", "a0", ". "]):
        times = 1
        while piece and times * len(piece) <= _TRIAL:
            if not _in_time(pattern, piece * times + "\n"):
                return False
            times += 1 if times < _EXPONENTIAL else times
    return True


def _in_time(pattern: re.Pattern[str], text: str) -> bool:
    began = time.thread_time()
    pattern.search(text)
    return time.thread_time() - began <= BUDGET_S
