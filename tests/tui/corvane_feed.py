"""What the feeds of Corvane Media show: one whose unit changed, one that took money back, one that is pushed to us."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from data.model.delivery import Outcome, RestatedAs
from data.model.feed_view import (
    Backfill,
    ContractRow,
    DeliveryRow,
    FeedView,
    HourOfPostbacks,
    Reconciled,
    RestatementRow,
)
from data.model.parser_view import DiffLine
from data.model.snapshot import ChangeRow, TargetDetail
from data.model.state import State
from tests.tui.corvane import NOW, ago

TODAY = NOW.date()
MONEY = (
    ("commissions_total", "commission_total", "84.30", "8,430"),
    ("net_pl", "ngr", "240.18", "24,018"),
    ("deposit_total", "deposit_amount", "512.60", "51,260"),
)
DIFF = tuple(
    DiffLine(kind, was, now, text)
    for kind, was, now, text in (
        (" ", 1, 1, "{"), (" ", 2, 2, '  "dt": "2026-11-17T00:00:00Z",'), (" ", 3, 3, '  "brand_name": "Zefirion",'),
        (" ", 4, 4, '  "player_id": "•••",'), (" ", 5, 5, '  "visit_count": 758,'), (" ", 6, 6, '  "ftd_count": 25,'),
        ("-", 7, None, '  "commissions_total": 950.0,'), ("+", None, 7, '  "commissions_total": 95000,'),
        (" ", 8, 8, '  "qftd_count": 25,'), ("-", 9, None, '  "net_pl": 2375.0'), ("+", None, 9, '  "net_pl": 237500'), (" ", 10, 10, "}"),
    )
)  # fmt: skip
CHANGES = (
    *(ChangeRow("breaking", "scale-changed", path, f"median {was}", f"× 100, median {now}", 214, ago(139), ago(4), used_by=use) for path, use, was, now in MONEY),
    ChangeRow("risky", "response-property-enum-value-added", "status", "3 words", "pending_review", 7, ago(61), ago(4), used_by="dim.status"),
    ChangeRow("harmless", "response-optional-property-added", "brand_id", "absent", "100%", 214, ago(139), ago(4)),
    ChangeRow("risky", "null-share-rose", "country", "0.2%", "31.0%", 66, ago(9000), ago(7000), ago(6800), used_by="dim.geo"),
)  # fmt: skip
CONTRACT = (
    ContractRow("brand_name", "string", 1.0, 0.0, "always Zefirion", "dim.brand"), ContractRow("commissions_total", "number", 1.0, 0.0, "0 to 950, median 84.30", "commission_total"),
    ContractRow("country", "string", 0.98, 0.012, "8 words: AT, BR, DE, FI, ...", "dim.geo"), ContractRow("dt", "string datetime utc", 1.0, 0.0, "", "day"),
    ContractRow("ftd_count", "integer", 1.0, 0.0, "0 to 25, median 4", "ftd_count"), ContractRow("net_pl", "number", 1.0, 0.0, "-310 to 2,375, median 240.18", "ngr"),
    ContractRow("visit_count", "integer", 1.0, 0.0, "3 to 758, median 110", "clicks"), ContractRow("meta.trace", "string uuid", 0.41, 0.0, "", ""),
)  # fmt: skip
MESSAGE = """Subject: Smartico, account 4711: amounts in another unit or currency

Hello,

from 17 Nov 2026 09:15 UTC on the amounts in your report differ by the factor below from those before.

Thank you."""


def delivery(minutes: float, outcome: Outcome, detail: str, by: str = "", days: int = 2) -> DeliveryRow:
    return DeliveryRow(
        ago(minutes), TODAY - timedelta(days), TODAY, 214, outcome, detail, f"{int(minutes):012x}", 48_211, by
    )


SCALED = "× 100 on commissions_total, counts flat"
DELIVERIES = (
    delivery(4, Outcome.QUARANTINED, SCALED), delivery(139, Outcome.QUARANTINED, SCALED, days=7), delivery(154, Outcome.STORED, "214 rows"),
    delivery(169, Outcome.STORED, "214 rows"), delivery(1500, Outcome.RELEASED, "net_pl is gone", "maria"), delivery(1530, Outcome.FAILED, "the API answered 502"),
    delivery(1800, Outcome.STORED, "214 rows", days=0),
)  # fmt: skip
BASE = FeedView(
    platform="Smartico", arrival="usually complete 7 h after the end of the day; newest day 17 Nov; last stored 09:00Z", quota="6,100 of 10,000 calls left",
    failed=0.011, throttled=2, deliveries=DELIVERIES[2:], contract=CONTRACT, contract_since=ago(15 * 1440),
)  # fmt: skip
HELD = replace(
    BASE, unseen="EUR 75 an hour unseen since 09:15Z", deliveries=DELIVERIES, waiting=2, message=MESSAGE,
    backfill=Backfill(date(2026, 8, 19), date(2026, 11, 16), 31, 90, "running", "6,820 rows"),
)  # fmt: skip


def restatement(
    back: int, measure: str, was: str, now: str, by: str = "", kind: RestatedAs = RestatedAs.CLAW_BACK
) -> RestatementRow:
    before, after = Decimal(was), Decimal(now)
    return RestatementRow(
        TODAY - timedelta(back),
        measure,
        "EUR",
        before,
        after,
        float((after - before) / before),
        kind,
        back,
        ago(32),
        14,
        by,
    )


LEDGER = (
    restatement(1, "commission_total", "2310.40", "2079.15"), restatement(1, "ftd_count", "36", "33"), restatement(2, "commission_total", "2188.00", "1930.50"),
    restatement(2, "ftd_count", "35", "31"), restatement(3, "ngr", "6580.00", "6110.25"), restatement(4, "ngr", "6021.10", "6033.80", "maria", RestatedAs.LATE_DATA),
    restatement(5, "ngr", "5980.00", "5974.00", "hub", RestatedAs.CORRECTION),
)  # fmt: skip
RESTATED = replace(BASE, restatements=LEDGER, message="Subject: figures of past days were lowered\n\nHello,")
PUSHED = replace(
    BASE, arrival="", deliveries=(), contract=(), contract_since=None, quota="",
    postbacks=tuple(HourOfPostbacks(ago(34 + 60 * (47 - at)), 0 if at > 45 else 18 + at % 9, at % 5 == 0, at % 17 == 3, 22.0 if at > 8 else None) for at in range(48)),
    reconciled=(Reconciled("first deposits by postback", 61, 74, "0.92-1.00", fits=False), Reconciled("clicks", 9120, 8604, "0.86-0.97", fits=True)),
)  # fmt: skip


def of_feed(whole: TargetDetail) -> TargetDetail:
    """What only a feed's detail has: broken ones are held back, the others are fine."""
    if whole.row.state is State.OK:
        return replace(whole, changes=CHANGES[5:], feed=BASE)
    return replace(whole, changes=CHANGES, diff=DIFF, good_at=ago(154), bad_at=ago(4), feed=HELD)
