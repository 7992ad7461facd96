from __future__ import annotations

from typing import TYPE_CHECKING

from data.config.settings import PostbackSettings
from data.config.urls import address_fault, url_fault

if TYPE_CHECKING:
    from data.config.table import Table


def postbacks(table: Table) -> PostbackSettings:
    """`[postbacks]`: where partners' calls are answered, and what the world calls that place."""
    built_in = PostbackSettings()
    listen = table.checked("listen", lambda text: address_fault(text) if text else "")
    public_url = table.checked("public_url", lambda text: url_fault(text) if text else "").rstrip("/")
    if public_url and not listen:
        table.wrong("public_url", "leads nowhere without listen", value=public_url, allowed='listen = "127.0.0.1:8787"')
    made = PostbackSettings(
        listen=listen,
        public_url=public_url,
        per_minute=table.integer("per_minute", built_in.per_minute, 1, 1_000_000),
    )
    table.done()
    return made
