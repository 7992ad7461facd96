"""The same cases through an adaptive scraping library, in an environment of its own where one is named."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from checks.parsers.repair import f1

if TYPE_CHECKING:
    from tests.bench.repair_cases import Case

PYTHON = "LOSSWATCH_BENCH_SCRAPLING"
"""Environment variable: a Python that has scrapling; it is no dependency of ours."""
RIGHT = 0.8
_SCRIPT = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import logging; logging.disable(logging.CRITICAL)
from scrapling.parser import Selector
for line in sys.stdin:
    case = json.loads(line)
    got, ms = [], 0.0
    try:
        options = {"adaptive": True, "storage_args": {"storage_file": case["store"], "url": "https://h.example/"}, "url": "https://h.example/"}
        with open(case["old"], "rb") as file:
            Selector(file.read(), **options).css(case["css"], identifier=case["key"], auto_save=True)
        with open(case["new"], "rb") as file:
            body = file.read()
        began = time.process_time()
        found = Selector(body, **options).css(case["css"], identifier=case["key"], adaptive=True)
        ms = (time.process_time() - began) * 1000
        got = [str(one.get_all_text(strip=True, separator=" ")) for one in found]
    except Exception as problem:
        print(json.dumps({"key": case["key"], "error": repr(problem)[:200]}), flush=True)
        continue
    print(json.dumps({"key": case["key"], "got": got, "ms": ms}), flush=True)
"""


def adaptive_of(cases: list[Case]) -> dict[str, tuple[bool, float]]:
    """Case to (right, ms); empty, with a sentence, where the library is not at hand."""
    python = os.environ.get(PYTHON)
    if not python:
        print(f"   no peer: set {PYTHON} to a Python that has scrapling")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for number, case in enumerate(cases):
            old, new = Path(folder, f"{number}.old"), Path(folder, f"{number}.new")
            old.write_bytes(case.good[0])
            new.write_bytes(case.shown[0].body)
            lines.append(json.dumps({
                "key": case.key, "css": case.field.css, "old": str(old), "new": str(new),
                "store": str(Path(folder, f"{number}.db")),
            }))  # fmt: skip
        done = subprocess.run(
            [python, "-c", _SCRIPT], input="\n".join(lines), capture_output=True, text=True, check=False
        )
    truth = {case.key: case.shown[0].truth for case in cases}
    found = {}
    for answer in map(json.loads, done.stdout.splitlines()):
        wanted = truth[answer["key"]]
        if "error" in answer:
            print(f"   the peer failed on {answer['key']}: {answer['error']}")
        right = f1(tuple(answer.get("got", ())), wanted, 0) >= RIGHT
        found[answer["key"]] = (right, answer.get("ms", 0.0))
    if done.returncode:
        print(f"   the peer ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return found
