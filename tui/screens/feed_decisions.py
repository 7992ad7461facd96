"""What a person decides about a feed: every decision is asked about under what it means, and given to the hub."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

from textual import work

from data.errors import LosswatchError
from data.model.delivery import Outcome
from data.model.target import name_of
from tui import format as fmt
from tui.export import save
from tui.lines import fit_to, plain, safe, wrap
from tui.screens import feed_parts as shown
from tui.screens.compared import ComparedScreen
from tui.widgets.ask import Question, agreed
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.feed_view import FeedView, RestatementRow
    from data.model.snapshot import ChangeRow

_NO_FIELDS = frozenset(("day", "hour", "currency_path"))
"""What is read from a path and is an option of its own, not a figure."""


class FeedDecisions(ComparedScreen):
    """The keys of a feed that change the world."""

    @property
    def ledger(self) -> RowTable[RestatementRow]:
        return self.query_one(f"#part{shown.LEDGER}", RowTable)

    @property
    def view(self) -> FeedView | None:
        return self.detail.feed if self.detail is not None else None

    @property
    def feed(self) -> str:
        return name_of(self.target)

    def _held(self) -> list[str]:
        """What waits in quarantine, one line a delivery."""
        look = self.losswatch.look()
        rows = self.view.deliveries if self.view is not None else ()
        return [
            f"{fmt.day_clock(one.at, look.now)}  {shown.span(one.first, one.last)}  {one.rows:,} rows  {one.detail}"
            for one in rows
            if one.outcome is Outcome.QUARANTINED
        ]

    def _nothing_held(self) -> bool:
        if self.view is None or not self.view.waiting:
            self.losswatch.say(f"Nothing of {self.feed} waits in quarantine")
            return True
        return False

    def action_accept(self) -> None:
        if self._nothing_held():
            return
        view, held = self.view, self._held()
        assert view is not None
        rows = sum(one.rows for one in view.deliveries if one.outcome is Outcome.QUARANTINED)
        money = [
            row.used_by
            for row in view.contract
            if row.used_by and row.used_by not in _NO_FIELDS and not row.used_by.startswith("dim.")
        ]
        changed = [
            f"{one.path or 'report'}: {one.was} → {one.now}" for one in self._open() if one.severity == "breaking"
        ]
        lines = [
            f"A yes stores {rows:,} rows of {view.waiting} deliveries, up to {rows * len(money):,} figures, exactly as they were sent:",
            *(f"  {text}" for text in held[:2]),
            *(f"  {text}" for text in changed[:4]),
            "Their data count as right from now on, and the contract begins anew. If the unit changed, map it instead (m).",
        ]
        self._sure(lines, "accept as the new contract?", "Nothing was accepted", "feed_accept")

    def _open(self) -> list[ChangeRow]:
        return [one for one in self.detail.changes if one.closed_at is None] if self.detail is not None else []

    def action_replay(self) -> None:
        if self._nothing_held():
            return
        lines = ["A yes reads these again with today's mapping, and stores them if nothing speaks against it:"]
        lines += [f"  {text}" for text in self._held()[:6]]
        self._sure(lines, "replay the quarantine?", "Nothing was replayed", "feed_replay")

    def _sure(self, lines: list[str], question: str, otherwise: str, command: str, **args: object) -> None:
        """Ask for a yes under what it means, and give the command."""

        def answered(said: str) -> None:
            if agreed(said):
                self.losswatch.give(command, target=self.target, **args)
            else:
                self.losswatch.say(otherwise)

        self.ask(Question(f"{question} type yes:", submit=answered, lines=self._over_lines(lines)))

    def _over_lines(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Sentences over as many lines as they need; what is indented stays one line each."""
        width = max(self.app.size.width - 2, 20)
        told: list[str] = []
        for line in lines:
            told += [fit_to(safe(line), width)] if line.startswith(" ") else map(plain, wrap(line, width))
        return tuple(told)

    def action_map(self) -> None:
        lines = (
            "field=path, field=path:money[:minor], or an option: unit=minor, timezone=Europe/Malta, day_format=%d/%m/%Y",
            "NAME= takes one back",
        )
        self.ask(Question("map:", submit=self._mapped, lines=self._over_lines(lines)))

    def _mapped(self, said: str) -> None:
        name, sign, value = (part.strip() for part in said.partition("="))
        if not sign or not name:
            if said.strip():
                self.losswatch.say(f"{said.strip()!r} is not NAME=VALUE, such as unit=minor", warn=True)
            return
        self._try({self._option(name): value})

    def _option(self, name: str) -> str:
        """The option that is meant: one of our figures is a field of the mapping."""
        view = self.view
        read = [row.used_by for row in (view.contract if view is not None else ())] + [
            one.used_by for one in self._open()
        ]
        figures = {word for words in read for word in words.split(", ")} - _NO_FIELDS
        return f"field.{name}" if name in figures and "." not in name else name

    @work(group="commands", exit_on_error=False)
    async def _try(self, options: dict[str, str]) -> None:
        """Say how the newest bodies would be read, and ask whether it shall be so."""
        try:
            reply = await self.losswatch.service.command("feed_map", target=self.target, options=options, dry_run=True)
        except LosswatchError as problem:
            self.losswatch.say(str(problem), warn=True)
            return
        if not reply.ok:
            self.losswatch.say(reply.message, warn=True)
            return
        words = ", ".join(f"{name}={value or 'none'}" for name, value in options.items())
        lines = [*reply.message.splitlines(), "A yes writes it into losswatch.toml and reads the quarantine again."]
        self._sure(lines, f"{words}?", "Nothing was mapped", "feed_map", options=options)

    def action_acknowledge(self) -> None:
        entries = self.view.restatements if self.view is not None else ()
        unsigned = [one for one in entries if not one.acknowledged_by]
        chosen = self.ledger.selected if self.focused is self.ledger else None
        if chosen is not None:
            unsigned = [chosen]
        if not unsigned:
            self.losswatch.say(f"No restatement of {self.feed} is open")
            return
        what = f"{chosen.measure} of {chosen.day}" if chosen is not None else f"all {len(unsigned)} open restatements"
        days = sorted({one.day.isoformat() for one in unsigned})
        measure = chosen.measure if chosen is not None else ""

        def answered(reference: str) -> None:
            self.losswatch.give(
                "feed_acknowledge", target=self.target, days=days, measure=measure, reference=reference.strip()
            )

        lines = (f"You say that {what} {'is' if chosen is not None else 'are'} known. esc leaves without it.",)
        self.ask(Question("number of the dispute, or empty:", submit=answered, lines=lines))

    def action_evidence(self) -> None:
        self.losswatch.say("Packing the evidence …")
        self._pack()

    @work(group="export", exclusive=True, exit_on_error=False)
    async def _pack(self) -> None:
        try:
            content = await self.losswatch.service.evidence(self.feed)
            path = await asyncio.to_thread(save, content, f"{self.feed}-evidence", self.losswatch.now(), suffix="zip")
        except LosswatchError as problem:
            self.losswatch.say(str(problem), warn=True)
        else:
            self.losswatch.say(f"{len(content):,} bytes written to {path}")

    def action_backfill(self) -> None:
        start = (self.losswatch.now() - timedelta(days=90)).date().isoformat()
        self.ask(Question("read the history, first day:", submit=self._from, start=start))

    def _from(self, said: str) -> None:
        """The last day is the one before the oldest that is known to have been read."""
        if not said.strip():
            return
        try:
            first = date.fromisoformat(said.strip())
        except ValueError:
            self.losswatch.say(f"{said.strip()!r} is no day; write it as 2026-01-31", warn=True)
            return
        last = self.losswatch.now().date() - timedelta(days=1)
        self.losswatch.give("feed_backfill", target=self.target, **{"from": first.isoformat(), "to": last.isoformat()})
