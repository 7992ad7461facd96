"""`[[plans]]`: what is prepared for a trouble before it comes, and `[adapters]`: which programs a plan may run."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.access.roles import ROLES
from data.config.urls import url_fault
from data.model.cause import CAUSES
from data.model.plan import Adapter, Needs, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.config.table import Table

LETTERS = ("A", "B", "C")
USUAL_NEEDS = (Needs.GREEN, Needs.INDEPENDENT)
DIMS = ("partner", "offer", "geo", "site", "team")
_OPTIONS: dict[Adapter, tuple[frozenset[str], frozenset[str]]] = {
    Adapter.WORDS: (frozenset(), frozenset()),
    Adapter.REDIRECTS: (frozenset({"file"}), frozenset()),
    Adapter.HTTP: (
        frozenset({"url", "revert_url"}),
        frozenset({"method", "body", "revert_method", "revert_body", "secret", "header"}),
    ),
    Adapter.COMMAND: (frozenset(), frozenset({"timeout"})),
    Adapter.KEITARO: (frozenset({"url", "secret"}), frozenset()),
}
"""What each adapter must be told, and what it may be."""
_URLS = ("url", "revert_url")
_MAP_WORD = re.compile(r"[^\s;{}\"'\\#$\x00-\x1f\x7f]{1,2000}")
"""What may stand in a line of a map file without quotes: nothing that ends it or starts another."""
_TIMEOUT = re.compile(r"[1-9][0-9]?|[12][0-9]{2}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Known:
    """What a plan may name."""

    teams: Collection[str]
    partners: Collection[str]
    targets: Collection[str]
    """Ids of links and sites."""
    allowed: Collection[str]
    """Programs of the allow list."""


def allow_list(table: Table) -> tuple[str, ...]:
    """`[adapters] allow`: absolute paths of programs that a plan may run; none by default."""
    programs = table.texts("allow", _program_fault)
    table.done()
    return programs


def plans(tables: Iterable[Table], known: Known) -> tuple[Plan, ...]:
    made: list[Plan] = []
    for table in tables:
        plan = _plan(table, known)
        if plan.id and plan.id in [one.id for one in made]:
            table.wrong("id", "is used twice", value=plan.id)
        made.append(plan)
        table.done()
    return tuple(made)


def _plan(table: Table, known: Known) -> Plan:
    does = Adapter(table.choice("does", list(Adapter), "adapter", Adapter.WORDS))
    options, sets = table.pairs("options"), table.pairs("set")
    run, undo = table.texts("run"), table.texts("undo")
    plan = Plan(
        id=table.name("id"),
        letter=table.choice("letter", LETTERS, "letter", "B", required=True),
        title=table.text("title", required=True, limit=120),
        causes=table.texts("causes", cause_fault),
        team=table.choice("team", known.teams, "team"),
        partner=table.choice("partner", known.partners, "partner"),
        geo=table.text("geo", limit=8).upper(),
        site=table.text("site"),
        project=table.text("project"),
        does=does,
        options=options,
        sets=sets,
        run=run,
        undo=undo,
        needs=_needs(table),
        standby=_standby(table, known),
        to=_slice(table, known),
        cap=table.integer("cap", 0, 0, 1_000_000),
        recovers=table.number("recovers", 1.0, 0.0, 1.0),
        approve=table.choice("approve", ROLES, "role"),
        two_over=Decimal(str(table.number("two_over", 0.0, 0.0, 1e9))),
        expires_s=table.duration("expires", 7200.0, 0.0, 30 * 86_400.0),
        rehearsed=table.day("rehearsed"),
        auto=table.flag("auto", default=False),
        line=table.line,
    )
    if not plan.causes:
        table.wrong(
            "causes", "is empty: a plan for nothing is never offered", allowed='causes or families such as "edge."'
        )
    if table.values.get("does", does) != does:
        return plan  # what a mistyped adapter lacks would be noise
    _adapter(table, plan, known)
    if plan.auto and does is Adapter.WORDS:
        table.wrong("auto", "is for plans that switch something", allowed="does = one of the adapters")
    return plan


def _adapter(table: Table, plan: Plan, known: Known) -> None:
    _options(table, plan)
    if plan.does in {Adapter.REDIRECTS, Adapter.KEITARO} and not plan.sets:
        table.wrong("set", f"is empty: {plan.does.value} would change nothing")
    for key, value in plan.sets.items():
        if plan.does is Adapter.REDIRECTS and not (_MAP_WORD.fullmatch(key) and _MAP_WORD.fullmatch(value)):
            table.wrong("set", "holds what cannot stand in a map file", value=f"{key} {value}")
        if plan.does is Adapter.KEITARO and not (key.isdigit() and value in {"active", "disabled"}):
            table.wrong("set", "is stream number and state", value=f"{key} = {value}", allowed="active, disabled")
    _programs(table, plan, known)


def _options(table: Table, plan: Plan) -> None:
    must, may = _OPTIONS[plan.does]
    given = plan.options.keys()
    for name in sorted(must - given):
        table.wrong("options", f"has no {name!r}, which {plan.does.value} needs")
    for name in sorted(given - must - may):
        table.wrong("options", "holds what nobody reads", value=name, choices=sorted(must | may))
    for name in _URLS:
        if name in plan.options and (fault := url_fault(plan.options[name])):
            table.wrong("options", f"{name} {fault}", value=_bare(plan.options[name]))
    if "timeout" in plan.options and not _TIMEOUT.fullmatch(plan.options["timeout"]):
        table.wrong("options", "timeout is no number of seconds", value=plan.options["timeout"], allowed="1 to 299")
    for name in ("method", "revert_method"):
        if name in plan.options and plan.options[name] not in _METHODS:
            table.wrong("options", f"{name} is no method", value=plan.options[name], choices=_METHODS)


def _programs(table: Table, plan: Plan, known: Known) -> None:
    if plan.does is Adapter.COMMAND and not (plan.run and plan.undo):
        table.wrong("run", "and undo are both needed: what cannot be taken back is no plan")
    for key, command in (("run", plan.run), ("undo", plan.undo)):
        if command and plan.does not in {Adapter.COMMAND, Adapter.REDIRECTS}:
            table.wrong(key, f"is not for {plan.does.value}")
        elif command and command[0] not in known.allowed:
            allowed = "" if known.allowed else "nothing: [adapters] allow is empty"
            table.wrong(
                key, "is no program of the allow list", value=command[0], allowed=allowed, choices=known.allowed
            )


def _needs(table: Table) -> tuple[Needs, ...]:
    if "needs" not in table.values:
        return USUAL_NEEDS
    found = []
    for word in table.texts("needs"):
        if word in list(Needs):
            found.append(Needs(word))
        else:
            table.wrong("needs", "names no known precondition", value=word, choices=list(Needs))
    return tuple(found)


def _standby(table: Table, known: Known) -> tuple[str, ...]:
    named = table.texts("standby")
    for one in named:
        if one not in known.targets:
            choices = known.targets if len(known.targets) <= 2_000 else ()
            table.wrong("standby", "is no link or site of the inventory", value=one, choices=choices)
    return named


def _slice(table: Table, known: Known) -> dict[str, str]:
    to = table.pairs("to")
    for name, value in to.items():
        if name not in DIMS:
            table.wrong("to", "holds what is no dimension", value=name, choices=DIMS)
        if name == "partner" and value not in known.partners:
            table.wrong("to", "names no known partner", value=value, choices=known.partners)
    return to


def cause_fault(cause: str) -> str:
    families = {f"{one.partition('.')[0]}." for one in CAUSES}
    if cause in CAUSES or cause in families:
        return ""
    return 'is no cause and no family (a family ends with a dot, such as "edge.")'


def _program_fault(path: str) -> str:
    if not path.startswith("/"):
        return "is not an absolute path"
    try:
        return "" if Path(path).is_file() else "names no program"
    except (OSError, ValueError):
        return "is not the name of a program"


def _bare(url: str) -> str:
    """Without what may be a key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address"
    return f"{parts.scheme}://{parts.hostname or ''}"
