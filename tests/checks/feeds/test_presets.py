from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.judge import judge
from checks.feeds.pull import TokenCache, pull
from data.model.cause import CAUSES
from tests.street.partners import GOOD_DAY, NOW, Dialect, Trap, dialects

from .conftest import feed, serving

DIMS = {
    "brand", "tracker", "subid", "channel", "group", "geo", "vertical", "device", "offer", "campaign", "player", "status", "event", "hour",
    "site", "transaction",
}  # fmt: skip
MEASURES = {
    "impressions", "clicks", "clicks_raw", "clicks_unique", "registrations", "leads", "ftd_count", "ftd_amount", "ndc", "qftd_count",
    "deposit_count", "deposit_amount", "net_deposit_amount", "withdrawal_amount", "turnover", "ggr", "bonus", "fees", "ngr",
    "commission_cpa", "commission_revshare", "commission_cpl", "commission_fixed", "adjustment", "commission_total",
    "conversions", "chargeback_amount", "active_players", "commission_pending", "commission_rejected",
}  # fmt: skip
COUNTS = {
    "impressions", "clicks", "clicks_raw", "clicks_unique", "registrations", "leads", "ftd_count", "ndc", "qftd_count", "deposit_count",
    "conversions", "active_players",
}  # fmt: skip
TRAPS = [(dialect, trap) for dialect in dialects() for trap in dialect.traps]


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_that_ships_names_only_figures_and_dimensions_that_have_a_meaning(name):
    preset = presets.load(name)
    assert set(preset.fields) <= MEASURES
    assert set(preset.dims) <= DIMS
    assert set(preset.required) <= set(preset.fields)
    for measure, field in preset.fields.items():
        assert (field.type == "money") == (measure not in COUNTS), measure


def test_every_preset_that_is_asked_over_http_has_a_platform_to_be_tried_against():
    asked = {name for name, source in presets.sources().items() if source == "http"}
    assert asked == {dialect.preset for dialect in dialects()}


def test_titles_of_dialects_and_names_of_their_traps_are_each_used_once_and_causes_exist():
    titles = [dialect.title for dialect in dialects()]
    assert len(titles) == len(set(titles))
    for dialect in dialects():
        names = [trap.name for trap in dialect.traps]
        assert len(names) == len(set(names))
        assert {trap.cause for trap in dialect.traps if trap.cause} <= set(CAUSES)
        assert any(trap.cause == "feed.auth" for trap in dialect.traps), dialect.title


def account(dialect: Dialect, trap: Trap):
    return feed(
        "", dialect.preset, account=dialect.account, days=trap.days,
        options={"min_gap_s": "0", **dialect.options, **trap.options},
    )  # fmt: skip


async def read(dialect: Dialect, trap: Trap):
    secret = dialect.secret if trap.secret is None else trap.secret
    given, preset = account(dialect, trap), presets.load(dialect.preset)
    async with serving(dialect.serve(trap.name)) as url, httpx.AsyncClient(trust_env=False) as client:
        return await pull(replace(given, base_url=url), preset, secret, client, trap.now, tokens=TokenCache())


def understood(rows):
    return sorted(
        (str(row.day), sorted(row.dims.items()), row.currency, sorted((k, str(v)) for k, v in row.measures.items()))
        for row in rows
    )


def expected(rows):
    return sorted(
        (
            str(row.day), sorted(row.dims.items()), row.currency,
            sorted((k, str(v if v is None else v.quantize(Decimal("0.0001")))) for k, v in row.figures.items()),
        )
        for row in rows
    )  # fmt: skip


@pytest.mark.parametrize("dialect", dialects(), ids=lambda dialect: dialect.title)
async def test_a_good_day_gives_the_figures_to_the_cent(dialect):
    got = await read(dialect, Trap("", now=NOW))
    assert got.problem is None, got.problem
    assert understood(row for row in got.rows if row.day == GOOD_DAY) == expected(dialect.good)
    assert {row.day for row in got.rows} == set(dialect.delivered)
    assert not [path for row in got.rows for path in row.unread]


@pytest.mark.parametrize(("dialect", "trap"), TRAPS, ids=[f"{dialect.title}: {trap.name}" for dialect, trap in TRAPS])
async def test_a_trap_gives_its_cause_and_words_and_never_a_silent_zero(dialect, trap):
    got = await read(dialect, trap)
    told = judge(account(dialect, trap), presets.load(dialect.preset), got, None, (), trap.now)
    if trap.cause:
        assert told.observation.cause == trap.cause, told.observation.detail
        assert trap.words.lower() in told.observation.detail.lower()
        assert not told.stats
        assert not told.receipts
        assert dialect.secret not in told.observation.detail
        return
    assert got.problem is None, got.problem
    assert told.observation.cause in {"", "feed.late"}, told.observation.detail
    wanted = dialect.good if trap.rows is None else trap.rows
    on = {row.day for row in wanted}
    assert understood(row for row in got.rows if row.day in on) == expected(wanted)
    assert trap.rows != () or trap.delivered or not got.rows
    assert trap.delivered is None or {row.day for row in got.rows} == set(trap.delivered)


def test_the_figures_of_every_dialect_belong_to_its_preset():
    for dialect in dialects():
        preset = adapt(presets.load(dialect.preset), dialect.options)
        for row in dialect.good:
            assert set(row.measures) <= set(preset.fields), dialect.title
            assert set(row.dims) <= {*preset.dims, "hour"}, dialect.title
