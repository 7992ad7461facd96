"""What a country's vantage saw, weighed against a second look: the site's fault, the country's, or the vantage's. Pure.

A block of a country (`geo.blocked`) is claimed only by two vantages: one of that country that is refused, and one
elsewhere that is let in; where the country has a second vantage, it must be refused too. What fails only from one vantage
is the vantage's fault until another one agrees, or until the vantage shows that it works for other hosts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.sites.outcome import Verdict
from checks.sites.vantages import FAILED, written_by_proxy
from data.model.cause import cause
from data.model.state import State

if TYPE_CHECKING:
    from checks.sites.exchange import Walk

_BLOCKS = frozenset({"http.legal_block", "edge.refused", "geo.blocked"})
_CUTS = (
    *("tcp.", "dns.", "slow.", "proto.empty_reply", "proto.malformed", "proto.truncated"),
    *("tls.timeout", "tls.protocol", "tls.untrusted", "tls.self_signed", "tls.hostname", "tls.incomplete_chain"),
)
"""What a censor between the country and the host looks like, and what a broken vantage looks like as well."""
_BY_COUNTRY = _BLOCKS | {"link.wrong_target", "link.to_home", "content.missing_keyword", "content.forbidden_text"}
"""Failures seen from here that may be otherwise in the country that matters."""
_GATEWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Look:
    """One walk and what it means; `vantage` is the name of the proxy that carried it, empty from here."""

    vantage: str
    walk: Walk
    verdict: Verdict

    @property
    def fine(self) -> bool:
        return self.verdict.state in {State.OK, State.DEGRADED}

    @property
    def failing(self) -> bool:
        return self.verdict.state is State.FAILING

    @property
    def unreached(self) -> bool:
        """The vantage did not get through to the host, whoever is to blame."""
        return bool(self.vantage) and (self.verdict.cause == "local.network" or written_by_proxy(self.walk.last))

    @property
    def broken(self) -> bool:
        """The vantage itself does not work."""
        last = self.walk.last
        return bool(self.vantage) and ((last.fault is not None and last.fault.ours) or last.status == 407)

    @property
    def host(self) -> str:
        return self.walk.exchanges[self.verdict.at].url.netloc

    @property
    def words(self) -> str:
        where = self.vantage or "here"
        seen = self.walk.last.status or "-"
        return f"{seen} {self.verdict.cause or 'ok'} in {self.walk.total_ms:.0f} ms from {where}"


def doubtful(seen: Look) -> bool:
    """Whether the country or the vantage may be the reason for what was seen, so that another look can tell."""
    if seen.unreached:
        return True
    if not seen.failing:
        return False
    name, status = seen.verdict.cause, seen.walk.last.status
    gateway = status in _GATEWAY and seen.walk.last.url.scheme == "http"
    return name in _BLOCKS or name.startswith(_CUTS) or status == 403 or gateway


def conclude(country: str, seen: Look, here: Look | None, second: Look | None, *, well: bool | None) -> Look:
    """The look that counts, and what it means.

    `seen` is doubtful; `here` is the same check from outside of the country, `second` from another vantage in it; both
    are `None` where there is none or no time was left. `well` says whether the first vantage works for other hosts.

    1. Let in by the second vantage: the first one is to blame. When it was merely broken, the second one's word counts.
    2. Failing outside too: a plain failure, as seen in the country if the vantage got there, else as seen outside.
    3. Fine outside: a block, if the vantage is above suspicion; a gateway error that the host wrote stays one.
    4. Nobody outside can tell: as seen, if the vantage got an answer or the second one agrees; else nobody knows.
    """
    evidence = _evidence(here, second)
    lost = seen.unreached or (well is False and (_cut(seen) or _plain(seen)))
    if second and second.fine:
        if lost:
            return _with(second, evidence | {"vantage_down": f"{seen.vantage}: {_trouble(seen)}"})
        detail = f"{seen.host} refuses only {seen.vantage}; {second.vantage} is let in"
        return _unknown(seen, detail, evidence)
    if here and here.failing:
        return _with(here if lost else seen, evidence)
    if here and here.fine:
        return _only_there(country, seen, second, evidence, well=well)
    agreed = second is not None and (second.failing or second.unreached)
    if lost or (_cut(seen) and not agreed):
        return _in_doubt(seen, evidence, well=well)
    return _with(seen, evidence)


def _only_there(country: str, seen: Look, second: Look | None, evidence: dict[str, str], *, well: bool | None) -> Look:
    """Fine from outside: the country, the way to it, or the vantage?"""
    agreed = second is not None and not second.broken and (second.failing or second.unreached)
    doubted = seen.unreached or _cut(seen)
    suspect = seen.broken or (well is False and (doubted or _plain(seen)))
    if suspect or (doubted and not (well or agreed)):
        return _in_doubt(seen, evidence, well=well)
    if seen.walk.last.status in _GATEWAY and not seen.unreached:
        return _with(seen, evidence)
    answer = f"answers {seen.walk.last.status}" if seen.walk.last.status and not seen.unreached else "cannot be reached"
    what = "does not finish" if seen.walk.last.status and _cut(seen) else answer
    detail = f"{seen.host} {what} in {country}, and is fine from here"
    blocked = Verdict(State.FAILING, cause("geo.blocked"), detail, seen.verdict.at, seen.verdict.evidence)
    return _with(replace(seen, verdict=blocked), evidence | {"geo": country, "seen": seen.verdict.cause})


def without_vantage(country: str, seen: Look, *, a_link: bool, others: bool) -> Look:
    """What a look from here is worth for a country that no vantage stands in; `others` says that some stand elsewhere.

    What cannot depend on the country stays: a name that does not exist is dead everywhere. A site that is fine is fine
    where nobody configured any vantage, since its country may only name its audience. Everything else is `unknown`.
    """
    by_country = seen.verdict.cause in _BY_COUNTRY or seen.walk.last.status == 403
    if seen.failing and not by_country:
        return seen
    if seen.fine and not a_link and not others:
        return seen
    if seen.verdict.state is State.UNKNOWN:
        return seen
    told = {"from_here": seen.verdict.cause or "ok", "control": seen.words, "geo": country}
    return _unknown(seen, f"no vantage in {country}", told)


def blind(vantage: str, why: str, here: Look) -> Look:
    """What a look from here is worth while every vantage of the country is down."""
    reason = why.removeprefix(f"the vantage {vantage} ")
    told = {"vantage_down": f"{vantage}: {reason}", "control": here.words}
    if here.failing and here.verdict.cause not in _BY_COUNTRY and here.walk.last.status != 403:
        return _with(here, told)
    return _unknown(here, f"the vantage {vantage} is down: {reason}", told)


def _cut(look: Look) -> bool:
    return look.verdict.cause.startswith(_CUTS)


def _plain(look: Look) -> bool:
    """An error without TLS, which a proxy may have written in the host's place."""
    return look.walk.last.url.scheme == "http" and look.walk.last.status in FAILED


