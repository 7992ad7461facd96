"""Partners by name, in the forms in which names come: whoever may not read them reads ids instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from data.config.settings import Partner

_COMMON = frozenset({
    "affiliate", "affiliates", "betting", "bingo", "brand", "brands", "casino", "casinos", "gaming", "games", "group", "limited",
    "lotto", "network", "online", "partner", "partners", "poker", "program", "royal", "slots", "spins", "sport", "sports",
})  # fmt: skip
"""Words that name nobody."""
_TELLING = 5
"""Letters from which a word of a name gives it away."""


def hidden_names(partners: Iterable[Partner]) -> tuple[tuple[str, str], ...]:
    """(form of a name, id) for `Scope.hidden_names`, the longest first.

    `Torvane Bet` is also `torvanebet`, `torvane-bet` and, in hosts and names of feeds, `torvane`: its first word that
    names somebody.
    """
    forms = {form.casefold(): (form, one.id) for one in partners for form in reversed(list(_forms(one.name)))}
    return tuple(sorted(forms.values(), key=lambda pair: (-len(pair[0]), pair)))


def _forms(name: str) -> Iterator[str]:
    yield name
    words = re.findall(r"\w+", name)
    if len(words) > 1:
        yield from (sign.join(words) for sign in ("", "-", "_", "."))
        yield from [word for word in words if len(word) >= _TELLING and word.casefold() not in _COMMON][:1]
