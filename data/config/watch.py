"""Whether any file of the configuration changed since it was last read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from data.config.home import Home
    from data.config.settings import Settings

Stamp = frozenset[tuple[str, int, int]]
"""(path, mtime in ns, size) of every file that there is; two stamps are equal while nothing changed."""


def stamps(home: Home, settings: Settings | None = None) -> Stamp:
    """The stamp of losswatch.toml, inventory/*.csv and *.txt, and of the SPEC, CA, rule, rates and calendar files that `settings` refers to."""
    return frozenset(_facts(path) for path in {home.toml, *_inventory(home), *_referred(home, settings)})


def _inventory(home: Home) -> Iterable[Path]:
    try:
        return [path for path in home.inventory.iterdir() if path.suffix in {".csv", ".txt"}]
    except OSError:
        return []


def _referred(home: Home, settings: Settings | None) -> Iterable[Path]:
    if settings is None:
        return []
    specs = {
        home.config / target.spec for target in settings.targets if target.kind is TargetKind.PARSER and target.spec
    }
    named = {
        home.config / name
        for name in (
            settings.network.ca_file,
            settings.content_rules,
            settings.company.rates,
            settings.company.calendar,
        )
        if name
    }
    return specs | named


def _facts(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, -1
    return str(path), found.st_mtime_ns, found.st_size
