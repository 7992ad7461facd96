"""Names that a configuration may refer to and that are not configured themselves."""

from __future__ import annotations

ROLES = ("admin", "lead", "senior", "mid", "junior", "developer", "seo", "analyst", "finance", "client")
EVERY_TEAM = "*"
