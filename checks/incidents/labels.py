"""What targets may share, as labels: (name, value) pairs. A label that is missing equals nothing."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from checks.incidents.correlation import is_public_enough
from checks.sites.traits import registrable
from data.model.state import State
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.model.ids import CauseId
    from data.model.observation import Observation
    from data.model.target import Target

Label = tuple[str, str]

WEB: Final = frozenset({TargetKind.SITE, TargetKind.LINK})
"""Kinds whose upstream is inferred from what fails and what does not."""

TRAITS: Final = ("edge", "pop", "ip", "network", "tracker", "issuer", "certificate", "ns", "registrar", "vantage")
"""Evidence that says what a target depends on."""
_SLOW_TO_CHANGE = ("ns", "registrar")
"""Looked up in the background: an answer without them does not say that they are gone."""

_SEVERAL = ("ns", "host")
"""Labels of which a target may have more than one."""

_BETWEEN = " / "
COMBINED: Final = (
    ("edge", "pop", " at "),
    ("edge", "geo", " in "),
    ("partner", "geo", " in "),
    ("partner", "offer", ": "),
)
"""Two labels that narrow a partial outage down, and how the pair is read."""

_SERVER = ("tcp.", "tls.", "proto.", "edge.", "http.5xx", "http.maintenance", "redirect.hop_failed")
_WIRE = ("tcp.", "tls.timeout", "tls.protocol", "proto.empty_reply", "redirect.hop_failed")
_OFFER = ("link.", "content.", "geo.", "http.", "redirect.")
_ANYTHING = ("",)

COMPATIBLE: Final[Mapping[str, tuple[str, ...]]] = {
    "edge": _SERVER,
    "edge+pop": _SERVER,
    "edge+geo": (*_SERVER, "geo.", "http.legal_block"),
    "ns": ("dns.",),
    "registrar": ("dns.",),
    "certificate": ("tls.",),
    "issuer": ("tls.",),
    "ip": (*_WIRE, "proto.", "http.5xx", "http.maintenance"),
    "network": _WIRE,
    "vantage": (*_WIRE, "geo."),
    "host": _ANYTHING,
    "partner": _OFFER,
    "partner+geo": _OFFER,
    "partner+offer": _OFFER,
}
"""Prefixes of the causes that an upstream of each kind can have."""

PRECEDENCE: Final = tuple(COMPATIBLE)
"""Which of two labels names the upstream when both explain exactly the same: the earlier one."""


def labels_of(target: Target, traits: Mapping[str, str]) -> tuple[Label, ...]:
    """All that a site or link may share with others, sorted; nothing for other kinds."""
    if target.kind not in WEB:
        return ()
    own = ("partner", str(target.partner)), ("geo", target.geo), ("offer", target.offer)
    single = {name: value for name, value in (*traits.items(), *own) if value}
    for name in ("ip", "network"):
        if name in single and not is_public_enough(single[name].partition("/")[0]):
            del single[name]
    found = {(name, value) for name, value in single.items() if name in COMPATIBLE and name not in _SEVERAL}
    found.update(("ns", registrable(name)) for name in single.get("ns", "").split())
    found.update(("host", host) for host in (_host(target.url), single.get("lands", "")) if host)
    found.update(("host", host) for host in single.get("tracker", "").split())
    for one, other, _ in COMBINED:
        if one in single and other in single:
            found.add(combined(one, other, single[one], single[other]))
    return tuple((name, value) if name == "host" else _label(name, value) for name, value in sorted(found))


def combined(one: str, other: str, value: str, other_value: str) -> Label:
    """Two labels as the pair that narrows a partial outage down."""
    return (f"{one}+{other}", value + _BETWEEN + other_value)


@lru_cache(maxsize=65_536)
def _label(name: str, value: str) -> Label:
    """One pair for all targets that share it; hosts are too many and too seldom shared."""
    return (name, value)


def traits_after(seen: Observation, known: dict[str, str]) -> dict[str, str]:
    """What a target depends on after an observation: an answer that is fine replaces it, any other adds what was unknown.

    The same object is returned where nothing changes.
    """
    found = {name: value for name in TRAITS if (value := seen.evidence.get(name, ""))}
    edge = next((hop.edge for hop in reversed(seen.hops) if hop.edge), "")
    if edge:
        found.setdefault("edge", edge)
    if seen.state in {State.OK, State.DEGRADED}:
        if seen.kind is TargetKind.LINK and len(seen.hops) > 1:
            found["lands"] = _host(seen.hops[-1].url)
        wanted = {name: known[name] for name in _SLOW_TO_CHANGE if name in known} | found
    else:
        wanted = found | known
    return known if wanted == known else _shared(tuple(sorted(wanted.items())))


_PLAIN_HOST = re.compile(r"https?://([a-z0-9._-]+)(?::[0-9]+)?(?=[/?#]|\Z)")


def _host(url: str) -> str:
    if plain := _PLAIN_HOST.match(url):
        return plain[1]
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=16_384)
def _shared(items: tuple[Label, ...]) -> dict[str, str]:
    """One dict for all targets with the same traits. Never change what this returns."""
    return {sys.intern(name): sys.intern(value) for name, value in items}


@lru_cache(maxsize=4_096)
def compatible(name: str, cause: CauseId) -> bool:
    """Whether an upstream of this kind can fail in this way."""
    return cause.startswith(COMPATIBLE.get(name, ("\0",)))


def read(label: Label) -> str:
    """The value as a person reads it: `Halyard Edge in DE`."""
    name, value = label
    joiner = next((words for one, other, words in COMBINED if name == f"{one}+{other}"), "")
    return value.replace(_BETWEEN, joiner) if joiner else value


def base(label: Label) -> Label:
    """The first label of a pair, or the label itself: `edge+geo` of `Halyard Edge` is the edge `Halyard Edge`."""
    name, value = label
    return (name.partition("+")[0], value.partition(_BETWEEN)[0]) if "+" in name else label


def read_all(labels: Iterable[Label]) -> str:
    """`Halyard Edge in AT, DE` for two labels of one upstream; the plain reading for one."""
    known = sorted(labels)
    if len({base(label) for label in known}) == 1 and len(known) > 1:
        head, *others = (read(label) for label in known)
        start = head[: len(read(base(known[0])))]
        joiner = next(words for one, other, words in COMBINED if known[0][0] == f"{one}+{other}")
        return head + "".join(f", {other.removeprefix(start + joiner)}" for other in others)
    return ", ".join(read(label) for label in known)


_FIELD, _ROW = "=", " | "


def written(labels: Iterable[Label]) -> str:
    """Labels as `Incident.upstream` keeps them: `edge=Halyard Edge`."""
    return _ROW.join(f"{name}{_FIELD}{value}" for name, value in sorted(labels))


def parsed(text: str) -> tuple[Label, ...]:
    """The inverse of `written`."""
    pairs = (part.partition(_FIELD) for part in text.split(_ROW) if part)
    return tuple((name, value) for name, _, value in pairs)
