from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from data.model.incident import IncidentState
from data.model.money import NO_LOSS, Loss
from tests.tui.corvane import INCIDENTS
from tui.lines import plain
from tui.look import Look, incident_word, loss_rate, lost_per_hour, lost_so_far, owner
from tui.overview_lines import preview

INCIDENT = INCIDENTS[0]
LOOK = Look(currency="EUR")
SOME = Loss(lost=Decimal(60), per_hour=Decimal(30), currency="EUR")
NOTHING = replace(NO_LOSS, currency="EUR")
HIDDEN = replace(NO_LOSS, currency="")


@pytest.mark.parametrize(
    ("loss", "counted_in", "cell", "rate", "so_far"),
    [
        (SOME, None, "€30", "€30/h", "€60"),
        (SOME, 409, "€30", "€30/h (more in #409)", "€60"),
        (NOTHING, 409, "in #409", "in #409", "—"),
        (NOTHING, None, "€0", "€0/h", "€0"),
        (replace(NOTHING, unseen_per_hour=Decimal(3), unseen=Decimal(9)), None, "unseen", "unseen", "—"),
        (HIDDEN, 409, INCIDENT.severity.value, INCIDENT.severity.value, "—"),
    ],
)
def test_the_money_of_an_incident_says_where_it_is_counted(loss, counted_in, cell, rate, so_far):
    incident = replace(INCIDENT, loss=loss, counted_in=counted_in)
    assert (lost_per_hour(incident, LOOK), loss_rate(incident, LOOK), lost_so_far(incident, LOOK)) == (
        cell,
        rate,
        so_far,
    )


def test_the_preview_of_a_loss_that_another_counts_says_which_and_is_no_zero():
    (told,) = (plain(line) for line in preview(replace(INCIDENT, loss=NOTHING, counted_in=409), LOOK, 100) if "409" in plain(line))  # fmt: skip
    assert told.startswith(" What it costs is counted in #409.")


@pytest.mark.parametrize(
    ("state", "failing", "word"),
    [
        (IncidentState.NEW, 3, "NEW"),
        (IncidentState.ACKNOWLEDGED, 3, "ACK"),
        (IncidentState.CLOSED, 0, "CLOSED"),
        (IncidentState.CLOSED, 3, "CLOSED, 3 fail"),
    ],
)
def test_what_is_closed_while_it_fails_says_how_many_fail(state, failing, word):
    assert incident_word(replace(INCIDENT, state=state, open_members=failing)) == word


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"teams": ("aurora",), "owner_role": "seo"}, "seo, team aurora"),
        ({"teams": ("aurora", "cedar"), "owner_role": ""}, "nobody, teams aurora, cedar"),
        ({"teams": ("aurora",), "owner_role": "seo", "acknowledged_by": "maria"}, "seo, team aurora; maria has it"),
    ],
)
def test_whose_an_incident_is_stands_before_what_is_known_of_it(changes, words):
    assert owner(replace(INCIDENT, **changes)) == words
