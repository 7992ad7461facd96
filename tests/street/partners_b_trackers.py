"""The company's own trackers: Keitaro, Voluum, RedTrack."""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp

from tests.street.partner_ways import Json, api, exclusive, missing, page_of
from tests.street.partners import LOGIN, SECRET, Dialect, Row, Trap, days

SMALL = {"page_size": "2"}


def keitaro(trap: str) -> ASGIApp:
    """A report is built from a POST body; pages by offset; metrics nobody asked for are not there; counts may be texts."""

    def row(day: date, campaign: str, asked: Json) -> Json:
        figures = {
            "clicks": "120", "campaign_unique_clicks": 96, "leads": 9, "sales": 3, "conversions": 14, "revenue": "229.5",
            "lead_revenue": 0, "rejected_revenue": "76.5000",
        }  # fmt: skip
        if trap == "metric renamed":
            figures["total_revenue"] = figures.pop("revenue")
        groups = {"day": day.isoformat(), "campaign": campaign, "country_code": "DE"}
        return {name: groups[name] for name in asked["grouping"]} | {
            name: figure for name, figure in figures.items() if name in asked["metrics"] or name == "total_revenue"
        }

    async def build(request: Request) -> Response:
        if trap == "login page":
            return HTMLResponse(LOGIN)
        if request.headers.get("api-key") != SECRET:
            return JSONResponse({"error": "Wrong API key"}, 401)
        if trap == "edition":
            return JSONResponse({"error": "Admin API is not available in your edition"}, 402)
        asked = await request.json()
        if lacks := missing(asked, "range", "grouping", "metrics") or missing(asked["range"], "from", "to", "timezone"):
            return JSONResponse({"error": f"{lacks} is required"}, 406)
        found = [
            row(day, campaign, asked)
            for day in days(asked["range"]["from"], asked["range"]["to"])
            for campaign in ("Slots DE", "Bonus DE")
        ]
        if trap == "idle":
            found = []
        rows = page_of(found, 0 if trap == "stuck" else asked["offset"], asked["limit"])
        return JSONResponse({"rows": rows, "total": len(found), "meta": {"range": asked["range"]}})

    return api(**{"/admin_api/v1/report/build": build})


KEITARO_FIGURES = {
    "clicks": "120", "clicks_unique": "96", "leads": "9", "qftd_count": "3", "conversions": "14", "commission_total": "229.50",
    "commission_pending": "0", "commission_rejected": "76.50",
}  # fmt: skip
KEITARO = Dialect(
    "keitaro",
    keitaro,
    good=tuple(
        Row(KEITARO_FIGURES, {"campaign": name, "geo": "DE"}, currency="USD") for name in ("Slots DE", "Bonus DE")
    ),
    traps=(
        Trap("wrong key", "feed.auth", "401", secret="wrong"),
        Trap("login page", "feed.auth", "HTML page"),
        Trap("edition", "http.4xx", "402"),
        Trap("stuck", "feed.paging", "repeats", options=SMALL),
        Trap("pages", options=SMALL),
        Trap("metric renamed", "feed.contract", "revenue"),
        Trap("idle", rows=()),
    ),
)

VOLUUM_ID = "c0ffee-made-up"


