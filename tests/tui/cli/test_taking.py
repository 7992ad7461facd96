from __future__ import annotations

import json

import pytest

TOML = '[company]\nname = "Corvane Media"\n[[teams]]\nid = "aurora"\n'
KUMA = json.dumps(
    {
        "monitorList": [
            {"name": "a", "type": "http", "url": "https://a.example/", "interval": 60},
            {"name": "db", "type": "port", "hostname": "db.example"},
            {"name": "b", "type": "http", "url": "https://b.example/?api_key=hunter22"},
        ]
    }
)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "inventory").mkdir()
    (tmp_path / "losswatch.toml").write_text(TOML)
    (tmp_path / "inventory" / "sites.csv").write_text("site,url,team\nold,https://old.example/,aurora\n")
    (tmp_path / "kuma.json").write_text(KUMA)
    return tmp_path


def test_a_dry_run_shows_the_difference_and_writes_nothing(run, home):
    before = (home / "inventory" / "sites.csv").read_bytes()
    done = run("apply", "--from", str(home / "kuma.json"), "--dry-run")
    assert done.code == 0
    assert done.out == "+ 1 site new: a\n"
    assert "'db' is a monitor of type port" in done.err
    assert "carries a key" in done.err
    assert "hunter22" not in done.err + done.out
    assert (home / "inventory" / "sites.csv").read_bytes() == before
    assert not (home / "hub.sock").exists()


def test_an_import_is_merged_and_what_stood_there_is_kept_beside_it(run, home, canned_hub):
    from data.model.snapshot import CommandReply

    hub = canned_hub({"/v1/commands/apply": CommandReply(ok=True, message="+ 1 site new: a")})
    done = run("apply", "--from", str(home / "kuma.json"))
    assert done.code == 0
    text = (home / "inventory" / "sites.csv").read_text()
    assert text == "site,url,team,interval\nold,https://old.example/,aurora,\na,https://a.example/,aurora,1m\n"
    assert (home / "inventory" / "sites.csv.bak").read_text().count("\n") == 2
    assert hub.told == [("/v1/commands/apply", {"dry_run": False})]
    again = run("apply", "--from", str(home / "kuma.json"))
    assert again.out == "nothing changed\n"
    assert (home / "inventory" / "sites.csv").read_text() == text


def test_json_has_everything_that_was_left_out(run, home):
    done = run("apply", "--from", str(home / "kuma.json"), "--dry-run", "--json")
    told = json.loads(done.out)
    assert (told["added"], len(told["skipped"])) == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "kuma.json", "--team", "nobody"), "no team 'nobody'; there are aurora"),
        (("--from", "kuma.json", "--as", "gatus"), "is no"),
        (("--from", "absent.json"), "cannot be read"),
        (("--as", "kuma"), "go with --from"),
        (("--from", "https://a.example/x.json"), "download it first"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence_and_changes_nothing(run, home, arguments, words):
    before = (home / "inventory" / "sites.csv").read_bytes()
    given = [str(home / one) if one.endswith("kuma.json") else one for one in arguments]
    done = run("apply", *given)
    assert done.code == 64
    assert words in done.err
    assert (home / "inventory" / "sites.csv").read_bytes() == before


def test_a_team_that_is_not_configured_asks_whose_they_are(run, home):
    (home / "losswatch.toml").write_text(TOML + '[[teams]]\nid = "cedar"\n')
    done = run("apply", "--from", str(home / "kuma.json"))
    assert done.code == 64
    assert "1 targets have no team. Say whose they are: --team NAME" in done.err
    assert run("apply", "--from", str(home / "kuma.json"), "--team", "cedar", "--dry-run").out == "+ 1 site new: a\n"


def test_an_export_is_what_an_import_takes(run, home):
    out = home / "out.yaml"
    assert run("export", "sites", "--to", "gatus", "--out", str(out)).out == f"Wrote 1 sites to {out}.\n"
    assert run("apply", "--from", str(out), "--dry-run").out == "nothing changed\n"
    csv = run("export", "sites")
    assert csv.out.splitlines()[1].startswith("old,https://old.example/,aurora")
