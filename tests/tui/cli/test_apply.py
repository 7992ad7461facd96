from __future__ import annotations

import json

from data.model.snapshot import CommandReply

GOOD = '[company]\nname = "Corvane Media"\n[[teams]]\nid = "aurora"\n'


def write(home, toml: str, sites: str = "site,url,team\na,https://a.example/,aurora\n") -> None:
    (home / "inventory").mkdir(exist_ok=True)
    (home / "losswatch.toml").write_text(toml)
    (home / "inventory" / "sites.csv").write_text(sites)


def test_mistakes_are_told_at_once_and_nobody_else_is_asked(canned_hub, run, tmp_path):
    hub = canned_hub({})
    write(tmp_path, GOOD.replace("name", "nmae"), "site,url,team\na,https://a.example/,arora\n")
    done = run("apply")
    assert done.code == 64
    assert "losswatch.toml:2: unknown key in company (got 'nmae'" in done.err
    assert "sites.csv:2: no team of that name (got 'arora'; allowed: aurora; did you mean 'aurora'?)" in done.err
    assert (hub.told, done.out) == ([], "")


def test_no_configuration_says_how_to_begin(run):
    done = run("apply")
    assert done.code == 64
    assert "Start with: losswatch init" in done.err


def test_a_preset_that_does_not_exist_is_told_with_those_that_do(run, tmp_path):
    feed = '[[partners]]\nid = "P"\n[[feeds]]\nname = "f"\nteam = "aurora"\npartner = "P"\npreset = "afilka"\n'
    write(tmp_path, GOOD + feed + 'base_url = "https://p.example"\n')
    done = run("apply", "--dry-run")
    assert done.code == 64
    assert "did you mean 'affilka'?" in done.err


def test_the_hub_s_difference_is_printed(canned_hub, run, tmp_path):
    hub = canned_hub({"/v1/commands/apply": CommandReply(ok=True, message="+ 1 site new: a\n− 2 sites gone: b, c")})
    write(tmp_path, GOOD)
    done = run("apply")
    assert (done.code, done.out) == (0, "Corvane Media: 1 site.\n+ 1 site new: a\n− 2 sites gone: b, c\n")
    assert hub.told == [("/v1/commands/apply", {"dry_run": False})]


def test_a_dry_run_without_a_hub_starts_none(run, tmp_path):
    write(tmp_path, GOOD)
    done = run("apply", "--dry-run", "--json")
    assert done.code == 0
    assert json.loads(done.out)["targets"] == 1
    assert not (tmp_path / "hub.sock").exists()


def test_the_dashboard_without_a_configuration_says_how_to_begin(run):
    done = run()
    assert done.code == 64
    assert "losswatch init" in done.err
    assert "losswatch demo" in done.err
