"""`losswatch check feed`: one JSON object for each thing that changed between earlier payloads and a payload."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.feeds.change import Change
    from checks.feeds.contract import Contract, Profile
    from checks.feeds.kept import Kept
    from checks.feeds.pairs import Key
    from checks.feeds.preset import Preset

EXIT = {"harmless": 0, "risky": 1, "breaking": 2}
UNREADABLE = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "losswatch check feed --baseline FILE.. [--] CURRENT.. [--records PATH] [--key FIELD] [--headers FILE] [--preset NAME]"
    parser.epilog = (
        "Without `--`, the last FILE after --baseline is CURRENT. A folder as FILE stands for its files by name."
    )
    parser.add_argument(
        "--baseline", metavar="FILE", nargs="+", action="append", required=True, help="payloads that were fine"
    )
    parser.add_argument(
        "current", metavar="CURRENT", nargs="*",
        help="payloads to compare with them, in their order: one in which nothing is breaking is learned before the next",
    )  # fmt: skip
    parser.add_argument("--records", metavar="PATH", help="dotted path of the list of records (default: found)")
    parser.add_argument("--key", metavar="FIELD", help="field, or fields with commas, that identify a record")
    parser.add_argument("--headers", metavar="FILE", help="response headers of CURRENT (curl -D, or JSON)")
    parser.add_argument("--preset", metavar="NAME", help="what the fields mean: affilka, myaffiliates, ...")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON also on a terminal")


def run(args: argparse.Namespace) -> int:
    from checks.feeds import files
    from checks.feeds import preset as presets
    from checks.feeds.payload import Unreadable

    before, current = _split(args.baseline, args.current)
    preset = presets.load(args.preset) if args.preset else None
    key = tuple(name.strip() for name in args.key.split(",")) if args.key else ()
    plain = sys.stdout.isatty() and not getattr(args, "json", False)
    show = partial(_text, named=len(current) > 1) if plain else _json
    with files.room():
        try:
            past = _learn(before, args.records, preset, key)
            announced = files.headers(Path(args.headers)) if args.headers else {}
        except Unreadable as problem:
            print(f"losswatch: {problem}", file=sys.stderr)
            return UNREADABLE
        worst = 0
        for path in current:
            code, past = _judged(past, path, args.records, announced, show)
            worst = max(worst, code)
        return worst


def _judged(
    past: _Past, path: Path, records: str | None, announced: dict[str, str], show: Callable[[Path, Change], str]
) -> tuple[int, _Past]:
    """The exit code of one payload, its changes printed, and what the next one is compared with.

    A payload in which nothing is breaking is part of it: some evidence takes two days. One that cannot be read is a
    change, and said aloud too.
    """
    from checks.feeds import flaws
    from checks.feeds.payload import Unreadable

    try:
        found, after = _compare(past, path, records, announced)
    except Unreadable as problem:
        print(show(path, flaws.unreadable(str(problem).removeprefix(f"{path}: "))))
        print(f"losswatch: {problem}", file=sys.stderr)
        return UNREADABLE, past
    for change in found:
        print(show(path, change))
    code = max((EXIT[change.severity] for change in found), default=0)
    return code, past if code == EXIT["breaking"] else after


def _split(groups: list[list[str]], current: list[str]) -> tuple[list[Path], list[Path]]:
    """Baselines and currents: argparse gives every word after `--baseline` to it, so the last ones may be currents.

    1. What stands after `--` or after another option is current. 2. With one FILE a `--baseline`, all else after the last
    is current; the same after a single folder. 3. Otherwise the very last FILE is.
    """
    if not current:
        single = (len(groups) > 1 and all(len(group) == 1 for group in groups[:-1])) or Path(groups[-1][0]).is_dir()
        cut = 1 if single else len(groups[-1]) - 1
        current, groups = groups[-1][cut:], [*groups[:-1], groups[-1][:cut]]
    before = [Path(name) for group in groups for name in group]
    if not before or not current:
        raise UsageError("one FILE is not enough to compare. Try: losswatch check feed --baseline EARLIER.. -- CURRENT")
    return _files(before), _files([Path(name) for name in current])


def _files(paths: list[Path]) -> list[Path]:
    """Files as they are; a folder as its files by name, hidden ones left out."""
    found: list[Path] = []
    for path in paths:
        inside = _inside(path) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"no files in the folder {clean_text(str(path), 120)}")
        found += inside
    return found


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as problem:
        raise UsageError(f"{clean_text(str(folder), 120)}: {problem.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Past:
    """What the payloads that were fine had in common, and the records of the last one."""

    contract: Contract
    last: Kept
    key: Key
    preset: Preset | None

    @property
    def next_at(self) -> datetime:
        """A time for the next payload: files have an order and no dates."""
        before = self.contract.profiles
        return before[-1].at + timedelta(seconds=1) if before else datetime(2000, 1, 1, tzinfo=UTC)

    def learn(self, profile: Profile, records: Kept) -> _Past:
        return replace(self, contract=self.contract.learn(profile), last=records)


def _learn(paths: list[Path], records: str | None, preset: Preset | None, key: Key) -> _Past:
    from checks.feeds.contract import KEEP, Contract
    from checks.feeds.kept import Kept

    if preset and not key:
        key = (preset.rows.day, *preset.dims.values())
    past = _Past(Contract(), Kept(key), key, preset)
    for path in paths[-KEEP:]:
        last = Kept(key)
        past = past.learn(_profile(path, records, preset, key, last, past.next_at), last)
    return past


def _profile(path: Path, records: str | None, preset: Preset | None, key: Key, kept: Kept, at: datetime) -> Profile:
    """One payload, gone through once."""
    from checks.feeds import contract, files, report

    with files.reading(path, records, preset) as payload:
        profile = contract.profile(kept.through(payload.records), payload=str(path), at=at, key=key)
        return replace(profile, total=report.total_of(payload.envelope), flaws=tuple(payload.flaws))


def _compare(
    past: _Past, path: Path, records: str | None, announced: dict[str, str]
) -> tuple[tuple[Change, ...], _Past]:
    """What differs, and the past with the payload in it."""
    from checks.feeds import canonical, deprecation, drift, flaws, pairs
    from checks.feeds.kept import Kept

    kept = Kept(past.key or past.last.key)
    profile = _profile(path, records, past.preset, past.key, kept, past.next_at)
    key = past.key or pairs.guess_key(past.last.records, kept.records)
    joined = pairs.join(past.last.records, kept.records, key) if key else None
    uses = canonical.uses(past.preset) if past.preset else None
    drifted = drift.changes(past.contract, profile, uses, joined)
    found = (*deprecation.announced(announced, datetime.now(UTC)), *flaws.changes(past.contract, profile, uses))
    return (*found, *drifted), past.learn(profile, kept)


def _text(path: Path, change: Change, *, named: bool) -> str:
    payload = f"{clean_text(str(path), 80)}: " if named else ""
    return f"{payload}{change.severity:<9} {change.kind:<36} {change.path or '-'}: {change.was} → {change.now}"


def _json(path: Path, change: Change) -> str:
    return json.dumps({"payload": str(path), **asdict(change)}, ensure_ascii=False)
