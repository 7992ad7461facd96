"""Damage of a payload that could be read all the same, as changes: what earlier payloads had too is no news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.feeds.change import Change
from checks.feeds.decode_csv import RAGGED
from checks.feeds.formats import PLAIN_NUMBERS
from checks.feeds.kinds import BREAKING, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from checks.feeds.contract import Contract, Profile
    from checks.feeds.payload import Flaw, Flaws

UNREADABLE, STRANGE = "payload-unreadable", "value-unreadable"
HUGE, BEYOND = "number-out-of-range", "fields-beyond-limit"
MANY = 0.05
"""Share of rows of another width from which a table is broken rather than untidy."""
SURE = 20
"""Figures from which a column of texts is one of figures."""
FORMAT = 0.05
"""Share of strange texts from which the format changed, which `fields` says."""
TIMES = 5.0
"""Times as many as before that make known damage news."""


def changes(before: Sequence[Flaws], contract: Contract, now: Flaws, profile: Profile) -> list[Change]:
    """New damage, and damage that is far more than before; `before` are the flaws of the contract's payloads."""
    rows = sum(past.records for past in contract.profiles)
    found = [_change(flaw, rows, profile) for flaw in now if _news(flaw, before, rows, profile.records)]
    return [*found, *_sizes(contract, profile, rows), *_strangers(contract, profile)]


def _news(flaw: Flaw, before: Iterable[Flaws], rows: int, records: int) -> bool:
    known = sum(past.found[flaw.kind, flaw.path].n for past in before if (flaw.kind, flaw.path) in past.found)
    return not known or flaw.n / max(records, 1) > TIMES * known / max(rows, 1)


def _change(flaw: Flaw, rows: int, profile: Profile) -> Change:
    broken = flaw.kind == RAGGED and flaw.n > MANY * profile.records
    times = f" ({flaw.n} times)" if flaw.n > 1 else ""
    severity = BREAKING if broken else KINDS[flaw.kind].severity
    return Change(flaw.kind, flaw.path, severity, "none", flaw.words + times, rows, flaw.n)


def _sizes(contract: Contract, profile: Profile, rows: int) -> Iterable[Change]:
    known = {path for past in contract.profiles for path, seen in past.paths.items() if seen.huge}
    for path, here in profile.paths.items():
        if here.huge and path not in known:
            words = f"{here.huge} numbers beyond 1e300"
            yield Change(HUGE, path, KINDS[HUGE].severity, "none", words, rows, here.huge)
    if profile.beyond and not any(past.beyond for past in contract.profiles):
        words = f"{profile.beyond} values not compared"
        yield Change(BEYOND, "", KINDS[BEYOND].severity, "none", words, rows, profile.beyond)


def _strangers(contract: Contract, profile: Profile) -> Iterable[Change]:
    """Texts that are no figures, too few to be another format, where every text ever seen was one."""
    for path, history in contract.paths().items():
        here = profile.paths.get(path)
        texts = sum(sum(past.formats.values()) for past in history)
        plain = all(past.formats.keys() <= PLAIN_NUMBERS for past in history)
        if here is None or not plain or texts < SURE:
            continue
        strange = sum(count for name, count in here.formats.items() if name not in PLAIN_NUMBERS)
        if 0 < strange < FORMAT * sum(here.formats.values()):
            words = f"{strange} of {here.n} values are no figures"
            yield Change(STRANGE, path, KINDS[STRANGE].severity, "figures", words, texts, strange)


def unreadable(words: str) -> Change:
    """What stands for a payload of which nothing can be compared."""
    return Change(UNREADABLE, "", KINDS[UNREADABLE].severity, "a report", words, 0, 0)
