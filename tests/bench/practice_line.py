"""`losswatch replay` with another page line, for the curve of `bench_practice`: LINE --facts DIR --out FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.revenue.book import RevenueBook
from tui.cli import replay, replay_lines, replay_plan


def main(line: float, folder: Path, out: Path) -> None:
    plan, told = replay_plan.read(folder, None, None), dict[str, str]()
    with out.open("w", encoding="utf-8") as file:
        for _, tick in replay.ticks(plan, RevenueBook(page_nats=line, currency=plan.currency)):
            file.writelines(replay_lines.changed(tick.alarms, told, plan.dims))


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[3]), Path(sys.argv[5]))
