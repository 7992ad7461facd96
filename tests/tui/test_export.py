from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from data.errors import LosswatchError
from tests.tui import corvane
from tests.tui.fake import dashboard
from tui.export import HEAD, csv_of, save


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_row_keeps_its_figures_and_times():
    (row,) = read(csv_of(corvane.SITES[:1]))
    assert tuple(row) == HEAD
    assert (row["name"], row["state"], row["cause"], row["loss_per_hour"], row["p50_ms"]) == (
        "aurora-001",
        "failing",
        "edge.error",
        "142.60",
        "38",
    )
    assert row["since"] == "2026-11-17T11:20:07Z"


def test_what_does_not_apply_or_may_not_be_seen_is_empty():
    (row,) = read(csv_of([replace(corvane.SITES[0], loss_per_hour=None, incident=None)]))
    assert (row["loss_per_hour"], row["incident"], row["expected"]) == ("", "", "")


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x"])
def test_no_cell_is_a_formula(text):
    (row,) = read(csv_of([replace(corvane.SITES[0], detail=text)]))
    assert row["detail"] == f"'{text}"


def test_a_file_is_new_and_only_its_owners(tmp_path):
    first, second = (save("a", "sites", corvane.NOW, tmp_path) for _ in range(2))
    assert first != second
    assert first.name == "losswatch-sites-20261117T113407Z.csv"
    assert first.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_takes_no_file_is_a_sentence(tmp_path):
    with pytest.raises(LosswatchError, match="Nothing was exported"):
        save("a", "sites", corvane.NOW, tmp_path / "nowhere")


async def test_e_writes_the_filtered_list_and_says_where(tmp_path, monkeypatch, until):
    monkeypatch.chdir(tmp_path)
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("1", "1")
        await until(pilot, lambda: app.screen.table.total > 0)
        await pilot.press("e")
        await until(
            pilot, lambda: list(tmp_path.glob("*.csv")) and "written" in " ".join(n.message for n in app._notifications)
        )
    (file,) = tmp_path.glob("losswatch-sites-*.csv")
    assert [row["name"] for row in read(file.read_text())] == [row.name for row in corvane.SITES]


async def test_f_chooses_columns_keeps_the_name_and_knows_the_others(until):
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("1", "1")
        await until(pilot, lambda: app.screen.table.total > 0)
        app.screen._columns("team state nosuch")
        assert [column.id for column in app.screen.table.columns][:2] == ["name", "state"]
        app.screen._columns("team, state")
        assert [column.id for column in app.screen.table.columns] == ["name", "team", "state"]
        await pilot.press("escape", "1", "1")
        await until(pilot, lambda: app.screen.table.total > 0)
        assert [column.id for column in app.screen.table.columns] == ["name", "team", "state"]
