"""`apply --from FILE`: what another program watches, merged into the inventory."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data.config.diff import Difference, difference
from data.config.importing import MAX_BYTES, Imported, parse_sites, read_sites
from data.config.inventory import FILES
from data.config.load import load
from data.config.merging import Merged, merge
from data.config.starter import team_id
from data.durable import replace_text
from data.errors import ConfigError, UsageError
from data.model.target import TargetKind
from data.text import clean_text
from tui.cli.known import presets

if TYPE_CHECKING:
    from data.config.home import Home
    from data.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import would make of the inventory."""

    settings: Settings
    """With the imported targets in it."""
    change: Difference
    imported: Imported
    merged: Merged
    path: Path

    def write(self) -> None:
        """Put the file in its place; what stood there is kept beside it as `.bak`."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_text(self.path, self.merged.text)

    def words(self) -> tuple[str, ...]:
        """What was left out, then what changes."""
        known = self.merged.known
        told = [f"left out: {line}" for line in self.imported.skipped]
        told += [f"not carried over: {line}" for line in self.imported.notes]
        told += [f"there already under another name: {', '.join(known[:3])}{' ..' * (len(known) > 3)}"] if known else []
        return tuple(told)


def take(home: Home, source: str, *, form: str, kind: str, team: str) -> Taken:
    """Read `source` and merge it in memory; nothing is written.

    Raises:
        ConfigError: the configuration or the source is wrong.
        UsageError: no team is known for the new targets.
    """
    before = load(home, presets=presets())
    imported = read_source(source, form, kind)
    imported = replace(imported, sites=_owned(imported, before, team))
    path = home.inventory / FILES[imported.kind]
    merged = merge(path, imported.kind, imported.sites)
    after = _with(home, path, merged)
    return Taken(after, difference(before.targets, after.targets), imported, merged, path)


def read_source(source: str, form: str = "", kind: str = "") -> Imported:
    """Targets of a file, or of standard input for `-`; raises `UsageError` in a sentence."""
    if re.match(r"https?://", source):
        raise UsageError(f"--from takes a file; download it first: curl -o FILE {clean_text(source, 200)}")
    wanted = TargetKind(kind) if kind else None
    try:
        if source == "-":
            return parse_sites(sys.stdin.buffer.read(MAX_BYTES + 1), Path("standard input"), form, wanted)
        return read_sites(Path(source), form, wanted)
    except ConfigError as problem:
        raise UsageError(str(problem)) from None


def _owned(imported: Imported, settings: Settings, team: str) -> tuple[dict[str, str], ...]:
    """Every row with a team that there is: `--team`, else the source's, else the only one."""
    teams = {one.id: one.id for one in settings.teams} | {one.name: one.id for one in settings.teams}
    if team and team not in teams:
        raise UsageError(f"no team {clean_text(team, 60)!r}; there are {', '.join(one.id for one in settings.teams)}")
    only = settings.teams[0].id if len(settings.teams) == 1 else ""
    there = {target.name for target in settings.targets if target.kind is imported.kind}
    rows, lacking = [], list[str]()
    for row in imported.sites:
        given = row.get("team", "")
        owner = teams.get(team) or teams.get(given) or teams.get(team_id(given) if given else "") or only
        if not owner and row[imported.kind.value] not in there:
            lacking.append(given)
        rows.append({**row, "team": owner if team or row[imported.kind.value] not in there else teams.get(given, "")})
    if lacking:
        unknown = sorted({name for name in lacking if name})[:3]
        words = f"teams that are not configured ({', '.join(unknown)})" if unknown else "no team"
        raise UsageError(f"{len(lacking):,} targets have {words}. Say whose they are: --team NAME")
    return tuple(rows)


def _with(home: Home, path: Path, merged: Merged) -> Settings:
    """The configuration as it would be, read as always: what is wrong with it is told before anything is written."""
    with tempfile.TemporaryDirectory(prefix="losswatch-") as folder:
        draft = Path(folder) / "inventory"
        if home.inventory.is_dir():
            shutil.copytree(home.inventory, draft, ignore=lambda _, names: [n for n in names if not n.endswith(".csv")])
        draft.mkdir(exist_ok=True)
        (draft / path.name).write_text(merged.text, encoding="utf-8", newline="")
        return load(home, presets=presets(), inventory=draft)
