"""What each role of the demo's company may read of a bad day, over every route of the hub and in every message."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from checks.demo.inbox import leaks
from checks.demo.install import SimulatedClock, feed_name, install
from checks.demo.partners import PARTNERS
from checks.engine.clock import FakeClock
from checks.feeds.preset import sources
from checks.hub import hub as hubs
from checks.hub import server
from checks.incidents.notify.words import message, told
from data.access.names import hidden_names
from data.access.roles import ROLES
from data.config.load import load
from data.model.cause import cause
from data.model.ids import TeamId
from data.model.incident import TimelineEntry
from data.model.money import Loss, cents
from data.model.notice import Notice, NoticeKind
from data.model.observation import Observation
from data.model.principal import MoneyRight, Principal, Scope
from data.model.state import State
from data.secrets import open_secrets
from data.store.store import Store
from tests.checks.demo.conftest import DAY

NOON = DAY.replace(hour=12)
LOST = Loss(cents(4321), cents(3210), cents(5432), cents(987), cents(876), cents(1098), currency="EUR")
FIGURES = ("4321", "3210", "5432", "987", "876", "1098")
"""Of the loss above: nobody without a right to money may meet any of them as a number."""
CHOSEN = frozenset({"target", "id", "feed", "link", "file"})
"""Fields that hold what the company calls its own targets: commands need them as they are."""


def principal(role, settings):
    right = ROLES[role]
    hidden = () if right.partner_names else hidden_names(settings.partners)
    teams = None if right.every_team else frozenset({TeamId("baltic"), TeamId("delta")})
    return Principal(role, 4711, role, Scope(teams, right.money, hidden), right.actions)


class Eyes:
    """A hub of the demo's company without a socket; `asks(role, path)` is the JSON that role gets."""

    def __init__(self, hub, monkeypatch):
        self.hub = hub
        monkeypatch.setattr(server, "_principal", lambda hub, _: self.who)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(server.application(hub)), base_url="http://hub")

    async def asks(self, role, path):
        self.who = principal(role, self.hub.settings)
        answer = await self.client.get(path)
        assert answer.status_code < 500, (path, answer.text)
        return answer.text if answer.is_success else "{}"  # a refusal repeats what was asked for, and no more


def bad_day(hub):
    """Each partner's first link lands elsewhere and its feed refuses us; some sites' edge fails."""
    targets = {one.id: one for one in hub.settings.targets}
    seen = []
    for partner in PARTNERS:
        link = next(one for one in targets.values() if one.kind == "link" and one.partner == partner.id)
        words = f"lands on {partner.landing_host} by {partner.tracker_host}: {partner.name} pays EUR 120.50 no more"
        seen.append((link, "link.wrong_target", words, partner.tracker_host))
        feed = targets[f"feed:{feed_name(partner)}"]
        seen.append((feed, "feed.auth", f"{partner.api_host} answers 401 to {partner.name}", partner.api_host))
    seen += [(one, "edge.error", "503", "Halyard Edge") for one in list(targets.values())[:5] if one.kind == "site"]
    for minute in range(6):
        at = NOON + timedelta(minutes=minute)
        looks = [
            Observation(one.id, one.team, one.kind, at, State.FAILING, cause(why), words, blame=blame)
            for one, why, words, blame in seen
        ]
        hub.intake.take(looks)
    change = hub.desk.tick(NOON + timedelta(minutes=7), lambda *_: LOST)
    rows = [row for one in change for row in hub.intake.settle(one)]
    for incident in hub.desk.open_incidents:
        words = f"Torvane Bet owes us 4321 EUR, loss per hour from EUR {LOST.per_hour} to EUR 0.00"
        rows.append(TimelineEntry(incident.id, NOON, "ana", words))
    hub.store.write(rows).result()
    hub.store.flush()


@pytest.fixture
async def eyes(open_demo, tmp_path, monkeypatch):
    company = open_demo.company
    clock = SimulatedClock(DAY, DAY, 90.0)
    install(company.home, company.town, company.doors, clock, company.ca_pem)
    monkeypatch.setattr(hubs, "clock_from", lambda _settings: FakeClock(NOON + timedelta(minutes=10)))
    store = Store.open(tmp_path / "eyes.duckdb", None)
    hub = hubs.Hub(
        company.home, load(company.home, presets=sources()), {}, store, open_secrets(company.home, create=True)
    )
    for target in hub.settings.targets:
        hub.board.put_target(target)
    bad_day(hub)
    yield Eyes(hub, monkeypatch)
    store.close()


def read(text):
    """The texts and numbers of an answer, without what the company chose as names of its targets."""

    def parts(value):
        if isinstance(value, dict):
            for name, one in value.items():
                if name not in CHOSEN:
                    yield from parts(one)
        elif isinstance(value, list):
            for one in value:
                yield from parts(one)
        elif value is not None:
            yield str(value)

    return "\n".join(parts(json.loads(text)))


def paths(hub):
    """Every route that is read."""
    kinds = [f"targets/{kind}?limit=500" for kind in ("site", "link", "parser", "feed", "slice")]
    lists = [
        "snapshot",
        "status",
        "hello",
        "watchlist",
        "calibration",
        "incidents?state=all",
        "statistics",
        "plans",
        "notices",
    ]
    numbers = [one.id for one in hub.desk.open_incidents]
    feeds = [feed_name(partner) for partner in PARTNERS]
    return [
        *(f"/v1/{name}" for name in (*kinds, *lists)),
        *(f"/v1/incidents/{number}{part}" for number in numbers for part in ("", "/report")),
        *(f"/v1/target/{one.target}" for number in numbers for one in hub.desk.members(number)),
        *(f"/v1/feeds/{name}/figures?at={NOON:%Y-%m-%dT%H:%M:%SZ}" for name in feeds),
    ]


async def test_no_role_reads_money_or_names_that_it_may_not_on_any_route(eyes):
    wrong = []
    for role in sorted(set(ROLES) - {"admin", "lead", "senior", "finance"}):
        assert "lands on" in read(await eyes.asks(role, "/v1/targets/link?limit=500")), f"{role} reads nothing"
        for path in paths(eyes.hub):
            words = read(await eyes.asks(role, path))
            wrong += [(role, path, leak) for leak in leaks(words, role)]
            if ROLES[role].money is not MoneyRight.FULL:
                wrong += [(role, path, line) for line in words.split("\n") if line.removesuffix(".00") in FIGURES]
    assert wrong == []


async def test_a_lead_reads_all_of_it(eyes):
    text = await eyes.asks("lead", "/v1/incidents?state=all")
    assert "4321" in text
    assert "trk.torvane.example" in text


async def test_no_message_tells_a_role_what_it_may_not_read(eyes):
    labels = eyes.hub.notifier.labels
    for incident in eyes.hub.desk.open_incidents:
        for finding in eyes.hub.desk.members(incident.id):
            labels.take(finding)
        for role in ROLES:
            scope = principal(role, eyes.hub.settings).scope
            if any(map(scope.sees, incident.teams)):
                known = (told(incident, labels.of(incident), scope),)
                one = Notice(
                    "n", NoticeKind.OPENING, "c", incident.teams, (incident.id,), known, "g", "r", "c", NOON, NOON
                )
                made = message(one, NOON, scope)
                assert leaks(f"{made.title}\n{made.body}", role) == (), role
