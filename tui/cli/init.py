from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.config.home import Home
from data.config.importing import Imported, sites_of_urls
from data.config.load import load
from data.config.starter import write_starter
from data.errors import LosswatchError, UsageError
from data.model.target import TargetKind
from data.text import clean_text
from tui.cli.known import presets
from tui.cli.paper import agreed, ask, attended, complain, paper
from tui.cli.taking import read_source

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from data.model.observation import Observation

SKIPPED_SHOWN = 5
DEFAULT_TEAM = "main"


@dataclass(frozen=True, slots=True)
class Done:
    """What `init` did."""

    home: Home
    imported: Imported
    vault: str
    """Where the vault is, or why there is none."""
    checked: Observation | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="a sitemap, a CSV, a list of URLs or another monitor's configuration; - is standard input",
    )
    parser.add_argument("--url", action="append", default=[], help="a site to watch; may be given several times")
    parser.add_argument(
        "--team", default="", metavar="NAME", help=f"the team that owns the sites (default: {DEFAULT_TEAM})"
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing; replace what is there and keep it as .bak")


def run(args: argparse.Namespace) -> int:
    home = Home.find(args.home)
    person = attended() and not args.yes and not args.json
    _may_write(home, replace=args.yes, person=person)
    imported = _sites(args, person=person)
    if not imported.sites:
        raise UsageError(f"no URL that can be watched: {'; '.join(imported.skipped[:3]) or 'nothing was given'}")
    team = args.team or (ask("Team that owns them", DEFAULT_TEAM) if person else DEFAULT_TEAM)
    company = ask("Company", "My company") if person else "My company"
    if not re.search(r"\w", team):
        raise UsageError(f"{team!r} cannot name a team")
    write_starter(home, imported.sites, company=company, team=clean_text(team, 60))
    settings = load(home, presets=presets())
    vault = _make_vault(home)
    checked = _check_one(settings.targets[0].url)
    return _told(Done(home, imported, vault, checked), as_json=args.json)


def _may_write(home: Home, *, replace: bool, person: bool) -> None:
    """Raise unless nothing is there or somebody agreed to replace it."""
    there = [path for path in (home.toml, home.inventory / "sites.csv") if path.exists()]
    if not there or replace:
        return
    names = " and ".join(str(path) for path in there) + (" exists" if len(there) == 1 else " exist")
    if not person:
        raise UsageError(f"{names} already; give --yes to replace (what was there is kept as .bak)")
    if not agreed(f"{names} already. Replace, and keep what was there as .bak?"):
        raise UsageError("nothing was written")


def _sites(args: argparse.Namespace, *, person: bool) -> Imported:
    typed = sites_of_urls(args.url)
    if typed.skipped:
        raise UsageError(f"--url {typed.skipped[0]}")
    if args.source is None and not args.url:
        if not person:
            raise UsageError("nothing to watch. Try: losswatch init --url https://example.com/  or  --from sitemap.xml")
        args.source = ask("Sitemap, CSV or URL to start with")
        if re.match(r"https?://", args.source):
            return sites_of_urls([args.source])
    if args.source is None:
        return typed
    read = read_source(args.source, kind=TargetKind.SITE.value)
    both = sites_of_urls([site["url"] for site in typed.sites])
    return replace(read, sites=(*both.sites, *read.sites)) if args.url else read


def _make_vault(home: Home) -> str:
    from data.secrets import open_secrets

    try:
        open_secrets(home, create=True)
    except LosswatchError as problem:
        return f"no vault yet: {problem}"
    return "the vault is ready"


def _check_one(url: str) -> Observation:
    from checks.sites.oneshot import CheckOptions, check_site

    return check_site(url, CheckOptions())


def _told(done: Done, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(_as_dict(done)))
        return 0
    sheet = paper()
    count = len(done.imported.sites)
    sheet.say(
        f"Wrote {done.home.toml} and {count:,} site{'' if count == 1 else 's'} to {done.home.inventory / 'sites.csv'}."
    )
    _complain("left out", done.imported.skipped)
    _complain("not carried over", done.imported.notes)
    sheet.say(done.vault[:1].upper() + done.vault[1:] + ".")
    if done.checked is not None:
        seen = done.checked.detail or "ok"
        sheet.say(f"{sheet.mark(done.checked.state)} {done.imported.sites[0]['url']}  {seen}")
    sheet.say("Next: losswatch")
    return 0


def _complain(what: str, lines: Sequence[str]) -> None:
    for line in lines[:SKIPPED_SHOWN]:
        complain(f"{what}: {line}")
    if len(lines) > SKIPPED_SHOWN:
        complain(f"{what}: {len(lines) - SKIPPED_SHOWN:,} more")


def _as_dict(done: Done) -> dict[str, object]:
    checked = done.checked
    return {
        "home": str(done.home.config),
        "sites": len(done.imported.sites),
        "skipped": list(done.imported.skipped),
        "not_carried_over": list(done.imported.notes),
        "vault": done.vault,
        "checked": checked and {"state": checked.state.value, "cause": checked.cause, "detail": checked.detail},
    }
