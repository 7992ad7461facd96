from __future__ import annotations

import contextlib
import io
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import checks.sites.oneshot  # noqa: F401  # the command imports it late; many threads at once would see it half made
from tests.street.case import Made
from tests.street.cases_wire import ZONE
from tests.street.names import NameServer
from tests.street.pki import Authority
from tests.street.server import Servers
from tui.cli.main import main

HUNGRY = {
    "body: without end", "body: chunks without end", "body: 4 GB announced and sent", "http: headers without end",
    "bomb: gzip", "bomb: br", "bomb: zstd", "bomb: gzip in gzip",
}  # fmt: skip
"""Cases that would take all memory there is."""
PROGRAM = (
    "import sys, tui.cli.main as m; code = m.main(sys.argv[1:]);"  # ru_maxrss would count the test's own memory
    "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr); sys.exit(code)"
)
"""Runs the command and says its peak memory in kB on standard error."""


@dataclass(frozen=True)
class Said:
    """What the command printed and with which code it ended."""

    code: int
    out: str
    err: str


class Street:
    """Every case's server on loopback, a name server that knows them, and an authority that signed their certificates."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.pki = Authority(Path(self._folder.name))
        self.names = NameServer(ZONE)
        self.servers = Servers()
        self._full, self._knocks = _full_backlog()
        self._ports = {}
        self._opening = threading.Lock()

    def port(self, case):
        """Of the case's server, which is opened when it is first asked for."""
        with self._opening:
            if case.name not in self._ports:
                context = self.pki.secured(case.tls) if case.tls else None
                server = case.server.make() if isinstance(case.server, Made) else case.server
                self._ports[case.name] = self.servers.open(server, context) if server else _closed_port()
            return self._ports[case.name]

    def url(self, case):
        return case.url.replace("{port}", str(self.port(case))).replace("{full}", str(self._full.getsockname()[1]))

    def command(self, case):
        """The words after `losswatch`."""
        trusted = ("--ca", str(self.pki.ca_file)) if self.url(case).startswith("https:") or case.tls else ()
        return ("check", case.kind, self.url(case), "--json", "--resolver", self.names.address, *trusted, *case.words)

    def close(self):
        self.servers.close()
        self.names.close()
        for knock in (*self._knocks, self._full):
            knock.close()
        self._folder.cleanup()


def _full_backlog():
    """A port whose queue is full and never emptied, and the sockets that fill it."""
    deaf = socket.create_server(("127.0.0.1", 0), backlog=0)
    knocks = [socket.socket() for _ in range(4)]
    for knock in knocks:
        knock.setblocking(False)
        knock.connect_ex(deaf.getsockname())
    return deaf, knocks


def _closed_port():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return closed.getsockname()[1]


class _PerThread(io.TextIOBase):
    """Standard output of many commands at once: each thread writes into a text of its own."""

    encoding = "utf-8"

    def __init__(self):
        self.texts = threading.local()

    def write(self, text):
        self.texts.own = getattr(self.texts, "own", "") + text
        return len(text)

    def taken(self):
        text, self.texts.own = getattr(self.texts, "own", ""), ""
        return text


def ask_all(street, cases):
    """Run the real command for every case, many at once in this process: {name: what it said}.

    Those that only wait do so together and at the end: busy neighbours would make them late.
    """
    out, err = _PerThread(), _PerThread()

    def ask(case):
        try:
            code = main(list(street.command(case)))
        except Exception as problem:  # noqa: BLE001  # what escapes the command is that case's failure, not all others'
            return case.name, Said(-1, out.taken(), repr(problem))
        return case.name, Said(code, out.taken(), err.taken())

    said = {}
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for at_once, waits in ((6, False), (24, True)):
            with ThreadPoolExecutor(at_once) as crew:
                said |= crew.map(ask, [case for case in cases if ("--timeout" in case.words) is waits])
    return said
