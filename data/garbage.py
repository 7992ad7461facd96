"""The garbage collector, kept from walking over a hundred thousand records that have no cycles."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected(*, keep: bool = False) -> Iterator[None]:
    """No collection while much is made and little dropped; `keep`: what there is then is never walked over again.

    A full collection stops every thread for as long as it takes to look at everything that there is.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        if keep:
            gc.freeze()
    finally:
        if was_on:
            gc.enable()
