"""Platforms with a host of their own for each operator: Scaleo, Alanbase, ReferOn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from tests.street.partner_ways import Json, api, missing, page_of
from tests.street.partners import LOGIN, SECRET, Dialect, Row, Trap, days

SMALL = {"page_size": "2"}


def scaleo(trap: str) -> ASGIApp:
    """The status is in the body, the number of pages in a header, a day is an epoch second, figures are texts."""

    def wrapped(info: Json, **headers: str) -> Response:
        body = {"status": 1, "code": 200, "name": "OK", "message": "", "info": info}
        return JSONResponse(body, headers=headers)

    def refused(code: int, name: str, words: str, status: int = 200) -> Response:
        return JSONResponse({"status": 0, "code": code, "name": name, "message": words}, status)

    def row(day: date) -> Json:
        figures = {
            "impressions": "0", "clicks": "240", "unique_clicks": "190", "cv_total": "9", "cv_approved": "6", "approved_payout": "459.00",
            "pending_payout": "153.00", "rejected_payout": "76.50",
        }  # fmt: skip
        if trap == "column gone":
            del figures["approved_payout"]
        return {"day_timestamp": int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()), **figures}

    async def statistics(request: Request) -> Response:
        query = request.query_params
        if query.get("api-key") != SECRET:
            return refused(401, "Unauthorized", "Your request was made with invalid credentials.", 401)
        if trap == "refused with 200":
            return refused(403, "Forbidden", "You are not allowed to perform this action.")
        if trap == "failed with 200":
            return refused(500, "Error", "Report is being prepared.")
        asked = await request.json()
        if lacks := missing(asked, "rangeFrom", "rangeTo", "breakdown", "columns"):
            return refused(422, "Unprocessable entity", f"{lacks} cannot be blank.", 422)
        found = [] if trap == "idle" else [row(day) for day in days(asked["rangeFrom"], asked["rangeTo"])]
        size, page = int(query["perPage"]), int(query["page"])
        pages = max(1, -(-len(found) // size))
        shown = page_of(found, size * (min(page, pages) - 1), size)
        rows: object = shown if trap == "flat" else {"rows": shown, "totals": {"clicks": str(240 * len(found))}}
        return wrapped({"timezone": "UTC", "rows": rows}, **{"X-Pagination-Page-Count": str(pages)})

    return api(**{"/api/v2/affiliate/reports/statistics": statistics})


SCALEO = Dialect(
    "scaleo",
    scaleo,
    good=(
        Row(
            {
                "impressions": "0", "clicks": "240", "clicks_unique": "190", "conversions": "9", "qftd_count": "6",
                "commission_total": "612.00", "commission_pending": "153.00", "commission_rejected": "76.50",
            },
            currency="USD",
        ),
    ),
    traps=(
        Trap("wrong key", "feed.auth", "401", secret="wrong"),
        Trap("refused with 200", "feed.auth", "not allowed"),
        Trap("failed with 200", "feed.contract", "status"),
        Trap("column gone", "feed.contract", "approved_payout"),
        Trap("flat", options={"rows": "info.rows"}),
        Trap("pages", options=SMALL),
        Trap("full pages", options={"page_size": "3"}),
        Trap("idle", rows=()),
    ),
)  # fmt: skip

ZONE_HOURS = {"UTC": 0, "Europe/Moscow": 3}


def alanbase(trap: str) -> ASGIApp:
    """Time zone and currency are asked for; a parameter that lacks is an error; the report is by hour."""

    def refused(status: int, words: str) -> Response:
        return JSONResponse({"message": words, "errors": {}}, status)

    def row(hour: datetime) -> Json:
        conversions = {
            "total": {"count": 9, "payout": "229.50"}, "confirmed": {"count": 3, "payout": "153.00"},
            "pending": {"count": 1, "payout": "76.50"}, "rejected": {"count": 0, "payout": "0.00"},
        }  # fmt: skip
        if trap == "clicks renamed":
            return {"group_fields": [{"label": f"{hour:%Y-%m-%d %H:%M}"}], "clicks": 10, "conversions": conversions}
        return {
            "group_fields": [{"key": "hour", "label": f"{hour:%Y-%m-%d %H:%M}"}], "click_count": 10, "click_unique_count": 8,
            "conversions": conversions,
        }  # fmt: skip

    async def common(request: Request) -> Response:
        query = request.query_params
        if request.headers.get("api-key") != SECRET:
            return refused(401, "Unauthenticated.")
        if trap == "too fast":
            return refused(429, "Too Many Attempts.")
        if lacks := missing(query, "group_by", "timezone", "date_from", "date_to", "currency_code"):
            return refused(422, f"The {lacks} field is required.")
        if query["timezone"] not in ZONE_HOURS:
            return refused(422, "The timezone is invalid.")
        first, last = (datetime.fromisoformat(query[name]) for name in ("date_from", "date_to"))
        events = [datetime.combine(day, datetime.min.time(), UTC) for day in days("2026-11-10", "2026-11-17")]
        zone = timedelta(hours=ZONE_HOURS[query["timezone"]])
        local = [event.replace(tzinfo=None) + timedelta(hours=at) + zone for event in events for at in (1, 22)]
        found = [] if trap == "idle" else [row(hour) for hour in local if first <= hour <= last]
        size, page = int(query["per_page"]), int(query["page"])
        meta = {"page": page, "per_page": size, "total_count": len(found)}
        return JSONResponse({"data": page_of(found, size * (page - 1), size), "meta": meta})

    return api(**{"/v1/partner/statistic/common": common})


ALANBASE_FIGURES = {
    "clicks": "10", "clicks_unique": "8", "conversions": "9", "commission_total": "153.00", "commission_pending": "76.50",
    "commission_rejected": "0",
}  # fmt: skip
ALANBASE = Dialect(
    "alanbase",
    alanbase,
    good=tuple(Row(ALANBASE_FIGURES, {"hour": hour}, currency="USD") for hour in ("01", "22")),
    traps=(
        Trap("wrong key", "feed.auth", "401", secret="wrong"),
        Trap("too fast", "feed.throttled", "429"),
        Trap("wrong zone", "http.4xx", "422", options={"timezone": "Asia/Tokyo"}),
        Trap(
            "Moscow",
            rows=tuple(Row(ALANBASE_FIGURES, {"hour": hour}, currency="USD") for hour in ("01", "04")),
            options={"timezone": "Europe/Moscow"},
        ),
        Trap("clicks renamed", "feed.contract", "click_count"),
        Trap("pages", options=SMALL),
        Trap("idle", rows=()),
    ),
)


def alanbase_conversions(trap: str) -> ASGIApp:
    """A log of conversions: what one is stands in `goal.key`; the page after the last one is empty."""

    def event(day: date, number: int, goal: str, status: str, payout: str) -> Json:
        return {
            "conversion_id": f"{day:%m%d}-{number}", "goal": {"key": goal, "name": goal.title()}, "status": status, "payout": payout,
            "sub_id_1": "go-1", "conversion_date": f"{day} {number:02}:15:00",
        }  # fmt: skip

    def events(day: date) -> list[Json]:
        found = [
            event(day, 1, "registration", "confirmed", "0"), event(day, 2, "ftd", "confirmed", "76.50"),
            event(day, 3, "ftd", "pending", "76.50"), event(day, 4, "rdeposit", "rejected", "0"),
        ]  # fmt: skip
        if trap == "goals renamed":
            return [
                {name: value for name, value in one.items() if name != "goal"} | {"goal_key": "ftd"} for one in found
            ]
        return found

    async def conversions(request: Request) -> Response:
        query = request.query_params
        if request.headers.get("api-key") != SECRET:
            return JSONResponse({"message": "Unauthenticated."}, 401)
        if lacks := missing(query, "timezone", "date_from", "date_to", "goal_keys[]", "page", "per_page"):
            return JSONResponse({"message": f"The {lacks} field is required."}, 422)
        asked = [] if trap == "idle" else days(query["date_from"][:10], query["date_to"][:10])
        found = [
            one
            for day in asked
            for one in events(day)
            if one.get("goal", {}).get("key") in {None, *query.getlist("goal_keys[]")}
        ]
        size, page = int(query["per_page"]), int(query["page"])
        if trap == "second page fails" and page == 2:
            return JSONResponse({"message": "Server Error"}, 500)
        shown = page_of(found, 0 if trap == "stuck" else size * (page - 1), size)
        return JSONResponse({"data": shown, "meta": {"page": page, "per_page": size}})

    return api(**{"/v1/partner/statistic/conversions": conversions})


def _event(goal: str, status: str, payout: str) -> Row:
    counts = {
        "registrations": str(int(goal == "registration")), "ftd_count": str(int(goal == "ftd")),
        "qftd_count": str(int(goal == "ftd" and status == "confirmed")), "deposit_count": str(int(goal in {"ftd", "rdeposit"})),
    }  # fmt: skip
    money = {
        f"commission_{kind}": payout if status == wanted else "0"
        for kind, wanted in (("total", "confirmed"), ("pending", "pending"), ("rejected", "rejected"))
    }
    return Row(counts | money, {"tracker": "go-1"}, currency="USD")


ALANBASE_CONVERSIONS = Dialect(
    "alanbase_conversions",
    alanbase_conversions,
    good=(
        _event("registration", "confirmed", "0"), _event("ftd", "confirmed", "76.50"), _event("ftd", "pending", "76.50"),
        _event("rdeposit", "rejected", "0"),
    ),
    traps=(
        Trap("wrong key", "feed.auth", "401", secret="wrong"),
        Trap("goals renamed", "feed.contract", "goal.key"),
        Trap("pages", options={"page_size": "5"}),
        Trap("full pages", options={"page_size": "4"}),
        Trap("stuck", "feed.paging", "repeats", options={"page_size": "4"}),
        Trap("second page fails", "http.5xx", "500", options={"page_size": "4"}),
        Trap("idle", rows=()),
    ),
)  # fmt: skip

REFERON_COLUMNS = (
    "Date", "Brand", "Media item", "Click Count", "Unique Click Count", "Reg. Count", "FTD Count", "FTD Amount", "NDC",
    "Count of deposits", "Deposits", "Bonuses", "Turnover", "NGR", "CPA count", "CPA", "Revenue Share", "Commission Reward",
)  # fmt: skip


def referon(trap: str) -> ASGIApp:
    """The columns are those of a saved report; a link without a range gives the range it was saved with."""
    figures = "Saltwick,go-1,240,190,22,6,180.00,5,9,1450.25,35.00,9000.00,900.10,5,382.50,90.01,472.51"

    async def report(request: Request) -> Response:
        query = request.query_params
        if query.get("token") != SECRET:
            return HTMLResponse(LOGIN)
        if trap == "refused with words":
            return PlainTextResponse("Preset is not available via API")
        columns = [name for name in REFERON_COLUMNS if not (trap == "column taken out" and name == "Commission Reward")]
        asked = [] if trap == "idle" else days(query["from"], query["to"])
        lines = [
            ",".join(columns),
            *(",".join([day.isoformat(), *figures.split(",")][: len(columns)]) for day in asked),
        ]
        return PlainTextResponse("\r\n".join(lines), media_type="text/csv")

    return api(**{"/statistics/preset": report})


REFERON = Dialect(
    "referon",
    referon,
    good=(
        Row(
            {
                "clicks": "240", "clicks_unique": "190", "registrations": "22", "ftd_count": "6", "ftd_amount": "180.00", "ndc": "5",
                "deposit_count": "9", "deposit_amount": "1450.25", "bonus": "35.00", "turnover": "9000.00", "ngr": "900.10",
                "qftd_count": "5", "commission_cpa": "382.50", "commission_revshare": "90.01", "commission_total": "472.51",
            },
            {"brand": "Saltwick", "tracker": "go-1"},
        ),
    ),
    options={"path": "/statistics/preset"},
    traps=(
        Trap("wrong token", "feed.auth", "HTML page", secret="wrong"),
        Trap("refused with words", "feed.auth", "not available"),
        Trap("column taken out", "feed.contract", "Commission Reward"),
        Trap("idle", rows=()),
    ),
)  # fmt: skip

DIALECTS = (SCALEO, ALANBASE, ALANBASE_CONVERSIONS, REFERON)
