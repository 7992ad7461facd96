"""Which findings are one incident: the rules, as data, each with its reason in words.

A finding has at most one upstream, given by the first rule that fits it, so the order in which findings arrive cannot
change which belong together. A label that is missing equals nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from data.model.cause import family_of
from data.model.target import TargetKind

if TYPE_CHECKING:
    from data.model.ids import CauseId
    from data.model.incident import Finding

_WEB = frozenset({TargetKind.SITE, TargetKind.LINK})
_SERVER = ("tcp.", "proto.", "http.5xx", "http.maintenance", "tls.timeout", "tls.protocol", "slow.")
_REACH = ("dns.", "tcp.", "tls.", "http.", "edge.", "proto.", "redirect.", "slow.")

BY_START = timedelta(minutes=30)
"""Findings whose starts lie further apart than this need an upstream that is certain to be one incident."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Findings of these kinds and causes that agree on `label` have one upstream."""

    group: str
    kinds: frozenset[TargetKind]
    causes: tuple[str, ...]
    """Prefixes of causes."""
    label: str
    """Name of the fingerprint's label that must be present and equal."""
    reason: str
    window: timedelta | None = None
    """How far a start may lie from the incident's members; `None` joins as long as the incident is open."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a finding blames: two findings with an equal one belong together."""

    group: str
    label: str
    value: str


RULES: tuple[Rule, ...] = (
    Rule("edge", _WEB, ("edge.",), "edge", "behind the same edge provider {value}"),
    Rule("edge", _WEB, _SERVER, "edge", "behind the same edge provider {value}", timedelta(minutes=75)),
    Rule("certificate", _WEB, ("tls.",), "certificate", "present the same certificate"),
    Rule("link", frozenset({TargetKind.LINK}), ("link.", "content."), "partner", "links of the same partner {value}"),
    Rule("geo", frozenset({TargetKind.LINK}), ("geo.", "http.legal_block"), "partner", "same partner {value} blocks a country"),
    Rule("reach", frozenset({TargetKind.LINK}), _REACH, "host", "go through the same host {value}"),
    Rule("address", frozenset({TargetKind.SITE}), ("tcp.",), "ip", "live on the same address {value}", BY_START),
    Rule("deploy", frozenset({TargetKind.SITE}), ("link.param_lost", "seo."), "deploy", "one change to pages of one team: {value}", BY_START),
    Rule("reach", _WEB, _REACH, "host", "need the same host {value}"),
    Rule("content", _WEB, ("content.", "link.", "geo."), "host", "show pages of the same host {value}"),
    Rule("seo", _WEB, ("seo.",), "host", "pages of the same host {value}"),
    Rule("page", frozenset({TargetKind.PARSER}), ("page.", "parser."), "host", "parse pages of the same host {value}"),
    Rule("feed", frozenset({TargetKind.FEED}), ("",), "partner", "accounts at the same partner {value}"),
    Rule("revenue", frozenset({TargetKind.SLICE}), ("revenue.",), "partner", "money of the same partner {value}", timedelta(hours=12)),
    Rule("revenue", frozenset({TargetKind.SLICE}), ("revenue.",), "site", "money of the same site {value}", timedelta(hours=12)),
    Rule("revenue", frozenset({TargetKind.SLICE}), ("revenue.",), "geo", "money of the same country {value}", timedelta(hours=12)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bridge:
    """A symptom and what may explain it, when they agree on `label`."""

    symptom: frozenset[TargetKind]
    explained_by: frozenset[TargetKind]
    label: str
    reason: str


BRIDGES: tuple[Bridge, ...] = (
    Bridge(frozenset({TargetKind.SLICE}), frozenset({TargetKind.LINK}), "partner", "money of {value}, whose links fail"),
    Bridge(frozenset({TargetKind.SLICE}), frozenset({TargetKind.FEED}), "partner", "money of {value}, whose report is broken"),
    Bridge(frozenset({TargetKind.SLICE}), frozenset({TargetKind.SITE}), "site", "money of {value}, which is down"),
)  # fmt: skip

_ROOT = ("edge", "dns", "tls", "tcp", "geo", "link", "http", "content", "redirect", "proto", "slow", "seo")
_SYMPTOM = ("postback", "feed", "parser", "page", "revenue")
_RANK = {family: rank for rank, family in enumerate((*_ROOT, "", *_SYMPTOM))}


def rank(cause: CauseId) -> int:
    """How near a cause is to the root: lower explains higher."""
    return _RANK.get(family_of(cause), _RANK[""])


def rule_of(finding: Finding) -> Rule | None:
    """The first rule that fits and whose label the finding has."""
    for rule in RULES:
        if finding.kind in rule.kinds and finding.cause.startswith(rule.causes) and _label(finding, rule.label):
            return rule
    return None


def upstream_of(finding: Finding) -> Upstream | None:
    rule = rule_of(finding)
    return Upstream(rule.group, rule.label, finding.fingerprint[rule.label]) if rule else None


def bridge_between(finding: Finding, member: Finding) -> Bridge | None:
    """The bridge that makes one the symptom of the other, in either direction, unless their GEOs or offers differ."""
    if _contradict(finding, member):
        return None
    for bridge in BRIDGES:
        value = _label(finding, bridge.label)
        if not value or value != _label(member, bridge.label):
            continue
        if (finding.kind in bridge.symptom and member.kind in bridge.explained_by) or (
            member.kind in bridge.symptom and finding.kind in bridge.explained_by
        ):
            return bridge
    return None


def bridge_labels(finding: Finding) -> tuple[tuple[str, str], ...]:
    """The (label, value) pairs by which a finding can be found for a bridge."""
    names = dict.fromkeys(bridge.label for bridge in BRIDGES if finding.kind in bridge.symptom | bridge.explained_by)
    return tuple((name, value) for name in names if (value := _label(finding, name)))


def _contradict(one: Finding, other: Finding) -> bool:
    """Both name a GEO, site, partner or offer, and it is not the same."""
    pairs = ((_label(one, name), _label(other, name)) for name in ("geo", "site", "partner", "offer"))
    return any(left and right and left != right for left, right in pairs)


def _label(finding: Finding, name: str) -> str:
    value = finding.fingerprint.get(name, "")
    return "" if name == "ip" and not is_public_enough(value) else value


@lru_cache(maxsize=16_384)
def is_public_enough(address: str) -> bool:
    """A loopback address is shared by everything on a machine and proves nothing."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return not (known.is_loopback or known.is_unspecified)
