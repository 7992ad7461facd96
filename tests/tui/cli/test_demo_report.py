from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.demo.report import ReportRow
from data.model.codec import from_json, to_json
from tui.cli.demo_report import DemoView, print_view

BEGAN = datetime(2026, 11, 17, 6, 10, tzinfo=UTC)


def row(
    identity="F1", kind="failure", *, began=BEGAN, after_min=8, cause="link.inactive", incidents=1, ok=True, inside=True
):
    found = None if after_min is None else BEGAN + timedelta(minutes=after_min)
    causes = ("link.inactive",) if kind == "failure" else ()
    return ReportRow(
        identity, kind, began, causes, found, cause, incidents, 547.0, 283.0, 905.0, 526.4, ok, inside=inside
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (row(), "06:10Z  06:18Z     8m  link.inactive          1  547 (283 to 905)    526  yes     found"),
        (row(after_min=None, cause=None, incidents=0, ok=False), "not found"),
        (row(cause="feed.late", ok=False), "other cause"),
        (row(incidents=2, ok=False), "split"),
        (row(began=None, after_min=None, cause=None, incidents=0, ok=False), "not yet"),
        (row("D1", "decoy", after_min=None, cause=None, incidents=0), "silent"),
        (row("D1", "decoy", cause="revenue.traffic", ok=False), "FALSE ALARM"),
    ],
)
def test_a_row_ends_with_its_verdict(capsys, line, words):
    print_view(DemoView(BEGAN, {line.id: "what happens"}, (line,), ()))
    assert any(printed.endswith(words) for printed in capsys.readouterr().out.splitlines())


def test_the_last_lines_count_what_was_found_and_name_what_was_not_scripted(capsys):
    rows = (row(), row("F3", ok=False, after_min=None), row("D1", "decoy", after_min=None, cause=None, incidents=0))
    strays = tuple(f"tcp.refused site-{n}" for n in range(12))
    print_view(DemoView(BEGAN, {}, rows, strays))
    out = capsys.readouterr().out
    assert "1 of 2 failures found so far, 1 of 1 decoys silent" in out
    assert "not in the script: tcp.refused site-9\nnot in the script: 2 more" in out


def test_a_truth_outside_of_its_interval_is_said_and_counted(capsys):
    print_view(DemoView(BEGAN, {}, (row(), row("F5", inside=False), row("F7", inside=None)), ()))
    out = capsys.readouterr().out
    assert "526  NO      found" in out
    assert "the truth lies inside 1 of 2 intervals of 80 %; 1,094 told as lost in all, 1,053 in truth" in out


def test_a_view_survives_its_file():
    view = DemoView(BEGAN, {"F1": "x"}, (row(),), ("y",))
    assert from_json(to_json(view), DemoView) == view
