"""The command line's contract: one JSON object a change, nothing when nothing changed, exit codes by the worst."""

from __future__ import annotations

import gzip
import json
import math
import random
import subprocess
import sys

import pytest

from tui.cli.main import main


def rows(scale=1, **changed):
    return [
        {
            "id": n,
            "day": f"2026-11-{1 + n % 28:02}",
            "clicks": 50 + n,
            "commission": round((3.7 + n) * scale, 2),
            **changed,
        }
        for n in range(40)
    ]


def write(path, records, form="json"):
    if form == "csv":
        lines = [",".join(records[0]), *(",".join(str(value) for value in record.values()) for record in records)]
        body = "\n".join(lines)
    elif form == "ndjson":
        body = "\n".join(json.dumps(record) for record in records)
    elif form == "xml":
        cells = ("".join(f"<{key}>{value}</{key}>" for key, value in record.items()) for record in records)
        body = "<r>" + "".join(f"<row>{cell}</row>" for cell in cells) + "</r>"
    else:
        body = json.dumps({"meta": {"page": 1}, "data": records})
    path.write_bytes(gzip.compress(body.encode()) if path.suffix == ".gz" else body.encode())
    return str(path)


@pytest.fixture
def run(capsys):
    def run(*words):
        code = main(["check", "feed", *words])
        shown = capsys.readouterr()
        return code, [json.loads(line) for line in shown.out.splitlines()], shown.err

    return run


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "xml"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_nothing_is_printed_when_nothing_changed_in_any_form(run, tmp_path, form, suffix):
    before = write(tmp_path / f"a.{form}{suffix}", rows(), form)
    now = write(tmp_path / f"b.{form}{suffix}", rows(), form)
    assert run("--baseline", before, "--", now) == (0, [], "")


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "xml"])
def test_a_change_of_unit_is_one_object_with_every_key_and_exit_2(run, tmp_path, form):
    before = [write(tmp_path / f"{n}.{form}", rows(), form) for n in range(3)]
    now = write(tmp_path / f"now.{form}", rows(100), form)
    code, found, _ = run("--baseline", *before, "--key", "id", now)
    assert code == 2
    assert [list(change) for change in found] == [
        ["payload", "kind", "path", "severity", "was", "now", "n_before", "n_after"]
    ]
    assert (found[0]["payload"], found[0]["kind"], found[0]["path"]) == (now, "scale-changed", "commission")


def test_exit_codes_are_0_harmless_1_risky_2_breaking_3_unreadable(run, tmp_path):
    before = write(tmp_path / "a.json", rows(note="x"))
    more = write(tmp_path / "b.json", rows(note="x", extra=1))
    nulls = write(tmp_path / "c.json", [row | {"note": None if row["id"] % 2 else "x"} for row in rows()])
    gone = write(
        tmp_path / "d.json",
        [{"id": row["id"], "day": row["day"], "clicks": row["clicks"], "note": "x"} for row in rows()],
    )
    broken = tmp_path / "e.json"
    broken.write_text("{")
    assert [
        run("--baseline", before, "--", now)[0] for now in (more, nulls, gone, str(broken), str(tmp_path / "no"))
    ] == [0, 1, 2, 3, 3]


def test_one_unreadable_payload_does_not_hide_the_others(run, tmp_path):
    before, now = write(tmp_path / "a.json", rows()), write(tmp_path / "b.json", rows(100))
    (tmp_path / "bad.json").write_text("<!doctype html><p>login")
    code, found, err = run("--baseline", before, "--", str(tmp_path / "bad.json"), now)
    assert (code, [change["payload"] for change in found]) == (3, [str(tmp_path / "bad.json"), now])
    assert (found[0]["kind"], found[0]["severity"]) == ("payload-unreadable", "breaking")
    assert "an HTML page" in found[0]["now"]
    assert "an HTML page" in err


def test_currents_are_told_from_baselines_without_a_separator(run, tmp_path):
    folder = tmp_path / "past"
    folder.mkdir()
    a, b = write(folder / "a.json", rows()), write(folder / "b.json", rows())
    now = write(tmp_path / "now.json", rows(100))
    for words in (
        ["--baseline", a, b, now],
        ["--baseline", a, "--baseline", b, now],
        ["--baseline", str(folder), now],
        [now, "--baseline", a, b],
    ):
        code, found, _ = run(*words)
        assert (code, {change["payload"] for change in found}) == (2, {now}), words


def test_a_records_path_a_preset_and_headers_are_used(run, tmp_path):
    before, now = write(tmp_path / "a.json", rows()), write(tmp_path / "b.json", rows())
    head = tmp_path / "head"
    head.write_text("HTTP/1.1 200 OK\nSunset: Fri, 01 Jan 2100 00:00:00 GMT\n")
    code, found, _ = run("--baseline", before, "--records", "data", "--headers", str(head), now)
    assert (code, [change["kind"] for change in found]) == (1, ["endpoint-deprecated"])
    assert run("--baseline", before, "--records", "rows", now)[0] == 3
    renamed = write(
        tmp_path / "c.json",
        [{("x" if key == "clicks" else key): value for key, value in row.items()} for row in rows()],
    )
    assert run("--baseline", before, "--preset", "json", "--records", "data", renamed)[0] == 2


