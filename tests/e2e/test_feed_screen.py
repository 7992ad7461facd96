"""What a person sees of a feed that went wrong under a running hub, at the command line as on the screen."""

from __future__ import annotations

import json

import httpx
from street import losswatch, until
from test_feeds import api, feed, home, watched  # noqa: F401  # fixtures of the same partner

from data.config.home import Home


def shown(home, *words):  # noqa: F811  # the fixture's value
    done = losswatch(home, "feeds", *words)
    assert "Traceback" not in done.stderr
    return done.stdout


def test_minor_units_are_shown_with_a_record_before_and_now_and_a_message(home, api):  # noqa: F811  # fixtures
    watched(home)
    assert "smartico" not in shown(home, "show", "zef").lower().partition("deliver")[0]
    api.times = 100
    assert until(lambda: feed(home)["cause"] == "feed.scale")
    assert until(lambda: "1 wait in quarantine: losswatch feeds map|accept|replay zef" in shown(home, "show", "zef"))
    text = shown(home, "show", "zef")
    assert "commissions_total: expected median" in text
    assert "Subject: Smartico / TheAffiliatePlatform: amounts in another unit or currency" in text
    detail = json.loads(shown(home, "show", "zef", "--json"))
    changed = [line["text"] for line in detail["diff"] if line["kind"] != " "]
    assert any("commissions_total" in line for line in changed)
    assert not any("visit_count" in line for line in changed)
    worst = detail["changes"][0]
    assert (worst["severity"], worst["closed_at"]) == ("breaking", None)
    read = {row["path"]: row["used_by"] for row in detail["feed"]["contract"]}
    assert read["commissions_total"] == "commission_total"
    assert read["dt"] == "day"
    assert detail["feed"]["deliveries"][0]["outcome"] == "quarantined"
    assert detail["feed"]["deliveries"][0]["bytes"] > 500
    assert detail["feed"]["failed"] == 0


def test_a_claw_back_is_a_ledger_with_names_of_who_signed_it(home, api):  # noqa: F811  # fixtures
    watched(home)
    first = feed(home)["last_at"]
    assert shown(home, "ledger", "zef").strip() == "no figure was changed after it had been reported"
    assert until(lambda: feed(home)["last_at"] > first)
    api.kept = 0.8
    assert until(lambda: feed(home)["cause"] == "feed.restated")
    assert until(lambda: "claw back" in shown(home, "ledger", "zef"))
    ledger = shown(home, "ledger", "zef")
    assert "-20.0%" in ledger
    assert "figures of past days were lowered" in shown(home, "show", "zef")
    assert losswatch(home, "feeds", "sign", "zef", "--reference", "D-17").returncode == 0
    rows = lambda: [json.loads(line) for line in shown(home, "ledger", "zef", "--json").splitlines()]  # noqa: E731  # short
    assert until(lambda: rows() and all(row["acknowledged_by"] for row in rows()))


CALLS = """[company]
name = "Street"
[hub]
probes = 1
min_free = "1MB"
[[teams]]
id = "baltic"
name = "Baltic"
[[partners]]
id = "P03"
name = "Torvane Bet"
[[feeds]]
name = "calls"
team = "baltic"
partner = "P03"
preset = "postback"
interval = "1s"
[[feeds]]
name = "go"
team = "baltic"
partner = "P03"
preset = "clicklog"
path = "go.log"
interval = "1s"
[[feeds]]
name = "mail"
team = "baltic"
partner = "P03"
preset = "csv_folder"
path = "inbox"
interval = "1s"
"""


def test_what_comes_to_us_has_a_screen_too(tmp_path, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(CALLS)
    started(root)
    assert losswatch(root, "hub", "start").returncode == 0
    transport = httpx.HTTPTransport(uds=str(Home.find(str(root)).socket))
    with httpx.Client(base_url="http://hub", transport=transport, timeout=20.0) as hub:
        told = {"click_id": "c1", "tid": "t1", "event": "registration"}
        assert until(lambda: hub.get("/v1/postbacks/calls", params=told).status_code == 200)
    for name in ("calls", "go", "mail"):
        view = json.loads(shown(root, "show", name, "--json"))["feed"]
        assert view["platform"], name
    hours = json.loads(shown(root, "show", "calls", "--json"))["feed"]["postbacks"]
    assert sum(hour["good"] for hour in hours) == 1
