"""The report and the table of incidents: whole, and with nothing in them that a reader's program would run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from data.model.incident import Incident, IncidentState, Severity, TimelineEntry
from data.model.money import Loss
from data.model.plan import Switch, SwitchState
from data.model.record import Report, Times
from data.model.snapshot import ChecklistItem, Statement
from tui.cli.incident_report import markdown
from tui.cli.incidents_past import as_csv

T0 = datetime(2026, 11, 17, 12, tzinfo=UTC)
INCIDENT = Incident(
    412, "aurora", ("aurora", "cedar"), "edge.error", Severity.SEV1, IncidentState.CLOSED, "the edge answers with errors",
    "Halyard Edge: 412 sites", "Halyard Edge", "developer on call", T0, T0 + timedelta(seconds=90), members=412,
    loss=Loss(Decimal("1390.00"), Decimal("1100.00"), Decimal("1700.00"), Decimal("460.00"), unseen=Decimal("12.00")),
    acknowledged_at=T0 + timedelta(minutes=5), acknowledged_by="maria", closed_at=T0 + timedelta(hours=3), closed_by="losswatch",
)  # fmt: skip
REPORT = Report(
    INCIDENT,
    Times(90.0, 210.0, 1_230.0, 10_710.0),
    (Statement("fact", "412 sites since 12:00"), Statement("guess", "the fault lies with Halyard Edge"), Statement("unknown", "why")),
    (TimelineEntry(412, T0, "losswatch", "opened: Halyard Edge"), TimelineEntry(412, T0, "maria", "noted: called them")),
    (Switch("s", "p", "B", "second edge", "aurora", 412, SwitchState.REVERTED, T0, "maria", T0, approved=("maria", "jan"), detail="3 lines"),),
    (ChecklistItem("tell the desk", "maria", T0), ChecklistItem("ask for a statement")),
    (("link", 20), ("site", 392)),
    ("shop-de", "shop-fr"),
)  # fmt: skip


def test_a_report_holds_all_that_somebody_who_was_not_there_needs():
    page = markdown(REPORT)
    for words in (
        "# Incident #412: Halyard Edge: 412 sites, the edge answers with errors", "| severity | SEV1 |",
        "| confirmed | 2026-11-17 12:01:30Z, 90s after it began |", "| acknowledged | 2026-11-17 12:05:00Z by maria, 3m |",
        "| mitigated | 20m after its confirmation |", "| lost | 1390.00 EUR (80 %: 1100.00 to 1700.00) |",
        "| at risk | 460.00 EUR an hour |", "| unseen | 12.00 EUR |", "| affected | 20 links, 392 sites |", "| first | shop-de, shop-fr |",
        "## Known\n\n- 412 sites since 12:00", "## Not known\n\n- why", "B second edge, reverted (maria, jan): 3 lines",
        "- [x] tell the desk (maria, 2026-11-17 12:00:00Z)", "- [ ] ask for a statement", "**maria** noted: called them",
    ):  # fmt: skip
        assert words in page, words


def test_what_did_not_happen_yet_is_said_once():
    fresh = replace(INCIDENT, acknowledged_at=None, acknowledged_by=None, closed_at=None, closed_by=None)
    page = markdown(replace(REPORT, incident=fresh, times=Times(90.0, None, None, None)))
    for word in ("acknowledged", "mitigated", "closed"):
        assert f"| {word} | not yet |" in page


def test_who_may_not_see_money_gets_a_report_without_it():
    hidden = replace(REPORT, incident=replace(INCIDENT, loss=Loss(currency="")))
    assert "lost" not in markdown(hidden)
    assert "1390" not in markdown(hidden)


def test_foreign_words_cannot_become_markup():
    evil = replace(INCIDENT, where="<img src=x onerror=alert(1)>\n# owned | [x](http://evil.example)")
    page = markdown(replace(REPORT, incident=evil))
    assert "<img" not in page.replace("\\<", "")
    assert "\n# owned" not in page
    assert "\\[x\\](http" in page


def test_a_table_has_a_line_an_incident_and_its_money():
    [row] = csv.DictReader(io.StringIO(as_csv([INCIDENT])))
    assert (row["id"], row["teams"], row["lost"], row["currency"]) == ("412", "aurora cedar", "1390.00", "EUR")
    assert row["detected_at"] == "2026-11-17T12:01:30+00:00"


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_cell_never_becomes_a_formula(evil):
    [row] = csv.DictReader(io.StringIO(as_csv([replace(INCIDENT, where=evil)])))
    assert row["where"] == f"'{evil}"


def test_hidden_money_leaves_its_cells_empty():
    [row] = csv.DictReader(io.StringIO(as_csv([replace(INCIDENT, loss=Loss(currency=""))])))
    assert (row["lost"], row["currency"], row["reason"]) == ("", "", "")
