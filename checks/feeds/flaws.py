"""Damage of a payload that could be read all the same, as changes: what earlier payloads had too is no news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.feeds.change import Change, is_read
from checks.feeds.decode_csv import RAGGED
from checks.feeds.decode_json import DUPLICATE
from checks.feeds.formats import PLAIN_NUMBERS
from checks.feeds.kinds import BREAKING, KINDS, RISKY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.feeds.change import Uses
    from checks.feeds.contract import Contract, Profile
    from checks.feeds.payload import Flaw

UNREADABLE, STRANGE = "payload-unreadable", "value-unreadable"
HUGE, BEYOND = "number-out-of-range", "fields-beyond-limit"
MANY = 0.05
"""Share of rows of another width from which a table is broken rather than untidy, where nobody says what is read of it."""
SURE = 20
"""Figures from which a column of texts is one of figures."""
FORMAT = 0.05
"""Share of strange texts from which the format changed, which `fields` says."""
TIMES = 5.0
"""Times as many as before that make known damage news."""


def changes(contract: Contract, profile: Profile, uses: Uses | None = None) -> list[Change]:
    """New damage of a payload, and damage that is far more than before; of a first payload all is new.

    Where `uses` say what is read of it, texts in place of figures are known by those who read them, and stand among its
    flaws.
    """
    rows = sum(past.records for past in contract.profiles)
    found = [_change(flaw, rows, profile, uses) for flaw in profile.flaws if _news(flaw, contract, rows, profile)]
    return [*found, *_sizes(contract, profile, rows, uses), *(_strangers(contract, profile) if uses is None else ())]


def _news(flaw: Flaw, contract: Contract, rows: int, profile: Profile) -> bool:
    before = [old for past in contract.profiles for old in past.flaws if (old.kind, old.path) == (flaw.kind, flaw.path)]
    known = sum(old.n for old in before)
    return not known or flaw.n / max(profile.records, 1) > TIMES * known / max(rows, 1)


def _change(flaw: Flaw, rows: int, profile: Profile, uses: Uses | None) -> Change:
    times = f" ({flaw.n} times)" if flaw.n > 1 else ""
    return Change(flaw.kind, flaw.path, _severity(flaw, rows, profile, uses), "none", flaw.words + times, rows, flaw.n)


def _severity(flaw: Flaw, rows: int, profile: Profile, uses: Uses | None) -> str:
    """Rows of another width have their figures under the wrong names, where there is a usual width to be off from."""
    if flaw.kind == RAGGED and rows and (uses is not None or flaw.n > MANY * profile.records):
        return BREAKING
    if flaw.kind == DUPLICATE and flaw.path and not is_read(flaw.path, uses):
        return RISKY
    return KINDS[flaw.kind].severity


def _sizes(contract: Contract, profile: Profile, rows: int, uses: Uses | None) -> Iterable[Change]:
    known = {path for past in contract.profiles for path, seen in past.paths.items() if seen.huge}
    for path, here in profile.paths.items():
        if here.huge and path not in known:
            words = f"{here.huge} numbers beyond 1e300"
            severity = KINDS[HUGE].severity if is_read(path, uses) else RISKY
            yield Change(HUGE, path, severity, "none", words, rows, here.huge)
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
