"""What is held back is judged by the same evidence when it is read again."""

from __future__ import annotations

import json

import pytest
import zstandard

from checks.feeds import preset as presets
from checks.feeds.judge import judge
from checks.feeds.quarantine import kept, release, reread
from data.errors import UsageError
from data.model.delivery import Delivery, Outcome
from data.model.fact import Payload
from data.model.ids import TeamId

from .conftest import NOW, feed

PRESET = presets.load("smartico")
FEED = feed(preset="smartico")
TODAY = NOW.date()


def body(name, n, total, extra=""):
    rows = [
        {"dt": f"{TODAY}T00:00:00Z", "afp": f"go-{at}", "visit_count": 90, "registration_count": 12, "net_pl": 50.5, "deposit_total": 9.5, "ftd_count": 3, "commissions_total": 38.5 + at}
        for at in range(n)
    ]  # fmt: skip
    text = json.dumps({"total": total, "data": rows}).replace('"ftd_count": 3', f'"ftd_count": 3{extra}', 1)
    return Payload(name, "p01", TeamId("aurora"), NOW, "application/json", zstandard.compress(text.encode()))


def held(one):
    delivery = Delivery(
        "p01", TeamId("aurora"), NOW, TODAY, TODAY, (one.hash,), 0, Outcome.QUARANTINED, "feed.paging", ""
    )
    return kept([delivery], {one.hash: one})[0]


@pytest.mark.parametrize(
    ("now", "words"),
    [(body("h2", 20, 90), "20 of 90 rows"), (body("h2", 40, 40, ', "ftd_count": 4'), "twice in one object")],
    ids=["a first page of several", "a key twice"],
)
def test_what_was_held_back_for_its_pages_or_its_keys_is_not_released_by_reading_it_again(now, words):
    good = reread(FEED, PRESET, held(body("h1", 40, 40)))
    first = judge(FEED, PRESET, good, None, (), NOW)
    assert first.outcome is Outcome.STORED
    args = (FEED, PRESET, held(now), first.baseline, first.stats, NOW, "ann")
    with pytest.raises(UsageError, match=words):
        release(*args)
    assert release(*args, trusted=True).outcome is Outcome.STORED
