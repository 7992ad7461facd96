from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from data.access.principals import principal_for
from data.access.roles import ROLES
from data.config.settings import Partner, Settings, User
from data.errors import NotAllowed
from data.model.principal import MoneyRight

ME = os.getuid()
NAME = pwd.getpwuid(ME).pw_name
STRANGER = 54321
PARTNERS = (Partner("P01", "Quillspin"),)


def settings(*users):
    return Settings(Path("/nowhere"), users=users, partners=PARTNERS)


def test_with_no_users_the_hubs_own_account_is_admin_and_sees_everything():
    me = principal_for(ME, settings(), ME)
    assert (me.name, me.role, me.scope.teams, me.scope.money) == (NAME, "admin", None, MoneyRight.FULL)
    assert me.scope.hidden_names == ()
    assert {"acknowledge", "close", "note", "recheck", "apply", "stop", "ingest"} <= me.actions


@pytest.mark.parametrize("uid", [STRANGER, 0 if ME else 1])
def test_with_no_users_nobody_else_gets_in_and_is_told_what_to_add(uid):
    with pytest.raises(NotAllowed, match=r"Add \[\[users\]\] account = .* to losswatch\.toml"):
        principal_for(uid, settings(), ME)


def test_root_is_nobody_special_unless_it_runs_the_hub():
    with pytest.raises(NotAllowed, match="root"):
        principal_for(0, settings(User("maria", "admin")), STRANGER)
    assert principal_for(0, settings(), 0).role == "admin"


@pytest.mark.parametrize("account", [NAME, str(ME)])
def test_a_listed_account_has_its_role_and_teams_by_name_or_number(account):
    who = principal_for(ME, settings(User(account, "senior", ("aurora", "cedar"))), STRANGER)
    assert (who.role, who.scope.teams) == ("senior", {"aurora", "cedar"})


def test_the_hubs_own_account_can_be_listed_with_less():
    assert principal_for(ME, settings(User(NAME, "junior", ("aurora",))), ME).role == "junior"


def test_a_star_is_every_team_and_no_team_is_none():
    assert principal_for(ME, settings(User(NAME, "mid", ("*",))), STRANGER).scope.teams is None
    assert principal_for(ME, settings(User(NAME, "mid")), STRANGER).scope.teams == frozenset()


def test_a_role_that_does_not_exist_gives_nothing_and_is_named():
    with pytest.raises(NotAllowed, match=r"'boss'.*admin, lead"):
        principal_for(ME, settings(User(NAME, "boss")), ME)


MATRIX = {
    "admin": ("full", True, True, "acknowledge apply close ingest note plan recheck stop"),
    "lead": ("full", True, False, "acknowledge apply close note plan recheck"),
    "senior": ("full", True, False, "acknowledge close note plan recheck"),
    "mid": ("band", True, False, "acknowledge note recheck"),
    "junior": ("none", True, False, "acknowledge note recheck"),
    "developer": ("band", False, True, "acknowledge apply close ingest note plan recheck"),
    "seo": ("none", False, False, "acknowledge note recheck"),
    "analyst": ("full", False, False, "acknowledge note recheck"),
    "finance": ("full", True, False, ""),
    "client": ("none", False, False, "note"),
}


def test_every_role_has_exactly_these_rights():
    assert set(MATRIX) == set(ROLES)


@pytest.mark.parametrize(("role", "rights"), MATRIX.items())
def test_a_principal_carries_the_rights_of_its_role(role, rights):
    money, names, every_team, actions = rights
    who = principal_for(ME, settings(User(NAME, role, ("aurora",))), STRANGER)
    assert who.scope.money == money
    assert who.scope.hidden_names == (() if names else (("Quillspin", "P01"),))
    assert who.scope.teams == (None if every_team else {"aurora"})
    assert " ".join(sorted(who.actions)) == actions
