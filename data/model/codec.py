"""Frozen dataclasses to JSON and back, by their types (msgspec)."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def to_json(record: object) -> bytes:
    """Encode any record of `data.model`; decimals become strings, times RFC 3339."""
    return msgspec.json.encode(record)


def from_json(raw: bytes | str, kind: type[T]) -> T:
    """Decode into `kind`; raises `msgspec.ValidationError`, which names the path, for anything else."""
    return msgspec.json.decode(raw, type=kind)
