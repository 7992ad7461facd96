"""The first losswatch.toml and inventory/sites.csv of a new installation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from data.access.roles import ROLES
from data.config.exporting import csv_text
from data.config.importing import COLUMNS
from data.config.table import is_name
from data.durable import replace_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.config.home import Home

_TOML = """\
# losswatch: what is watched and how. The sites are in inventory/sites.csv.
# After a change: losswatch apply (or wait, the hub notices by itself).

[company]
name = {company}
currency = "EUR"

[defaults.site]
interval = "5m"        # tier1 = "1m", tier2 = "15m", tier3 = "60m" by importance
timeout = "10s"

# [network]
# Three or more URLs in different networks that answer while ours is fine:
# canaries = ["https://one.example/", "https://two.example/", "https://three.example/"]

{teams}
# Who may look and act; without any only the account that runs the hub may.
# [[users]]
# account = "maria"    # Unix account
# role = "senior"      # {roles}
# teams = ["*"]

# Partners and their APIs; the key goes into the keyring: losswatch secrets set NAME
# [[partners]]
# id = "P01"
# name = "Partner"
# epc = 1.50           # expected commission per click until history speaks
#
# [[feeds]]
# name = "p01-main"
# team = {team}
# partner = "P01"
# preset = "affilka"
# base_url = "https://affiliates.partner.example"
# secret = "p01-token"
"""
_TEAM = """\
[[teams]]
id = {id}
name = {name}
"""


def write_starter(home: Home, sites: Sequence[Mapping[str, str]], *, company: str, team: str) -> None:
    """Write both files; what stood there before is kept beside them as `.bak`.

    Sites without a team of their own get `team`.
    """
    own = team_id(team)
    names = {own: team}
    rows = []
    for site in sites:
        given = site.get("team", "")
        owner = team_id(given) if given else own
        names.setdefault(owner, given)
        rows.append({**site, "team": owner})
    used = {row["team"] for row in rows}
    teams = "\n".join(_TEAM.format(id=_quoted(key), name=_quoted(name)) for key, name in names.items() if key in used)
    text = _TOML.format(company=_quoted(company), teams=teams, team=_quoted(own), roles=" | ".join(ROLES))
    home.config.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.inventory.mkdir(mode=0o700, exist_ok=True)
    replace_text(home.inventory / "sites.csv", csv_text(rows, COLUMNS, ("site", "url", "team")))
    replace_text(home.toml, text)


def team_id(name: str) -> str:
    """`Team Nord` as `team-nord`."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-").lower()[:60]
    return plain if is_name(plain) else "main"


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
