"""What a hub says that it knew of a feed's days, and to whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from checks.hub.figures import MOST, known_at
from data.access.roles import ROLES
from data.errors import NotAllowed, UsageError
from data.model.fact import PartnerStat
from data.model.ids import PartnerId, TargetId, TeamId
from data.model.principal import MoneyRight, Principal, Scope
from data.model.target import Target, TargetKind
from data.store.store import Store

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
DAY = date(2026, 11, 16)
TARGET = Target(TargetId("feed:zef"), TargetKind.FEED, TeamId("cedar"), "zef", "http://127.0.0.1")


def person(team="cedar", money=MoneyRight.FULL):
    scope = Scope(frozenset({TeamId(team)}), money)
    return Principal("maria", 1000, "lead", scope, ROLES["lead"].actions)


def said(at, tracker, **figures):
    measures = {name: None if value is None else Decimal(value) for name, value in figures.items()}
    return PartnerStat("zef", TeamId("cedar"), PartnerId("P06"), DAY, {"tracker": tracker}, measures, "BRL", at)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("figures") / "losswatch.duckdb", "0" * 64)
    one = NOON + timedelta(hours=1)
    for rows in (
        [said(NOON, "a", ftd_count="3", ngr="10.05"), said(NOON, "b", ftd_count="4", ngr=None)],
        [said(one, "a", ftd_count="2", ngr="9.95")],
    ):
        store.write(rows).result()
    yield SimpleNamespace(store=store, board=SimpleNamespace(targets={TARGET.id: TARGET}))
    store.close()


def ask(hub, *moments, who=None, feed="zef"):
    return asyncio.run(known_at(hub, who or person(), feed, moments))


def test_each_moment_has_its_own_figures_whatever_was_said_later(hub):
    moments = [(NOON + timedelta(minutes=30 * n)).isoformat() for n in range(-1, 3)]
    before, then, still, after = ask(hub, *moments)
    assert before.days == ()
    assert then.days == still.days
    assert then.days[0].measures == {"ftd_count": Decimal(7), "ngr": Decimal("10.05")}
    assert after.days[0].measures == {"ftd_count": Decimal(6), "ngr": Decimal("9.95")}
    assert (after.at, after.days[0].day, after.days[0].currency) == (NOON + timedelta(hours=1), DAY, "BRL")


@pytest.mark.parametrize("moment", ["", "noon", "2026-11-17T12:00:00", "2026-13-17T12:00:00Z"])
def test_a_moment_that_is_none_or_has_no_zone_is_one_sentence(hub, moment):
    with pytest.raises(UsageError, match="is no moment"):
        ask(hub, moment)


def test_others_learn_nothing(hub):
    now = NOON.isoformat()
    with pytest.raises(UsageError, match="no feed 'zef' in your scope"):
        ask(hub, now, who=person("delta"))
    with pytest.raises(UsageError, match="no feed"):
        ask(hub, now, feed="other")
    with pytest.raises(NotAllowed):
        ask(hub, now, who=person(money=MoneyRight.BAND))


def test_a_question_has_an_end(hub):
    with pytest.raises(UsageError, match="more than"):
        ask(hub, *[NOON.isoformat()] * (MOST + 1))
