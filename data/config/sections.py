"""The tables of losswatch.toml, one function each: read, check, make the record."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import available_timezones

from data.access.roles import ROLES
from data.config.holidays import region_fault
from data.config.settings import (
    ClockSettings,
    Company,
    EdgeSignature,
    Feed,
    HubSettings,
    NetworkSettings,
    Partner,
    Team,
    User,
    Vantage,
)
from data.config.table import is_country
from data.config.urls import address_fault, proxy_fault, url_fault
from data.model.calendar import region_of
from data.model.ids import PartnerId, TeamId

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from data.config.table import Table

R = TypeVar("R")

EVERY_TEAM = "*"
CURRENCY_WORDS = "three capital letters, such as EUR"
COUNTRY_WORDS = "two letters of ISO 3166, such as DE"
TIERS = (1, 2, 3)
DAY_S = 86_400.0
_CURRENCY = re.compile(r"[A-Z]{3}")
PROBE_WORDS = "PARAM=VALUE of letters, digits and . _ ~ -, such as subid=zz-probe"
_PROBE = re.compile(r"[A-Za-z0-9._~-]{1,60}=[A-Za-z0-9._~-]{1,120}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a target of one kind has unless its row says otherwise."""

    interval_s: float = 300.0
    timeout_s: float = 10.0
    slow_ms: int = 0
    by_tier: dict[int, float] = field(default_factory=dict)
    """Interval of a tier, in seconds."""

    def interval(self, tier: int) -> float:
        return self.by_tier.get(tier, self.interval_s)


def company(table: Table) -> Company:
    built_in = Company()
    made = Company(
        name=table.text("name", built_in.name, limit=80),
        currency=_currency(table, built_in.currency),
        timezone=_timezone(table, built_in.timezone),
        rates=table.text("rates"),
        calendar=table.text("calendar"),
        holidays=table.flag("holidays", default=built_in.holidays),
        regions=tuple(map(region_of, table.texts("regions", region_fault))),
        chance_alarm=table.duration("chance_alarm", built_in.chance_alarm, 2 * DAY_S, 365 * DAY_S),
    )
    table.done()
    return made


def hub(table: Table) -> HubSettings:
    built_in = HubSettings()
    made = HubSettings(
        probes=table.integer("probes", built_in.probes, 0, 256),
        group=table.text("group"),
        encrypt=table.flag("encrypt", default=built_in.encrypt),
        keep_observations=table.duration("keep_observations", built_in.keep_observations, 3_600.0),
        keep_rollups=table.duration("keep_rollups", built_in.keep_rollups, DAY_S),
        keep_payloads=table.duration("keep_payloads", built_in.keep_payloads, 3_600.0),
        min_free_bytes=table.size("min_free", built_in.min_free_bytes),
    )
    table.done()
    return made


def network(table: Table, home: Path) -> NetworkSettings:
    built_in = NetworkSettings()
    made = NetworkSettings(
        canaries=table.texts("canaries", url_fault),
        resolver=table.checked("resolver", _optional(address_fault)),
        second_resolver=table.checked("second_resolver", _optional(address_fault)),
        ca_file=table.checked("ca_file", _optional(lambda name: _file_fault(home, name))),
        user_agent=table.text("user_agent", built_in.user_agent),
        per_host=table.integer("per_host", built_in.per_host, 1, 1_000),
        in_flight=table.integer("in_flight", built_in.in_flight, 1, 10_000),
        per_host_minute=table.integer("per_host_minute", built_in.per_host_minute, 0, 100_000),
        per_edge=table.integer("per_edge", built_in.per_edge, 0, 10_000),
        max_skew_s=table.duration("max_skew", built_in.max_skew_s, 1.0, DAY_S),
        mobile_agent=table.text("mobile_agent", built_in.mobile_agent),
    )
    table.done()
    return made


def clock(table: Table) -> ClockSettings | None:
    """Only simulations have this table."""
    if not table.values:
        return None
    sim_start, wall_start = table.moment("sim_start"), table.moment("wall_start")
    speed = table.number("speed", 1.0, 0.001, 100_000.0)
    table.done()
    return ClockSettings(sim_start, wall_start, speed) if sim_start and wall_start else None


def defaults(table: Table) -> dict[str, Defaults]:
    """`[defaults.site]`, `[defaults.link]` and `[defaults.parser]` by kind."""
    made = {
        "site": _defaults(table.table("site"), Defaults()),
        "link": _defaults(table.table("link"), Defaults()),
        "parser": _defaults(table.table("parser"), Defaults(interval_s=900.0, timeout_s=30.0)),
    }
    table.done()
    return made


def teams(top: Table) -> tuple[Team, ...]:
    made = []
    for table in top.tables("teams"):
        name = table.name("id")
        if name == EVERY_TEAM:
            table.wrong("id", "is kept for every team", value=name)
        made.append(Team(TeamId(name), table.text("name", name), table.text("focus")))
        _unique(table, "id", name, [team.id for team in made[:-1]])
        table.done()
    return tuple(made)


def users(top: Table, team_ids: Collection[str]) -> tuple[User, ...]:
    made = []
    for table in top.tables("users"):
        account = table.text("account", required=True)
        role = table.choice("role", ROLES, "role", required=True)
        seen = table.texts("teams")
        for team in seen:
            if team != EVERY_TEAM and team not in team_ids:
                table.wrong("teams", "names no known team", value=team, choices=[*team_ids, EVERY_TEAM])
        made.append(User(account, role, seen))
        _unique(table, "account", account, [user.account for user in made[:-1]])
        table.done()
    return tuple(made)


