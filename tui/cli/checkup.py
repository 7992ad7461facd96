"""What the doctor looks at. Each part gives its findings and never raises: a broken part is a finding."""

from __future__ import annotations

import asyncio
import os
import platform
import pwd
import shutil
import socket
import stat
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from data.config.coverage import blind_spots, in_words
from data.config.load import load
from data.config.problems import ConfigErrors
from data.config.settings import HubSettings
from data.config.units import format_duration
from data.errors import ConfigError, HubUnreachable, LosswatchError, NotAllowed
from data.model.audit import AuditChain
from data.model.state import State
from tui.cli.apply import counted
from tui.cli.known import presets
from tui.cli.paper import shows_utf8
from tui.client import HubClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.config.home import Home
    from data.config.notifying import Channel
    from data.config.settings import Settings

OK, WARN, BAD = State.OK, State.DEGRADED, State.FAILING
LIBRARIES = ("textual", "duckdb", "pycurl", "polars", "cryptography")
LONGEST_SOCKET = 107
"""Bytes that Linux takes for the path of a Unix socket."""
CLOCK_SAMPLE_S = 0.05
CLOCK_SLACK_S = 0.5
CANARIES_WANTED = 3
AUDIT_S = 120.0
"""A million entries take seconds, on a busy machine more."""


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    state: State
    detail: str
    next: str = ""
    """What to do, when something is to be done."""


def examine(home: Home) -> Iterator[Item]:
    """All findings, in the order in which they should be mended."""
    yield _versions()
    yield from _folders(home)
    settings: Settings | None = None
    try:
        settings = load(home, presets=presets())
    except ConfigErrors as problems:
        yield from (
            Item("config", BAD, str(problem), "mend the file, then: losswatch apply") for problem in problems.problems
        )
    except ConfigError as problem:
        yield Item("config", BAD, str(problem))
    if settings is not None:
        yield from _settings(settings)
    yield from _secrets(home, settings)
    if settings is not None and settings.notify:
        yield from asyncio.run(_channels(home, settings))
    yield _clock(home)
    yield _resolver(settings)
    yield _disk(home, settings.hub if settings else HubSettings())
    yield from asyncio.run(_hub(home, settings))
    yield _terminal()


def _versions() -> Item:
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return Item("versions", BAD, f"{name} is not installed", "install losswatch anew: make setup")
    return Item("versions", OK, f"losswatch {_own_version()}, Python {platform.python_version()}, {', '.join(found)}")


def _own_version() -> str:
    try:
        return version("losswatch")
    except PackageNotFoundError:
        return "from source"


def _folders(home: Home) -> Iterator[Item]:
    for path in dict.fromkeys((home.config, home.state, home.runtime)):
        yield _folder(path)
    if len(os.fsencode(home.socket)) > LONGEST_SOCKET:
        yield Item("paths", BAD, f"{home.socket} is too long for a socket", "choose a shorter --home")


def _folder(path: Path) -> Item:
    try:
        found = path.stat()
    except OSError:
        return Item("paths", OK, f"{path} does not exist yet")
    mode = stat.S_IMODE(found.st_mode)
    shown = f"{path} (mode {mode:04o})"
    if not stat.S_ISDIR(found.st_mode):
        return Item("paths", BAD, f"{path} is not a directory", "move it away or choose another --home")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Item(
            "paths", BAD, f"{shown} cannot be written by this account", f"chown it, or run as uid {found.st_uid}"
        )
    if mode & 0o022:
        return Item("paths", WARN, f"{shown} can be changed by other accounts", f"chmod go-w {path}")
    return Item("paths", OK, shown)


def _settings(settings: Settings) -> Iterator[Item]:
    add = "" if settings.targets else "name some in inventory/sites.csv"
    yield Item("config", OK, f"{settings.company.name}: {counted(settings)}", add)
    for user in settings.users:
        if not _has_account(user.account):
            detail = f"no account {user.account!r} on this machine: nobody can use that role"
            yield Item("users", WARN, detail, f"correct [[users]] in losswatch.toml, or: useradd {user.account}")
    if len(settings.network.canaries) < CANARIES_WANTED:
        detail = (
            f"{len(settings.network.canaries)} canaries: a failure of our own network would look like failing sites"
        )
        yield Item("canaries", WARN, detail, "name three under network.canaries in losswatch.toml")
    if unseen := in_words(blind_spots(settings)):
        yield Item("vantages", WARN, unseen, "add [[vantages]] with a proxy there")


