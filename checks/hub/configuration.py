from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds import preset
from checks.hub.housekeeping import without_keys
from data.config.diff import Difference, difference
from data.config.load import load
from data.config.rulediff import rule_changes
from data.config.watch import Stamp, stamps
from data.errors import ConfigError, StoreDown
from data.garbage import uncollected
from data.model.audit import AuditEntry
from data.model.ids import TeamId
from data.model.snapshot import CommandReply
from data.store import targets

if TYPE_CHECKING:
    from checks.hub.hub import Hub
    from data.config.home import Home
    from data.config.settings import Settings
    from data.model.principal import Principal

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""Targets stored together: more would hold everybody else up while they become columns. What is not stored yet when the
hub dies, the next start stores."""
_JUST_NOW = timedelta(minutes=2)
"""Real time in which a person who says `apply` is told what the hub had noticed before."""
_NAMED = 50
"""Of a change that touches more targets than this nobody can say what it broke, and the record names none."""


def read(home: Home) -> Settings:
    """The files of a home as settings, presets checked against those that exist; raises `ConfigError`."""
    return load(home, presets=preset.sources())


@dataclass(slots=True)
class Configuration:
    """The files, what of them is in force, and why the newest is not when it is not."""

    hub: Hub
    problem: str = ""
    """First line of what is wrong with the files on disk; the last good configuration stays in force."""
    _seen: Stamp = field(init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One reading at a time: whoever comes second finds what the first has put in force."""
    _noticed: tuple[datetime, tuple[str, ...]] | None = None
    """When the hub last took changed files over by itself, and what that changed."""

    def __post_init__(self) -> None:
        """Remember the files as they were before they were read, so that no change falls between."""
        self._seen = self.hub.stamp

    async def apply(self, who: Principal, *, dry_run: bool) -> CommandReply:
        """Read the files and put them in force; raises `ConfigError` and changes nothing when they are wrong."""
        async with self._turn:
            return await self._apply(who, dry_run=dry_run)

    async def _apply(self, who: Principal, *, dry_run: bool) -> CommandReply:
        seen = await asyncio.to_thread(stamps, self.hub.home, self.hub.settings)
        if seen == self._seen and not self.problem:  # what is in force was made of these very files
            return self._reply(Difference())
        settings = await asyncio.to_thread(read, self.hub.home)
        change = await self._difference(settings)
        if not dry_run:
            self._seen = seen
            await self._enforce(settings, change, who.name)
        return self._reply(change)

    def _reply(self, change: Difference) -> CommandReply:
        words = change.summary()
        if not change and self._noticed and self.hub.clock.now() - self._noticed[0] < _JUST_NOW * self.hub.clock.speed:
            at, earlier = self._noticed
            words = (f"in force already, noticed at {at:%H:%M:%SZ}:", *earlier)
        return CommandReply(ok=True, message="\n".join(words))

    async def _difference(self, settings: Settings) -> Difference:
        now = tuple(self.hub.board.targets.values())
        found = await asyncio.to_thread(difference, now, settings.targets)
        return replace(found, beside=rule_changes(self.hub.settings, settings))

    async def reload_if_changed(self) -> None:
        """Hot reload: called now and then; a broken file is reported once and the last good one kept."""
        async with self._turn:
            await self._reload_if_changed()

    async def _reload_if_changed(self) -> None:
        seen = await asyncio.to_thread(stamps, self.hub.home, self.hub.settings)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            settings = await asyncio.to_thread(read, self.hub.home)
        except ConfigError as problem:
            self.problem = str(problem).partition("\n")[0]
            log.warning("configuration not reloaded: %s", self.problem)
            self.hub.board.say(
                self.hub.clock.now(), "hub", "configuration", f"not reloaded: {self.problem}", TeamId("")
            )
            return
        change = await self._difference(settings)
        if change:
            self._noticed = self.hub.clock.now(), change.summary()
        await self._enforce(settings, change, "losswatch")

    async def _enforce(self, settings: Settings, change: Difference, who: str) -> None:
        self.problem = ""
        with uncollected(keep=len(change.added) + len(change.changed) >= AT_ONCE):
            await self.hub.put_in_force(settings, change)
        now = self.hub.clock.now()
        words = f"{len(change.added)} added, {len(change.changed)} changed, {len(change.removed)} removed"
        changed = (*change.added, *(changed.new for changed in change.changed))
        for begin in range(0, len(changed), AT_ONCE):
            rows = await asyncio.to_thread(lambda few: [*map(without_keys, few)], changed[begin : begin + AT_ONCE])
            await self.hub.keeping.keep(rows)
        touched = [*(target.id for target in changed), *(target.id for target in change.removed)]
        named = f": {', '.join(touched)}" if 0 < len(touched) <= _NAMED else ""
        entries = [AuditEntry(now, who, TeamId(""), "apply", "configuration", words + named)]
        if change.beside:
            entries.append(AuditEntry(now, who, TeamId(""), "apply", "rules", "; ".join(change.beside)))
        await self.hub.keeping.keep(entries)
        self.hub.board.say(now, "hub", "configuration", f"reloaded: {words}", TeamId(""))
        log.info("configuration in force: %s", words)
        if change.removed:
            with suppress(StoreDown):  # the next start removes them
                await asyncio.to_thread(targets.remove, self.hub.store, [target.id for target in change.removed])