@pytest.mark.parametrize(
    "words", [[], ["--baseline"], ["--baseline", "a"], ["--baseline", "a", "b", "--preset", "nope"], ["--what"]]
)
def test_wrong_usage_exits_64_with_one_sentence(words):
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "check", "feed", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 64
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_escape_codes_of_a_payload_never_reach_the_terminal(run, tmp_path, capsys):
    before = write(tmp_path / "a.json", rows())
    now = write(tmp_path / "b.json", rows(**{"\x1b[2J\u202e": "\x1b]52;c;x\x07"}))
    main(["check", "feed", "--baseline", before, "--", now])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\u001b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "xml"])
def test_a_large_payload_says_what_a_small_one_of_the_same_records_says(run, tmp_path, monkeypatch, form):
    before, now = (
        write(tmp_path / f"a.{form}", rows(), form),
        write(tmp_path / f"b.{form}.gz", rows(100, extra="x"), form),
    )
    small = run("--baseline", before, "--", now)
    monkeypatch.setattr("checks.feeds.files.SMALL", 10)
    monkeypatch.setattr("checks.feeds.kept.MOST", 10)
    assert run("--baseline", before, "--", now) == small
    assert {change["kind"] for change in small[1]} == {"scale-changed", "response-required-property-added"}


def test_a_large_document_is_read_at_its_records_path_and_its_odd_elements_are_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr("checks.feeds.files.SMALL", 10)
    before, now = tmp_path / "a.json", tmp_path / "b.json"
    before.write_text(json.dumps({"other": [{"x": 1}] * 90, "groups": [{"rows": rows()}, {"rows": rows()}]}))
    now.write_text(json.dumps({"other": [{"y": 1}] * 90, "groups": [{"rows": rows()}, {"rows": [*rows(), None]}]}))
    code, found, _ = run("--baseline", str(before), "--records", "groups.rows", "--", str(now))
    assert (code, [change["kind"] for change in found]) == (2, ["records-not-objects"])


def test_a_records_path_of_what_has_none_is_said(run, tmp_path):
    for form, words in (("csv", "a table has no records path"), ("xml", "nothing at the records path")):
        before = write(tmp_path / f"a.{form}", rows(), form)
        code, _, err = run("--baseline", before, "--records", "data", "--", before)
        assert (code, words in err) == (3, True)


def test_an_empty_folder_is_wrong_usage_and_hidden_files_are_no_payloads(run, tmp_path, capsys):
    folder = tmp_path / "past"
    folder.mkdir()
    (folder / ".index").write_text("{")
    now = write(tmp_path / "now.json", rows())
    assert main(["check", "feed", "--baseline", str(folder), "--", now]) == 64
    assert "no files in the folder" in capsys.readouterr().err
    write(folder / "a.json", rows())
    assert run("--baseline", str(folder), "--", now)[0] == 0


def test_a_terminal_gets_a_line_a_change_with_the_payload_where_there_are_many(tmp_path, monkeypatch, capsys):
    before, now = write(tmp_path / "a.json", rows()), write(tmp_path / "b.json", rows(100))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(["check", "feed", "--baseline", before, "--", now])
    assert capsys.readouterr().out.startswith("breaking  scale-changed")
    main(["check", "feed", "--baseline", before, "--", now, before])
    assert capsys.readouterr().out.startswith(f"{tmp_path}"[:10])


def test_of_several_answers_in_a_dump_of_headers_the_last_counts(run, tmp_path):
    before, head = write(tmp_path / "a.json", rows()), tmp_path / "head"
    head.write_text("HTTP/1.1 301 Moved\nSunset: Fri, 01 Jan 2100 00:00:00 GMT\n\nHTTP/1.1 200 OK\nServer: x\n")
    assert run("--baseline", before, "--headers", str(head), "--", before) == (0, [], "")


def clocked(rng, day, shift):
    """60 events of a day, most of them in the afternoon, on a clock that is `shift` hours ahead."""
    weights = [1 + 0.9 * math.sin((hour - 9) / 24 * 2 * math.pi) for hour in range(24)]
    hours = [(rng.choices(range(24), weights)[0] + shift) % 24 for _ in range(60)]
    return [{"id": f"{day}-{n}", "at": f"2026-11-{day:02}T{hour:02}:00:05"} for n, hour in enumerate(hours)]


def test_what_one_payload_cannot_prove_two_in_a_row_can(run, tmp_path):
    rng = random.Random(2)
    base = [write(tmp_path / f"{day:02}.json", clocked(rng, day, 0)) for day in range(1, 7)]
    first, second = (write(tmp_path / f"{day:02}.json", clocked(rng, day, 3)) for day in (9, 10))
    assert run("--baseline", *base, "--", first)[1] == run("--baseline", *base, "--", second)[1] == []
    code, found, _ = run("--baseline", *base, "--", first, second)
    assert code == 2
    assert [(change["payload"], change["kind"]) for change in found] == [(second, "timezone-shifted")]


def test_a_payload_in_which_something_is_breaking_is_not_learned(run, tmp_path):
    base = write(tmp_path / "base.json", rows())
    broken = [{name: value for name, value in row.items() if name != "commission"} for row in rows()]
    names = [write(tmp_path / f"{n}.json", broken) for n in (1, 2)]
    _, found, _ = run("--baseline", base, "--", *names)
    assert [(change["payload"], change["kind"]) for change in found if change["severity"] == "breaking"] == [
        (name, "response-required-property-removed") for name in names
    ]
