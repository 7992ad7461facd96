"""What may be said in a place that others read: a channel sees what its role sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.access.names import hidden_names
from data.access.roles import ROLES
from data.model.ids import TeamId
from data.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.config.notifying import Channel
    from data.config.settings import Partner


def scope_of(channel: Channel, partners: Iterable[Partner]) -> Scope:
    """A channel's role and teams as a scope; the loader has made sure that the role exists."""
    role = ROLES[channel.role]
    teams = None if role.every_team or "*" in channel.teams else frozenset(map(TeamId, channel.teams))
    hidden = () if role.partner_names else hidden_names(partners)
    return Scope(teams, role.money, hidden)
