"""The table of kinds against the code: every kind that is claimed stands in it, every row is claimed somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from checks.feeds.kinds import KINDS

FEEDS = Path(__file__).parents[3] / "checks" / "feeds"
STRING = re.compile(r'"((?:response|endpoint)-[a-z-]+|[a-z]+(?:-[a-z0-9]+)+)"')


def _claimed() -> set[str]:
    return {
        name
        for path in FEEDS.glob("*.py")
        if path.name != "kinds.py"
        for name in STRING.findall(path.read_text("utf-8"))
    }


def test_no_row_of_the_table_is_without_a_test_that_claims_it():
    assert set(KINDS) - _claimed() == set()


def test_rules_named_as_in_oasdiff_are_marked_so():
    marked = {name for name, kind in KINDS.items() if kind.oasdiff}
    assert marked == {name for name in KINDS if name.startswith("response-")} | {"endpoint-deprecated"}
    assert not {name for name in _claimed() if name.startswith("response-")} - marked


def test_each_kind_has_words_a_severity_and_a_cause_of_a_feed():
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.words
        assert kind.severity in {"breaking", "risky", "harmless"}
        assert kind.cause.startswith("feed.")
