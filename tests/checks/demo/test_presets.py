"""What the presets read from the simulated partners' APIs is what their desks have."""

from __future__ import annotations

from decimal import Decimal

import httpx

from checks.demo.figures import Desk
from checks.demo.partners import PARTNERS
from checks.feeds import preset as presets
from checks.feeds.pull import TokenCache, pull
from data.config.settings import Feed
from data.model.ids import PartnerId, TeamId


async def test_every_simulated_partner_is_read_to_the_cent_by_its_preset(open_demo):
    open_demo.at(12, 45)
    for partner in PARTNERS:
        got = await read(open_demo.company, partner)
        desk = list(Desk(partner, open_demo.company.ledger).days(got.first, got.last, open_demo.company.now()))
        assert got.problem is None, partner.name
        assert {row.day for row in got.rows} == {each.day for each in desk}
        assert {row.currency for row in got.rows} == {"EUR"}
        assert not [path for row in got.rows for path in row.unread]
        assert sums(got.rows) == {
            "clicks": sum(each.clicks for each in desk),
            "registrations": sum(each.regs for each in desk),
            "ftd_count": sum(each.ftd for each in desk),
            "commission_total": sum(Decimal(str(each.commission)) for each in desk),
        }, partner.name


async def read(company, partner):
    url = f"http://127.0.0.1:{company.town.ports.http}"
    feed = Feed(
        "demo", TeamId(partner.team), PartnerId(partner.id), partner.preset, url, account="4711",
        options={"currency": "EUR", "timezone": partner.timezone, "min_gap_s": "0"},
    )  # fmt: skip
    async with httpx.AsyncClient(trust_env=False, headers={"Host": partner.api_host}) as client:
        return await pull(
            feed, presets.load(partner.preset), company.tokens[partner.id], client, company.now(), tokens=TokenCache()
        )


def sums(rows):
    names = ("clicks", "registrations", "ftd_count", "commission_total")
    return {name: sum(row.measures[name] for row in rows) for name in names}
