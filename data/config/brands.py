"""`[[brands]]` of losswatch.toml: whose pages are where, and in which countries they may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.config.sections import COUNTRY_WORDS
from data.config.settings import Brand
from data.config.table import is_country
from data.config.urls import host_fault
from data.model.ids import PartnerId

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.config.table import Table


def brands(top: Table, partner_ids: Collection[str]) -> tuple[Brand, ...]:
    """A brand may stand under several partners, each with its own table; one partner names it once."""
    made: list[Brand] = []
    for table in top.tables("brands"):
        brand = Brand(
            name=table.text("name", required=True, limit=80),
            partner=PartnerId(table.choice("partner", partner_ids, "partner", required=True)),
            hosts=_hosts(table),
            licensed=tuple(_country(table, code) for code in table.texts("licensed")),
        )
        if any((brand.name, brand.partner) == (other.name, other.partner) for other in made):
            table.wrong("name", "is used twice for this partner", value=brand.name)
        made.append(brand)
        table.done()
    return tuple(made)


def _hosts(table: Table) -> tuple[str, ...]:
    hosts = tuple(host.lower().removesuffix(".") for host in table.texts("hosts", host_fault))
    if not hosts and not table.values.get("hosts"):
        table.wrong("hosts", "names no host", allowed='a list of hosts, such as ["quillspin.example"]')
    return hosts


def _country(table: Table, code: str) -> str:
    if not is_country(code):
        table.wrong("licensed", "holds something that is not a country code", value=code, allowed=COUNTRY_WORDS)
    return code.upper()
