"""What nobody wants to hear for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.incidents.notify.labels import Labels
    from data.model.notice import Mute


def covers(mute: Mute, labels: Labels) -> bool:
    """Whether it hides the incident: every label matches, and none of its teams is beyond whoever asked for it."""
    reaches = "*" in mute.teams or labels.teams <= set(mute.teams)
    return reaches and labels.all_of(mute.matchers)


def muted_by(mutes: Iterable[Mute], labels: Labels, now: datetime) -> Mute | None:
    """The one that ends last of those that hide the incident now."""
    found = [mute for mute in mutes if mute.is_active(now) and covers(mute, labels)]
    return max(found, key=lambda mute: mute.ends_at, default=None)
