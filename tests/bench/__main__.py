"""`python -m tests.bench [NAME ..]`: every benchmark, its figure, its peer and the ratio. Nothing is asserted."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.figure import Figure


def main(names: list[str]) -> None:
    here = Path(__file__).parent
    found = sorted(path.stem.removeprefix("bench_") for path in here.glob("bench_*.py"))
    options = [word for word in names if word.startswith("-") or not word.isidentifier()]
    for name in [word for word in names if word in found] or found:
        print(f"── {name}", flush=True)
        module = import_module(f"tests.bench.bench_{name}")
        figures: list[Figure] = module.run(options) if options else module.run()
        for figure in figures:
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
