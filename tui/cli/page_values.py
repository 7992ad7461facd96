"""The file behind `--values`: what a parser last took from each page while it was fine."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from data.errors import UsageError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable

Fields = dict[str, tuple[str, ...]]
"""Field to its last good values, in page order."""
_SHAPE = '{"PAGE": {"FIELD": "value" or ["value", ..]}}'


@dataclass(frozen=True, slots=True)
class PageValues:
    """Last good values by page: by its path as given, else by the longest end of it that a key names."""

    known: dict[str, Fields]
    by_name: dict[str, list[str]]

    def of(self, path: Path) -> Fields:
        """Empty where the file says nothing of this page."""
        exact = self.known.get(str(path))
        if exact is not None:
            return exact
        parts = path.absolute().parts
        keys = [key for key in self.by_name.get(path.name, ()) if _ends(parts, Path(key).parts)]
        return self.known[max(keys, key=len)] if keys else {}

    def unused(self, paths: Iterable[Path]) -> bool:
        """Whether the file names pages, and none of these."""
        return bool(self.known) and not any(self.of(path) for path in paths)


NO_VALUES = PageValues({}, {})


def load_values(path: Path) -> PageValues:
    """Read `path`; raises `UsageError` saying where it is not `{page: {field: value or values}}`."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        _refuse(path, problem.strerror or str(problem))
    except RecursionError:
        _refuse(path, "nested too deeply")
    except ValueError as problem:
        _refuse(path, str(problem))
    if not isinstance(raw, dict):
        _refuse(path, f"expected {_SHAPE}, not {_kind(raw)}")
    known = {page: _fields(path, page, fields) for page, fields in raw.items()}
    by_name: dict[str, list[str]] = defaultdict(list)
    for page in known:
        by_name[Path(page).name].append(page)
    return PageValues(known, dict(by_name))


def _fields(path: Path, page: str, fields: object) -> Fields:
    if not isinstance(fields, dict):
        _refuse(path, f"{page!r}: expected {{FIELD: value or values}}, not {_kind(fields)}")
    return {str(name): _texts(path, f"{page!r}, field {name!r}", values) for name, values in fields.items()}


def _texts(path: Path, where: str, values: object) -> tuple[str, ...]:
    """A single value counts as a list of one; `null` is no value."""
    texts = []
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, dict | list):
            _refuse(path, f"{where}: expected a text, a number or a list of them, not {_kind(value)} in it")
        if value is not None:
            texts.append(str(value))
    return tuple(texts)


def _ends(parts: tuple[str, ...], end: tuple[str, ...]) -> bool:
    return parts[-len(end) :] == end


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "true or false"}.get(
        type(value), "a number"
    )


def _refuse(path: Path, why: str) -> NoReturn:
    raise UsageError(f"cannot use --values {path}: {clean_text(why)}")
