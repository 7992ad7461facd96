from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.cause import CAUSES
from data.model.ids import TeamId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import CauseId

EVERYBODY = TeamId("*")


def owner_role(cause: CauseId) -> str:
    """Who acts first, by the registry of causes."""
    return CAUSES[cause].owner if cause in CAUSES else ""


def owner_team(teams: Iterable[TeamId]) -> TeamId:
    """The team all members belong to, or everybody when they belong to several."""
    distinct = set(teams)
    return next(iter(distinct)) if len(distinct) == 1 else EVERYBODY
