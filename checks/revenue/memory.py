"""The book's memory as bytes: what it knows beyond the facts, so that a later life goes on where this one ended.

A small header, then everything as MessagePack under zstd. Records carry the names of their fields: a memory of another
version of any of them is refused, as is one that was cut, changed or is something else. Figures come back bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from importlib import import_module
from typing import Any, cast

import msgspec
import numpy as np
import zstandard

_MAGIC = b"losswatch book 1\n"
_DIGEST = 16
_HOMES = ("checks.revenue.", "data.model.")
"""Packages whose records may be kept."""
_LARGEST = 4 << 30
"""Bytes a memory may unfold to."""
_ARRAYS = frozenset("biuf")


class Forgotten(Exception):
    """A memory that cannot be used; says why in a few words."""


def dumps(parts: Mapping[str, object]) -> bytes:
    """Records, arrays, times, numbers, text and collections of them as bytes."""
    body = zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(_plain(dict(parts))))
    return _MAGIC + blake2b(body, digest_size=_DIGEST).digest() + body


def loads(kept: bytes) -> dict[str, object]:
    """What `dumps` was given.

    Raises:
        Forgotten: it is damaged, or of another version.
    """
    start = len(_MAGIC) + _DIGEST
    if not kept.startswith(_MAGIC):
        raise Forgotten("it is no memory of this version")
    body = kept[start:]
    if blake2b(body, digest_size=_DIGEST).digest() != kept[len(_MAGIC) : start]:
        raise Forgotten("it is damaged")
    try:
        with zstandard.ZstdDecompressor().stream_reader(body) as stream:
            unfolded = stream.read(_LARGEST)
        parts = _lively(msgspec.msgpack.decode(unfolded))
    except Forgotten:
        raise
    except (zstandard.ZstdError, msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError, ImportError):
        raise Forgotten("it is no memory of this version") from None
    if not isinstance(parts, dict):
        raise Forgotten("it is no memory of this version")
    return parts


def _plain(one: object) -> object:
    """In terms of MessagePack: what has no form of its own there is a list that begins with its kind."""
    if isinstance(one, np.generic):
        return one.item()
    if one is None or isinstance(one, (bool, int, float, str)):
        return one
    if is_dataclass(one) and not isinstance(one, type):
        kind = f"{type(one).__module__}:{type(one).__qualname__}"
        return ["record", kind, {part.name: _plain(getattr(one, part.name)) for part in fields(one)}]
    for kind, (sort, apart, _) in _KINDS.items():
        if isinstance(one, sort):
            return [kind, *apart(one)]
    raise TypeError(f"{type(one)} is not kept")


def _lively(one: object) -> object:
    if not isinstance(one, list):
        return one
    kind, *rest = one
    return _record(*rest) if kind == "record" else _KINDS[kind][2](*rest)


def _record(kind: str, named: Mapping[str, object]) -> object:
    module, _, name = kind.partition(":")
    if not module.startswith(_HOMES):
        raise Forgotten(f"it holds {kind}")
    record = getattr(import_module(module), name)
    if not is_dataclass(record) or {part.name for part in fields(record)} != set(named):
        raise Forgotten(f"{name} has other fields now")
    made = object.__new__(cast("type[object]", record))
    for field_name, value in named.items():
        object.__setattr__(made, field_name, _lively(value))
    return made


def _shuffled(array: np.ndarray[Any, Any]) -> bytes:
    """First bytes first: neighbouring numbers share them, which is what makes them small."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).reshape(len(flat), array.itemsize).T.tobytes() if len(flat) else b""


def _array(dtype: str, shape: list[int], content: bytes) -> np.ndarray[Any, Any]:
    kind = np.dtype(dtype)
    if kind.kind not in _ARRAYS:
        raise Forgotten(f"it holds {dtype}")
    planes = np.frombuffer(content, np.uint8).reshape(kind.itemsize, -1).T
    return np.ascontiguousarray(planes).view(kind).reshape(shape)


def _many(make: Callable[[Any], object]) -> Callable[[list[object]], object]:
    return lambda parts: make(_lively(part) for part in parts)


_KINDS: dict[str, tuple[type, Callable[[Any], list[object]], Callable[..., object]]] = {
    "array": (np.ndarray, lambda one: [one.dtype.str, list(one.shape), _shuffled(one)], _array),
    "map": (
        Mapping,
        lambda one: [[[_plain(key), _plain(value)] for key, value in one.items()]],
        lambda pairs: {_lively(key): _lively(value) for key, value in pairs},
    ),
    "time": (datetime, lambda one: [one.isoformat()], datetime.fromisoformat),
    "decimal": (Decimal, lambda one: [str(one)], Decimal),
    "tuple": (tuple, lambda one: [[_plain(part) for part in one]], _many(tuple)),
    "list": (list, lambda one: [[_plain(part) for part in one]], _many(list)),
    "set": (set, lambda one: [[_plain(part) for part in sorted(one)]], _many(set)),
}
"""By name: what it is in Python, how it comes apart, and how it is put together again."""