def _has_account(account: str) -> bool:
    """Whether the machine knows an account of this name; a number is a uid and needs no name."""
    if account.isdigit():
        return True
    try:
        pwd.getpwnam(account)
    except (KeyError, ValueError):
        return False
    return True


def _secrets(home: Home, settings: Settings | None) -> Iterator[Item]:
    from data.secrets import open_secrets

    try:
        known = {info.name for info in open_secrets(home).list()}
    except LosswatchError as problem:
        yield Item("keyring", BAD, str(problem))
        return
    yield Item("keyring", OK, f"{_backend(home)}, {len(known)} secret{'' if len(known) == 1 else 's'}")
    for feed in settings.feeds if settings else ():
        if feed.secret and feed.secret not in known:
            yield Item("secrets", WARN, f"feed {feed.name} has no key", f"losswatch secrets set {feed.secret}")


async def _channels(home: Home, settings: Settings) -> list[Item]:
    """Each channel is connected to, all at once; a channel's silence is told where people look for it."""
    from checks.incidents.notify.reachable import unreachable
    from data.secrets import open_secrets

    async def one(channel: Channel) -> Item:
        try:
            secret = open_secrets(home).get(channel.secret) if channel.secret else ""
        except LosswatchError as problem:
            return Item("channel", WARN, f"{channel.name}: {problem}")
        silent = await asyncio.to_thread(unreachable, channel, secret)
        if silent:
            return Item("channel", WARN, f"{channel.name} cannot be reached: {silent}", "look at its address")
        return Item("channel", OK, f"{channel.name}: its address answers")

    return list(await asyncio.gather(*map(one, settings.notify.channels)))


def _backend(home: Home) -> str:
    if named := os.environ.get("LOSSWATCH_KEYRING"):
        return named
    return (
        "losswatch's vault"
        if home.vault.exists() or not os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        else "the desktop's"
    )


def _clock(home: Home) -> Item:
    wall, steady = time.time(), time.monotonic()
    time.sleep(CLOCK_SAMPLE_S)
    drift = abs((time.time() - wall) - (time.monotonic() - steady))
    now = datetime.now(UTC)
    shown = f"{now:%Y-%m-%d %H:%M:%S}Z, local zone {time.strftime('%Z %z')}"
    mend = "set the clock by NTP"
    if drift > CLOCK_SLACK_S:
        return Item("clock", BAD, f"{shown}; it was set while we looked", mend)
    try:
        written = home.database.stat().st_mtime
    except OSError:
        written = 0.0
    if written > now.timestamp() + 60:
        return Item(
            "clock", BAD, f"{shown}; the database was written {written - now.timestamp():,.0f} s from now", mend
        )
    return Item("clock", OK, shown)


def _resolver(settings: Settings | None) -> Item:
    """The system's resolver is asked for localhost only; a configured one for the root of the zone."""
    try:
        socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    except OSError as problem:
        return Item(
            "resolver", BAD, f"localhost does not resolve: {problem.strerror}", "look at /etc/hosts and nsswitch.conf"
        )
    address = settings.network.resolver if settings else ""
    if not address:
        return Item("resolver", OK, "the system's; localhost resolves")
    try:
        answered_ms = _ask_resolver(address)
    except (OSError, ValueError) as problem:
        reason = str(problem) or type(problem).__name__
        return Item(
            "resolver", BAD, f"{address} does not answer: {reason}", "correct network.resolver in losswatch.toml"
        )
    return Item("resolver", OK, f"{address} answers in {answered_ms:.0f} ms")


def _ask_resolver(address: str) -> float:
    """Milliseconds until HOST:PORT answers a question for the root's name servers; raises `OSError` when it does not."""
    import dns.exception
    import dns.message
    import dns.query

    host, _, port = address.rpartition(":")
    began = time.monotonic()
    try:
        question = dns.message.make_query(".", "NS")
        where = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0][4][0]
        dns.query.udp(question, str(where), timeout=2.0, port=int(port), ignore_trailing=True)
    except dns.exception.DNSException as problem:
        raise OSError(str(problem)) from problem
    return (time.monotonic() - began) * 1000


def _disk(home: Home, limits: HubSettings) -> Item:
    folder = home.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    shown = f"{free / 1e9:,.1f} GB free for {home.state}"
    if free < limits.min_free_bytes:
        return Item("disk", BAD, f"{shown}; observations are dropped", "make room, or lower hub.keep_observations")
    if free < 5 * limits.min_free_bytes:
        return Item("disk", WARN, shown, "make room")
    return Item("disk", OK, shown)


