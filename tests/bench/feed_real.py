"""Real feeds with known changes, kept outside the repository: what was found on its day, missed, and found for nothing."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from checks.feeds import decode
from checks.feeds.contract import Contract, profile
from checks.feeds.drift import changes
from checks.feeds.pairs import guess_key, join

if TYPE_CHECKING:
    from checks.feeds.decode import Record

AT = datetime(2021, 1, 1, tzinfo=UTC)


def corpora() -> Path | None:
    usual = Path(__file__).parents[3] / "shared" / "corpora"
    root = Path(os.environ.get("LOSSWATCH_CORPORA") or usual) / "api"
    return root if root.is_dir() else None


@dataclass
class Real:
    """`known` changes of the labels, how many of them were `found`, and what was claimed beside them."""

    payloads: int = 0
    known: int = 0
    found: int = 0
    spurious: int = 0
    batches: int = 0
    on_its_day: int = 0
    compared: int = 0
    """Fields that were there before and after."""
    retyped: int = 0
    """Type changes claimed."""


def practice_feed(root: Path) -> Real:
    """A year of one daily feed; the labels say on which day fields came or went."""
    folder, real = root / "cdc-states", Real()
    past, last = Contract(), list[dict[str, object]]()
    for place, entry in enumerate(json.loads((folder / "index.json").read_text())):
        if not entry["readable"]:
            continue
        records = _load(folder / entry["file"])
        now = profile(records, payload=entry["file"], at=AT + timedelta(hours=place))
        key = guess_key(last, records)
        found = changes(past, now, None, join(last, records, key) if key else None)
        expected = set(entry["fields_new"]) | set(entry["fields_gone"])
        got = {
            change.path for change in found if "-property-added" in change.kind or "-property-removed" in change.kind
        }
        real.payloads += 1
        real.known += len(expected)
        real.found += len(expected & got)
        real.spurious += len(found) - len(expected & got)
        real.batches += bool(expected)
        real.on_its_day += bool(expected) and expected == got
        past, last = past.learn(now), records
    return real


def fixtures(root: Path) -> Real:
    """Versions of a payment API's sample objects, each against the one before; labels are exact key sets."""
    folder, real = root / "stripe-fixtures", Real()
    for before, entry in itertools.pairwise(json.loads((folder / "index.json").read_text())):
        old, new = _load(folder / before["file"]), _load(folder / entry["file"])
        found = changes(Contract((profile(old, payload="old", at=AT),)), profile(new, payload="new", at=AT))
        fields = entry["top_level_fields"].items()
        expected = {f"resources.{name}" for name in (*entry["resources_added"], *entry["resources_removed"])}
        expected |= {f"resources.{n}.{field}" for n, moved in fields for field in (*moved["added"], *moved["removed"])}
        got = {
            change.path for change in found if "-property-added" in change.kind or "-property-removed" in change.kind
        }
        names = set(old[0]["resources"]) | set(new[0]["resources"])  # type: ignore[call-overload]
        top = {path for path in got if _depth(path, names) <= 2}
        real.payloads += 1
        real.known += len(expected)
        real.found += len(expected & got)
        real.spurious += len(top - expected)
        retyped, compared = _retyped(old[0], new[0])
        claimed = {change.path for change in found if change.kind == "response-property-type-changed"}
        real.retyped += len({path for path in claimed if path not in retyped})
        real.compared += compared
    return real


def _load(path: Path) -> list[Record]:
    return decode.find(decode.json_of(gzip.decompress(path.read_bytes()))).records


def _depth(path: str, names: set[str]) -> int:
    rest = path.removeprefix("resources.")
    name = max((name for name in names if rest == name or rest.startswith(name + ".")), key=len)
    return 1 + rest[len(name) :].count(".")


def _retyped(old: object, new: object, path: str = "") -> tuple[set[str], int]:
    """Paths whose JSON type really differs between two documents, and how many paths both have."""
    if isinstance(old, dict) and isinstance(new, dict):
        found, compared = set[str](), 0
        for name in old.keys() & new.keys():
            inner, n = _retyped(old[name], new[name], f"{path}.{name}" if path else name)
            found, compared = found | inner, compared + n
        return found, compared + 1
    if old is None or new is None:
        return set(), 1
    numbers = (int, float)
    same = type(old) is type(new) or (type(old) in numbers and type(new) in numbers)
    return (set() if same else {path}), 1
