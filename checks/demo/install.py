"""Everything a real installation of Corvane Media would consist of: losswatch.toml, inventory, SPEC files, secrets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from checks.demo import calls
from checks.demo.apis import ACCOUNT, REFERON_REPORT
from checks.demo.dialects import NETREFER_TOKEN
from checks.demo.partners import BY_ID, NEXT_DAY, PARTNERS, DemoPartner
from checks.demo.prepared import notice_rows, plan_rows
from checks.demo.switchboard import MAP, map_text
from checks.demo.world import CANARY_HOSTS, COMPANY, EDGE_HEADER, EDGE_NAME, SEARCH_HOST, SISTER_HOST, TEAMS
from data.durable import replace_file

if TYPE_CHECKING:
    from checks.demo.town import Town
    from data.config.home import Home

SPEC = """\
# Results of one search query on findly.example.
[parser]
name = "serp"
items = "#search div.result"
min_items = 8

[parser.fields.title]
css = "h3.title"
type = "text"
required = true

[parser.fields.url]
css = "a.link"
attr = "href"
type = "url"
required = true

[parser.fields.snippet]
css = "div.snippet"
type = "text"

[parser.fields.position]
css = "span.pos"
type = "position"
required = true
"""


FINAL_PATH = {"P01": "/welcome", "P07": "/match/"}
"""Where a partner's links must lead to; P01's second landing page begins so, too."""


CANARY = "serp-de-online-casino-vergleich"
"""The parser whose query always has results."""


@dataclass(frozen=True, slots=True)
class SimulatedClock:
    sim_start: datetime
    wall_start: datetime
    speed: float


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the company's other servers listen."""

    dns: int
    proxies: Mapping[str, int]
    """Port by country."""
    calls: int
    """Of the endpoint that partners call."""
    hub: int
    """Where the hub is to open its own door behind it."""
    inbox: int
    """Of the receiver of messages."""


def install(home: Home, town: Town, doors: Doors, clock: SimulatedClock, ca_pem: bytes) -> None:
    """Write the configuration of the simulated company into `home`; losswatch.toml last."""
    home.inventory.mkdir(parents=True, exist_ok=True)
    (home.config / "parsers").mkdir(exist_ok=True)
    replace_file(home.config / "ca.pem", ca_pem)
    replace_file(home.config / "parsers" / "serp.toml", SPEC.encode())
    place = home.config / MAP
    place.parent.mkdir(exist_ok=True)
    replace_file(place, map_text({partner.id: town.tracker_url(partner.id) for partner in PARTNERS}).encode())
    replace_file(home.config / "calendar.csv", _csv(_calendar_rows(town)))
    replace_file(home.inventory / "sites.csv", _csv(_site_rows(town)))
    replace_file(home.inventory / "links.csv", _csv(_link_rows(town)))
    replace_file(home.inventory / "parsers.csv", _csv(_parser_rows(town)))
    replace_file(home.toml, _toml(town, doors, clock).encode())


def secret_name(partner: DemoPartner) -> str:
    return f"{partner.slug}-token"


def _site_rows(town: Town) -> Iterable[tuple[object, ...]]:
    yield ("site", "url", "team", "tier", "geo", "project", "expect")
    for site in town.world.sites:
        url = f"{town.origin(site.host, tls=site.https)}/"
        yield (site.name, url, site.team, site.tier, site.geos[0], site.project, COMPANY)


def _link_rows(town: Town) -> Iterable[tuple[object, ...]]:
    yield (
        "link",
        "url",
        "team",
        "site",
        "partner",
        "offer",
        "geo",
        "tier",
        "project",
        "final_host",
        "final_path",
        "keep",
        "device",
    )
    for link in town.world.links:
        host = BY_ID[link.partner].landing_host
        yield (
            link.name, town.link_url(link), link.team, link.site, link.partner, link.offer, link.geo, link.tier,
            link.project, host, FINAL_PATH.get(link.partner, ""), "btag", link.device,
        )  # fmt: skip


def _calendar_rows(town: Town) -> Iterable[tuple[object, ...]]:
    """D1's holiday, a cup evening and a promotion, as somebody of the company would write them down."""
    day = town.script.day.date()
    yield ("start", "end", "kind", "name", "geo", "partner")
    yield (day, "", "holiday", "Fiskedagen", "NO", "")
    yield (f"{day + timedelta(days=1)}T20:45", "", "sport", "Puchar, 1/8", "PL", "")
    yield (day + timedelta(days=3), day + timedelta(days=5), "promotion", "Double points", "", "P06")


def _parser_rows(town: Town) -> Iterable[tuple[object, ...]]:
    yield ("parser", "url", "team", "spec", "geo", "interval", "query", "canary")
    for parser in town.world.parsers:
        query = urlencode({"q": parser.query, "gl": parser.geo, "num": 30})
        url = f"{town.origin(SEARCH_HOST, tls=False)}/search?{query}"
        canary = "yes" if parser.name == CANARY else ""
        yield (parser.name, url, parser.team, "parsers/serp.toml", parser.geo, "15m", parser.query, canary)


