from __future__ import annotations

from typing import NewType

TeamId = NewType("TeamId", str)
TargetId = NewType("TargetId", str)
"""`kind:name`, e.g. `site:aurora-001`; the kind is a `TargetKind` value."""
PartnerId = NewType("PartnerId", str)
FindingId = NewType("FindingId", str)
"""`target@opened_at`, e.g. `site:aurora-001@2026-11-17T11:20:04+00:00`: the same condition found twice has one id."""
IncidentId = NewType("IncidentId", int)
CauseId = NewType("CauseId", str)
"""`family.detail`; every one is described in `data.model.cause`."""
