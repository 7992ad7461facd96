"""Networks that pay for conversions: Everflow, TUNE, CAKE."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from tests.street.partner_ways import Json, api, exclusive, missing, page_of
from tests.street.partners import ACCOUNT, SECRET, Dialect, Row, Trap, days

EVERFLOW_ZONES = {67: "UTC", 80: "America/New_York"}


def everflow(trap: str) -> ASGIApp:
    """Bucket edges move with `timezone_id`; the bucket itself is named by an epoch second."""

    def refused(status: int, words: str, **headers: str) -> Response:
        return JSONResponse({"Error": words}, status, headers)

    def row(day: date, zone: str, sub: str) -> Json:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone) if trap == "local midnight" else UTC)
        reporting = {
            "imp": 0, "total_click": 120, "unique_click": 96, "invalid_click": 3, "duplicate_click": 21, "cv": 3, "event": 11,
            "cvr": 2.5, "rpc": 0.91, "revenue": 229.5, "on_hold_conversion_count": 1, "on_hold_potential_revenue": 76.5,
        }  # fmt: skip
        if trap == "no revenue":
            del reporting["revenue"]
        columns = [
            {"column_type": "date", "id": str(int(midnight.timestamp()))},
            {"column_type": "offer", "id": "81", "label": "Saltwick Casino"},
            {"column_type": "sub1", "id": sub, "label": sub},
        ]
        return {"columns": columns, "reporting": reporting}

    async def table(request: Request) -> Response:
        if request.headers.get("x-eflow-api-key") != SECRET:
            return refused(401, "Unauthorized")
        if trap == "too fast":
            return refused(429, "Rate limit exceeded", **{"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0"})
        asked = await request.json()
        if lacks := missing(asked, "from", "to", "timezone_id", "currency_id", "columns"):
            return refused(400, f"{lacks} is required")
        if not (zone := EVERFLOW_ZONES.get(asked["timezone_id"])):
            return refused(400, "invalid timezone_id")
        rows = [row(day, zone, sub) for day in days(asked["from"], asked["to"]) for sub in ("go-1", "")]
        if trap == "idle":
            rows = []
        return JSONResponse({"table": rows, "incomplete_results": trap == "10,000 rows"})

    return api(**{"/v1/affiliates/reporting/entity/table": table})


def _everflow_body(zone_id: int) -> str:
    columns = [{"column": "date"}, {"column": "offer"}, {"column": "sub1"}]
    return json.dumps(
        {"from": "{from}", "to": "{to}", "timezone_id": zone_id, "currency_id": "{currency}", "columns": columns}
    )


EVERFLOW_FIGURES = {
    "impressions": "0", "clicks": "120", "clicks_unique": "96", "qftd_count": "3", "commission_total": "229.50",
    "commission_pending": "76.50",
}  # fmt: skip
EVERFLOW = Dialect(
    "everflow",
    everflow,
    good=tuple(
        Row(EVERFLOW_FIGURES, {"offer": "Saltwick Casino", "tracker": sub}, currency="USD") for sub in ("go-1", "")
    ),
    traps=(
        Trap("wrong key", "feed.auth", "401", secret="wrong"),
        Trap("too fast", "feed.throttled", "429"),
        Trap("10,000 rows", "feed.paging", "10,000 rows"),
        Trap("wrong zone", "http.4xx", "400", options={"body": _everflow_body(999)}),
        Trap("local midnight", options={"body": _everflow_body(80), "timezone": "America/New_York"}),
        Trap("UTC midnight in New York", options={"body": _everflow_body(80), "timezone": "America/New_York"}),
        Trap("idle", rows=()),
        Trap("no revenue", "feed.contract", "revenue"),
    ),
)


def tune(trap: str) -> ASGIApp:
    """Status 200 whatever happens; figures are texts; a page too far repeats the last one."""

    def refused(words: str) -> Response:
        body = {
            "status": -1,
            "httpStatus": 200,
            "data": "",
            "errors": [{"publicMessage": words}],
            "errorMessage": words,
        }
        return JSONResponse({"request": {}, "response": body})

    def row(day: date, sub: str) -> Json:
        stat = {
            "date": day.isoformat(), "affiliate_info1": sub, "impressions": "0", "clicks": "120", "conversions": "3",
            "payout": "229.50000", "sale_amount": "300.25000",
        }  # fmt: skip
        if trap == "no figures":
            stat = {name: value for name, value in stat.items() if name in {"date", "affiliate_info1"}}
        return {"Stat": stat, "Offer": {"name": "Saltwick Casino"}}

    async def stats(request: Request) -> Response:
        query = request.query_params
        if query.get("api_key") != SECRET:
            return refused("API key is invalid.")
        refusals = {
            "not enabled": "The Affiliate API is not enabled for this network.",
            "too fast": "API usage exceeded rate limit.  Configured: 50/10s window; Your usage: 51.",
            "no such field": "Field Stat.click does not exist.",
        }
        if trap in refusals:
            return refused(refusals[trap])
        if lacks := missing(query, "Target", "Method", "fields[]", "filters[Stat.date][conditional]"):
            return refused(f"Missing required argument: {lacks}")
        first, last = query.getlist("filters[Stat.date][values][]")
        rows = [] if trap == "idle" else [row(day, sub) for day in days(first, last) for sub in ("go-1", "")]
        size, page = int(query["limit"]), int(query["page"])
        count = -(-len(rows) // size)
        if trap == "second page fails" and page == 2:
            return refused("Internal error.")
        shown = page_of(rows, 0 if trap == "stuck" else size * (min(page, count) - 1), size)
        data = {"page": page, "current": size, "count": len(rows), "pageCount": count, "data": shown}
        return JSONResponse({"request": {}, "response": {"status": 1, "httpStatus": 200, "data": data, "errors": []}})

    return api(**{"/Apiv3/json": stats})


TUNE_FIGURES = {
    "impressions": "0", "clicks": "120", "qftd_count": "3", "deposit_amount": "300.25", "commission_total": "229.50",
}  # fmt: skip
SMALL = {"page_size": "2"}
TUNE = Dialect(
    "tune",
    tune,
    good=tuple(Row(TUNE_FIGURES, {"offer": "Saltwick Casino", "tracker": sub}, currency="USD") for sub in ("go-1", "")),
    traps=(
        Trap("wrong key", "feed.auth", "API key", secret="wrong"),
        Trap("not enabled", "feed.auth", "not enabled"),
        Trap("too fast", "feed.throttled", "rate limit"),
        Trap("no such field", "feed.contract", "does not exist"),
        Trap("pages", options=SMALL),
        Trap("stuck", "feed.paging", "repeats", options=SMALL),
        Trap("second page fails", "feed.contract", "Internal error", options=SMALL),
        Trap("no figures", "feed.contract", "payout"),
        Trap("idle", rows=()),
    ),
)


def cake(trap: str) -> ASGIApp:
    """The end date is left out, a window is about a month, rows are counted from 1 and a good status may be a refusal."""

    def row(day: date) -> Json:
        return {
            "date": f"{day}T00:00:00", "views": 0, "clicks": 240, "conversions": 6, "conversion_percent": 2.5,
            "revenue": 459.0, "epc": 1.91,
        }  # fmt: skip

    def refused(words: str) -> Response:
        return JSONResponse({"success": False, "message": words, "row_count": 0, "data": []})

    async def daily(request: Request) -> Response:
        query = request.query_params
        if lacks := missing(query, "api_key", "affiliate_id", "start_date", "end_date"):
            return JSONResponse({"Message": "The request is invalid.", "ModelState": {lacks: ["is required"]}}, 400)
        if query["api_key"] != SECRET or query["affiliate_id"] != ACCOUNT:
            return refused("Invalid API Key or Affiliate ID")
        asked = exclusive(query["start_date"], query["end_date"])
        if not asked or len(asked) > 29:
            return refused("Date range may not exceed 29 days")
        if trap == "end is included":
            asked = days(query["start_date"][:10], query["end_date"][:10])
        if trap == "xml":
            return Response(
                "<daily_summary_response><success>true</success></daily_summary_response>", media_type="text/xml"
            )
        rows = [] if trap == "idle" else [row(day) for day in asked]
        shown = page_of(rows, int(query["start_at_row"]) - 1, int(query["row_limit"]))
        return JSONResponse({"success": True, "row_count": len(rows), "data": shown})

    return api(**{"/affiliates/api/Reports/DailySummary": daily})


CAKE = Dialect(
    "cake",
    cake,
    good=(Row({"impressions": "0", "clicks": "240", "qftd_count": "6", "commission_total": "459.00"}, currency="USD"),),
    traps=(
        Trap("wrong key", "feed.auth", "Invalid API Key", secret="wrong"),
        Trap("two months", days=60),
        Trap("end is included", days=60),
        Trap("pages", options=SMALL),
        Trap("xml", "feed.contract", "JSON"),
        Trap("idle", rows=()),
    ),
)

DIALECTS = (EVERFLOW, TUNE, CAKE)
