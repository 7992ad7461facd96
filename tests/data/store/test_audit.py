"""What people did is a chain: whoever alters an entry in the database, or takes one out, breaks it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.model.audit import AuditChain, AuditEntry
from data.model.ids import TeamId
from data.model.principal import EVERYTHING
from data.store import audit

AUDIT = AuditEntry(datetime(2026, 1, 5, 10, tzinfo=UTC), "maria", TeamId("aurora"), "close", "#4", "by hand")
AUDITS = [replace(AUDIT, subject=f"incident {number}") for number in range(6)]
TAMPERINGS = [
    ("UPDATE audit SET who = 'nobody' WHERE number = 3", 3),
    ("DELETE FROM audit WHERE number = 4", 4),
    ("UPDATE audit SET chain = 'x' WHERE number = 2", 2),
    ("DELETE FROM audit WHERE number = 1", 1),
]


@pytest.mark.parametrize(("tampering", "number"), TAMPERINGS)
def test_the_audit_names_the_first_entry_that_was_tampered_with(store, put, tampering, number):
    put(*AUDITS[:3])
    put(*AUDITS[3:])
    whole = audit.verify(store)
    assert (whole.entries, len(whole.head), whole.broken) == (6, 64, "")
    store.work(lambda cursor: cursor.execute(tampering)).result()
    assert audit.verify(store).broken.startswith(f"entry {number} ")


def test_entries_cut_off_at_the_end_leave_a_whole_chain_with_another_head(store, put):
    assert audit.verify(store) == AuditChain(0, "")
    put(*AUDITS)
    whole = audit.verify(store)
    store.work(lambda cursor: cursor.execute("DELETE FROM audit WHERE number > 4")).result()
    cut = audit.verify(store)
    assert (cut.entries, cut.broken, cut.head != whole.head) == (4, "", True)


def test_ordinary_entries_are_followed_by_the_database_alone(store, put, monkeypatch):
    at = AUDIT.at.replace(microsecond=7)
    put(AUDIT, replace(AUDIT, at=at, detail='"größe" \\ 家 🎰 / é', who=""))
    monkeypatch.setattr(audit, "link", None)
    assert audit.verify(store).broken == ""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=20))
def test_whatever_letters_an_entry_has_its_chain_is_whole(store, put, texts):
    put(*(replace(AUDIT, subject=text, detail=text * 2) for text in texts))
    assert audit.verify(store).broken == ""


def test_what_a_tampering_left_never_reaches_a_terminal_as_it_is(store, put):
    put(*AUDITS)
    store.work(lambda cursor: cursor.execute("UPDATE audit SET who = chr(27) || '[2J', action = NULL")).result()
    broken = audit.verify(store).broken
    assert broken.startswith("entry 1 ")
    assert "\x1b" not in broken


def test_audit_entries_come_newest_first_in_pages(store, put):
    put(*AUDITS)
    assert audit.entries(store, EVERYTHING, limit=2, offset=1) == [AUDITS[4], AUDITS[3]]
