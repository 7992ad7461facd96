"""Everything wrong with a configuration, told at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from data.errors import ConfigError
from data.text import clean_text, redact

SHOWN = 20
_KEPT_PER_FILE = 500
_FEW_NAMES = 12
_MANY_NAMES = 2_000


class ConfigErrors(ConfigError):
    """All problems of one configuration, ordered by file and line; `str()` is one line each, at most 20 of them."""

    def __init__(self, problems: tuple[ConfigError, ...], count: int) -> None:
        self.problems, self.count = problems, count
        first = problems[0]
        super().__init__(
            first.file, first.line, first.message, value=first.value, allowed=first.allowed, nearest=first.nearest
        )

    def _sentence(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.count > len(lines):
            lines.append(f"... and {self.count - len(lines):,} more")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Problem:
    file: Path
    line: int | None
    message: str
    value: str
    allowed: str
    choices: Collection[str]


@dataclass(slots=True)
class Problems:
    """Collects what is wrong; nothing is computed for a problem that will not be shown."""

    _found: dict[Path, list[_Problem]] = field(default_factory=dict)
    count: int = 0

    def add(
        self,
        file: Path,
        line: int | None,
        message: str,
        *,
        value: str = "",
        allowed: str = "",
        choices: Collection[str] = (),
    ) -> None:
        """`choices` are the valid names; the nearest of them to `value` is offered."""
        self.count += 1
        found = self._found.setdefault(file, [])
        if len(found) < _KEPT_PER_FILE:
            found.append(_Problem(file, line, message, value, allowed, choices))

    def raise_any(self) -> None:
        """Raise `ConfigErrors` when there was at least one problem."""
        if not self.count:
            return
        every = [problem for found in self._found.values() for problem in found]
        every.sort(key=lambda problem: (str(problem.file), problem.line or 0))
        raise ConfigErrors(tuple(_error(problem) for problem in every[:SHOWN]), self.count)


def nearest(value: str, choices: Collection[str]) -> str:
    """The valid name that `value` was probably meant to be, or an empty string."""
    wanted = value.casefold()
    by_folded = {choice.casefold(): choice for choice in _plausible(wanted, choices)}
    found = get_close_matches(wanted, by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else ""


def _plausible(wanted: str, choices: Collection[str]) -> Collection[str]:
    if len(choices) <= _MANY_NAMES:
        return choices
    near = (name for name in choices if name[:1].casefold() == wanted[:1] and abs(len(name) - len(wanted)) <= 2)
    return [name for name, _ in zip(near, range(_MANY_NAMES), strict=False)]


def _error(problem: _Problem) -> ConfigError:
    hint = nearest(problem.value, problem.choices) if problem.value else ""
    shown = clean_text(redact(problem.value[:2_000]), 80)
    allowed = problem.allowed
    if not allowed and problem.choices and len(problem.choices) <= _FEW_NAMES:
        allowed = ", ".join(sorted(problem.choices))
    return ConfigError(problem.file, problem.line, problem.message, value=shown, allowed=allowed, nearest=hint)
