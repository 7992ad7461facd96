"""Real payloads, kept outside the repository: what really changed is found, nothing else is."""

from __future__ import annotations

import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from checks.feeds import decode
from checks.feeds.contract import Contract, profile
from checks.feeds.drift import changes
from checks.feeds.pairs import guess_key, join


def _load(folder, name):
    return decode.find(decode.json_of(gzip.decompress((folder / name).read_bytes()))).records


def test_a_year_of_a_daily_feed_raises_its_real_schema_changes_and_nothing_else(corpora):
    folder = corpora / "cdc-states"
    past, last, wrong = Contract(), [], []
    for place, entry in enumerate(json.loads((folder / "index.json").read_text())):
        if not entry["readable"]:
            with pytest.raises(decode.Unreadable):
                _load(folder, entry["file"])
            continue
        records = _load(folder, entry["file"])
        at = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(hours=place)
        now = profile(records, payload=entry["file"], at=at)
        key = guess_key(last, records)
        found = changes(past, now, None, join(last, records, key) if key else None)
        added = {change.path for change in found if change.kind.endswith("property-added")}
        gone = {change.path for change in found if change.kind.endswith("property-removed")}
        if (added, gone) != (set(entry["fields_new"]), set(entry["fields_gone"])) or len(found) != len(added | gone):
            wrong.append((entry["file"], [(change.kind, change.path) for change in found]))
        past, last = past.learn(now), records
    assert not wrong


def test_fields_and_resources_that_came_and_went_between_api_versions_are_found_exactly(corpora):
    folder = corpora / "stripe-fixtures"
    index = json.loads((folder / "index.json").read_text())
    at = datetime(2021, 1, 1, tzinfo=UTC)
    for before, entry in itertools.pairwise(index):
        old, new = _load(folder, before["file"]), _load(folder, entry["file"])
        past = Contract((profile(old, payload="old", at=at),))
        found = changes(past, profile(new, payload="new", at=at))
        names = set(old[0]["resources"]) | set(new[0]["resources"])
        for word, side in (("added", "added"), ("removed", "removed")):
            got = {change.path for change in found if change.kind.endswith(f"property-{word}")}
            fields = entry["top_level_fields"].items()
            expected = {f"resources.{name}" for name in entry[f"resources_{side}"]}
            expected |= {f"resources.{name}.{field}" for name, moved in fields for field in moved[side]}
            assert {path for path in got if _depth(path, names) <= 2} == expected


def _depth(path, names):
    rest = path.removeprefix("resources.")
    name = max((name for name in names if rest == name or rest.startswith(name + ".")), key=len)
    return 1 + rest[len(name) :].count(".")
