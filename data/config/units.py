"""How people write durations and sizes in losswatch.toml: `5m`, `1h30m`, `200MB`."""

from __future__ import annotations

import re

DURATION_WORDS = '"30s", "5m", "2h", "3d", "1h30m"'
SIZE_WORDS = '"200MB", "1GB", "512MiB"'

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_DURATION_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|d|w)\s*", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([KMGT]?i?B?)", re.ASCII | re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds of `5m`, `2h`, `1h30m`, `250ms`; raises `ValueError` for anything else, a bare number included."""
    at, total = 0, 0.0
    rest = text.strip()
    while at < len(rest):
        part = _DURATION_PART.match(rest, at)
        if part is None:
            break
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    if not rest or at < len(rest):
        raise ValueError(text)
    return total


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back as `seconds`, to the millisecond."""
    rest = round(seconds * 1000)
    if rest == 0:
        return "0s"
    parts = []
    for unit in ("w", "d", "h", "m", "s", "ms"):
        size = round(_SECONDS[unit] * 1000)
        if unit == "w" and rest % size:
            continue  # "8d" reads better than "1w1d"
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size(text: str) -> int:
    """Bytes of `200MB` (powers of ten) or `512MiB` (powers of two); raises `ValueError` for anything else."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    unit = match[2].upper() or "B"
    return round(float(match[1]) * _BYTES[unit if unit.endswith("B") else f"{unit}B"])
