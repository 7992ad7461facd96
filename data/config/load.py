from __future__ import annotations

import tomllib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from data.config import sections
from data.config.brands import brands
from data.config.calendar import Calendar, read_calendar
from data.config.checklists import checklists
from data.config.hygiene import hygiene
from data.config.inventory import Inventory
from data.config.lines import index_lines
from data.config.maintenance import windows as maintenance_windows
from data.config.parents import parents
from data.config.plans import Known, allow_list, plans
from data.config.postbacks import postbacks
from data.config.problems import Problems
from data.config.rates import read_rates
from data.config.routes import notifying
from data.config.rows import decode, read_bytes
from data.config.rules import content_rules, rules_file
from data.config.settings import Settings
from data.config.table import Source, Table
from data.errors import ConfigError
from data.garbage import uncollected
from data.model.calendar import CalendarEvent
from data.model.target import Target, TargetKind, target_id
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from data.config.home import Home
    from data.config.settings import ContentRule, Feed
    from data.model.plan import Plan

MAX_TOML_BYTES = 4_000_000
UNCHECKED: Mapping[str, str] = MappingProxyType({})


def load(home: Home, *, presets: Mapping[str, str] = UNCHECKED, inventory: Path | None = None) -> Settings:
    """losswatch.toml and inventory/*.csv as validated settings.

    `presets` are the feed presets that exist and where each reads from (`checks.feeds.preset.sources()`); without them a
    feed's preset is not checked. `inventory` is a folder to read in place of the home's. Raises `data.config.problems.ConfigErrors` with every problem, the first 20 in words.
    """
    with uncollected():
        return _load(home, presets, inventory)


def _load(home: Home, presets: Mapping[str, str], inventory: Path | None) -> Settings:
    problems = Problems()
    top = _read_toml(home.toml, problems)
    made = _sections(top, home.config, presets)
    defaults = sections.defaults(top.table("defaults"))
    maintenance = tuple(top.tables("maintenance"))
    over = tuple(top.tables("parents"))
    programs, planned = allow_list(top.table("adapters")), tuple(top.tables("plans"))
    rules = rules_file(top.table("content"), home.config)
    top.done()
    own = content_rules(_read_toml(home.config / rules, problems)) if rules else ()
    reader = Inventory(
        home=home.config,
        folder=inventory or home.inventory,
        teams=[team.id for team in made.teams],
        partners=[partner.id for partner in made.partners],
        defaults=defaults,
        problems=problems,
    )
    targets = (*reader.targets(), *_feed_targets(made.feeds))
    windows = maintenance_windows(
        maintenance,
        timezone=made.company.timezone,
        teams=[team.id for team in made.teams],
        partners=[partner.id for partner in made.partners],
        targets=targets,
    )
    prepared = _plans(planned, made, targets, programs)
    above = parents(over, [target.id for target in targets] if over else ())
    calendar = _calendar(made, home, problems)
    problems.raise_any()
    rates = made.rates
    if made.company.rates:
        rates = read_rates(home.config / made.company.rates, made.company.currency)
    return replace(
        made,
        targets=targets,
        maintenance=windows,
        plans=prepared,
        parents=above,
        programs=programs,
        content_rules=rules,
        rules=own,
        rates=rates,
        calendar=calendar,
    )


def _plans(
    tables: tuple[Table, ...], made: Settings, targets: Iterable[Target], programs: tuple[str, ...]
) -> tuple[Plan, ...]:
    if not tables:
        return ()
    watched = {target.id for target in targets if target.kind in {TargetKind.SITE, TargetKind.LINK}}
    known = Known([team.id for team in made.teams], [one.id for one in made.partners], watched, programs)
    return plans(tables, known)


def own_rules(home: Home) -> tuple[ContentRule, ...]:
    """The operator's content rules alone, for a check without a hub; none where there is no losswatch.toml."""
    if not home.toml.is_file():
        return ()
    problems = Problems()
    name = rules_file(_read_toml(home.toml, problems).table("content"), home.config)
    found = content_rules(_read_toml(home.config / name, problems)) if name else ()
    problems.raise_any()
    return found


def _read_toml(path: Path, problems: Problems) -> Table:
    """The top table; a file that cannot be read at all raises at once, since nothing else could be judged."""
    try:
        text = decode(path, read_bytes(path, MAX_TOML_BYTES))
    except ConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(path, None, "does not exist. Start with: losswatch init") from None
        raise
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words, line = _toml_fault(str(error), text)
        raise ConfigError(path, line, words) from None
    except (RecursionError, ValueError):
        raise ConfigError(path, None, "is nested too deeply or holds a number that is too long") from None
    return Table(Source(path, index_lines(text), problems), (), values)


def _toml_fault(message: str, text: str) -> tuple[str, int | None]:
    """`tomllib` puts the place into its message: `Unclosed array (at line 3, column 5)`."""
    words, _, place = message.rpartition(" (at ")
    if place.startswith("line "):
        line = int(place.removeprefix("line ").partition(",")[0])
        return f"is not TOML: {words[:1].lower()}{words[1:]}", line
    return f"is not TOML: {words[:1].lower()}{words[1:]} at the end of the file", max(text.count("\n"), 1)


def _sections(top: Table, home: Path, presets: Mapping[str, str]) -> Settings:
    teams = sections.teams(top)
    partners = sections.partners(top)
    team_ids, partner_ids = [team.id for team in teams], [partner.id for partner in partners]
    company = sections.company(top.table("company"))
    return Settings(
        home=home,
        company=company,
        hub=sections.hub(top.table("hub")),
        network=sections.network(top.table("network"), home),
        clock=sections.clock(top.table("clock")),
        teams=teams,
        users=sections.users(top, team_ids),
        partners=partners,
        feeds=sections.feeds(top, team_ids, partner_ids, presets),
        vantages=sections.vantages(top),
        edges=sections.edges(top),
        brands=brands(top, partner_ids),
        hygiene=hygiene(top.table("hygiene")),
        postbacks=postbacks(top.table("postbacks")),
        checklists=checklists(top),
        notify=notifying(top, team_ids, partner_ids, company.timezone),
    )


def _calendar(made: Settings, home: Home, problems: Problems) -> Calendar:
    company, dated = made.company, tuple[CalendarEvent, ...]()
    if company.calendar:
        partners = [partner.id for partner in made.partners]
        dated = read_calendar(home.config / company.calendar, company.timezone, partners, problems)
    return Calendar(dated, company.regions, with_holidays=company.holidays)


def _feed_targets(feeds: Iterable[Feed]) -> Iterable[Target]:
    for feed in feeds:
        yield Target(
            id=target_id(TargetKind.FEED, feed.name),
            kind=TargetKind.FEED,
            team=feed.team,
            name=feed.name,
            url=redact(feed.base_url or feed.path),
            partner=feed.partner,
            interval_s=feed.interval_s,
            timeout_s=60.0,
            paused=feed.paused,
            spec=feed.preset,
        )