def _toml(town: Town, doors: Doors, clock: SimulatedClock) -> str:
    canaries = [f"{town.origin(host, tls=False)}/" for host in CANARY_HOSTS]
    parts = [
        "# Corvane Media does not exist: its servers listen on 127.0.0.1 while `losswatch demo` runs.",
        _table("company", {"name": COMPANY, "currency": "EUR", "calendar": "calendar.csv", "regions": ["CA-ON"]}),
        _table("hub", {"probes": 1, "min_free": "50MB"}),
        _table(
            "network",
            {
                "canaries": canaries,
                "resolver": f"127.0.0.1:{doors.dns}",
                "ca_file": "ca.pem",
                "per_host": 40,
                "per_host_minute": 0,
                "per_edge": 0,
            },
        ),
        _table("clock", {"sim_start": clock.sim_start, "wall_start": clock.wall_start, "speed": clock.speed}),
        _table("defaults.site", {"interval": "60m", "tier1": "2m", "tier2": "10m"}),
        _table("defaults.link", {"interval": "60m", "tier1": "5m", "tier2": "30m"}),
        _table("defaults.parser", {"interval": "15m"}),
        *(_array("teams", {"id": team.id, "name": team.name, "focus": team.focus}) for team in TEAMS),
        *(_array("partners", _partner(partner)) for partner in PARTNERS),
        *(_feed(partner, town) for partner in PARTNERS),
        *_postbacks(doors),
        *(
            _array("vantages", {"country": country, "proxy": f"http://127.0.0.1:{port}"})
            for country, port in doors.proxies.items()
        ),
        _array("edges", {"name": EDGE_NAME, "header": EDGE_HEADER}),
        _array(
            "brands",
            {"name": "Saltwick Casino", "partner": "P04", "hosts": ["www.saltwick.example"], "licensed": ["GB", "IE"]},
        ),
        _array("brands", {"name": "Saltwick Royal", "partner": "P04", "hosts": [SISTER_HOST], "licensed": ["IE"]}),
        _array("maintenance", _migration(town)),
        *(_array(name, values) for name, values in plan_rows(town)),
        _table("notify", {"to": ["war-room"], "group_by": ["incident"], "group_wait": "1m", "group_interval": "10m"}),
        *(_array(name, values) for name, values in notice_rows(doors.inbox)),
    ]
    return "\n".join(parts)


def _migration(town: Town) -> dict[str, object]:
    """The announced move of twelve sites (D8)."""
    script = town.script
    began = next(event.began(script.day) for event in script.events if event.id == "D8")
    sites = [f"site:{name}" for name in sorted(town.world.migrating)]
    return {"reason": "move to new hosts", "targets": sites, "start": began, "end": began + timedelta(hours=3)}


def _partner(partner: DemoPartner) -> dict[str, object]:
    lag = "7h" if partner.report_lag == NEXT_DAY else f"{partner.report_lag.total_seconds() / 60:.0f}m"
    return {
        "id": partner.id,
        "name": partner.name,
        "epc": round(partner.epc, 2),
        "currency": "EUR",
        "timezone": partner.timezone,
        "report_lag": lag,
    }


def _feed(partner: DemoPartner, town: Town) -> str:
    base = town.origin(partner.api_host, tls=False)
    about = {"name": feed_name(partner), "team": partner.team, "partner": partner.id}
    access = {"preset": partner.preset, "base_url": base, "secret": secret_name(partner), "account": ACCOUNT}
    days = 8 if partner.report_lag == NEXT_DAY else 3  # a daily run changes a week at once
    feed = _array("feeds", {**about, **access, "interval": "15m", "days": days})
    return feed + _table("feeds.options", account_options(partner))


def feed_name(partner: DemoPartner) -> str:
    return f"{partner.id.lower()}-{partner.slug}"


def account_options(partner: DemoPartner) -> dict[str, str]:
    """What the company says of its account there, beyond what the platform's preset knows."""
    return {"currency": "EUR", "timezone": partner.timezone, **_ACCOUNTS.get(partner.preset, {})}


_EVERFLOW_BODY = {
    "from": "{from}",
    "to": "{to}",
    "timezone_id": 80,
    "currency_id": "{currency}",
    "columns": [{"column": "date"}, {"column": "offer"}, {"column": "sub1"}],
    "query": {"filters": []},
}
_ACCOUNTS: dict[str, dict[str, str]] = {
    "netrefer": {
        "auth_path": NETREFER_TOKEN,
        "field.ftd_count": "FirstDeposits.Result + FirstDeposits.Adjustment",
        "field.ngr": "NetRevenue.Result + NetRevenue.Adjustment:money",
    },
    "everflow": {"body": json.dumps(_EVERFLOW_BODY), "field.registrations": "reporting.event"},
    "referon": {"path": REFERON_REPORT, "cadence": "intraday", "lag": "60m"},
}
"""Everflow's zone 80 is New York, whose clock is Toronto's. NetRefer's columns for deposits and net revenue are the account's own."""


def _postbacks(doors: Doors) -> Iterable[str]:
    """P03 calls for each registration and first deposit, as a Keitaro tracker does."""
    partner = BY_ID[calls.PARTNER]
    yield _table("postbacks", {"listen": f"127.0.0.1:{doors.hub}", "public_url": f"http://127.0.0.1:{doors.calls}"})
    about = {"name": calls.FEED, "team": partner.team, "partner": partner.id, "preset": "postback"}
    yield _array("feeds", {**about, "secret": calls.SECRET, "interval": "1m"})
    yield _table("feeds.options", {"dialect": "keitaro", "param.at": "ts"})


def _table(name: str, values: Mapping[str, object]) -> str:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _array(name: str, values: Mapping[str, object]) -> str:
    """One element of an array of tables."""
    return _table(f"[{name}]", values)


def _key(name: str) -> str:
    return json.dumps(name) if "." in name else name


def _value(value: object) -> str:
    """A TOML value; JSON's strings, numbers and lists are TOML's as well."""
    if isinstance(value, date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)} = {_value(one)}' for name, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _csv(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
