from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.incident import TimelineEntry
from data.model.verdict import SAID, Verdict, verdict_named, verdict_of

AT = datetime(2026, 11, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("right", Verdict.RIGHT),
        (" Right ", Verdict.RIGHT),
        ("r", Verdict.RIGHT),
        ("false", Verdict.FALSE),
        ("false alarm", Verdict.FALSE),
        ("false-alarm", Verdict.FALSE),
        ("f", Verdict.FALSE),
        ("not ours", Verdict.NOT_OURS),
        ("not-ours", Verdict.NOT_OURS),
        ("NOT_OURS", Verdict.NOT_OURS),
        ("n", Verdict.NOT_OURS),
        ("", None),
        ("yes", None),
        ("wrong", None),
        ("falsehood", None),
        ("right right", None),
    ],
)
def test_a_verdict_is_known_by_its_words_or_its_letter(text, meant):
    assert verdict_named(text) is meant


@given(st.text())
def test_any_text_is_a_verdict_or_none(text):
    assert verdict_named(text) in {None, *Verdict}


def test_the_last_word_counts_and_a_note_that_looks_like_one_is_none():
    said = [f"{SAID}right", "noted: verdict: not ours", f"{SAID}false alarm", "closed by hand"]
    assert verdict_of(TimelineEntry(1, AT, "maria", what) for what in said) is Verdict.FALSE
    assert verdict_of([TimelineEntry(1, AT, "maria", "opened: x")]) is None
