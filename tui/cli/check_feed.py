"""`losswatch check feed`: one JSON object for each thing that changed between earlier payloads and a payload."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    from checks.feeds.contract import Contract
    from checks.feeds.decode import Record
    from checks.feeds.drift import Change
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
    parser.add_argument("current", metavar="CURRENT", nargs="*", help="payloads to compare with them")
    parser.add_argument("--records", metavar="PATH", help="dotted path of the list of records (default: found)")
    parser.add_argument("--key", metavar="FIELD", help="field, or fields with commas, that identify a record")
    parser.add_argument("--headers", metavar="FILE", help="response headers of CURRENT (curl -D, or JSON)")
    parser.add_argument("--preset", metavar="NAME", help="what the fields mean: affilka, myaffiliates, ...")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON also on a terminal")


def run(args: argparse.Namespace) -> int:
    from checks.feeds import decode, files
    from checks.feeds import preset as presets

    before, current = _split(args.baseline, args.current)
    preset = presets.load(args.preset) if args.preset else None
    key = tuple(args.key.split(",")) if args.key else ()
    try:
        past = _learn(before, args.records, preset, key)
        announced = files.headers(Path(args.headers)) if args.headers else {}
    except decode.Unreadable as problem:
        print(f"losswatch: {problem}", file=sys.stderr)
        return UNREADABLE
    worst = 0
    for path in current:
        try:
            found = _compare(past, path, args.records, preset, announced)
        except decode.Unreadable as problem:
            print(f"losswatch: {problem}", file=sys.stderr)
            worst = UNREADABLE
            continue
        for change in found:
            print(_line(path, change, plain=sys.stdout.isatty() and not getattr(args, "json", False)))
            worst = max(worst, EXIT[change.severity])
    return worst


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
    return [
        file
        for path in paths
        for file in (sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path])
    ]


@dataclass(frozen=True, slots=True)
class _Past:
    contract: Contract
    last: list[Record]
    key: Key


def _learn(paths: list[Path], records: str | None, preset: Preset | None, key: Key) -> _Past:
    from checks.feeds import contract, files, pull

    keep = paths[-contract.KEEP :]
    if preset and not key:
        key = (preset.rows.day, *preset.dims.values())
    learned, last = contract.Contract(), []
    for place, path in enumerate(keep):
        found = files.load(path, records, preset)
        at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=place)
        total = pull.total_of(found.envelope)
        learned = learned.learn(contract.profile(found.records, payload=str(place), at=at, key=key, total=total))
        last = found.records
    return _Past(learned, last, key)


def _compare(
    past: _Past, path: Path, records: str | None, preset: Preset | None, announced: dict[str, str]
) -> tuple[Change, ...]:
    from checks.feeds import canonical, contract, deprecation, drift, files, pairs, pull

    found = files.load(path, records, preset)
    now = datetime.now(UTC)
    total = pull.total_of(found.envelope)
    profile = contract.profile(found.records, payload=str(path), at=now, key=past.key, total=total)
    key = past.key or pairs.guess_key(past.last, found.records)
    joined = pairs.join(past.last, found.records, key) if key else None
    uses = canonical.uses(preset) if preset else None
    return (*deprecation.announced(announced, now), *drift.changes(past.contract, profile, uses, joined))


def _line(path: Path, change: Change, *, plain: bool) -> str:
    if plain:
        return f"{change.severity:<9} {change.kind:<36} {change.path or '-'}: {change.was} → {change.now}"
    return json.dumps({"payload": str(path), **asdict(change)}, ensure_ascii=False)