async def _hub(home: Home, settings: Settings | None) -> list[Item]:
    """The hub, and what it knows of the vantages and the audit; without one the audit is read from the database."""
    client = HubClient(home.socket, timeout_s=5.0)
    try:
        hello = await client.hello()
    except HubUnreachable as problem:
        told = str(problem) if home.socket.exists() else "no hub is running"
        return [Item("hub", WARN, told, "losswatch hub start"), *_audit_at_rest(home, settings)]
    except LosswatchError as problem:
        return [Item("hub", BAD, str(problem))]
    found = [Item("hub", OK, f"version {hello.version}, pid {hello.pid}; you are {hello.principal} ({hello.role})")]
    status = await _status(client)
    found += _own_state(status)
    for name, word in status.vantages.items():
        down = word not in {OK.value, State.UNKNOWN.value}
        shown = "not used yet" if word == State.UNKNOWN.value else word
        mend = f"look at the proxy of {name} in losswatch.toml" if down else ""
        found.append(Item("vantage", WARN if down else OK, f"{name}: {shown}", mend))
    found += [Item("registry", WARN, f"{domain}: {word}") for domain, word in status.registries.items()]
    see = "losswatch notices --state waiting"
    found += [
        Item("channel", WARN, f"{name} took nothing the last time: {why}", see) for name, why in status.channels.items()
    ]
    return [*found, *await _audit(home)]


async def _audit(home: Home) -> list[Item]:
    try:
        return [_followed(await HubClient(home.socket, timeout_s=AUDIT_S).get("/v1/audit", AuditChain))]
    except NotAllowed:  # not for whoever sees some teams only
        return []
    except LosswatchError as problem:
        return [Item("audit", WARN, f"not looked over: {problem}")]


def _audit_at_rest(home: Home, settings: Settings | None) -> list[Item]:
    """From the database that no hub has open; and what opening it shows to be missing, which is told only once."""
    from data.secrets import open_secrets, store_key
    from data.store import audit
    from data.store.store import Store

    try:
        if settings is None or not home.database.stat().st_size:
            return []
        store = Store.open(home.database, store_key(open_secrets(home)) if settings.hub.encrypt else None)
    except FileNotFoundError:
        return []
    except (LosswatchError, OSError) as problem:
        return [Item("audit", WARN, f"not looked over: {problem}")]
    try:
        return [*(Item("store", BAD, warning) for warning in store.warnings), _followed(audit.verify(store))]
    finally:
        store.close()


def _followed(chain: AuditChain) -> Item:
    """The hash is shown to be kept elsewhere: entries that are cut off at the end break no chain."""
    count = f"{chain.entries:,} {'entry' if chain.entries == 1 else 'entries'}"
    if chain.broken:
        mend = "somebody changed the database past the hub: compare it with a backup"
        return Item("audit", BAD, f"{count}, chain broken: {chain.broken}", mend)
    return Item("audit", OK, f"{count}, chain whole" + (f", the newest is {chain.head[:16]}" if chain.head else ""))


def _own_state(status: _Status) -> Iterator[Item]:
    """What the hub says of itself; nothing while all is well."""
    if status.detail:
        yield Item("hub", WARN, status.detail)
    if status.late:
        behind = format_duration(round(status.late_s))
        detail = f"{status.late:,} checks of the last hour began an interval late or not at all, {behind} at worst"
        yield Item("late", WARN, detail, "longer intervals, more probes, or more requests a minute under [network]")
    if status.maintenance:
        yield Item("maintenance", OK, f"failures of {status.maintenance:,} targets open nothing now")


async def _status(client: HubClient) -> _Status:
    try:
        return await client.get("/v1/status", _Status)
    except LosswatchError:  # not for everybody, and not of every hub
        return _Status()


@dataclass(frozen=True, slots=True)
class _Status:
    """The part of the hub's status that the doctor shows."""

    detail: str = ""
    late: int = 0
    late_s: float = 0.0
    maintenance: int = 0
    """Targets in a window."""
    vantages: dict[str, str] = field(default_factory=dict)
    """`ok`, `unknown` or what is wrong, by name."""
    registries: dict[str, str] = field(default_factory=dict)
    """Why nothing is known of a domain, by domain."""
    channels: dict[str, str] = field(default_factory=dict)
    """Why a channel took nothing the last time, by name."""


def _terminal() -> Item:
    name = os.environ.get("TERM", "") or "none"
    if not shows_utf8():
        return Item("terminal", WARN, f"TERM {name}, no UTF-8: glyphs become ASCII", "set LANG to a UTF-8 locale")
    return Item("terminal", OK, f"TERM {name}, UTF-8, colours {os.environ.get('COLORTERM') or 'by TERM'}")
