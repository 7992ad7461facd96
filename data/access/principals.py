"""Who is behind a uid, by the kernel's word and the [[users]] of losswatch.toml."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from data.access.names import hidden_names
from data.access.roles import ROLES, Role
from data.errors import NotAllowed
from data.model.ids import TeamId
from data.model.principal import Principal, Scope

if TYPE_CHECKING:
    from data.config.settings import Settings, User

ADMIN = "admin"


def principal_for(uid: int, settings: Settings, hub_uid: int) -> Principal:
    """The principal of a connection from `uid`.

    The account that runs the hub is admin unless it is listed with another role; every other account must be listed,
    root too.

    Raises:
        NotAllowed: the account is not listed, or with a role that does not exist; says what to add.
    """
    name = account_name(uid)
    user = next((user for user in settings.users if user.account in {name, str(uid)}), None)
    if user is None and uid == hub_uid:
        return _principal(name, uid, ADMIN, ROLES[ADMIN], None, settings)
    if user is None:
        raise NotAllowed(
            f'{name} (uid {uid}) is not known here. Add [[users]] account = "{name}", role and teams to losswatch.toml'
        )
    role = ROLES.get(user.role)
    if role is None:
        raise NotAllowed(f"The role {user.role!r} of {name} does not exist. In losswatch.toml use: {', '.join(ROLES)}")
    return _principal(name, uid, user.role, role, _teams(user, role), settings)


def account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _teams(user: User, role: Role) -> frozenset[TeamId] | None:
    if role.every_team or "*" in user.teams:
        return None
    return frozenset(map(TeamId, user.teams))


def _principal(
    name: str, uid: int, role_name: str, role: Role, teams: frozenset[TeamId] | None, settings: Settings
) -> Principal:
    hidden = () if role.partner_names else hidden_names(settings.partners)
    return Principal(name, uid, role_name, Scope(teams, role.money, hidden), role.actions)
