"""`[[checklists]]`: what is to be done about a cause, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.config.plans import cause_fault
from data.config.settings import Checklist

if TYPE_CHECKING:
    from data.config.table import Table

_MOST, _LONGEST = 50, 200


def checklists(top: Table) -> tuple[Checklist, ...]:
    made = []
    for table in top.tables("checklists"):
        causes, items = table.texts("causes", cause_fault), table.texts("items", _item_fault)
        for key, given in (("causes", causes), ("items", items)):
            if not given:
                table.wrong(key, "is empty")
        if len(items) > _MOST:
            table.wrong("items", "are too many to be done", value=len(items), allowed=f"{_MOST} at most")
        made.append(Checklist(causes, items))
        table.done()
    return tuple(made)


def _item_fault(text: str) -> str:
    if not text.strip():
        return "holds an empty item"
    return "holds an item that is too long" if len(text) > _LONGEST else ""
