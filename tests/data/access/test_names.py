"""A partner's name is hidden in whatever form it comes."""

from __future__ import annotations

import pytest

from data.access.names import hidden_names
from data.access.redaction import redact_words
from data.config.settings import Partner
from data.model.principal import MoneyRight, Scope

PARTNERS = [
    Partner("P01", "Quillspin"),
    Partner("P03", "Torvane Bet"),
    Partner("P04", "Saltwick Casino"),
    Partner("P12", "Live Bet"),
]
READER = Scope(teams=None, money=MoneyRight.FULL, hidden_names=hidden_names(PARTNERS))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Quillspin is down", "P01 is down"),
        ("trk.QUILLSPIN.example answers 503", "trk.P01.example answers 503"),
        ("Torvane Bet is late", "P03 is late"),
        ("www.torvanebet.example", "www.P03.example"),
        ("torvane-bet-welcome", "P03-welcome"),
        ("p03-torvane: 401", "p03-P03: 401"),
        ("trk.saltwick.example", "trk.P04.example"),
        ("a casino that is live and a bet", "a casino that is live and a bet"),
        ("Live Bet and livebet", "P12 and P12"),
    ],
)
def test_a_name_is_hidden_in_hosts_feeds_and_offers_too(text, shown):
    assert redact_words(text, READER) == shown


def test_a_name_of_one_word_has_one_form():
    assert hidden_names(PARTNERS[:1]) == (("Quillspin", "P01"),)


def test_a_word_that_two_partners_share_is_hidden_and_whole_names_are_told_apart():
    scope = Scope(
        None, MoneyRight.FULL, hidden_names([Partner("P1", "Saltwick Casino"), Partner("P2", "Saltwick Bingo")])
    )
    assert redact_words("Saltwick Bingo, saltwickcasino, saltwick", scope).split(", ")[:2] == ["P2", "P1"]
    assert "saltwick" not in redact_words("saltwick", scope)
