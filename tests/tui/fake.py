from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.errors import LosswatchError, NotAllowed
from data.model.snapshot import PROTOCOL, CommandReply, Hello, ListPage, Snapshot
from data.model.target import TargetKind
from tests.tui import corvane, corvane_feed, corvane_plans, corvane_revenue
from tui.app import LosswatchApp

if TYPE_CHECKING:
    from tui.service import Query, Update


class FakeService:
    """A hub in the same process: what a test puts is what the dashboard hears; what it is asked is remembered."""

    def __init__(self, snapshot: Snapshot | None = None, *, rows: dict | None = None) -> None:
        self.queue: asyncio.Queue[Update] = asyncio.Queue()
        self.rows = corvane.ROWS if rows is None else rows
        self.queries: list[Query] = []
        self.commands: list[tuple[str, dict[str, object]]] = []
        self.windows: list[str] = []
        self.travelled: list[datetime | None] = []
        self.forbidden: set[str] = set()
        self.broken = ""
        self.pack = b"PK"
        self.dry_run = "p06-zefirion, 2026-11-15 to 2026-11-17, 214 rows, read as now and as then:\n  commission_total: 282,600 -> 2,826"
        if snapshot is not None:
            self.put(
                Hello(
                    PROTOCOL,
                    "0.1.0",
                    "Corvane Media",
                    "maria",
                    "senior",
                    ("*",),
                    "full",
                    "EUR",
                    1,
                    datetime(2026, 11, 17, tzinfo=UTC),
                )
            )
            self.put(snapshot)

    def put(self, update: Update) -> None:
        self.queue.put_nowait(update)

    def travel(self, at: datetime | None) -> None:
        self.travelled.append(at)

    async def snapshot(self) -> Snapshot:
        self._may()
        return replace(corvane.BURNING, at=self.travelled[-1], version=self.travelled[-1].timestamp())

    async def updates(self):
        while True:
            yield await self.queue.get()

    async def page(self, query: Query) -> ListPage:
        self.queries.append(query)
        self._may()
        words = query.filter.split()
        rows = [
            row
            for row in self.rows.values()
            if row.kind is query.kind and all(word in row.name + row.detail for word in words)
        ]
        if query.sort:
            rows.sort(key=lambda row: str(getattr(row, query.sort)), reverse=query.desc)
        pane = {
            TargetKind.SITE: "sites",
            TargetKind.LINK: "links",
            TargetKind.PARSER: "parsers",
            TargetKind.FEED: "feeds",
            TargetKind.SLICE: "slices",
        }
        counts = getattr(corvane.BURNING, pane[query.kind]).counts
        return ListPage(7, len(rows), query.offset, tuple(rows[query.offset : query.offset + query.limit]), counts)

    async def target(self, target: str):
        self._may()
        if target not in self.rows:
            raise LosswatchError(f"Nothing called {target} is watched. Try: losswatch sites")
        detail = corvane.detail(self.rows[target])
        return corvane_feed.of_feed(detail) if detail.row.kind is TargetKind.FEED else detail

    async def slice(self, target: str, window: str):
        self.windows.append(window)
        self._may()
        if target in self.rows:
            return corvane_revenue.of_slice(corvane.detail(self.rows[target]), window)
        return corvane_revenue.of_part(target, window)

    async def watchlist(self):
        self._may()
        return corvane_revenue.WATCHED

    async def calibration(self):
        self._may()
        return corvane_revenue.CALIBRATION

    async def incident(self, number: int):
        self._may()
        found = [one for one in corvane.INCIDENTS if one.id == number]
        if not found:
            raise LosswatchError(f"There is no incident {number}.")
        return corvane.incident_detail(found[0])

    async def command(self, name: str, **args: object) -> CommandReply:
        self.commands.append((name, args))
        self._may()
        if name in self.forbidden:
            raise NotAllowed(f"Your role may not {name}. A senior can.")
        return CommandReply(True, self.dry_run if args.get("dry_run") else f"done: {name}")

    async def rehearse(self, number: int, plan: str):
        self.commands.append(("plan_rehearse", {"incident": number, "plan": plan}))
        self._may()
        return corvane_plans.DRY_RUN

    async def evidence(self, feed: str) -> bytes:
        self.commands.append(("evidence", {"feed": feed}))
        self._may()
        return self.pack

    def _may(self) -> None:
        if self.broken:
            raise LosswatchError(self.broken)


class StillClock:
    """A monotonic clock that tests move by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Serving(FakeService):
    """A hub that answers with one detail, whatever is asked."""

    def __init__(self, detail) -> None:
        super().__init__(corvane.BURNING)
        self.detail = detail

    async def target(self, target: str):
        return self.detail

    async def slice(self, target: str, window: str):
        self.windows.append(window)
        return self.detail


def said(app) -> list[str]:
    return [note.message for note in app._notifications]


def dashboard(
    snapshot: Snapshot | None = corvane.BURNING,
    *,
    theme: str = "losswatch",
    service: FakeService | None = None,
    clock: StillClock | None = None,
    **options: object,
) -> LosswatchApp:
    """A dashboard over a fake hub, on a clock that stands still."""
    service = service or FakeService(snapshot)
    return LosswatchApp(service, theme=theme, monotonic=clock or StillClock(), **options)  # type: ignore[arg-type]


def many(count: int, kind: TargetKind = TargetKind.SITE) -> dict:
    """`count` rows of one kind, for lists longer than any window."""
    base = corvane.SITES[-1]
    rows = (replace(base, target=f"{kind.value}:s-{at:06}", name=f"s-{at:06}", kind=kind) for at in range(count))
    return {row.target: row for row in rows}
