from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.ids import IncidentId, TargetId
from data.model.verdict import SAID, verdict_named
from data.store.query import records, rows, within_any
from data.store.table import aware
from data.store.tables import INCIDENT

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from data.model.incident import Incident
    from data.model.principal import Scope
    from data.model.verdict import Verdict
    from data.store.store import Store

_WHERE = {"open": "state <> 'closed'", "closed": "state = 'closed'", "all": "true"}
_NEWEST = "ORDER BY detected_at DESC, id DESC"


def open_incidents(store: Store, scope: Scope) -> list[Incident]:
    return records(store, INCIDENT, within_any(scope), _WHERE["open"], tail=_NEWEST)


def get(store: Store, scope: Scope, number: IncidentId) -> Incident | None:
    found = records(store, INCIDENT, within_any(scope), "id = ?", [number])
    return found[0] if found else None


def closed_failing(store: Store, scope: Scope, limit: int = 500) -> list[Incident]:
    """Closed ones with members that still fail: a person closed them; the newest."""
    where = "state = 'closed' AND open_members > 0"
    return records(store, INCIDENT, within_any(scope), where, [limit], f"{_NEWEST} LIMIT ?")


def known(store: Store, scope: Scope, numbers: Collection[IncidentId]) -> set[IncidentId]:
    """Those of `numbers` that are in scope."""
    if not numbers:
        return set()
    mine, teams = within_any(scope)
    found = rows(store, f"SELECT id FROM incident WHERE {mine} AND id = ANY(?)", [*teams, sorted(numbers)])
    return {IncidentId(number) for (number,) in found}


def page(
    store: Store, scope: Scope, *, state: str = "open", offset: int = 0, limit: int = 200
) -> tuple[int, list[Incident]]:
    """How many there are of `state` (`open`, `closed`, `all`), and a window of them, newest first."""
    mine, teams = within_any(scope)
    ((total,),) = rows(store, f"SELECT count(*) FROM incident WHERE {mine} AND {_WHERE[state]}", teams)
    tail = f"{_NEWEST} LIMIT ? OFFSET ?"
    return total, records(store, INCIDENT, (mine, teams), _WHERE[state], [limit, offset], tail)


def of_target(store: Store, scope: Scope, target: TargetId, limit: int = 20) -> list[Incident]:
    """Those the target ever belonged to, newest first."""
    where = "id IN (SELECT incident FROM finding WHERE target = ?)"
    return records(store, INCIDENT, within_any(scope), where, [target, limit], f"{_NEWEST} LIMIT ?")


def between(store: Store, scope: Scope, since: datetime, until: datetime) -> list[Incident]:
    """Those detected in [since, until), newest first."""
    where = "detected_at >= ? AND detected_at < ?"
    return records(store, INCIDENT, within_any(scope), where, [since, until], _NEWEST)


def around(store: Store, scope: Scope, moment: datetime, back: timedelta) -> list[Incident]:
    """Those detected by `moment` that were open then, or ended in the time before it; reopened ones are among them."""
    where = "detected_at <= ? AND (closed_at IS NULL OR closed_at >= ?)"
    return records(store, INCIDENT, within_any(scope), where, [moment, moment - back], _NEWEST)


def partners(store: Store, scope: Scope, since: datetime, until: datetime) -> dict[IncidentId, str]:
    """The partner that most targets of an incident belong to, of incidents detected in [since, until)."""
    mine, teams = within_any(scope)
    sql = f"""
        SELECT incident, partner FROM (
            SELECT incident, fingerprint::JSON ->> 'partner' AS partner, count(DISTINCT target) AS n FROM finding
            WHERE incident IN (SELECT id FROM incident WHERE {mine} AND detected_at >= ? AND detected_at < ?)
            GROUP BY ALL HAVING partner <> ''
        ) QUALIFY row_number() OVER (PARTITION BY incident ORDER BY n DESC, partner) = 1
    """
    return {IncidentId(number): partner for number, partner in rows(store, sql, [*teams, since, until])}


def reopened(store: Store, scope: Scope, since: datetime, until: datetime) -> dict[IncidentId, int]:
    """How often incidents detected in [since, until) were opened again."""
    mine, teams = within_any(scope)
    sql = f"""
        SELECT incident, count(*) FROM timeline WHERE starts_with(what, 'reopened') AND incident IN
        (SELECT id FROM incident WHERE {mine} AND detected_at >= ? AND detected_at < ?) GROUP BY incident
    """
    return {IncidentId(number): count for number, count in rows(store, sql, [*teams, since, until])}


def verdicts(store: Store, scope: Scope, since: datetime, until: datetime) -> dict[IncidentId, Verdict]:
    """The last word of people on each incident detected in [since, until) of which they said any."""
    mine, teams = within_any(scope)
    sql = f"""
        SELECT incident, arg_max(what, ("at", rowid)) FROM timeline WHERE starts_with(what, ?) AND incident IN
        (SELECT id FROM incident WHERE {mine} AND detected_at >= ? AND detected_at < ?) GROUP BY incident
    """
    found = rows(store, sql, [SAID, *teams, since, until])
    return {IncidentId(number): one for number, what in found if (one := verdict_named(what.removeprefix(SAID)))}


def verdicts_of_slices(store: Store, scope: Scope, since: datetime) -> list[tuple[TargetId, datetime, Verdict]]:
    """Of slices' findings confirmed from `since` on: the slice, when it was confirmed, and the last word on its incident."""
    mine, teams = within_any(scope)
    sql = f"""
        SELECT target, detected_at, word FROM finding JOIN (
            SELECT incident, arg_max(what, ("at", rowid)) AS word FROM timeline WHERE starts_with(what, ?) AND incident IN
            (SELECT id FROM incident WHERE {mine}) GROUP BY incident
        ) USING (incident) WHERE kind = 'slice' AND detected_at >= ? ORDER BY detected_at, target
    """
    found = rows(store, sql, [SAID, *teams, since])
    return [
        (TargetId(target), aware(at), one)
        for target, at, what in found
        if (one := verdict_named(what.removeprefix(SAID)))
    ]


def last_id(store: Store) -> IncidentId:
    """The highest number given so far; 0 before the first."""
    ((number,),) = rows(store, "SELECT coalesce(max(id), 0) FROM incident")
    return IncidentId(number)
