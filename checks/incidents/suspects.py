"""What people changed shortly before an incident began, where it touches a member: the first suspects. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.ids import TargetId
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.model.audit import AuditEntry
    from data.model.incident import Finding

BEFORE = timedelta(minutes=30)
AFTER = timedelta(minutes=1)
"""Clocks of those who tell of changes differ by no more."""
CHANGES = frozenset({"apply", "mend", "feed_map", "deploy", "plan applied", "plan reverted"})
MOST = 5


def suspects(entries: Iterable[AuditEntry], findings: Sequence[Finding], began: datetime) -> tuple[str, ...]:
    """`12 min before: deploy site:kiel, release 8f31c0, by maria`; the latest change before the beginning first."""
    near = [one for one in entries if one.action in CHANGES and began - BEFORE <= one.at <= began + AFTER]
    touched = _touched(findings) if near else set()
    found = [one for one in near if _names(one) & touched]
    found.sort(key=lambda one: (abs(began - one.at), one.subject, one.detail))
    return tuple(_said(one, began) for one in found[:MOST])


def _touched(findings: Iterable[Finding]) -> set[str]:
    """Ids, sites, hosts and teams of the members, as changes name them."""
    known: set[str] = set()
    for one in findings:
        known |= {one.target, f"team:{one.team}", f"host:{one.blame}"}
        hosts = [*one.fingerprint.get("tracker", "").split(), one.fingerprint.get("host", "")]
        known.update(f"host:{host}" for host in hosts)
        if site := one.fingerprint.get("site"):
            known.add(f"{TargetKind.SITE}:{site}")
    return known - {"host:", "team:"}


def _names(entry: AuditEntry) -> set[str]:
    """What a change says that it touched: its subject, and for the configuration the targets of its detail."""
    listed = entry.detail.partition(": ")[2].split(", ") if entry.action == "apply" else []
    return {entry.subject, *listed}


def _said(entry: AuditEntry, began: datetime) -> str:
    minutes = round((began - entry.at).total_seconds() / 60)
    when = f"{minutes} min before" if minutes > 0 else "at the same time"
    what = entry.detail.partition(": ")[0] if entry.action == "apply" else entry.detail
    by = f"by {entry.who}" if entry.who else ""
    return f"{when}: " + ", ".join(filter(None, (f"{entry.action} {_place(entry.subject)}", what, by)))


def _place(subject: str) -> str:
    return name_of(TargetId(subject)) if subject.startswith(("site:", "link:", "host:")) else subject.replace(":", " ")
