from __future__ import annotations

import json

import polars as pl
import pytest

from tui.cli.main import main

DAY = 24


@pytest.fixture
def recorded(world, tmp_path):
    """A folder of facts in which P07 is silent from day 30 on."""
    silent = world(days=31, seed=3)
    silent.thin(30 * DAY, silent.hours, 0.0, partner="P07")
    silent.facts().write_parquet(tmp_path / "facts.parquet")
    silent.receipts().write_parquet(tmp_path / "receipts.parquet")
    meta = {
        "replay_from": f"{silent.at(29.5 * DAY):%FT%T}",
        "replay_to": f"{silent.at(31 * DAY):%FT%T}",
        "step_minutes": 60,
    }
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_replay_writes_one_json_line_for_every_change_of_an_alarm(recorded):
    out = recorded / "alarms.jsonl"
    assert main(["replay", "--facts", str(recorded), "--out", str(out)]) == 0
    said = lines(out)
    assert {line["id"] for line in said} == {said[0]["id"]}
    assert said[0]["slice"] == {"partner": "P07"}
    assert said[0]["kind"] == "loss"
    assert said[0]["status"] == "open"
    assert said[0]["start"] <= said[0]["detected_at"] == said[0]["updated_at"]
    assert said[-1]["est_loss_lo"] <= said[-1]["est_loss"] <= said[-1]["est_loss_hi"]
    assert len(said) > 5


def test_replaying_twice_gives_the_same_bytes(recorded):
    for name in ("one", "two"):
        main(["replay", "--facts", str(recorded), "--out", str(recorded / name)])
    assert (recorded / "one").read_bytes() == (recorded / "two").read_bytes()


def test_a_recording_cut_short_says_the_same_up_to_the_cut(recorded):
    out, cut = recorded / "whole", recorded / "cut"
    main(["replay", "--facts", str(recorded), "--out", str(out)])
    until = lines(out)[4]["updated_at"]
    for name in ("facts", "receipts"):
        frame = pl.read_parquet(recorded / f"{name}.parquet")
        frame.filter(pl.col("seen_at").dt.strftime("%FT%T") <= until).write_parquet(recorded / f"{name}.parquet")
    main(["replay", "--facts", str(recorded), "--out", str(cut), "--to", until])
    assert lines(cut) == [line for line in lines(out) if line["updated_at"] <= until]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--facts", "{dir}/nowhere"], "--from needs a time"),
        (["--facts", "{dir}", "--from", "yesterday"], "--from needs a time such as"),
        (["--facts", "{dir}/nowhere", "--from", "2026-11-01", "--to", "2026-11-02"], "holds no facts.parquet"),
        ([], "--facts"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_in_one_sentence(recorded, capsys, arguments, words):
    arguments = [argument.format(dir=recorded) for argument in arguments]
    assert main(["replay", *arguments]) == 64
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_missing_column_is_named(recorded, capsys):
    frame = pl.read_parquet(recorded / "facts.parquet")
    frame.drop("ftd").write_parquet(recorded / "facts.parquet")
    assert main(["replay", "--facts", str(recorded)]) == 64
    assert "no column 'ftd'" in capsys.readouterr().err


def test_no_alarm_writes_an_empty_file(recorded, world):
    out, calm = recorded / "calm", world(days=31, seed=3)
    arguments = ["--facts", str(recorded), "--out", str(out), "--to", f"{calm.at(29.9 * DAY):%FT%T}"]
    assert main(["replay", *arguments]) == 0
    assert out.read_text() == ""