def voluum(trap: str) -> ASGIApp:
    """A session token is asked for with an access key; the end is left out; the report says how many rows there are."""
    tokens: list[str] = []

    def refused(status: int, code: str, words: str) -> Response:
        return JSONResponse({"error": {"code": code, "description": words, "messages": []}}, status)

    async def session(request: Request) -> Response:
        asked = await request.json()
        if asked != {"accessId": VOLUUM_ID, "accessKey": SECRET}:
            return refused(401, "UNAUTHORIZED", "Invalid access key")
        if trap == "no token":
            return JSONResponse({"inaugural": False})
        tokens.append(f"session-token-{len(tokens) + 1}")
        return JSONResponse(
            {"token": tokens[-1], "expirationTimestamp": "2026-11-17T13:15:00.000Z", "inaugural": False}
        )

    async def report(request: Request) -> Response:
        query = request.query_params
        if request.headers.get("cwauth-token") not in tokens[-1:]:
            return refused(401, "UNAUTHORIZED", "Session expired")
        if trap == "too fast":
            return refused(429, "TOO_MANY_REQUESTS", "Too many requests")
        if trap == "error object":
            return refused(200, "REPORT_TIMEOUT", "The report could not be built")
        if lacks := missing(query, "from", "to", "tz", "groupBy", "conversionTimeMode"):
            return refused(400, "BAD_REQUEST", f"{lacks} is required")
        row = {
            "campaignName": "Slots DE", "visits": 120, "uniqueVisits": 96, "clicks": 80, "conversions": 6, "revenue": 459.0, "cost": 0.0,
        }  # fmt: skip
        asked = exclusive(query["from"], query["to"]) if trap != "idle" else []
        found = [{"day": day.isoformat(), **row} for day in asked]
        shown = page_of(found, int(query["offset"]), int(query["limit"]))
        total = 999 if trap == "cut" else len(found)
        return JSONResponse({"rows": shown, "totalRows": total, "totals": {"visits": 120 * len(found)}, "messages": []})

    return api(**{"/auth/access/session": session, "/report": report})


VOLUUM = Dialect(
    "voluum",
    voluum,
    good=(
        Row(
            {"clicks": "120", "clicks_unique": "96", "conversions": "6", "commission_total": "459.00"},
            {"campaign": "Slots DE"},
            currency="USD",
        ),
    ),
    secret=f"{VOLUUM_ID}:{SECRET}",
    traps=(
        Trap("wrong key", "feed.auth", "401", secret=f"{VOLUUM_ID}:wrong"),
        Trap("no token", "feed.auth", "token"),
        Trap("too fast", "feed.throttled", "429"),
        Trap("error object", "feed.contract", "could not be built"),
        Trap("pages", options=SMALL),
        Trap("idle", rows=()),
    ),
)


def redtrack(trap: str) -> ASGIApp:
    """A bare list, the key in the query, one page after the other until one is short."""

    async def report(request: Request) -> Response:
        query = request.query_params
        if query.get("api_key") != SECRET:
            return JSONResponse({"error": "invalid api key"}, 401 if trap != "refused with 200" else 200)
        if trap == "too fast":
            return JSONResponse({"error": "too many requests"}, 429)
        if lacks := missing(query, "group", "date_from", "date_to", "tz"):
            return JSONResponse({"error": f"{lacks} is required"}, 400)
        figures = {"clicks": 240, "unique_clicks": 190, "conversions": 6, "total_revenue": 459.0, "cost": 0}
        asked = [] if trap == "idle" else days(query["date_from"], query["date_to"])
        found = [{"date": day.isoformat(), **figures} for day in asked]
        size, page = int(query["per"]), int(query["page"])
        return JSONResponse(page_of(found, 0 if trap == "stuck" else size * (page - 1), size))

    return api(**{"/report": report})


REDTRACK = Dialect(
    "redtrack",
    redtrack,
    good=(
        Row(
            {"clicks": "240", "clicks_unique": "190", "conversions": "6", "commission_total": "459.00"}, currency="USD"
        ),
    ),
    traps=(
        Trap("wrong key", "feed.auth", "401", secret="wrong"),
        Trap("refused with 200", "feed.auth", "api key", secret="wrong"),
        Trap("too fast", "feed.throttled", "429"),
        Trap("pages", options=SMALL),
        Trap("exact pages", options={"page_size": "3"}),
        Trap("stuck", "feed.paging", "repeats", options=SMALL),
        Trap("idle", rows=()),
    ),
)

DIALECTS = (KEITARO, VOLUUM, REDTRACK)
