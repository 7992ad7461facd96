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

from checks.incidents.severity import is_blind
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
    """What may explain missing money, when the two agree on `label`."""

    explained_by: TargetKind
    label: str
    reason: str
    """Names `{what}` is missing, and of which `{value}`."""


BRIDGES: tuple[Bridge, ...] = (
    Bridge(TargetKind.LINK, "partner", "{what} of {value}, whose links fail"),
    Bridge(TargetKind.LINK, "offer", "{what} of {value}, whose links fail"),
    Bridge(TargetKind.FEED, "partner", "{what} of {value}, whose report takes figures back"),
    Bridge(TargetKind.SITE, "site", "{what} of {value}, which is down"),
)
"""A feed that does not deliver is none of these: it hides money and loses none."""
EARLIER = timedelta(days=2)
"""What has failed for longer than this before money went missing is usual by now and explains nothing new."""
LATER = timedelta(hours=2)
"""Evidence in counts dates a beginning no better than this."""
ECHO = timedelta(hours=2)
"""How long conversions go missing after their clicks are back."""

_ROOT = ("edge", "dns", "tls", "tcp", "geo", "link", "http", "content", "redirect", "proto", "slow", "seo")
_SYMPTOM = ("postback", "feed", "parser", "page", "revenue")
_SILENT = "postback.silent"
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


def is_symptom(finding: Finding) -> bool:
    """Whether it is money that is missing, or postbacks that tell of none: what others may explain."""
    return finding.kind is TargetKind.SLICE or (finding.kind is TargetKind.FEED and is_echo(finding.cause))


def is_echo(cause: CauseId) -> bool:
    """Whether it says of conversions that they are missing."""
    return family_of(cause) == "revenue" or cause == _SILENT


def missing(symptom: Finding) -> str:
    """What is missing, in a word."""
    return "money" if symptom.kind is TargetKind.SLICE else "postbacks"


def bridge_between(finding: Finding, member: Finding) -> Bridge | None:
    """The bridge that makes one the symptom of the other, in either direction.

    Never where their GEOs or offers differ, where the times do not fit, or where the other one only hides money from us.
    """
    symptom, root = (finding, member) if is_symptom(finding) else (member, finding)
    if is_symptom(root) or not is_symptom(symptom) or symptom.kind is root.kind or not may_cause(root, symptom):
        return None
    for bridge in BRIDGES:
        value = _label(symptom, bridge.label)
        if root.kind is bridge.explained_by and value and value == _label(root, bridge.label):
            return None if is_blind(root.cause) else bridge
    return None


def may_cause(root: Finding, symptom: Finding) -> bool:
    """Whether times and places let one be the cause of the other."""
    return not _contradict(symptom, root) and _in_time(symptom, root)


def bridge_labels(finding: Finding) -> tuple[tuple[str, str], ...]:
    """The (label, value) pairs by which a finding can be found for a bridge."""
    names = dict.fromkeys(one.label for one in BRIDGES if is_symptom(finding) or finding.kind is one.explained_by)
    return tuple((name, value) for name in names if (value := _label(finding, name)))


def _in_time(symptom: Finding, root: Finding) -> bool:
    ended = root.closed_at
    return root.opened_at - LATER <= symptom.opened_at <= root.opened_at + EARLIER and (
        ended is None or symptom.opened_at <= ended + ECHO
    )


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
