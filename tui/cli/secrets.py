from __future__ import annotations

import asyncio
import getpass
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.config.home import Home
from data.config.load import load
from data.errors import LosswatchError, UsageError
from data.model.state import State
from data.secrets import open_secrets
from tui.cli.known import presets
from tui.cli.options import everywhere
from tui.cli.paper import paper
from tui.cli.table import Cell, Column, table

if TYPE_CHECKING:
    import argparse

    from data.config.settings import Feed, Settings
    from data.secrets import Secrets

MAX_SECRET = 65_536
_ACTIONS = {
    "set": "store a value, typed twice unseen or read from standard input",
    "test": "try it at the partner's API that uses it",
    "rotate": "replace a value; the old one stays until the new one works",
    "delete": "forget a value",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="set|list|test|rotate|rotate-master|delete")
    for name, words in _ACTIONS.items():
        action = actions.add_parser(name, help=words)
        action.add_argument("name", metavar="NAME", help="the name that losswatch.toml refers to")
        everywhere(action)
    everywhere(actions.add_parser("list", help="names, fingerprints and ages; never values"))
    everywhere(
        actions.add_parser("rotate-master", help="a new master key for the vault; every entry is encrypted anew")
    )


def run(args: argparse.Namespace) -> int:
    home = Home.find(args.home)
    secrets = open_secrets(home, create=args.action == "set")
    match args.action:
        case "list":
            return _list(secrets, as_json=args.json)
        case "rotate-master":
            secrets.rotate_master()
            return _told("the vault has a new master key", args)
        case "set":
            secrets.set(args.name, _value(args.name))
            return _told(f"{args.name} is stored", args)
        case "delete":
            secrets.get(args.name)
            secrets.delete(args.name)
            return _told(f"{args.name} is forgotten", args)
        case "rotate":
            secrets.get(args.name)
            secrets.rotate(args.name, _value(args.name), lambda value: _must_work(home, args.name, value))
            return _told(f"{args.name} is replaced", args)
        case _:
            return _test(home, secrets, args)


def _value(name: str) -> str:
    """The value from a person, unseen, or from standard input; never from the command line, where others see it."""
    if not sys.stdin.isatty():
        raw = sys.stdin.buffer.read(MAX_SECRET + 1)
        if len(raw) > MAX_SECRET:
            raise UsageError(f"a secret has at most {MAX_SECRET:,} bytes")
        try:
            value = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise UsageError("a secret is UTF-8 text") from None
    else:
        value = getpass.getpass(f"Value of {name}: ")
        if getpass.getpass("Once more: ") != value:
            raise UsageError("the two differ; nothing was stored")
    if "\0" in value:
        raise UsageError("the value holds a NUL; nothing was stored")
    return value


def _list(secrets: Secrets, *, as_json: bool) -> int:
    known = secrets.list()
    if as_json:
        for info in known:
            moments = {"set_at": info.set_at, "tested_at": info.tested_at}
            line = {"name": info.name, "fingerprint": info.fingerprint}
            print(json.dumps(line | {key: at and at.isoformat() for key, at in moments.items()}))
        return 0
    sheet = paper()
    columns = (Column("name", least=8, yields=1), Column("fingerprint"), Column("set"), Column("tested"))
    rows = [
        [Cell(info.name), Cell(info.fingerprint), Cell(_day(info.set_at)), Cell(_day(info.tested_at))] for info in known
    ]
    for text in table(columns, rows, sheet) if rows else ["no secrets yet. Store one: losswatch secrets set NAME"]:
        sheet.say(text)
    return 0


def _told(message: str, args: argparse.Namespace) -> int:
    if args.json:
        print(json.dumps({"ok": True, "message": message}))
    else:
        paper().say(message)
    return 0


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%MZ}" if moment else ""


def _test(home: Home, secrets: Secrets, args: argparse.Namespace) -> int:
    value = secrets.get(args.name)
    faults = trial(home, args.name, value)
    if faults and not any(faults.values()):
        secrets.mark_tested(args.name, datetime.now(UTC))
    if args.json:
        print(json.dumps({"name": args.name, "ok": not any(faults.values()), "feeds": faults}))
        return 2 if any(faults.values()) else 0
    sheet = paper()
    if not faults:
        sheet.say(f"{args.name} can be read; no feed in losswatch.toml uses it")
    for feed, fault in faults.items():
        state = State.FAILING if fault else State.OK
        sheet.say(f"{sheet.mark(state)} {feed}  {fault or 'the partner accepts it'}")
    return 2 if any(faults.values()) else 0


def _must_work(home: Home, name: str, value: str) -> None:
    """Raise, with the partner's words, unless every feed that uses the secret accepts `value`."""
    for feed, fault in trial(home, name, value).items():
        if fault:
            raise LosswatchError(f"The new value does not work for feed {feed} ({fault}); the old one is kept")


def trial(home: Home, name: str, value: str) -> dict[str, str]:
    """What the partner says to `value`, by feed that uses the secret: empty when it was accepted."""
    settings = load(home, presets=presets())
    feeds = [feed for feed in settings.feeds if feed.secret == name]
    return asyncio.run(_pull_once(settings, feeds, value)) if feeds else {}


async def _pull_once(settings: Settings, feeds: list[Feed], value: str) -> dict[str, str]:
    from checks.engine.clock import clock_from
    from checks.feeds import preset
    from checks.feeds.pull import pull
    from checks.feeds.tokens import TokenCache
    from checks.hub.http import client_for

    faults = {}
    async with client_for(settings) as client:
        for feed in feeds:
            now = clock_from(settings).now()
            pulled = await pull(feed, preset.load(feed.preset), value, client, now, tokens=TokenCache())
            faults[feed.name] = f"{pulled.problem.cause}: {pulled.problem.words}" if pulled.problem else ""
    return faults