def _in_doubt(seen: Look, evidence: dict[str, str], *, well: bool | None) -> Look:
    """Nobody knows: the vantage is down, or its word stands alone. Either way it is on record which one that was."""
    told = evidence | {"vantage_down": f"{seen.vantage}: {_trouble(seen)}"}
    if seen.broken or well is False:
        return _unknown(seen, f"the vantage {seen.vantage} is down: {_trouble(seen)}", told)
    return _unknown(seen, f"only the vantage {seen.vantage} fails to reach {seen.host}", told)


def _trouble(seen: Look) -> str:
    if seen.walk.last.status == 407:
        return "asks for a login"
    if seen.broken:
        return seen.verdict.detail.removeprefix(f"the vantage {seen.vantage} ")
    answer = f" ({seen.walk.last.status})" if seen.walk.last.status else ""
    return f"hosts that answer elsewhere do not through it{answer}"


def _evidence(here: Look | None, second: Look | None) -> dict[str, str]:
    found = {}
    if here:
        found = {"control": here.words, "control_url": here.walk.last.url.text}
    return found | ({"second": second.words} if second else {})


def _with(look: Look, evidence: dict[str, str]) -> Look:
    verdict = look.verdict
    return replace(look, verdict=replace(verdict, evidence={**verdict.evidence, **evidence}))


def _unknown(look: Look, detail: str, evidence: dict[str, str]) -> Look:
    old = look.verdict
    kept = {**old.evidence, "seen": old.cause} if old.cause else dict(old.evidence)
    found = Verdict(State.UNKNOWN, cause("local.network"), detail, old.at, kept)
    return _with(replace(look, verdict=found), evidence)
