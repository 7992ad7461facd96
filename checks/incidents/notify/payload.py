"""A notice as Alertmanager's webhooks send it (payload version 4), for whatever takes those already."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from data.access.redaction import redact_words

if TYPE_CHECKING:
    from datetime import datetime

    from checks.incidents.notify.words import Message
    from data.model.notice import Notice, Told
    from data.model.principal import Scope

OPEN_END = "0001-01-01T00:00:00Z"
"""What Alertmanager writes for the end of what goes on."""


def payload(notice: Notice, message: Message, scope: Scope) -> bytes:
    """JSON; an alert is an incident, its fingerprint its number, so that the end finds the beginning."""
    alerts = [_alert(one, scope) for one in notice.told]
    return msgspec.json.encode(
        {
            "version": "4",
            "groupKey": notice.group,
            "truncatedAlerts": 0,
            "status": "resolved" if message.is_over else "firing",
            "receiver": notice.channel,
            "groupLabels": _pairs(notice.group),
            "commonLabels": _common([alert["labels"] for alert in alerts]),
            "commonAnnotations": {"summary": message.title, "description": message.body},
            "externalURL": "",
            "notificationReason": notice.kind.value,
            "alerts": alerts,
        }
    )


def _alert(one: Told, scope: Scope) -> dict[str, dict[str, str]]:
    labels = {
        "alertname": one.cause,
        "incident": str(one.incident),
        "severity": one.severity.value,
        "team": one.team,
        "owner": one.owner,
        **one.labels,
    }
    notes = {"summary": f"{one.title}: {one.where}", "money": one.money, "taken_by": one.by, "merged": one.merged}
    alert: dict[str, object] = {
        "status": "resolved" if one.closed_at else "firing",
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: redact_words(value, scope) for name, value in notes.items() if value},
        "startsAt": _rfc3339(one.started_at),
        "endsAt": _rfc3339(one.closed_at) if one.closed_at else OPEN_END,
        "generatorURL": "",
        "fingerprint": hashlib.blake2b(str(one.incident).encode(), digest_size=8).hexdigest(),
    }
    return alert  # type: ignore[return-value]  # only `labels` is read again, and that is what it says


def _common(every: list[dict[str, str]]) -> dict[str, str]:
    first = every[0] if every else {}
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in every)}


def _pairs(group: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in group.split(" ")[1:] if "=" in part)


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
