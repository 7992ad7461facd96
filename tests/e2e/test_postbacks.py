"""What comes to a running hub: calls at its door, lines of its own log, files in a folder; a kill -9 loses and repeats nothing."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from street import kill_hub, losswatch, opened, until

from data.config.home import Home
from data.model.principal import EVERYTHING
from data.store import partner_stats, postbacks

TOML = """[company]
name = "Street"
[hub]
probes = 1
min_free = "1MB"
[postbacks]
listen = "127.0.0.1:{port}"
per_minute = 600
[[teams]]
id = "baltic"
name = "Baltic"
[[partners]]
id = "P03"
name = "Torvane Bet"
[[feeds]]
name = "p03-calls"
team = "baltic"
partner = "P03"
preset = "postback"
secret = "p03-calls"
interval = "1s"
[feeds.options]
dialect = "keitaro"
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
SECRET = "k3y-of-the-door"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def home(tmp_path, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(TOML.format(port=free_port()))
    assert losswatch(root, "secrets", "set", "p03-calls", input=f"{SECRET}\n").returncode == 0
    started(root)
    return root


def door(home):
    port = (home / "losswatch.toml").read_text().partition('listen = "127.0.0.1:')[2].partition('"')[0]
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10.0, trust_env=False)


def inside(home):
    transport = httpx.HTTPTransport(uds=str(Home.find(str(home)).socket))
    return httpx.Client(base_url="http://hub", transport=transport, timeout=20.0)


def feed(home, name):
    with inside(home) as ours:
        found = {row["name"]: row for row in ours.get("/v1/targets/feed").json()["rows"]}
    return found.get(name, {"state": "", "cause": "", "detail": ""})


def log_line(n, **more):
    at = datetime.now(UTC) - timedelta(minutes=n % 50)
    return json.dumps(
        {"ts": at.isoformat(), "click_id": f"c{n}", "site": "nordkompass", "partner": "P03", "geo": "PL"} | more
    )


def test_a_call_is_durable_when_it_is_acknowledged_and_counts_once_whatever_is_killed(home):
    assert losswatch(home, "hub", "start").returncode == 0
    path = f"/v1/postbacks/p03-calls/{SECRET}"
    with door(home) as caller:
        assert caller.get(f"{path}?subid=player-77&status=lead&tid=t1&payout=0").text == "ok"
        assert (
            caller.post(path, data={"subid": "player-77", "status": "sale", "tid": "t1", "payout": "77,50"}).text
            == "ok"
        )
        assert caller.post(f"/v1/postbacks/p03-calls?key={SECRET}", json={"subid": "player-78"}).status_code == 200
        assert caller.get(f"{path}?losswatch=heartbeat").text == "ok"
        kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0
    with door(home) as caller:
        assert caller.get(f"{path}?subid=player-77&status=sale&tid=t1&payout=77.50").status_code == 200, "a retry"
        assert caller.get(f"{path}?subid=%7Bsubid%7D&status=lead").status_code == 200, "ours to sort out, not theirs"
    assert losswatch(home, "hub", "stop").returncode == 0
    with opened(home) as store:
        found = postbacks.since(store, EVERYTHING, "p03-calls", datetime(2020, 1, 1, tzinfo=UTC))
    assert [(one.event, one.fault) for one in found] == [
        ("registration", ""), ("ftd", ""), ("ftd", ""), ("ftd", "duplicate"), ("registration", "macro"),
    ]  # fmt: skip
    assert str(found[1].amount) == "77.5000"
    assert all("player" not in one.click for one in found)
    assert found[0].click == found[1].click == found[3].click
    assert b"player-77" not in Home.find(str(home)).database.read_bytes()


def test_only_that_path_is_served_and_only_to_who_knows_the_secret(home):
    assert losswatch(home, "hub", "start").returncode == 0
    with door(home) as caller:
        for path in ("/", "/v1/hello", "/v1/status", "/v1/postbacks/p03-calls", "/v1/postbacks/p03-calls/wrong",
                     f"/v1/postbacks/go/{SECRET}", f"/v1/postbacks/nobody/{SECRET}", "/v1/postbacks/p03-calls?key="):  # fmt: skip
            refused = caller.get(path)
            assert (refused.status_code, path in refused.text) == (404, False), path
        path = f"/v1/postbacks/p03-calls/{SECRET}"
        assert caller.request("DELETE", path).status_code == 405
        assert caller.post(path, content=b"x" * 70_000).status_code == 413
        answers = [
            caller.get(path, params={"subid": f"p{n}", "tid": f"{n}", "losswatch": "1"}).status_code for n in range(5)
        ]
        assert answers == [200] * 5
    log = Home.find(str(home)).log.read_text()
    assert SECRET not in log
    with inside(home) as ours:
        assert ours.get("/v1/postbacks/p03-calls?subid=a&status=lead").text == "ok"
        assert ours.get("/v1/postbacks/go?subid=a").status_code == 400
        assert ours.post("/v1/postbacks/nobody").status_code == 404


