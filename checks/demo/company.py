"""The simulated company as a process: `python -m checks.demo.company --home DIR`.

1. Make the world, its certificate authority and its servers, all on loopback with ephemeral ports.
2. Put the partners' secrets into the vault and write losswatch.toml and the inventory.
3. Spool 35 days of history, then print one line of JSON: `{"ready": true, ...}`.
4. Every ten simulated minutes spool what became visible and rewrite demo/truth.json.

It ends when its standard input does, and asks the hub of its home to end too: a parent that dies takes both along.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from checks.demo.calls import SECRET, Endpoint, Sender, free_port
from checks.demo.certs import Authority, front, shared_contexts
from checks.demo.http import listen, port_of
from checks.demo.inbox import Inbox
from checks.demo.install import Doors, SimulatedClock, install, secret_name
from checks.demo.ledger import Ledger
from checks.demo.nameserver import serve_names
from checks.demo.partners import PARTNERS
from checks.demo.people import People
from checks.demo.prepared import DNS_SECRET, channel_secrets
from checks.demo.process import end_hub
from checks.demo.proxy import Vantage
from checks.demo.script import BY_ID, Script
from checks.demo.spool import write_history, write_tick
from checks.demo.switchboard import MAP, Switchboard
from checks.demo.town import COUNTRIES, Town, redirector_host, source_of
from checks.demo.traffic import Traffic
from checks.demo.truth import truth_at
from checks.demo.world import build_world
from checks.engine.clock import ScaledClock
from data.config.home import Home
from data.durable import replace_file
from data.model.codec import to_json

if TYPE_CHECKING:
    import ssl

DAWN = time(6)
TICK = timedelta(minutes=10)
LEAD_WALL = timedelta(seconds=15)
LEAD_SIM = timedelta(minutes=30)
"""The clock starts a little before 06:00, so that a hub has read the history when the first thing goes wrong."""


def simulated_start(now: datetime) -> datetime:
    """06:00Z of the most recent Tuesday that is wholly past."""
    back = (now.weekday() - 1) % 7 or 7
    return (now - timedelta(days=back)).replace(hour=6, minute=0, second=0, microsecond=0)


@dataclass(slots=True)
class Company:
    """The world with its servers; build it with `open_company`."""

    home: Home
    town: Town
    ledger: Ledger
    script: Script
    doors: Doors
    ca_pem: bytes
    now: Callable[[], datetime]
    tokens: dict[str, str]
    endpoint: Endpoint
    inbox: Inbox

    def write_truth(self, opened: datetime, speed: float, begun: Mapping[str, datetime]) -> None:
        """`begun` says when people began to set right what they set right."""
        now, told = self.now(), self.town.told
        held = BY_ID["F4"].began(self.script.day)
        minor = told.states("P06", held if held > opened else None, begun.get("F4"))
        states = (*minor, *told.states("P05"))
        heard = tuple(self.inbox.heard)
        truth = truth_at(
            now, self.town.world, self.script, self.ledger, opened=opened, speed=speed, states=states, heard=heard
        )
        folder = self.home.state / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / "truth.json", to_json(truth))


async def open_company(
    home: Home, day: datetime, now: Callable[[], datetime], stack: AsyncExitStack, *, seed: int = 1
) -> Company:
    """Make the world and let it listen until `stack` closes; `now` gives the simulated time."""
    world, script = build_world(seed), Script(day)
    ledger = Ledger(world, Traffic(world, script))
    tokens = {partner.id: _token(partner.preset) for partner in PARTNERS}
    board = Switchboard(now, home.config / MAP, _secret())
    town = Town(world, ledger, script, board, tokens)
    ledger.settings = board.look
    authority = Authority(home.state / "demo", datetime.now(UTC))
    town.ports.http = port_of(await stack.enter_async_context(await listen(town.answer)))
    context = _tls(authority, town, now)
    town.ports.https = port_of(await stack.enter_async_context(await listen(town.answer, context)))
    hosts = frozenset(town.hosts)
    names, dns = await serve_names(hosts)
    stack.callback(names.close)
    proxies = {}
    for country in COUNTRIES:
        server = await Vantage(country, source_of(country), hosts).listen()
        proxies[country] = port_of(await stack.enter_async_context(server))
    endpoint = Endpoint(script, now, free_port())
    calls = port_of(await stack.enter_async_context(await endpoint.listen()))
    inbox = Inbox(now)
    told = port_of(await stack.enter_async_context(await listen(inbox.answer)))
    doors = Doors(dns, proxies, calls, endpoint.door, told)
    return Company(home, town, ledger, script, doors, authority.pem, now, tokens, endpoint, inbox)


def _tls(authority: Authority, town: Town, now: Callable[[], datetime]) -> ssl.SSLContext:
    contexts = shared_contexts(authority, town.hosts)
    late = redirector_host("cedar")
    expired = authority.context([late], began=timedelta(days=90), ends=timedelta(hours=-1))

    def choose(host: str) -> ssl.SSLContext | None:
        return expired if host == late and town.script.active("F6", now()) else None

    return front(contexts, choose)


def _secret() -> str:
    return secrets.token_urlsafe(24)


def _token(preset: str) -> str:
    token = _secret()
    match preset:
        case "myaffiliates":
            return f"corvane:{token}"
        case "netrefer":
            return f"corvane:{token}:anna@corvane.example:{secrets.token_urlsafe(12)}"
        case _:
            return token


async def run(home: Home, *, speed: float, seed: int, at: time = DAWN) -> int:
    """Be the company until standard input ends or a signal asks to stop; its day is joined at `at`."""
    day = simulated_start(datetime.now(UTC))
    start = max(day, datetime.combine(day, at, UTC))
    clock = ScaledClock(start, datetime.now(UTC), speed)
    async with AsyncExitStack() as stack:
        company = await open_company(home, day, lambda: clock.now(), stack, seed=seed)  # noqa: PLW0108 - the clock is set below
        _store_secrets(company)
        lead = min(LEAD_WALL, LEAD_SIM / speed)
        opened = start - lead * speed
        write_history(company.ledger, opened, home.spool)
        clock.wall_start = datetime.now(UTC) + lead
        install(home, company.town, company.doors, SimulatedClock(start, clock.wall_start, speed), company.ca_pem)
        people = People(company, clock, opened)
        company.write_truth(opened, speed, people.begun)
        gc.freeze()
        print(json.dumps({"ready": True, "sim_start": start.isoformat(), "speed": speed}), flush=True)  # noqa: T201 - the parent reads it
        stop = _stop_event()
        sender = Sender(company.ledger, company.doors.calls, company.endpoint.key)
        jobs = (_tick(company, clock, opened, people), people.work(), sender.run(clock))
        tasks = [asyncio.create_task(job) for job in jobs]
        await stop.wait()
        for task in tasks:
            task.cancel()
        company.write_truth(opened, speed, people.begun)
    end_hub(home)
    return 0


async def _tick(company: Company, clock: ScaledClock, opened: datetime, people: People) -> None:
    due = opened + TICK
    while True:
        await clock.sleep((due - clock.now()).total_seconds())
        write_tick(company.ledger, clock.now(), company.home.spool)
        company.write_truth(opened, clock.speed, people.begun)
        while due <= clock.now():
            due += TICK


def _stop_event() -> asyncio.Event:
    """Set when standard input ends (the parent is gone) or a signal asks for it."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def ended() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin)
            stop.set()

    if not sys.stdin.isatty():
        loop.add_reader(sys.stdin, ended)
    return stop


def _store_secrets(company: Company) -> None:
    from data.secrets import open_secrets

    vault = open_secrets(company.home, create=True)
    kept = {secret_name(partner): company.tokens[partner.id] for partner in PARTNERS}
    kept |= {SECRET: company.endpoint.key, DNS_SECRET: company.town.board.key, **channel_secrets(company.doors.inbox)}
    for name, secret in kept.items():
        vault.set(name, secret)


def main() -> int:
    parser = argparse.ArgumentParser(prog="checks.demo.company", description="The simulated company, on loopback.")
    parser.add_argument("--home", required=True)
    parser.add_argument("--speed", type=float, default=90.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", type=time.fromisoformat, default=DAWN, help="join the day later, such as 09:00 (UTC)")
    args = parser.parse_args()
    home = Home.find(str(Path(args.home)))
    return asyncio.run(run(home, speed=args.speed, seed=args.seed, at=args.at))


if __name__ == "__main__":
    sys.exit(main())
