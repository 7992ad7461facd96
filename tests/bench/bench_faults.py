"""Every case of the street of faults, told by losswatch and by prometheus-blackbox-exporter, side by side.

The peer gets what it can be told of a case: the same root, timeout, body limit, statuses and texts; its lookups go to the
same name server, where this process may give it one (as root, in a mount namespace of its own). It says up or down and a
status; what its log adds stands in the last column. Nothing is timed here but its own clock; see bench_probe for CPU.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.figure import Figure
from tests.bench.peer import PEER, free_port, started
from tests.street.cases_wire import ZONE
from tests.street.names import NameServer
from tests.street.street import HUNGRY, PROGRAM, Street, ask_all
from tests.street.table import CASES

AT_ONCE = 8
RESOLVER = "127.0.0.77"
"""Where the peer's own name server answers; its port must be 53."""
_METRIC = re.compile(r"^(probe_success|probe_http_status_code) (\d+)", re.MULTILINE)
_ERROR = re.compile(r'err="((?:[^"\\]|\\.)*)"')
_OURS = {"ok": "up", "degraded": "up", "failing": "down", "unknown": "?"}


@dataclass(frozen=True)
class Row:
    """One case: what is true of it, what we say, what the peer says."""

    name: str
    truth: str
    ours: str
    up: bool
    status: int
    said: str

    @property
    def losing(self):
        return self.truth.startswith("failing")

    @property
    def line(self):
        peer = f"{'up' if self.up else 'down':<5}{self.status or '-':<5}"
        return f"{self.name[:58]:<60}{self.ours:<32}{peer}{self.said[:90]}"


def run() -> list[Figure]:
    binary = shutil.which(PEER)
    if binary is None:
        return [Figure("faults beside the peer", 0.0, "cases", note=f"{PEER} is not installed: apt-get install {PEER}")]
    with contextlib.ExitStack() as stack:
        street = Street()
        stack.callback(street.close)
        ours = ask_all(street, CASES)
        port, named = _exporter(binary, street, stack)
        asked = [
            case
            for case in CASES
            if not case.name.startswith("config:") and (named or "example" not in _url(street, case))
        ]
        rows = _ask_peer(street, asked, port, ours)
        most_mb = max(_memory_mb(street.command(case)) for case in CASES if case.name in HUNGRY)
    for row in rows:
        print(row.line)
    left_out = len(CASES) - len(rows)
    note = f"{left_out} left out" + ("" if named else ": the peer's names need root and unshare")
    late_ms = max(_late_ms(case, json.loads(ours[case.name].out)) for case in CASES)
    return [
        *_figures(rows, note),
        Figure("latest answer, counted from its deadline", late_ms, "ms", note="allowed: 1,000"),
        Figure("most memory of the command: endless bodies, bombs", most_mb, "MB", note="allowed: 100"),
    ]


def _late_ms(case, said):
    return (said["timing"]["total_ms"] or 0.0) - case.timeout_s * 1000


def _memory_mb(words):
    """Peak of a process of its own that runs the command."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, timeout=90, check=False
    )
    return int(ran.stderr) / 1024


def _figures(rows: list[Row], note: str) -> list[Figure]:
    losing = [row for row in rows if row.losing]
    mute = [row for row in losing if not row.up and row.status == 0]
    right = sum(row.ours == row.truth for row in rows)
    most, times = Counter(row.ours for row in mute).most_common(1)[0]
    healthy = [row for row in rows if row.truth == "ok"]
    unsure = [row for row in rows if row.truth.startswith("unknown")]
    return [
        Figure("cases told by state and cause", right, f"of {len(rows)}", note=note),
        Figure("money-losing answers called up", sum(row.ours == "ok" for row in losing), f"of {len(losing)}", PEER, sum(row.up for row in losing)),
        Figure("distinct causes behind its 'down, no status'", len({row.ours for row in mute}), "answers", PEER, 1.0, f"{len(mute)} cases; our commonest answer, {most}, stands for {times}"),
        Figure("healthy pages called down", sum(row.ours.startswith("failing") for row in healthy), f"of {len(healthy)}", PEER, sum(not row.up for row in healthy)),
        Figure("no evidence either way, called down", sum(row.ours.startswith("failing") for row in unsure), f"of {len(unsure)}", PEER, sum(not row.up for row in unsure)),
    ]  # fmt: skip


def _url(street, case):
    """With the bodies it leads to: a redirect to a name needs a name server, too."""
    answer = case.server if isinstance(case.server, bytes) else str(case.server).encode()
    return street.url(case) + answer.decode("latin-1")


def _exporter(binary, street, stack):
    """The running peer's port, and whether its lookups reach our name server."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    (folder / "peer.json").write_text(
        json.dumps({"modules": {name: _module(case, street) for name, case in _numbered()}})
    )
    port = free_port()
    command = [binary, f"--config.file={folder / 'peer.json'}", f"--web.listen-address=127.0.0.1:{port}", "--timeout-offset=0", "--log.level=error"]  # fmt: skip
    inside = _own_names(folder, stack)
    started([*inside, *command], port, stack)
    return port, bool(inside)


def _own_names(folder, stack):
    """The command that puts what follows it into a namespace with our name server; empty where that is not allowed."""
    try:
        names = NameServer(ZONE, (RESOLVER, 53))
    except OSError:
        return []
    stack.callback(names.close)
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    bind = f'mount --bind {folder / "resolv.conf"} /etc/resolv.conf && exec "$@"'
    inside = ["unshare", "--mount", "sh", "-c", bind, "sh"]
    allowed = (
        shutil.which("unshare") and subprocess.run([*inside, "true"], capture_output=True, check=False).returncode == 0
    )
    return inside if allowed else []


def _numbered():
    return ((f"case{number}", case) for number, case in enumerate(CASES))


def _module(case, street):
    """What the peer can be told of a case."""
    words = dict(zip(case.words[::2], case.words[1::2], strict=True))
    http = {
        "preferred_ip_protocol": "ip4",
        "tls_config": {"ca_file": str(street.pki.ca_file)},
        "body_size_limit": "1MB",
    }
    if "--status" in words:
        http["valid_status_codes"] = [int(status) for status in words["--status"].split(",")]
        http["follow_redirects"] = not any(300 <= status < 400 for status in http["valid_status_codes"])
    if "--max-body" in words:
        http["body_size_limit"] = f"{words['--max-body']}B"
    for word, option in (("--expect", "fail_if_body_not_matches_regexp"), ("--forbid", "fail_if_body_matches_regexp")):
        if word in words and not case.name.startswith("encoding:"):  # it asks for no encoding and would get none
            http[option] = [r"(?i)" + r"\s+".join(map(re.escape, words[word].split()))]
    return {"prober": "http", "timeout": f"{case.timeout_s:g}s", "http": http}


def _ask_peer(street, asked, port, ours):
    modules = {case.name: name for name, case in _numbered()}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client, ThreadPoolExecutor(AT_ONCE) as crew:

        def ask(case):
            query = {"target": street.url(case), "module": modules[case.name], "debug": "true"}
            text = client.get("/probe", params=query).text
            found = {name: int(value) for name, value in _METRIC.findall(text)}
            error = next(iter(_ERROR.findall(text)), "").replace(street.url(case), "URL")
            said = json.loads(ours[case.name].out)
            verdict = f"{said['state']} {said['cause']}".strip()
            up, status = found.get("probe_success") == 1, found.get("probe_http_status_code", 0)
            return Row(case.name, case.verdict, verdict, up, status, error)

        return list(crew.map(ask, asked))
