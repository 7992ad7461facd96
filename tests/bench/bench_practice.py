"""The revenue detector on a practice world: real hourly counts, injected losses, and three rules people use beside it.

`--seeds A-1 A-2` names worlds (seeds that nobody tuned on), `--null` those with nothing to find, `--curve 7 49` lines that chance
alone reaches once in so many days, `--no-peers` leaves the others out. The world is private: `LOSSWATCH_CORPORA` says where.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    Run = Callable[[Path, Path], None]

PEERS = {"lastweek": "numpy", "mad": "numpy", "mstl": "statsforecast"}
"""Rules of the corpus and what each needs."""
WEEKS = 7
ROOT = Path(__file__).parents[2]
OURS = "losswatch"
_COLUMNS = ("prec", "recA", "recB", "recC", "FA/week", "exact", "MdAPE", "cov80", "saved", "delay_h", "seconds")


def corpus() -> Path | None:
    root = Path(os.environ.get("LOSSWATCH_CORPORA") or ROOT.parent / "shared" / "corpora") / "revenue"
    return root if (root / "bench.py").is_file() else None


@dataclass
class Result:
    """What the scorer said of one detector on one world, or on several together."""

    incidents: list[dict[str, Any]] = field(default_factory=list)
    false: int = 0
    worlds: int = 0
    seconds: float = 0.0

    def plus(self, other: Result) -> Result:
        worlds = self.worlds + other.worlds
        return Result(self.incidents + other.incidents, self.false + other.false, worlds, self.seconds + other.seconds)

    def figures(self) -> dict[str, float | None]:
        found = [one for one in self.incidents if one["detected"]]

        def of(name: str, together: Callable[[list[float]], float]) -> float | None:
            told = [float(one[name]) for one in found if name in one]
            return together(told) if told else None

        def recall(tier: str) -> float | None:
            told = [float(one["detected"]) for one in self.incidents if one["tier"] == tier]
            return fmean(told) if told else None

        judged = len(found) + self.false
        return {
            "prec": len(found) / judged if judged else None,
            **{f"rec{tier}": recall(tier) for tier in "ABC"},
            "FA/week": self.false / (WEEKS * self.worlds),
            "exact": of("exact", fmean),
            "MdAPE": of("ape", median),
            "cov80": of("cover", fmean),
            "saved": fmean(one.get("saved", 0.0) for one in self.incidents) if self.incidents else None,
            "delay_h": of("delay", median),
            "seconds": self.seconds / self.worlds,
        }


def run(options: Sequence[str] = ()) -> list[Figure]:
    asked = _options(options)
    root = corpus()
    if root is None:
        print("   skipped: no practice world here (set LOSSWATCH_CORPORA to the folder of the private corpora)")
        return []
    scorer = _module(root / "bench.py")
    runs: dict[str, Run] = {OURS: _ours()}
    if asked.peers:
        runs |= {name: _peer(root, name) for name, needs in PEERS.items() if importlib.util.find_spec(needs)}
    runs |= {f"once in {days:g} d": _ours("--chance-alarm", f"{days:g}d") for days in asked.curve}
    with TemporaryDirectory(prefix="practice") as work:
        raw = _all(scorer, runs, asked.seeds, Path(work), variant="raw")
        null = _all(scorer, runs, asked.null, Path(work), variant="null")
    _table("worlds with losses", raw)
    _table("worlds with nothing to find", null)
    missing = [f"{name} (needs {needs})" for name, needs in PEERS.items() if name not in runs]
    if asked.peers and missing:
        print(f"   not here: {', '.join(missing)}")
    return _figures(raw)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench practice", description=__doc__)
    parser.add_argument("--seeds", nargs="*", default=["B-1", "B-2"])
    parser.add_argument("--null", nargs="*", default=[])
    parser.add_argument("--curve", nargs="*", type=float, default=[])
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    asked = parser.parse_args(list(words))
    if "--null" in words and not asked.null:
        asked.null = ["BN-1"]
    return asked


def _all(
    scorer: ModuleType, runs: dict[str, Run], seeds: Sequence[str], work: Path, *, variant: str
) -> dict[str, dict[str, Result]]:
    """By detector, by world."""
    told: dict[str, dict[str, Result]] = {name: {} for name in runs}
    for seed in seeds:
        world = work / f"{variant}-{seed}"
        scorer.make("retail", seed, world, variant, variant == "raw")
        facts = scorer.feed_dir(world, work / f"{variant}-{seed}.facts")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            outs = {name: work / f"{variant}-{seed}-{number}.jsonl" for number, name in enumerate(runs)}
            spent = {name: pool.submit(_spent, detect, facts, outs[name]) for name, detect in runs.items()}
        for name, out in outs.items():
            summary, incidents, _ = scorer.score(world, out)
            told[name][seed] = Result(incidents, summary["fp"], 1, spent[name].result())
    return told


def _spent(detect: Run, facts: Path, out: Path) -> float:
    """Seconds it took; of a detector that ran beside another one, both had a core."""
    begun = time.monotonic()
    detect(facts, out)
    return time.monotonic() - begun


def _ours(*options: str) -> Run:
    """The command as it is."""
    return lambda facts, out: _carried_out(
        ["-m", "tui.cli.main", "replay", "--facts", str(facts), "--out", str(out), *options]
    )


def _peer(root: Path, name: str) -> Run:
    script = str(root / "baselines.py")
    return lambda facts, out: _carried_out([script, name, "--facts", str(facts), "--out", str(out)])


def _carried_out(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("practice_scorer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _table(title: str, told: dict[str, dict[str, Result]]) -> None:
    if not any(told.values()):
        return
    print(f"   {title}\n   {'':<14} {'world':<8}" + "".join(f"{column:>9}" for column in _COLUMNS))
    for name, worlds in told.items():
        rows = list(worlds.items())
        if len(rows) > 1:
            together = Result()
            for one in worlds.values():
                together = together.plus(one)
            rows.append(("all", together))
        for seed, result in rows:
            figures = result.figures()
            shown = ("-" if (value := figures[column]) is None else f"{value:.2f}" for column in _COLUMNS)
            print(f"   {name:<14} {seed:<8}" + "".join(f"{figure:>9}" for figure in shown), flush=True)


def _figures(raw: dict[str, dict[str, Result]]) -> list[Figure]:
    """Ours beside the best of the peers."""
    together: dict[str, dict[str, float | None]] = {}
    for name, worlds in raw.items():
        result = Result()
        for one in worlds.values():
            result = result.plus(one)
        if result.worlds:
            together[name] = result.figures()
    figures = []
    for column, better in (("prec", max), ("saved", max), ("exact", max), ("FA/week", min)):
        peers = {name: told[column] or 0.0 for name, told in together.items() if name in PEERS}
        best = better(peers, key=lambda name: peers[name]) if peers else ""
        ours = together.get(OURS, {}).get(column)
        if ours is not None:
            figures.append(Figure(f"practice world, {column}", ours, "", best, peers.get(best)))
    return figures
