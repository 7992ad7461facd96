"""Corvane Media's plans for the edge that fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from data.model.plan import Needs, Rehearsed, Requirement, Switch, SwitchState
from data.model.snapshot import PlanRow
from tests.tui.corvane import NOW, ago

GREEN = Requirement(Needs.GREEN, held=True, detail="edge-2 ok, 20 s ago")
UNSURE = Requirement(Needs.LICENCE, held=None, detail="P11 declares no brand for DE")
DRY_RUN = Rehearsed(
    "edge-2", 412, NOW, tuple(f"/go/{n} https://halyard.example/{n};" for n in range(12)),
    tuple(f"/go/{n} https://second.example/{n};" for n in range(12)), (GREEN, UNSURE), 412.4, Decimal("288.00"), Decimal("240.00"),
    Decimal("310.00"), keys=2,
)  # fmt: skip
USE = Switch(
    "edge-2@x", "edge-2", "B", "move DNS to the second edge", "*", 412, SwitchState.APPLIED, ago(12), "maria", ago(13), keys=2,
    approved=("maria", "jan"), applied_at=ago(12), expires_at=ago(-108), detail="12 lines of go.map were set",
)  # fmt: skip
ASKED = replace(USE, state=SwitchState.ASKED, approved=("maria",), applied_at=None, expires_at=None, detail="")
READY = PlanRow(
    "B", "move DNS to the second edge, prepared outside that provider", Decimal("288.00"), Decimal("240.00"), Decimal("310.00"), "edge-2",
    "redirects", (GREEN, UNSURE), keys=2, expires_s=7200.0, rehearsed=date(2026, 10, 1), fresh=True,
)  # fmt: skip
WORDS = PlanRow("A", "wait with a status note")
REFUSED = PlanRow(
    "C", "route only money pages via our own redirector", id="own", does="keitaro", refused="own-redirector failing: 503, 9 s ago",
)  # fmt: skip
