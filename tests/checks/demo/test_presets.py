"""What the presets read from the simulated partners' APIs is what their desks have."""

from __future__ import annotations

from decimal import Decimal

import httpx

from checks.demo.apis import ACCOUNT
from checks.demo.figures import Desk
from checks.demo.install import account_options
from checks.demo.partners import PARTNERS
from checks.feeds import preset as presets
from checks.feeds.pull import TokenCache, pull
from data.config.settings import Feed
from data.model.ids import PartnerId, TeamId

LACKING = {"alanbase": {"registrations", "ftd_count"}, "everflow": {"ftd_count"}}
"""What a platform's report does not have: unknown, and never zero."""


async def test_every_simulated_partner_is_read_to_the_cent_by_its_preset(open_demo):
    open_demo.at(9)
    for partner in PARTNERS:
        got = await read(open_demo.company, partner)
        assert got.problem is None, partner.name
        assert {row.currency for row in got.rows} == {"EUR"}
        assert not [path for row in got.rows for path in row.unread]
        truth = booked(open_demo.company, partner, got)
        lacking = LACKING.get(partner.preset, set())
        assert sums(got.rows) == {name: truth[name] for name in truth.keys() - lacking}, partner.name


def booked(company, partner, got):
    """What the partner's desk has for the days that were read."""
    desk = Desk(partner, company.ledger)
    days = list(desk.days(got.first, got.last, company.now()))
    assert {row.day for row in got.rows} == {each.day for each in days}
    shown = list(desk.hours(got.first, got.last, company.now())) if partner.preset == "alanbase" else days
    return {
        "clicks": sum(each.clicks for each in shown),
        "registrations": sum(each.regs for each in shown),
        "ftd_count": sum(each.ftd for each in shown),
        "commission_total": sum(Decimal(str(each.commission)) for each in shown),
    }


async def read(company, partner):
    url = f"http://127.0.0.1:{company.town.ports.http}"
    feed = Feed(
        "demo", TeamId(partner.team), PartnerId(partner.id), partner.preset, url, account=ACCOUNT,
        options={**account_options(partner), "min_gap_s": "0"},
    )  # fmt: skip
    async with httpx.AsyncClient(trust_env=False, headers={"Host": partner.api_host}) as client:
        return await pull(
            feed, presets.load(partner.preset), company.tokens[partner.id], client, company.now(), tokens=TokenCache()
        )


def sums(rows):
    names = ("clicks", "registrations", "ftd_count", "commission_total")
    return {
        name: sum(row.measures[name] for row in rows) for name in names if any(name in row.measures for row in rows)
    }
