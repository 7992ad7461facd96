"""Which countries are watched from nowhere near, in words."""

from __future__ import annotations

import pytest

from data.config.coverage import blind_spots, in_words
from data.config.settings import Settings, Vantage
from data.model.ids import TeamId
from data.model.target import Target, TargetKind, target_id


def settings(tmp_path, *geos, kind=TargetKind.LINK, paused=False, vantages=()):
    made = (
        Target(target_id(kind, f"t{number}"), kind, TeamId("a"), f"t{number}", geo=geo, paused=paused)
        for number, geo in enumerate(geos)
    )
    return Settings(
        tmp_path, targets=tuple(made), vantages=tuple(Vantage(country, "http://h:1") for country in vantages)
    )


def test_links_of_countries_without_a_vantage_are_counted(tmp_path):
    found = blind_spots(settings(tmp_path, "DE", "de", "AT", "", vantages=("AT",)))
    assert found == {"DE": 2}


def test_sites_name_their_audience_and_paused_links_want_nothing(tmp_path):
    assert blind_spots(settings(tmp_path, "DE", kind=TargetKind.SITE)) == {}
    assert blind_spots(settings(tmp_path, "DE", paused=True)) == {}


@pytest.mark.parametrize(
    ("spots", "words"),
    [
        ({}, ""),
        ({"DE": 1}, "no vantage in DE: its only link stays unknown unless broken for everybody"),
        ({"DE": 2}, "no vantage in DE: its 2 links stay unknown unless broken for everybody"),
        ({"AT": 1, "CH": 2000}, "no vantage in AT, CH: their 2,001 links stay unknown unless broken for everybody"),
    ],
)
def test_blind_spots_are_told_in_one_sentence(spots, words):
    assert in_words(spots) == words
