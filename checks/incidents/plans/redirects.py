"""Lines of a map file (`key value;`) that a web server reads, such as nginx's `map`, and the reload that makes it read."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.incidents.plans import program
from checks.incidents.plans.way import PlanRefused, PlanStuck, Sight
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

MAX_BYTES = 20_000_000
_LINE = re.compile(r"^(?P<lead>\s*)(?P<key>[^\s;#{}]+)(?P<gap>\s+)(?P<value>[^\s;]+)(?P<rest>\s*;.*)$")
_ABSENT = ""
"""What is remembered of a key that had no line: no value is empty."""


@dataclass(frozen=True, slots=True)
class Redirects:
    """Sets some keys of one file. All other lines, comments and the order stay as they are."""

    file: Path
    sets: Mapping[str, str]
    reload: tuple[str, ...]
    """Empty: the server reads the file by itself."""
    allowed: Collection[str]

    async def look(self) -> Sight:
        text = await asyncio.to_thread(self._read)
        now = values(text)
        undo = {key: now.get(key, _ABSENT) for key in self.sets}
        before = tuple(f"{key} {now[key]};" if key in now else f"{key}: no line" for key in self.sets)
        return Sight(before, tuple(f"{key} {value};" for key, value in self.sets.items()), undo)

    async def apply(self, sight: Sight) -> str:
        text = await asyncio.to_thread(self._read)
        now = values(text)
        moved = [key for key in self.sets if now.get(key, _ABSENT) != sight.undo[key]]
        if moved:
            raise PlanRefused(f"{self.file.name}: {moved[0]} was changed by somebody else meanwhile; look again")
        await self._put(text, rewritten(text, self.sets))
        return f"{_lines(len(self.sets))} of {self.file.name} set"

    async def revert(self, undo: Mapping[str, str]) -> str:
        text = await asyncio.to_thread(self._read)
        now = values(text)
        ours = {key: was for key, was in undo.items() if now.get(key, _ABSENT) == self.sets.get(key)}
        strange = [key for key, was in undo.items() if key not in ours and now.get(key, _ABSENT) != was]
        if ours:
            await self._put(text, rewritten(text, ours))
        if strange:
            raise PlanStuck(f"{self.file.name}: {strange[0]} was changed by somebody else since and is left as it is")
        return f"{_lines(len(ours))} of {self.file.name} back as before"

    def _read(self) -> str:
        try:
            if self.file.stat().st_size > MAX_BYTES:
                raise PlanRefused(f"{self.file} is larger than {MAX_BYTES:,} bytes")
            return self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise PlanRefused(f"{self.file} cannot be read: {clean_text(str(problem))}") from problem

    async def _put(self, old: str, new: str) -> None:
        """Write and reload; a server that refuses the file gets the old one back."""
        if new != old:
            await asyncio.to_thread(_replace, self.file, new)
        try:
            if self.reload:
                await program.run(self.reload, self.allowed)
        except (PlanRefused, PlanStuck) as problem:
            await asyncio.to_thread(_replace, self.file, old)
            try:
                await program.run(self.reload, self.allowed)
            except (PlanRefused, PlanStuck) as again:
                raise PlanStuck(f"{self.file.name} is as it was, but the server does not reload: {again}") from again
            raise PlanRefused(f"the server refused {self.file.name}, which is as it was: {problem}") from problem


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def values(text: str) -> dict[str, str]:
    """Key to value of every line that is one; of a key that stands twice the first counts, as it does for nginx."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.lstrip().startswith("#") and (match := _LINE.match(line)):
            found.setdefault(match["key"], match["value"])
    return found


def rewritten(text: str, sets: Mapping[str, str]) -> str:
    """`text` with those values in place, absent ones' lines gone, and new ones at the end."""
    left, lines = dict(sets), []
    for line in text.splitlines(keepends=True):
        match = None if line.lstrip().startswith("#") else _LINE.match(line.rstrip("\r\n"))
        if match is None or match["key"] not in left:
            lines.append(line)
            continue
        value = left.pop(match["key"])
        if value != _ABSENT:
            end = line[len(line.rstrip("\r\n")) :]
            lines.append(f"{match['lead']}{match['key']}{match['gap']}{value}{match['rest']}{end}")
    fresh = [f"{key} {value};\n" for key, value in left.items() if value != _ABSENT]
    if fresh and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join(lines + fresh)


def _replace(place: Path, text: str) -> None:
    """A whole file at once, with the mode and, where we may, the owner of the one before."""
    try:
        place = place.resolve(strict=True)
        was = place.stat()
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=place.parent, prefix=".", delete=False) as fresh:
            fresh.write(text)
            fresh.flush()
            os.fsync(fresh.fileno())
        shutil.copymode(place, fresh.name)
        if was.st_uid != os.geteuid() or was.st_gid != os.getegid():
            os.chown(fresh.name, was.st_uid, was.st_gid)
        os.replace(fresh.name, place)  # noqa: PTH105 - the name of an open file, not a path of ours
    except OSError as problem:
        raise PlanRefused(f"{place} cannot be written: {clean_text(str(problem))}") from problem
