from __future__ import annotations

from typing import TYPE_CHECKING

from data.config.settings import Hygiene
from data.config.urls import url_fault

if TYPE_CHECKING:
    from data.config.table import Table

LONGEST_WARNING_DAYS = 400


def hygiene(table: Table) -> Hygiene:
    """`[hygiene]`: one switch a part, and how early it warns."""
    built_in = Hygiene()
    made = Hygiene(
        certificates=table.flag("certificates", default=built_in.certificates),
        cert_warn_days=_days(table, "cert_warn_days", built_in.cert_warn_days),
        domains=table.flag("domains", default=built_in.domains),
        domain_warn_days=_days(table, "domain_warn_days", built_in.domain_warn_days),
        rdap=(table.checked("rdap", url_fault) or built_in.rdap).rstrip("/") + "/",
        seo=table.flag("seo", default=built_in.seo),
        slowness=table.flag("slowness", default=built_in.slowness),
        links=table.flag("links", default=built_in.links),
    )
    table.done()
    return made


def _days(table: Table, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """Days, the earliest warning first, each once."""
    given = table.integers(key, 1, LONGEST_WARNING_DAYS)
    return tuple(sorted(set(given), reverse=True)) if given else default
