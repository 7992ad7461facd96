from __future__ import annotations

import json

import pytest

SITES = "site,url,team\nfirst,http://127.0.0.1:1/,main\n"


@pytest.fixture
def with_hub(run, tmp_path):
    """A home with one site whose hub runs until the test ends."""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "losswatch.toml").write_text(
        '[company]\nname = "Corvane Media"\n[hub]\nprobes = 1\n[[teams]]\nid = "main"\n'
    )
    (tmp_path / "inventory" / "sites.csv").write_text(SITES)
    try:
        yield run
    finally:
        run("hub", "stop")


def test_apply_starts_the_hub_shows_the_difference_and_puts_it_in_force(with_hub, tmp_path):
    started = with_hub("apply")
    assert (started.code, started.err) == (0, "")
    assert started.out.splitlines()[0] == "Corvane Media: 1 site."
    sites, told = tmp_path / "inventory" / "sites.csv", []
    for number in range(20):  # the hub reads a changed file within seconds by itself, and may be faster than we
        sites.write_text(sites.read_text() + f"more-{number},http://127.0.0.1:2/,main\n")
        dry = with_hub("apply", "--dry-run").out.splitlines()[1]
        told = [dry, with_hub("apply").out.splitlines()[1]]
        if told == [f"+ 1 site new: more-{number}"] * 2:
            break
    assert told == [f"+ 1 site new: more-{number}"] * 2
    assert with_hub("apply").out.splitlines()[1].startswith(("nothing changed", "in force already"))
    names = [json.loads(line)["name"] for line in with_hub("sites", "--json").out.splitlines()]
    assert sorted(names) == sorted(["first", *(f"more-{at}" for at in range(number + 1))])


def test_a_mistake_leaves_the_hub_on_the_last_good_configuration(with_hub, tmp_path):
    assert with_hub("apply").code == 0
    (tmp_path / "inventory" / "sites.csv").write_text(SITES + "second,htp://127.0.0.1:2/,main\n")
    refused = with_hub("apply")
    assert refused.code == 64
    assert "sites.csv:3: url does not start with http://" in refused.err
    names = [json.loads(line)["name"] for line in with_hub("sites", "--json").out.splitlines()]
    assert names == ["first"]
    assert with_hub("incidents").out == "no open incidents at Corvane Media\n"
    assert "Corvane Media" in with_hub().out


def test_a_hub_that_cannot_start_says_why_in_its_own_words(run, tmp_path):
    (tmp_path / "losswatch.toml").write_text("[company]\nnmae = 1\n")
    for arguments in ((), ("hub", "start")):
        done = run(*arguments)
        assert done.code == 64
        assert "losswatch.toml:2: unknown key in company (got 'nmae'" in done.err
