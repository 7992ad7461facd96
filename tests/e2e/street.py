"""A street of small websites on loopback whose health a test decides, and a losswatch home that watches them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from data.config.home import Home
from data.errors import StoreLocked
from data.secrets import open_secrets, store_key
from data.store.store import Store

FEED = """
[[partners]]
id = "P01"
name = "Quillspin"
[[feeds]]
name = "p01"
team = "aurora"
partner = "P01"
preset = "affilka"
base_url = "{base}"
secret = "quillspin"
interval = "{every}"
"""
"""An Affilka account of partner P01; `base` is its server, `every` its interval."""


class Street:
    """An HTTP server in a thread: `/NAME` answers 200, or what `ill[NAME]` says."""

    def __init__(self):
        self.ill = {}
        self.title = "all is well"
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(5)

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)

        async def start():
            self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.run_until_complete(start())
        self._loop.run_forever()

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        name = head.split(b" ")[1].decode().strip("/")
        status = self.ill.get(name, 200)
        body = f"<html><title>{self.title}</title><body>{'welcome to the shop ' * 20}</body></html>".encode()
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-type: text/html\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()
        writer.close()

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


def make_home(root, street, names, *, extra="", interval="2s"):
    """A home that checks `names` on the street every two seconds."""
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(
        f'[company]\nname = "Street"\n[hub]\nprobes = 1\nmin_free = "1MB"\n[defaults.site]\ninterval = "{interval}"\n'
        f'timeout = "5s"\n[[teams]]\nid = "aurora"\nname = "Aurora"\n{extra}'
    )
    rows = "".join(f"{name},{street.url(name)},aurora\n" for name in names)
    (root / "inventory" / "sites.csv").write_text("site,url,team\n" + rows)
    return root


def losswatch(home, *words, **options):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "--home", str(home), *words],
        capture_output=True, text=True, timeout=90, check=False, **options,
    )  # fmt: skip


def lines(ran):
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


PATIENCE_S = 120.0
"""What never comes fails then, and what comes late on a busy machine does not."""


def until(holds, *, every_s=0.2):
    """Poll a real process until it says what is awaited; the last word otherwise."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = holds()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(every_s)


def sites(home, *words):
    """State of each site by name."""
    return {row["name"]: row["state"] for row in lines(losswatch(home, "sites", "--json", *words))}


def status(home):
    return json.loads(losswatch(home, "hub", "status", "--json").stdout)


@contextmanager
def opened(home):
    """The database of a hub that is down, once the last of its processes let go of it."""
    place = Home.find(str(home))
    key = store_key(open_secrets(place, create=True))
    store = until(lambda: _store(place.database, key))
    try:
        yield store
    finally:
        store.close()


def _store(database, key):
    try:
        return Store.open(database, key)
    except StoreLocked:
        return None


def hub_pid(home):
    return int((Path(home) / "hub.lock").read_text())


def kill_hub(home):
    """SIGKILL, and wait until the process is gone."""
    pid = hub_pid(home)
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


def _is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
