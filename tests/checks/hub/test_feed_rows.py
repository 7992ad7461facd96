from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from checks.feeds import preset as presets
from checks.feeds.canonical import uses
from checks.feeds.contract import Contract, profile
from checks.hub import feed_rows
from data.model.backfill import Backfill, BackfillState
from data.model.delivery import Delivery, Outcome, RestatedAs, Restatement
from data.model.fact import FeedChange
from data.model.ids import CauseId, PartnerId, TeamId
from data.model.principal import EVERYTHING, MoneyRight, Scope

AT = datetime(2026, 11, 17, 9, 15, tzinfo=UTC)
PRESET = presets.load("smartico")
BAND = Scope(teams=None, money=MoneyRight.BAND, hidden_names=(("Zefirion", "Partner 6"),))


def change(severity="breaking", path="net_pl", minutes=0, closed=None, was="median 240.18", now="× 100, median 24,018"):
    seen = AT + timedelta(minutes=minutes)
    done = AT + timedelta(minutes=closed) if closed is not None else None
    return FeedChange("zef", TeamId("cedar"), "h", "scale-changed", path, severity, was, now, 10, 20, seen, seen, done)


def restated(measure="ngr", was="100.00", now="90.00"):
    return Restatement(
        "zef", TeamId("cedar"), PartnerId("P06"), date(2026, 11, 14), "EUR", measure, Decimal(was), Decimal(now), 3, RestatedAs.CLAW_BACK, 2, AT, "a", "b"
    )  # fmt: skip


def test_the_worst_open_change_stands_first_and_what_is_over_last():
    found = [
        change("risky", "a"),
        change("breaking", "b", closed=5),
        change("harmless", "c"),
        change("breaking", "d", 2),
        change("breaking", "e", 1),
        change("risky", "f", closed=9),
    ]
    rows = feed_rows.change_rows(found, PRESET, uses(PRESET), EVERYTHING)
    assert [row.path for row in rows] == ["e", "d", "a", "c", "b", "f"]


@pytest.mark.parametrize(
    ("path", "reader"),
    [("net_pl", "ngr"), ("dt", "day"), ("brand_name", "dim.brand"), ("trace", ""), ("", "every figure")],
)
def test_a_change_says_what_is_read_from_its_path(path, reader):
    (row,) = feed_rows.change_rows([change(path=path)], PRESET, uses(PRESET), EVERYTHING)
    assert row.used_by == reader


def test_what_is_read_below_a_path_is_read_from_it():
    assert feed_rows.read_from("deal", {"deal.net": "ngr", "dealer": "x", "deal[].a": "clicks"}) == "ngr, clicks"


def test_who_may_not_see_money_sees_the_factor_and_no_amount():
    (money,) = feed_rows.change_rows([change()], PRESET, uses(PRESET), BAND)
    assert (money.was, money.now) == ("median •••", "× 100, median •••")
    (count,) = feed_rows.change_rows([change(path="visit_count")], PRESET, uses(PRESET), BAND)
    assert count.now == "× 100, median 24,018"
    (share,) = feed_rows.change_rows([change(now="17,880.00 (−9.5%) over Zefirion")], PRESET, uses(PRESET), BAND)
    assert share.now == "••• (−9.5%) over Partner 6"


def test_the_ledger_has_figures_of_money_only_for_who_may_see_them():
    rows = feed_rows.restatement_rows(
        [restated(), restated("ftd_count", "36", "33"), restated("unheard_of")], PRESET, BAND
    )
    assert [(row.was, row.share is None) for row in rows] == [(None, True), (Decimal(36), False), (None, True)]
    whole = feed_rows.restatement_rows([restated(), restated(was="0")], PRESET, EVERYTHING)
    assert [row.share for row in whole] == [pytest.approx(-0.1), None]


def test_a_delivery_has_the_size_of_all_its_bodies_that_are_kept():
    one = Delivery(
        "zef",
        TeamId("cedar"),
        AT,
        AT.date(),
        AT.date(),
        ("a" * 64, "b" * 64, "gone"),
        3,
        Outcome.STORED,
        CauseId(""),
        "Zefirion: 3 rows",
    )
    (row,) = feed_rows.delivery_rows([one, replace(one, payloads=())], {"a" * 64: 100, "b" * 64: 20}, BAND)[:1]
    assert (row.payload, row.bytes, row.detail) == ("a" * 12, 120, "Partner 6: 3 rows")


def test_the_contract_tells_types_presence_blanks_and_who_reads():
    records = [
        {"dt": "2026-11-16", "net_pl": 1.5 * n, "brand_name": "Zefirion", "status": ("open", "paid")[n % 2], "note": None if n % 4 else "x"}
        for n in range(40)
    ]  # fmt: skip
    for one in records[:4]:
        del one["status"]
    contract = Contract().learn(profile(records, payload="a", at=AT))
    rows = {row.path: row for row in feed_rows.contract_rows(contract, PRESET, EVERYTHING)}
    assert list(rows)[:3] == ["brand_name", "dt", "net_pl"]
    assert (rows["net_pl"].types, rows["net_pl"].used_by) == ("number", "ngr")
    assert rows["net_pl"].usual.startswith("0 to 58.50, median ")
    assert (rows["status"].presence, rows["status"].usual) == (pytest.approx(0.9), "2 words: open, paid")
    assert rows["note"].blank == pytest.approx(0.75)
    assert rows["brand_name"].usual == "always Zefirion"
    assert rows["dt"].usual == ""
    hidden = {row.path: row.usual for row in feed_rows.contract_rows(contract, PRESET, BAND)}
    assert (hidden["net_pl"], hidden["brand_name"]) == ("", "always Partner 6")
    assert feed_rows.contract_rows(Contract(), None, EVERYTHING) == ()


@pytest.mark.parametrize(
    ("left", "state", "detail", "done", "word"),
    [
        (date(2026, 11, 10), BackfillState.RUNNING, "", 6, "running"), (date(2026, 11, 10), BackfillState.RUNNING, "next try 09:00Z", 6, "waiting"),
        (None, BackfillState.DONE, "", 16, "done"), (date(2026, 11, 16), BackfillState.CANCELLED, "by maria", 0, "cancelled"),
    ],
)  # fmt: skip
def test_a_backfill_is_told_in_days(left, state, detail, done, word):
    one = Backfill(
        "zef", TeamId("cedar"), date(2026, 11, 1), date(2026, 11, 16), "maria", AT, AT, 4, 1, left, 90, 1, state, detail
    )
    shown = feed_rows.backfill_of(one, EVERYTHING)
    assert (shown.done_days, shown.days, shown.state) == (done, 16, word)
    assert shown.detail.startswith("90 rows, 1 in quarantine")
    assert feed_rows.backfill_of(None, EVERYTHING) is None
