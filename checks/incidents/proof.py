"""What speaks for an upstream and against it, in words."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Final

from checks.incidents.labels import base, read_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.incidents.labels import Label
    from checks.incidents.upstream import Explanation, Judged

_MOST: Final = 0.9
"""Fewer than this share is a partial outage."""
_PARTLY: Final = "partly"
KINDS: Final[Mapping[str, str]] = {
    "edge": "edge provider",
    "edge+pop": "edge location",
    "edge+geo": "edge provider in one country",
    "ns": "name servers",
    "registrar": "registrar",
    "certificate": "certificate",
    "issuer": "certificate authority",
    "ip": "address",
    "network": "network",
    "vantage": "vantage of ours",
    "host": "host",
    "partner": "partner",
    "partner+geo": "partner in one country",
    "partner+offer": "offer",
}


def kind_words(labels: Sequence[Label]) -> str:
    """`edge provider`; a rule's label that is none of ours stands for itself."""
    name = base(labels[0])[0] if len(labels) > 1 else labels[0][0]
    return KINDS.get(name, name)


def reason(labels: Sequence[Label]) -> str:
    """`they share the edge provider Halyard Edge`."""
    return f"they share the {kind_words(labels)} {read_all(labels)}"


def evidence(one: Explanation, members: Judged) -> dict[str, str]:
    """What speaks for an upstream and against its rivals: what fails, what does not, and how it is elsewhere.

    `members` is how its members fare since the incident began, which may be before the start that explains best.
    """
    failing, seen = one.elsewhere
    told = _told_now(members) | {"elsewhere": f"{failing:,} of {seen:,} others fail", "odds": odds(one.judged.score)}
    if one.rivals:
        told["rivals"] = "; ".join(
            f"{kind_words(rival.labels)} {read_all(rival.labels)}: {counted(rival)}" for rival in one.rivals
        )
    return told


def odds(nats: float) -> str:
    """How much likelier than chance, `40,000 to 1 against chance`; beyond a million nobody counts."""
    if nats >= log(1e6):
        return "over a million to 1 against chance"
    times = exp(max(nats, 0.0))
    return f"{round(times, 1 - len(str(int(times)))):,.0f} to 1 against chance"


def renewed(evidence: Mapping[str, str], members: Judged) -> dict[str, str]:
    """The evidence with how the members fare now."""
    return {name: words for name, words in evidence.items() if name != _PARTLY} | _told_now(members)


def _told_now(judged: Judged) -> dict[str, str]:
    told = {
        "fails": f"{judged.failed:,} of {judged.failed + judged.fine:,} looked at since {judged.began:%H:%M:%SZ} fail",
        "fine": _fine(judged.fine) if judged.fine else "none is fine",
    }
    return told | ({_PARTLY: f"{judged.share:.0%} of it"} if judged.share < _MOST else {})


def counted(judged: Judged) -> str:
    return f"{judged.failed:,} fail, {_fine(judged.fine)}"


def _fine(count: int) -> str:
    return f"{count:,} {'is' if count == 1 else 'are'} fine"
