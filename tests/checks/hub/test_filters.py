from __future__ import annotations

import pytest

from checks.hub.filters import row_filter, sort_rows
from data.errors import UsageError
from data.model.cause import cause
from data.model.ids import CauseId, TargetId, TeamId
from data.model.money import cents
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import TargetKind


def row(name: str, state: State = State.OK, **known) -> TargetRow:
    known.setdefault("cause", CauseId(""))
    known.setdefault("detail", "")
    return TargetRow(
        TargetId(f"site:{name}"), TargetKind.SITE, TeamId("aurora"), name, state, since=None, last_at=None, **known
    )


ROWS = [
    row("kiel", State.FAILING, cause=cause("tls.expired"), geo="DE", partner="P01", loss_per_hour=cents(12)),
    row("oslo", State.DEGRADED, cause=cause("slow.total"), geo="NO", p95_ms=2900.0),
    row("turku", geo="FI", p95_ms=120.0, tier=1),
    row(
        "bergen", State.FAILING, cause=cause("edge.error"), geo="NO", loss_per_hour=cents(90), detail="503 at the edge"
    ),
]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", ["kiel", "oslo", "turku", "bergen"]),
        ("state=failing", ["kiel", "bergen"]),
        ("state!=ok", ["kiel", "oslo", "bergen"]),
        ("state!=ok geo=NO", ["oslo", "bergen"]),
        ("cause=tls", ["kiel"]),
        ("cause=tls.expired", ["kiel"]),
        ("EDGE", ["bergen"]),
        ("!no", ["kiel", "turku"]),
        ("team=aurora p01", ["kiel"]),
        ("geo=", []),
    ],
)
def test_every_term_of_a_filter_must_hold(expression, names):
    keep = row_filter(expression)
    assert [one.name for one in ROWS if keep(one)] == names


def test_a_filter_on_a_field_that_does_not_exist_names_those_that_do():
    with pytest.raises(UsageError, match=r"no field 'colour'.*state, cause, team"):
        row_filter("colour=red")


@pytest.mark.parametrize(
    ("field", "descending", "names"),
    [
        ("", False, ["bergen", "kiel", "oslo", "turku"]),
        ("name", False, ["bergen", "kiel", "oslo", "turku"]),
        ("p95_ms", True, ["oslo", "turku", "bergen", "kiel"]),
        ("p95_ms", False, ["turku", "oslo", "bergen", "kiel"]),
        ("loss_per_hour", True, ["bergen", "kiel", "oslo", "turku"]),
        ("state", True, ["bergen", "kiel", "oslo", "turku"]),
    ],
)
def test_lists_sort_by_any_figure_with_missing_figures_last(field, descending, names):
    assert [one.name for one in sort_rows(list(ROWS), field, descending=descending)] == names


def test_sorting_by_what_does_not_exist_is_refused_in_a_sentence():
    with pytest.raises(UsageError, match="no field '__class__'"):
        sort_rows(list(ROWS), "__class__", descending=False)
