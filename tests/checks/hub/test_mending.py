"""The command that writes a repaired selector, and takes it back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from checks.hub.commands import Commands
from data.access.roles import ROLES
from data.errors import ConfigError, NotAllowed, UsageError
from data.model.principal import Principal, Scope
from data.model.snapshot import CommandReply
from data.model.target import Target, TargetKind

SPEC = '[parser.fields.price]\ncss = "span.price"  # of the offer\n'


class Hub(SimpleNamespace):
    def __init__(self, folder, *targets):
        self.rows, self.checked = [], []
        super().__init__(
            home=SimpleNamespace(config=folder),
            board=SimpleNamespace(targets={target.id: target for target in targets}),
            clock=SimpleNamespace(now=lambda: datetime(2026, 11, 17, 6, tzinfo=UTC)),
            keeping=SimpleNamespace(done=self._done),
        )

    async def _done(self, rows, message):
        self.rows.extend(rows)
        return CommandReply(ok=True, message=message)

    def check_at(self, target, _at):
        self.checked.append(target)


def parser(name, team="aurora", kind=TargetKind.PARSER):
    return Target(f"{kind.value}:{name}", kind, team, name, "https://x.example/", spec="serp.toml")


def person(role="lead", teams=("aurora",)):
    return Principal("maria", 1000, role, Scope(frozenset(teams)), ROLES[role].actions)


@pytest.fixture
def spec_path(tmp_path):
    path = tmp_path / "serp.toml"
    path.write_text(SPEC)
    return path


def give(hub, who=None, **arguments):
    given = {"target": "parser:offers", "field": "price", "selector": "b.amount"} | arguments
    return asyncio.run(Commands(hub).give(who or person(), "mend", given))


def test_a_repair_is_written_audited_and_looked_at_at_once_and_undone(spec_path):
    hub = Hub(spec_path.parent, parser("offers"), parser("offers-de"), parser("offers", kind=TargetKind.SITE))
    reply = give(hub)
    assert reply.message == "serp.toml: price is now b.amount, was span.price"
    assert spec_path.read_text() == SPEC.replace("span.price", "b.amount")
    assert give(hub, undo=True).message == "serp.toml is as it was before"
    assert spec_path.read_text() == SPEC
    assert [(row.who, row.action, row.subject, row.detail) for row in hub.rows] == [
        ("maria", "mend", "parser:offers", "price: span.price -> b.amount"),
        ("maria", "mend", "parser:offers", "undone"),
    ]
    assert hub.checked == ["parser:offers", "parser:offers-de"] * 2


@pytest.mark.parametrize("role", ["senior", "junior", "finance", "client"])
def test_who_may_not_change_the_configuration_may_not_change_a_spec(spec_path, role):
    with pytest.raises(NotAllowed, match="may not mend"):
        give(Hub(spec_path.parent, parser("offers")), person(role))
    assert spec_path.read_text() == SPEC


def test_a_spec_that_another_team_uses_too_is_not_changed_without_them(spec_path):
    hub = Hub(spec_path.parent, parser("offers"), parser("other", team="cedar"))
    with pytest.raises(NotAllowed, match="another team"):
        give(hub)
    assert give(hub, person(teams=("aurora", "cedar"))).ok


@pytest.mark.parametrize("target", ["parser:none", "", None, "site:offers", 7])
def test_only_parsers_in_scope_are_mended(spec_path, target):
    hub = Hub(spec_path.parent, parser("offers"), parser("offers", kind=TargetKind.SITE))
    with pytest.raises(UsageError, match="no parser"):
        give(hub, target=target)
    with pytest.raises(UsageError, match="no parser"):
        give(hub, person(teams=("cedar",)))


@pytest.mark.parametrize("wrong", [{"field": "name"}, {"selector": "b["}, {"selector": ""}, {"undo": True}])
def test_what_cannot_be_done_is_said_and_not_audited(spec_path, wrong):
    hub = Hub(spec_path.parent, parser("offers"))
    with pytest.raises(ConfigError):
        give(hub, **wrong)
    assert (hub.rows, hub.checked, spec_path.read_text()) == ([], [], SPEC)


@pytest.mark.parametrize("within", [7, ["b"], {"price": 7}, "b"])
def test_fields_within_an_item_are_an_object_of_texts(spec_path, within):
    with pytest.raises(UsageError, match="within"):
        give(Hub(spec_path.parent, parser("offers")), within=within)
    assert spec_path.read_text() == SPEC
