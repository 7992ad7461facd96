"""Impact: one record an action, each with a state that later moves."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta, timezone

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from tests.street.partner_ways import Json, api, missing, page_of
from tests.street.partners import SECRET, Dialect, Row, Trap, days

SID = "IRmade-up"
KARACHI = timezone(timedelta(hours=5))
STATES = ("APPROVED", "PENDING", "REVERSED", "PENDING")
HOURS = (0, 7, 19, 23)
"""When the actions of a day happen, UTC; the one at 19 is at midnight in Karachi."""
WORDS = {
    "denied": "Access Denied",
    "too many": "The number of records exceeds 10 times the page size; adjust PageSize or the dates",
}


def action(day: date, hour: int, state: str) -> Json:
    """Times are written in the account's zone; money is text; a reversed action pays nothing."""
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC).astimezone(KARACHI)
    return {
        "Id": f"1000.{day:%m%d}.{hour}", "CampaignName": "Saltwick Casino", "ActionTrackerName": "First Deposit", "State": state,
        "Payout": "0.00" if state == "REVERSED" else "76.50", "Amount": "100.00", "Currency": "EUR", "SubId1": "go-1",
        "EventDate": at.isoformat(), "ReferringDate": at.isoformat(), "LockingDate": (at + timedelta(days=45)).isoformat(),
    }  # fmt: skip


def actions(first: str, last: str, trap: str) -> list[Json]:
    if trap == "idle":
        return []
    states = (*STATES[:3], "REVERSED") if trap == "reversed" else STATES
    found = [action(day, hour, state) for day in days(first, last) for hour, state in zip(HOURS, states, strict=True)]
    if trap == "no states":
        return [{name: value for name, value in one.items() if name != "State"} for one in found]
    if trap == "state is null":
        return [one | {"State": None} for one in found]
    return found


def objection(first: str, last: str, trap: str) -> str:
    """What it has against a range; days without a time are silently lost on the real platform."""
    if not (first.endswith("T00:00:00Z") and last.endswith("T23:59:59Z")):
        return "Invalid date format, use ISO 8601 with a time and Z"
    if (span := len(days(first[:10], last[:10]))) > 45:
        return f"{span} days: the range may not exceed 45 days"
    return WORDS.get(trap, "")


def impact(trap: str) -> ASGIApp:
    """Counts of pages are texts; a page that grows while it is read shows its last record again on the next one."""
    good = "Basic " + base64.b64encode(f"{SID}:{SECRET}".encode()).decode()

    def refused(words: str, status: int = 200) -> Response:
        return JSONResponse({"Status": "ERROR", "Message": words}, status)

    async def listed(request: Request) -> Response:
        query = request.query_params
        if request.headers.get("authorization") != good:
            return refused("Authentication failed: the AccountSID or AuthToken is not valid", 401)
        if lacks := missing(query, "ActionDateStart", "ActionDateEnd"):
            return refused(f"{lacks} must be specified")
        first, last = query["ActionDateStart"], query["ActionDateEnd"]
        if words := objection(first, last, trap):
            return refused(words)
        found = actions(first[:10], last[:10], trap)
        size, page = int(query["PageSize"]), int(query.get("Page", "1"))
        pages = max(1, -(-len(found) // size))
        slipped = 1 if trap == "pages slip" and page > 1 else 0
        shown = page_of(found, size * (page - 1) - slipped, size + slipped)
        told = {"@page": str(page), "@numpages": str(pages), "@pagesize": str(size), "@total": str(len(found))}
        return JSONResponse({**told, "Actions": shown})

    return api(**{f"/Mediapartners/{SID}/Actions.json": listed})


def _row(state: str) -> Row:
    paid = "0" if state == "REVERSED" else "76.50"
    figures = {
        "conversions": "0" if state == "REVERSED" else "1", "commission_total": paid,
        "commission_pending": "76.50" if state == "PENDING" else "0", "commission_rejected": "0",
    }  # fmt: skip
    return Row(figures, {"offer": "Saltwick Casino", "event": "First Deposit", "tracker": "go-1"})


_DIMS = {"offer": "Saltwick Casino", "event": "First Deposit", "tracker": "go-1"}
_UNKNOWN = dict.fromkeys(("conversions", "commission_total", "commission_pending", "commission_rejected"))
IMPACT = Dialect(
    "impact",
    impact,
    good=tuple(_row(state) for state in STATES),
    secret=f"{SID}:{SECRET}",
    account=SID,
    traps=(
        Trap("wrong key", "feed.auth", "401", secret=f"{SID}:wrong"),
        Trap("denied", "feed.auth", "Access Denied"),
        Trap("reversed", rows=tuple(_row(state) for state in (*STATES[:3], "REVERSED"))),
        Trap("pages", options={"page_size": "5"}),
        Trap("pages slip", options={"page_size": "5"}),
        Trap("three months", days=90),
        Trap("too many", "feed.paging", "page size"),
        Trap("no states", "feed.contract", "is gone"),
        Trap("state is null", rows=tuple(Row(_UNKNOWN, _DIMS) for _ in STATES)),
        Trap("idle", rows=()),
    ),
)

DIALECTS = (IMPACT,)
