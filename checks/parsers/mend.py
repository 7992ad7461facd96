"""Writes a repaired selector into a SPEC file and takes it back: comments and order stay, the previous five are kept."""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from checks.parsers.repair import ITEMS
from checks.parsers.spec import Spec, parse_spec, valid_css
from data.errors import ConfigError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEPT = 5
"""Earlier versions beside the SPEC: `SPEC.toml.1` is the newest."""
LONGEST = 500
_STRING = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'"
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")


def apply_repair(spec_path: Path, field: str, selector: str, within: Mapping[str, str] = MappingProxyType({})) -> str:
    """Write `selector` as the css of `field` (`items`: the repeated item) and return the one before.

    `within` are fields and selectors that only hold together with it, as those in a new item: all are written, or none.

    1. Change those values in the text. 2. Read the text again: it must say exactly what it said, and the new selectors.
    3. Keep the present file as `.1`, then put the new one in its place in one step.

    Raises:
        ConfigError: no such field, no CSS, a SPEC that cannot be read, changed or written; nothing is changed then.
    """
    path = spec_path.resolve()
    before = after = _read(path)
    spec = parse_spec(before, spec_path)
    previous = _selector_of(spec, field, spec_path)
    for name, css in {field: selector, **within}.items():
        after, spec = _one_changed(after, spec, name, css, spec_path)
    with _explained(spec_path):
        _keep(path, before)
        _write(path, after)
    return previous


def _one_changed(text: str, spec: Spec, field: str, selector: str, shown: Path) -> tuple[str, Spec]:
    """The text and what it says with one selector changed."""
    _selector_of(spec, field, shown)
    wrong = not selector or len(selector) > LONGEST or clean_text(selector, LONGEST) != selector
    if wrong or not valid_css(selector):
        value = clean_text(selector, 80)
        raise ConfigError(shown, None, f"not written for {field!r}", value=value, allowed="a CSS selector")
    after, wanted = _changed(text, spec, field, selector), _with(spec, field, selector)
    if after is None or _parsed(after, shown) != wanted:
        raise ConfigError(
            shown, None, f"css of {field!r} is written in a way that is not changed safely: do it by hand"
        )
    return after, wanted


def undo(spec_path: Path) -> None:
    """Put the version before the last repair back; raises `ConfigError` where none is kept or it is no SPEC."""
    path = spec_path.resolve()
    newest = _numbered(path, 1)
    if not newest.exists():
        raise ConfigError(spec_path, None, f"nothing to undo: there is no {newest.name}")
    text = _read(newest)
    parse_spec(text, newest)
    with _explained(spec_path):
        _write(path, text)
        newest.unlink()
        for number in range(2, KEPT + 1):
            if _numbered(path, number).exists():
                _numbered(path, number).replace(_numbered(path, number - 1))


def _selector_of(spec: Spec, field: str, path: Path) -> str:
    if field == ITEMS and spec.items:
        return spec.items
    known = {one.name: one.css for one in spec.fields}
    if field not in known:
        raise ConfigError(path, None, "no such field", value=clean_text(field, 80), allowed=", ".join(known))
    return known[field]


def _with(spec: Spec, field: str, selector: str) -> Spec:
    if field == ITEMS and spec.items:
        return replace(spec, items=selector)
    return replace(
        spec, fields=tuple(replace(one, css=selector) if one.name == field else one for one in spec.fields)
    )  # fmt: skip


def _parsed(text: str, path: Path) -> Spec | None:
    with suppress(ConfigError):
        return parse_spec(text, path)
    return None


def _changed(text: str, spec: Spec, field: str, selector: str) -> str | None:
    """`text` with the one value replaced, or the key added under its table; `None` where it is not found."""
    wanted = ["parser", "items"] if field == ITEMS and spec.items else ["parser", "fields", field, "css"]
    lines = text.splitlines(keepends=True)
    table: list[str] = []
    header_at = -1
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        if header:
            table = _path(header[1])
            header_at = number if table == wanted[:-1] else header_at
            continue
        key = re.match(rf"\s*((?:[\w-]+|{_STRING})(?:\s*\.\s*(?:[\w-]+|{_STRING}))*)\s*=\s*({_STRING})", line)
        if key and table + _path(key[1]) == wanted:
            lines[number] = line[: key.start(2)] + _quoted(selector) + line[key.end(2) :]
            return "".join(lines)
    if header_at < 0:
        return None
    end = "\r\n" if lines[header_at].endswith("\r\n") else "\n"
    head = lines[header_at] if lines[header_at].endswith("\n") else lines[header_at] + end
    lines[header_at] = f"{head}{wanted[-1]} = {_quoted(selector)}{end}"
    return "".join(lines)


def _path(key: str) -> list[str]:
    """The parts of a dotted key, without quotes."""
    return [part[1:-1] if part[0] in "\"'" else part for part in re.findall(rf"{_STRING}|[\w-]+", key)]


def _quoted(selector: str) -> str:
    literal = '"' in selector and "'" not in selector
    return f"'{selector}'" if literal else json.dumps(selector, ensure_ascii=False)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _keep(path: Path, text: str) -> None:
    for number in range(KEPT, 1, -1):
        if _numbered(path, number - 1).exists():
            _numbered(path, number - 1).replace(_numbered(path, number))
    _write(_numbered(path, 1), text, like=path)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8"
        raise ConfigError(path, None, f"cannot read this SPEC: {reason}") from problem


def _write(path: Path, text: str, like: Path | None = None) -> None:
    """All or nothing, with the rights the file had."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod((like or path).stat().st_mode & 0o777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what the file system refuses into a `ConfigError`."""
    try:
        yield
    except OSError as problem:
        raise ConfigError(path, None, f"cannot write this SPEC: {problem.strerror or problem}") from problem
