"""What sites and links share, as it is written and read."""

from __future__ import annotations

import pytest

from checks.incidents.labels import parsed, read_all, written
from tests.checks.incidents.conftest import HALYARD


@pytest.mark.parametrize(
    "labels",
    [
        (("edge", HALYARD),),
        (("edge+geo", f"{HALYARD} / AT"), ("edge+geo", f"{HALYARD} / DE")),
        (("host", "a=b.example"),),
    ],
)
def test_an_upstream_survives_being_written_and_read(labels):
    assert parsed(written(labels)) == labels


def test_labels_read_like_a_person_says_them():
    pairs = [("edge+geo", f"{HALYARD} / AT"), ("edge+geo", f"{HALYARD} / DE")]
    assert read_all(pairs) == "Halyard Edge in AT, DE"
    assert read_all(pairs[:1]) == "Halyard Edge in AT"
    assert read_all([("partner+offer", "P02 / welcome")]) == "P02: welcome"
