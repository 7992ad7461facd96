"""`losswatch route`: who would be told, who is on call, and what nobody wants to hear."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from data.config.home import Home
from data.config.problems import nearest
from data.config.units import format_duration
from data.errors import UsageError
from data.model.codec import to_json
from data.model.notice import NoticePage
from tui.cli.known import presets
from tui.cli.options import everywhere
from tui.cli.paper import paper
from tui.client import HubClient
from tui.lines import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from checks.incidents.notify.dry import Decision, Hearer
    from checks.incidents.notify.labels import Labels
    from checks.incidents.notify.reach import Directory
    from data.config.settings import Settings
    from data.model.snapshot import CommandReply

LABELS = ("cause", "team", "partner", "geo", "project", "severity")
_MUTED_BY = (*LABELS, "owner", "incident", "family")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="test|oncall|handover|mute|mutes|unmute|try", required=True)
    test = actions.add_parser("test", help="which rule an incident would meet, and who would be told: touches nothing")
    test.add_argument("labels", nargs="+", metavar="LABEL=VALUE", help=", ".join(LABELS))
    test.add_argument("--at", type=_moment, metavar="TIME", help="as if it were then, such as 2026-11-22T03:00Z")
    on_call = actions.add_parser("oncall", help="who is on call, until when, and who is next")
    on_call.add_argument("--at", type=_moment, metavar="TIME")
    note = actions.add_parser("handover", help="the hand-over note of a rota as it would be now")
    note.add_argument("rota", metavar="ROTA")
    mute = actions.add_parser("mute", help="say nothing new of what matches; what is over is said all the same")
    mute.add_argument("labels", nargs="+", metavar="LABEL=VALUE", help=", ".join(_MUTED_BY))
    mute.add_argument("--for", dest="length", required=True, metavar="DURATION", help="such as 2h")
    mute.add_argument("--reason", required=True, metavar="TEXT")
    mute.add_argument("--dry-run", action="store_true", help="only say what it would hide")
    mutes = actions.add_parser("mutes", help="what is muted, by whom, why and until when")
    unmute = actions.add_parser("unmute", help="end a mute now")
    unmute.add_argument("mute", metavar="ID")
    trial = actions.add_parser("try", help="send a word to a channel, to see whether it arrives")
    trial.add_argument("channel", metavar="CHANNEL")
    for action in (test, on_call, note, mute, mutes, unmute, trial):
        everywhere(action)


def run(args: argparse.Namespace) -> int:
    home = Home.find(args.home)
    if args.action in _OFFLINE:
        return _OFFLINE[args.action](home, args)
    client = HubClient(home.socket)
    if args.action in _ASKED:
        return asyncio.run(_ASKED[args.action](client, args))
    return _told(asyncio.run(_command(client, args)), args)


async def _command(client: HubClient, args: argparse.Namespace) -> CommandReply:
    if args.action == "unmute":
        return await client.command("unmute", mute=args.mute)
    if args.action == "try":
        return await client.command("notice_try", channel=args.channel)
    matchers = _pairs(args.labels, _MUTED_BY)
    given = {"matchers": matchers, "for": args.length, "reason": args.reason}
    return await client.command("mute", dry_run=args.dry_run, **given)


# ── without a hub ────────────────────────────────────────────────────────────────────────────────────────────────


def _test(home: Home, args: argparse.Namespace) -> int:
    """Exit 0 when somebody is told, 2 when nobody is."""
    from checks.incidents.notify.dry import decide

    settings, directory = _rules(home)
    labels = _labels(settings, _pairs(args.labels, LABELS))
    now = args.at or datetime.now(UTC)
    decisions = decide(directory, labels, now)
    for number, decision in enumerate(decisions):
        if args.json:
            print(to_json(decision).decode())
        else:
            if number:
                paper().say()
            for line in _lines(decision, now):
                paper().say(safe(line))
    reached = any(not one.refused for decision in decisions for one in decision.told)
    return 0 if reached else 2


def _rules(home: Home) -> tuple[Settings, Directory]:
    from checks.incidents.notify.reach import Directory
    from data.access.receivers import scope_of
    from data.config.load import load

    settings = load(home, presets=presets())
    if not settings.notify:
        raise UsageError("losswatch.toml names no [[channels]]: nobody is told anything")
    scopes = {channel.name: scope_of(channel, settings.partners) for channel in settings.notify.channels}
    return settings, Directory(settings.notify, scopes)


def _labels(settings: Settings, given: dict[str, str]) -> Labels:
    """Raises `UsageError` for a name that nothing has: a rule that nothing meets would look like one that works."""
    from checks.incidents.notify.labels import Labels
    from data.model.cause import CAUSES
    from data.model.ids import CauseId, IncidentId, TeamId
    from data.model.incident import Severity

    known: dict[str, Sequence[str]] = {
        "cause": list(CAUSES),
        "team": [team.id for team in settings.teams],
        "partner": [partner.id for partner in settings.partners],
        "severity": list(Severity),
    }
    for label in ("cause", "team"):
        if label not in given:
            raise UsageError(f"{label}=.. is missing. Try: losswatch route test cause=edge.error team={_any(known)}")
    given = {name: value.upper() if name in {"severity", "geo"} else value for name, value in given.items()}
    for label, choices in known.items():
        for value in given.get(label, "").split(",") if label in given else ():
            if value not in choices:
                hint = nearest(value, choices)
                raise UsageError(f"no {label} {value!r}{f'; did you mean {hint!r}?' if hint else ''}")
    many = {name: frozenset(given.get(name, "").split(",")) - {""} for name in ("team", "partner", "geo", "project")}
    return Labels(
        IncidentId(0),
        CauseId(given["cause"]),
        Severity(given.get("severity", Severity.SEV2)),
        frozenset(map(TeamId, many["team"])),
        partners=many["partner"],
        geos=many["geo"],
        projects=many["project"],
    )


def _any(known: dict[str, Sequence[str]]) -> str:
    return next(iter(known["team"]), "TEAM")


def _lines(decision: Decision, now: datetime) -> list[str]:
    lines = [decision.rule, f"{'owner':>10}  {decision.owner or 'nobody in particular'}"]
    lines += _hearers("told", decision.told, now) or [f"{'told':>10}  nobody"]
    for step in decision.escalate:
        head = f"+{format_duration(step.after_s)}"
        lines += _hearers(head, step.told, now) or [f"{head:>10}  {step.name}: nobody is on call, the next one is told"]
    wait, interval, again = (
        format_duration(seconds)
        for seconds in (decision.group_wait_s, decision.group_interval_s, decision.repeat_interval_s)
    )
    group = decision.group.partition(" ")[2] or "everything"
    return [*lines, f"{'together':>10}  {group}; first after {wait}, news after {interval}, again every {again}"]


def _hearers(head: str, told: Iterable[Hearer], now: datetime) -> list[str]:
    lines = []
    for number, one in enumerate(told):
        later = f", asleep: told at {one.when:%d %b %H:%M}Z" if one.when > now else ""
        words = f"not told: {one.refused}" if one.refused else f"on {one.channel}{later}"
        lines.append(f"{head if not number else '':>10}  {one.receiver} {words}")
    return lines


def _on_call(home: Home, args: argparse.Namespace) -> int:
    from checks.incidents.notify.rota import changes_at, on_call

    _, directory = _rules(home)
    now = args.at or datetime.now(UTC)
    if not directory.rotas:
        raise UsageError("losswatch.toml names no [[rota]]")
    for rota in directory.rotas.values():
        present, until = on_call(rota, now), changes_at(rota, now)
        after = on_call(rota, until) if until else None
        row = {
            "rota": rota.name,
            "person": present.person if present else "",
            "why": present.why if present else "",
            "until": until,
            "next": after.person if after else "",
        }
        if args.json:
            print(to_json(row).decode())
            continue
        who = f"{present.person} ({present.why})" if present else "nobody"
        then = f", until {until:%a %d %b %H:%M}Z, then {after.person if after else 'nobody'}" if until else ""
        paper().say(safe(f"{rota.name}: {who}{then}"))
    return 0


# ── with one ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _handover(client: HubClient, args: argparse.Namespace) -> int:
    found = await client.get(f"/v1/handovers/{quote(args.rota, safe='')}", dict[str, str])
    if args.json:
        print(to_json(found).decode())
    else:
        for line in found["text"].split("\n"):
            paper().say(safe(line))
    return 0


async def _mutes(client: HubClient, args: argparse.Namespace) -> int:
    page = await client.get("/v1/notices?limit=1", NoticePage)
    for mute in page.mutes:
        if args.json:
            print(to_json(mute).decode())
            continue
        matched = " ".join(f"{name}={value}" for name, value in mute.matchers.items())
        paper().say(safe(f"{mute.id}  until {mute.ends_at:%d %b %H:%M}Z  {matched}  {mute.who}: {mute.reason}"))
    if not page.mutes and not args.json:
        paper().say("nothing is muted")
    return 0


def _told(reply: CommandReply, args: argparse.Namespace) -> int:
    print(to_json(reply).decode()) if args.json else paper().say(safe(reply.message))
    return 0 if reply.ok else 3


def _pairs(given: list[str], names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise UsageError(f"{word!r} is no LABEL=VALUE, such as cause=edge.error")
        if name not in names:
            hint = nearest(name, names)
            raise UsageError(
                f"no label {name!r}{f'; did you mean {hint!r}?' if hint else ''}: there are {', '.join(names)}"
            )
        found[name] = value
    return found


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-22T03:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_OFFLINE = {"test": _test, "oncall": _on_call}
_ASKED = {"handover": _handover, "mutes": _mutes}