def partners(top: Table) -> tuple[Partner, ...]:
    made = []
    for table in top.tables("partners"):
        name = table.name("id")
        made.append(
            Partner(
                id=PartnerId(name),
                name=table.text("name", name),
                epc=table.number("epc", 0.0, 0.0, 100_000.0),
                currency=_currency(table, "EUR"),
                timezone=_timezone(table, "UTC"),
                report_lag_s=table.duration("report_lag", 3_600.0),
                probe=_probe(table),
            )
        )
        _unique(table, "id", name, [partner.id for partner in made[:-1]])
        table.done()
    return tuple(made)


def feeds(
    top: Table, team_ids: Collection[str], partner_ids: Collection[str], presets: Mapping[str, str]
) -> tuple[Feed, ...]:
    """`presets` are the known ones with their sources; when empty any name passes, and is asked for over HTTP or read from a path."""
    made = []
    for table in top.tables("feeds"):
        name = table.name("name")
        preset = table.choice("preset", presets, "preset", required=True) if presets else table.name("preset")
        address, path = _where(table, presets.get(preset, ""))
        made.append(
            Feed(
                name=name,
                team=TeamId(table.choice("team", team_ids, "team", required=True)),
                partner=PartnerId(table.choice("partner", partner_ids, "partner", required=True)),
                preset=preset,
                base_url=address,
                path=path,
                secret=table.name("secret", required=False),
                account=table.text("account"),
                interval_s=table.duration("interval", 900.0, 1.0),
                days=table.integer("days", 3, 1, 400),
                options=table.pairs("options"),
                cpa=Decimal(str(table.number("cpa", 0.0, 0.0, 1e6))),
                revshare=table.number("revshare", 0.0, 0.0, 1.0),
                expires=table.moment("expires") if "expires" in table.values else None,
                paused=table.flag("paused", default=False),
            )
        )
        _unique(table, "name", name, [feed.name for feed in made[:-1]])
        table.done()
    return tuple(made)


def _where(table: Table, source: str) -> tuple[str, str]:
    """The address or the path of a feed, whichever its preset reads; calls that come to us have neither."""
    if source in {"folder", "log"}:
        return "", table.text("path", required=True)
    if source == "push":
        return "", ""
    return table.checked("base_url", _base_fault, required=True).rstrip("/"), ""


def _base_fault(url: str) -> str:
    """A link copied from a partner's screen holds a path, a range and often a key: each has a place of its own."""
    if fault := url_fault(url):
        return fault
    if "?" in url or "#" in url:
        return "goes on after the address: its parameters belong in options, its token in the keyring"
    return ""


def vantages(top: Table) -> tuple[Vantage, ...]:
    made: list[Vantage] = []
    for table in top.tables("vantages"):
        country = table.text("country", required=True)
        if country and not is_country(country):
            table.wrong("country", "is not a country code", value=country, allowed=COUNTRY_WORDS)
        number = 1 + sum(vantage.country == country.upper() for vantage in made)
        name = table.name("name", required=False) or f"{country.upper()}-{number}".removesuffix("-1")
        made.append(Vantage(country.upper(), table.checked("proxy", proxy_fault, required=True), name))
        _unique(table, "name", name, [vantage.name for vantage in made[:-1]])
        table.done()
    return tuple(made)


def edges(top: Table) -> tuple[EdgeSignature, ...]:
    made = []
    for table in top.tables("edges"):
        header = table.text("header", required=True)
        if header and not _HEADER.fullmatch(header):
            table.wrong("header", "is not the name of a header", value=header)
        made.append(EdgeSignature(table.text("name", required=True), header.lower(), table.text("value")))
        table.done()
    return tuple(made)


def _defaults(table: Table, built_in: Defaults) -> Defaults:
    interval_s = table.duration("interval", built_in.interval_s, 1.0)
    made = Defaults(
        interval_s=interval_s,
        timeout_s=table.duration("timeout", built_in.timeout_s, 0.1, 600.0),
        slow_ms=round(table.duration("slow", 0.0) * 1000),
        by_tier={tier: table.duration(f"tier{tier}", interval_s, 1.0) for tier in TIERS},
    )
    table.done()
    return made


def _unique(table: Table, key: str, name: str, earlier: Collection[str]) -> None:
    if name and name in earlier:
        table.wrong(key, "is used twice", value=name)


def _currency(table: Table, default: str) -> str:
    code = table.text("currency", default)
    if _CURRENCY.fullmatch(code):
        return code
    table.wrong("currency", "is not a currency", value=code, allowed=CURRENCY_WORDS)
    return default


def _timezone(table: Table, default: str) -> str:
    zone = table.text("timezone", default)
    if zone == default or zone in available_timezones():
        return zone
    table.wrong("timezone", "is not a time zone", value=zone, choices=available_timezones())
    return default


def _probe(table: Table) -> str:
    """The mark that a partner agreed to see on our probes' clicks."""
    mark = table.text("probe")
    if mark and not _PROBE.fullmatch(mark):
        table.wrong("probe", "is not a parameter and its value", value=mark, allowed=PROBE_WORDS)
        return ""
    return mark


def _optional(fault: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: fault(text) if text else ""


def _file_fault(home: Path, name: str) -> str:
    try:
        return "" if (home / name).is_file() else f"names no file in {home}"
    except (OSError, ValueError):
        return "is not the name of a file"