def test_macros_that_nobody_replaced_are_a_cause_and_so_is_a_shut_door(home):
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: feed(home, "p03-calls")["state"] == "ok")
    with inside(home) as ours:
        for _ in range(3):
            ours.get("/v1/postbacks/p03-calls?subid={clickid}&status=lead")
    assert until(lambda: feed(home, "p03-calls")["cause"] == "postback.macro"), feed(home, "p03-calls")
    assert "placeholder" in feed(home, "p03-calls")["detail"]


def test_lines_of_the_log_count_once_through_rotation_and_a_kill(home):
    log = home / "go.log"
    log.write_text("".join(log_line(n) + "\n" for n in range(100)))
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: feed(home, "go")["detail"].startswith("100 clicks")), feed(home, "go")
    with log.open("a") as more:
        more.write("".join(log_line(n) + "\n" for n in range(100, 150)))
    log.rename(home / "go.log.1")
    log.write_text(log_line(150) + "\n" + log_line(151)[:30])
    assert until(lambda: feed(home, "go")["detail"].startswith("151 clicks")), feed(home, "go")
    kill_hub(home)
    with log.open("a") as more:
        more.write(log_line(151)[30:] + "\n")
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: feed(home, "go")["detail"].startswith("1 clicks")), feed(home, "go")
    with inside(home) as ours:
        body = "\n".join(log_line(n, bot=n % 2 == 0) for n in range(200, 220)).encode()
        assert ours.post("/v1/clicks/go", content=body).json() == {
            "lines": 20, "clicks": 10, "bots": 10, "malformed": 0, "unknown": 0, "stored": 10,
        }  # fmt: skip
        assert ours.post("/v1/clicks/go", content=body).json()["stored"] == 0, "the same body again"
        refused = ours.post("/v1/clicks/go", content=b"<html>\n<body>\n")
        assert refused.status_code == 400
        assert "2 of 2 lines cannot be read" in refused.text
        assert ours.post("/v1/clicks/mail", content=body).status_code == 400
    assert losswatch(home, "hub", "stop").returncode == 0
    with opened(home) as store, store.cursor() as cursor:
        rows = cursor.execute(
            "SELECT team, partner, geo, site, sum(clicks) FROM fact WHERE source = 'go' GROUP BY ALL"
        ).fetchall()
    assert rows == [("baltic", "P03", "PL", "nordkompass", 162)]


def test_files_of_a_folder_are_deliveries_and_what_is_none_is_set_aside(home):
    inbox = home / "inbox"
    inbox.mkdir()
    day = datetime.now(UTC).date() - timedelta(days=1)

    def drop(name, text, age_s=60):
        path = inbox / name
        path.write_text(text)
        stamp = datetime.now(UTC).timestamp() - age_s
        os.utime(path, (stamp, stamp))

    drop("b.csv", f"date,clicks,registrations,ftd_count,commission_total\n{day},120,12,3,231.00\n", 60)
    drop("a.csv", f"date,clicks,registrations,ftd_count,commission_total\n{day},110,11,2,154.00\n", 120)
    drop("c.csv.part", "date,clicks\n")
    drop("page.csv", "<!doctype html><title>Log in</title>", 30)
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: (inbox / "done" / "b.csv").exists() and (inbox / "page.csv.rejected").exists()), list(
        inbox.iterdir()
    )
    assert (inbox / "done" / "a.csv").exists()
    assert (inbox / "c.csv.part").exists()
    assert (inbox / "page.csv.reason.txt").read_text().strip()
    drop("again.csv", f"date,clicks,registrations,ftd_count,commission_total\n{day},120,12,3,231.00\n", 20)
    assert until((inbox / "done" / "again.csv").exists)
    assert losswatch(home, "hub", "stop").returncode == 0
    with opened(home) as store:
        versions = partner_stats.versions(store, EVERYTHING, "mail", day, day)
    assert [int(one.measures["clicks"]) for one in versions] == [110, 120], (
        "oldest first, the same file twice is nothing new"
    )
