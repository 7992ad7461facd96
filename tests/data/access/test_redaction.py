from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from data.access.redaction import HIDDEN, band, redact_incident, redact_row, redact_words
from data.model.codec import to_json
from data.model.incident import Incident, IncidentState, Severity
from data.model.money import Loss
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import TargetKind

T0 = datetime(2026, 11, 17, tzinfo=UTC)
NAMES = (("Quillspin", "P01"),)
FULL = Scope(frozenset({"aurora"}), MoneyRight.FULL)
BAND = Scope(frozenset({"aurora"}), MoneyRight.BAND)
NONE = Scope(frozenset({"aurora"}), MoneyRight.NONE)
ALIAS = Scope(None, MoneyRight.FULL, NAMES)

INCIDENT = Incident(
    3, "*", ("aurora", "cedar"), "revenue.silence", Severity.SEV1, IncidentState.NEW, "Quillspin silent, EUR 777.31/h",
    "QUILLSPIN DE", "quillspin", "affiliate manager", T0, T0, reason="777.31 EUR lost at Quillspin",
    loss=Loss(*[Decimal("777.31")] * 9), upstream="partner=Quillspin", evidence={"rivals": "host trk.quillspin.example, EUR 777.31"},
)  # fmt: skip
SLICE = TargetRow(
    "slice:partner=P01", TargetKind.SLICE, "aurora", "Quillspin", State.FAILING, "revenue.silence", "−€777.31", T0, T0,
    value=777.31, expected=777.31, trend=(777.31,), loss_per_hour=Decimal("777.31"),
)  # fmt: skip


@pytest.mark.parametrize("scope", [BAND, NONE])
def test_without_the_right_to_money_no_figure_of_it_leaves_in_any_field(scope):
    assert b"777" not in to_json(redact_incident(INCIDENT, scope))
    assert b"777" not in to_json(redact_row(SLICE, scope))
    assert redact_incident(INCIDENT, scope).loss == HIDDEN
    assert redact_incident(INCIDENT, scope).severity is Severity.SEV1


def test_with_the_right_money_is_untouched():
    assert redact_incident(INCIDENT, EVERYTHING) is INCIDENT
    assert redact_incident(INCIDENT, FULL).loss == INCIDENT.loss
    assert redact_row(SLICE, FULL) == SLICE


def test_a_reader_who_sees_aliases_sees_no_partner_name_in_any_field():
    assert b"quillspin" not in to_json(redact_incident(INCIDENT, ALIAS)).lower()
    assert b"quillspin" not in to_json(redact_row(SLICE, ALIAS)).lower()
    assert redact_incident(INCIDENT, ALIAS).title == "P01 silent, EUR 777.31/h"


def test_other_teams_of_a_shared_incident_are_not_named():
    assert redact_incident(INCIDENT, FULL).teams == ("aurora",)


def test_a_feeds_row_count_is_no_money():
    row = TargetRow("feed:p", TargetKind.FEED, "aurora", "p", State.OK, "", "", T0, T0, value=40.0)
    assert redact_row(row, NONE).value == 40.0


WORDS = [
    ("lost EUR 1,234.50 so far", "lost ••• so far"),
    ("lost 1 234,50 EUR so far", "lost ••• so far"),
    ("€12k/h", "•••/h"),
    ("-$5", "-•••"),
    ("SEK 99 and 3 sites", "••• and 3 sites"),
    ("SEV1 since 14:20", "SEV1 since 14:20"),
    ("503 at the edge, 12 of 30", "503 at the edge, 12 of 30"),
    ("geo DE 404", "geo DE 404"),
    ("30 EURO casinos", "30 EURO casinos"),
]


@pytest.mark.parametrize(("text", "shown"), WORDS)
def test_amounts_in_words_are_masked_and_other_numbers_stay(text, shown):
    assert redact_words(text, NONE) == shown
    assert redact_words(text, EVERYTHING) == text


BANDS = [("0", "none"), ("0.01", "under 50/h"), ("50", "50 to 200/h"), ("200", "50 to 200/h"), ("200.01", "over 200/h")]


@pytest.mark.parametrize(("amount", "words"), BANDS)
def test_a_band_is_the_severitys(amount, words):
    assert band(Decimal(amount)) == words
