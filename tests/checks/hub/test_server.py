"""What the hub's face answers to whom."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from checks.hub.details import Details
from checks.hub.listen import Peer
from checks.hub.records import Records
from checks.hub.server import application
from data.config.settings import Partner, User
from data.model.audit import AuditEntry
from data.model.ids import PartnerId, TeamId
from data.store import audit
from data.store.store import Store

OURS, LEAD, CLIENT = 4_000_001, 4_000_002, 4_000_003


@pytest.fixture
def hub(tmp_path):
    store = Store.open(tmp_path / "x.duckdb", None)
    entry = AuditEntry(datetime(2026, 1, 5, tzinfo=UTC), "maria", TeamId("aurora"), "map", "feed of Quillspin")
    store.write([entry, entry]).result()
    users = (User(str(LEAD), "lead", ("aurora",)), User(str(CLIENT), "client", ("*",)))
    settings = SimpleNamespace(users=users, partners=(Partner(PartnerId("P01"), "Quillspin"),))
    made = SimpleNamespace(store=store, settings=settings, uid=OURS)
    made.desk, made.clock = SimpleNamespace(get=lambda _: None), SimpleNamespace(now=lambda: entry.at)
    made.details = Details(made)
    made.commands = SimpleNamespace(records=Records(made))
    yield made
    store.close()


async def asked(hub, uid, path):
    app = application(hub)

    async def known(scope, receive, send):
        await app({**scope, "state": {"peer": Peer(1, uid, uid)}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(known), base_url="http://hub") as client:
        return await client.get(path)


async def test_the_audit_is_followed_for_whoever_sees_every_team_and_for_nobody_else(hub):
    told = (await asked(hub, OURS, "/v1/audit")).json()
    assert (told["entries"], told["head"], told["broken"]) == (2, audit.verify(hub.store).head, "")
    refused = await asked(hub, LEAD, "/v1/audit")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_an_entry_that_was_altered_is_named_without_what_the_reader_may_not_see(hub):
    hub.store.work(lambda cursor: cursor.execute("UPDATE audit SET who = 'eve' WHERE number = 2")).result()
    said = "entry 2 is not what was written (now: eve map feed of"
    assert (await asked(hub, OURS, "/v1/audit")).json()["broken"] == f"{said} Quillspin)"
    assert (await asked(hub, CLIENT, "/v1/audit")).json()["broken"] == f"{said} P01)"


@pytest.mark.parametrize("number", [0, 7, 10**40])
@pytest.mark.parametrize("what", ["", "/report"])
async def test_a_number_that_no_incident_has_is_not_found_however_large(hub, number, what):
    told = await asked(hub, OURS, f"/v1/incidents/{number}{what}")
    assert (told.status_code, told.json()["error"]) == (404, f"no incident #{number} in your scope")
