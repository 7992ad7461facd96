"""What each role may do; deny by default. The only place where rights are written down."""

from __future__ import annotations

from dataclasses import dataclass

from data.model.principal import MoneyRight

NONE, BAND, FULL = MoneyRight.NONE, MoneyRight.BAND, MoneyRight.FULL


@dataclass(frozen=True, slots=True)
class Role:
    money: MoneyRight
    actions: frozenset[str] = frozenset()
    partner_names: bool = False
    """Whether partners are shown by name; otherwise by their id."""
    every_team: bool = False
    """Sees all teams, whatever the account's entry says."""


_SEE = frozenset[str]()
_COMMENT = frozenset({"note"})
_ON_CALL = frozenset({"acknowledge", "note", "recheck"})
_SENIOR = _ON_CALL | {"close", "plan"}
_LEAD = _SENIOR | {"apply"}
_ALL = _LEAD | {"stop", "ingest"}

ROLES: dict[str, Role] = {
    "admin": Role(FULL, _ALL, partner_names=True, every_team=True),
    "lead": Role(FULL, _LEAD, partner_names=True),
    "senior": Role(FULL, _SENIOR, partner_names=True),
    "mid": Role(BAND, _ON_CALL, partner_names=True),
    "junior": Role(NONE, _ON_CALL, partner_names=True),
    "developer": Role(BAND, _LEAD | {"ingest"}, every_team=True),
    "seo": Role(NONE, _ON_CALL),
    "analyst": Role(FULL, _ON_CALL),
    "finance": Role(FULL, _SEE, partner_names=True),
    "client": Role(NONE, _COMMENT),
}
