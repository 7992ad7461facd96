"""P03 calls once for each of its conversions, and no conversion is called that its report does not have."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from checks.demo.calls import Sender
from checks.demo.ledger import HISTORY_HOURS
from tests.checks.demo.conftest import DAY


def test_each_conversion_is_called_once_however_often_the_partner_looks(ledger):
    ledger.history(DAY)
    sender, until = Sender(ledger, 0, "key"), DAY + timedelta(hours=3)
    calls = []
    for n in range(60):
        calls += sender.due(DAY + timedelta(minutes=3 * n), DAY + timedelta(minutes=3 * n + 3))
    assert {DAY <= call.at <= until for call in calls} == {True}
    assert len({(call.number, call.status) for call in calls}) == len(calls)
    whole = list(Sender(ledger, 0, "key").due(DAY, until))
    assert sorted((one.at, one.status) for one in calls) == sorted((one.at, one.status) for one in whole)
    rows = slice(HISTORY_HOURS, HISTORY_HOURS + 3)
    mine = ledger.traffic.partner == "P03"
    expected = {"lead": ledger.counts[1, rows][:, mine].sum(), "sale": ledger.counts[2, rows][:, mine].sum()}
    assert Counter(call.status for call in calls) == expected
