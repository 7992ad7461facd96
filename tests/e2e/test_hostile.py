"""What must never come out: secrets anywhere, escape codes on a terminal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pytest
from street import FEED, Street, lines, losswatch, make_home, until

from data.config.home import Home
from data.model.principal import EVERYTHING
from data.secrets import open_secrets
from data.store import observations
from data.store.store import Store

CANARY = "s3cr3t-c4n4ry/+=%41"
HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J[red]\u202eevil\u2069[/red] 🎰 \x9b31m"


class Echo(Street):
    """Refuses every request and repeats the key it was given, in body and header, as careless servers do."""

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            (line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"authorization")), b""
        )
        body = json.dumps({"error": f"bad token {key.decode()} {CANARY}", "url": f"/x?api_key={CANARY}"}).encode()
        writer.write(b"HTTP/1.1 401 no\r\nwww-authenticate: Bearer" + key + b"\r\ncontent-type: application/json\r\n")
        writer.write(f"content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def home(tmp_path, street, echo, started):
    street.title = HOSTILE
    made = make_home(
        tmp_path / "h", street, ["kiel", "oslo"], extra=FEED.format(every="2s", base=echo.url("").rstrip("/"))
    )
    text = (made / "losswatch.toml").read_text().replace("[hub]\n", "[hub]\nencrypt = false\n")
    (made / "losswatch.toml").write_text(text)
    with (made / "inventory" / "sites.csv").open("a") as rows:
        rows.write(f"keyed,{street.url('keyed')}?api_key={CANARY.replace('/', '%2F').replace('+', '%2B')},aurora\n")
    street.ill["kiel"] = street.ill["keyed"] = 500
    open_secrets(Home.find(str(made)), create=True).set("quillspin", CANARY)
    started(made)
    losswatch(made, "hub", "start")
    assert until(
        lambda: {one["cause"] for one in lines(losswatch(made, "incidents", "--json"))} >= {"http.5xx", "feed.auth"}
    )
    titled = lambda: [row["state"] for row in lines(losswatch(made, "sites", "--json")) if row["name"] == "oslo"]  # noqa: E731
    assert until(lambda: titled() == ["ok"])
    return made


SPELLINGS = (CANARY, "s3cr3t-c4n4ry", "czNjcjN0LWM0bjRyeS8rPSU0M")


def test_a_secret_is_in_no_output_log_file_or_table(home):
    said = [
        losswatch(home, *words)
        for words in (
            ("sites",), ("sites", "--json"), ("feeds",), ("feeds", "--json"), ("incidents", "show", "1"), ("doctor",),
            ("incidents", "show", "2"), ("incidents", "--json"), ("hub", "status"), ("secrets", "list"), ("--json",), (),
        )
    ]  # fmt: skip
    losswatch(home, "hub", "stop")
    text = "".join(ran.stdout + ran.stderr for ran in said)
    assert not [spelling for spelling in SPELLINGS if spelling in text]
    for path in home.rglob("*"):
        if path.is_file() and path.name != "sites.csv":
            content = path.read_bytes()
            assert not [one for one in SPELLINGS if one.encode() in content], path.name
    store = Store.open(home / "losswatch.duckdb", None)
    try:
        with store.cursor() as cursor:
            tables = [name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            for table in tables:
                kept = repr(cursor.execute(f"SELECT * FROM {table}").fetchall())
                assert not [one for one in SPELLINGS if one in kept], table
    finally:
        store.close()


def test_foreign_text_is_stored_and_printed_without_a_single_control_code(home):
    said = losswatch(home, "sites", "--json").stdout + losswatch(home, "sites").stdout
    losswatch(home, "hub", "stop")
    store = Store.open(home / "losswatch.duckdb", None)
    try:
        kept = observations.of_target(store, EVERYTHING, "site:oslo", limit=1_000)
        titles = {one.evidence.get("title", "") for one in kept}
    finally:
        store.close()
    assert any("evil" in title for title in titles)
    for text in (said, *titles):
        assert not {char for char in text if char in "\x1b\x07\x9b\u202e\u2069"}


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux: apt-get install tmux")
def test_no_terminal_ever_receives_the_bytes_of_a_hostile_title(home, tmp_path):
    log = tmp_path / "bytes"
    name = f"lw-{time.time_ns()}"
    command = f"{sys.executable} -m tui.cli.main --home {home}"
    tmux = ["tmux", "-L", name, "-f", "/dev/null"]
    subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "40", "sleep 60"], check=True)
    try:
        subprocess.run([*tmux, "pipe-pane", f"cat > {log}"], check=True)
        subprocess.run([*tmux, "respawn-pane", "-k", command], check=True)

        def screen():
            return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout

        assert until(lambda: "kiel" in screen()), screen()
        for key in ("1", "Enter", "Escape", "5", "Enter", "Escape", "/", "k", "Escape", "3", "Enter"):
            subprocess.run([*tmux, "send-keys", key], check=True)
            time.sleep(0.3)
        seen = log.read_bytes()
        assert b"\x1b]52;c;ZXZpbA" not in seen
        assert "\u202e".encode() not in seen
        assert not [one for one in SPELLINGS if one.encode() in seen]
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
