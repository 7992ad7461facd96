from __future__ import annotations

import pytest

from tests.tui.corvane import BURNING
from tui.goto import Aim, aim, candidates


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("overview", Aim("overview")), ("sites", Aim("list", "site")), ("apis", Aim("list", "feed")), ("site aurora-001", Aim("target", "site:aurora-001")),
     ("slice partner=P02,geo=DE", Aim("target", "slice:partner=P02,geo=DE")), ("inc 412", Aim("incident", "412")), ("#412", Aim("incident", "412")),
     ("theme nord", Aim("theme", "nord")), ("  quit ", Aim("quit"))],
)  # fmt: skip
def test_what_is_typed_leads_somewhere(text, meaning):
    assert aim(text) == meaning


@pytest.mark.parametrize("text", ["", "nowhere", "inc x", "site", "theme"])
def test_what_leads_nowhere_says_what_would(text):
    assert aim(text).what == "unknown"
    assert aim(text).value


def test_candidates_are_places_incidents_and_targets_nearest_first():
    assert candidates("inc 41", BURNING, ())[0].text == "inc 412"
    assert "site aurora-001" in [one.text for one in candidates("aurora", BURNING, ())]
    assert [one.text for one in candidates("theme los", BURNING, ["losswatch", "nord"])] == ["theme losswatch"]


def test_every_candidate_is_itself_a_meaning():
    for text in ("a", "s", "p", "i", "t"):
        for one in candidates(text, BURNING, ["losswatch"]):
            assert aim(one.text).what != "unknown"
