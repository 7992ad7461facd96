"""JSON dialects, first half: Affilka, Smartico, an operator's own API, NetRefer ASR."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.street.partners import ACCOUNT, GOOD_DAY, SECRET, Dialect, Row, Trap, days

NEXT_MONTH = datetime(2026, 12, 1, 9, 15, tzinfo=UTC)
BEFORE, AFTER = GOOD_DAY - timedelta(1), GOOD_DAY + timedelta(1)


# Affilka: a row is a list of cells, money is an object, and each currency has its own row.

COLUMNS = {
    "visits_count", "registrations_count", "first_deposits_count", "first_deposits_sum", "deposits_count", "deposits_sum", "cashouts_sum",
    "ggr", "ngr", "qualified_players_count", "partner_income", "player_country",
}  # fmt: skip

AFFILKA_ANSWERS = {
    "throttled": JSONResponse({"error": "rate limit"}, 429, headers={"retry-after": "30"}),
    "refused behind 200": JSONResponse({"error": "Token is expired"}),
    "another error behind 200": JSONResponse({"errors": [{"message": "report failed"}]}),
    "still being made": JSONResponse({"report_id": 77, "status": "in_progress"}),
}


def affilka(trap: str) -> Starlette:
    async def report(request):
        query = request.query_params
        if trap in AFFILKA_ANSWERS:
            return AFFILKA_ANSWERS[trap]
        if request.headers.get("authorization") != SECRET:
            return JSONResponse({"error": "unauthorized"}, 401)
        enabled = COLUMNS - ({"qualified_players_count"} if trap == "a column is not enabled" else set())
        if strange := set(query.getlist("columns[]")) - enabled:
            return JSONResponse({"error": f"unknown column {min(strange)}"}, 422)
        if "day" not in query.getlist("group_by[]") or query["async"] != "false":
            return JSONResponse({"error": "bad request"}, 400)
        rows = [] if trap == "nothing happened" else affilka_rows(days(query["from"], query["to"]), trap)
        totals = [affilka_total(rows, currency) for currency in ("EUR", "CAD") if rows]
        return JSONResponse({"report_type": "common", "rows": {"data": rows}, "totals": {"data": totals}})

    return Starlette(routes=[Route("/api/customer/v1/partner/report", report)])


def affilka_rows(asked, trap):
    return [
        affilka_row(day, campaign, currency, scale, trap)
        for day in asked for campaign, currency, scale in (("19941", "EUR", 1), ("19941", "CAD", 2))
    ]  # fmt: skip


def affilka_row(day, campaign, currency, scale, trap):
    def cell(name, value, kind="integer"):
        return {"name": name, "value": value, "type": kind}

    def money(name, amount):
        whole = {"amount": f"{amount:.2f}", "amount_cents": round(amount * 100), "currency": currency}
        if trap == "only cents are left":
            del whole["amount"]
        return cell(name, whole, "money")

    return [
        cell("date", day.isoformat(), "date"), cell("campaign_id", campaign, "string"), cell("player_country", "FI", "string"),
        cell("visits_count", 211 * scale), cell("registrations_count", 19 * scale), cell("first_deposits_count", 6 * scale),
        money("first_deposits_sum", 180.5 * scale), cell("deposits_count", 14), money("deposits_sum", 640.25 * scale),
        money("cashouts_sum", 99.9), money("ggr", 320.4 * scale), money("ngr", -12.05 * scale),
        cell("qualified_players_count", 5), money("partner_income", 550.55 * scale),
    ]  # fmt: skip


def affilka_total(rows, currency):
    """The sums of one currency's rows; money has its currency with it."""
    mine = [row for row in rows if row[-1]["value"]["currency"] == currency]
    counts = [cell["name"] for cell in mine[0] if cell["type"] == "integer"]
    return [
        {"name": name, "value": sum(cell["value"] for row in mine for cell in row if cell["name"] == name)}
        for name in counts
    ]


def affilka_good(currency, **figures):
    usual = {"deposit_count": "14", "withdrawal_amount": "99.90", "qftd_count": "5"}
    return Row({**usual, **figures}, {"tracker": "19941", "geo": "FI"}, currency=currency)


AFFILKA = Dialect(
    "affilka",
    affilka,
    (
        affilka_good(
            "EUR", clicks="211", registrations="19", ftd_count="6", ftd_amount="180.50", deposit_amount="640.25", ggr="320.40",
            ngr="-12.05", commission_total="550.55",
        ),
        affilka_good(
            "CAD", clicks="422", registrations="38", ftd_count="12", ftd_amount="361.00", deposit_amount="1280.50", ggr="640.80",
            ngr="-24.10", commission_total="1101.10",
        ),
    ),
    (
        Trap("a wrong token", "feed.auth", "401 unauthorized", secret="t0ken-of-another"),
        Trap("refused behind 200", "feed.auth", "Token is expired"),
        Trap("another error behind 200", "feed.contract", "error"),
        Trap("still being made", "feed.late", "still being made"),
        Trap("throttled", "feed.throttled", "429"),
        Trap("a column is not enabled", "http.4xx", "422"),
        Trap("only cents are left", "feed.contract", "partner_income.amount"),
        Trap("nothing happened", rows=(), delivered=()),
    ),
)  # fmt: skip


# Smartico: the end is exclusive, an end equal to the start is a 500, idle days are left out, 291 is a throttle.

SMARTICO_ANSWERS = {
    "throttled with 291": Response(status_code=291),
    "wrong host": PlainTextResponse("label not allowed"),
    "a challenge": HTMLResponse("<html><title>Just a moment...</title></html>", 403),
    "the database is down": JSONResponse({"errCode": 500, "message": "internal"}),
    "no data at all": JSONResponse({"meta": {"affiliate_id": 7}}),
}


def smartico(trap: str) -> Starlette:
    async def report(request):
        query = request.query_params
        if trap in SMARTICO_ANSWERS:
            return SMARTICO_ANSWERS[trap]
        if request.headers.get("authorization") != SECRET:
            return JSONResponse({"errCode": 3, "message": "Token is not valid"})
        if query["date_from"] == query["date_to"]:
            return JSONResponse({"errCode": 1, "message": "date_from and date_to can not be equal"}, 500)
        last = date.fromisoformat(query["date_to"]) - timedelta(1)
        idle = set() if trap == "a single day" else {BEFORE}
        asked = [day for day in days(query["date_from"], last.isoformat()) if day not in idle]
        rows = [smartico_row(day, afp, n) for day in asked for n, afp in enumerate(("go-1", ""), 1)]
        return JSONResponse({"meta": {"affiliate_id": 7}, "data": rows})

    return Starlette(routes=[Route("/api/af2_media_report_af", report)])


def smartico_row(day, afp, n):
    return {
        "dt": f"{day}T00:00:00.000Z", "brand_id": 31, "brand_name": "Zefirion", "afp": afp, "visit_count": 50 * n,
        "registration_count": 6 * n, "ftd_count": 2, "ftd_total": 40.55, "qftd_count": 1, "deposit_count": 3, "deposit_total": 90.25,
        "withdrawal_total": 12.1, "net_pl": -20.1, "volume": 1410.75, "commissions_cpa": 76.5, "commissions_rev_share": None,
        "commissions_total": 76.5,
    }  # fmt: skip


def smartico_good(afp, clicks, registrations):
    return Row(
        {
            "clicks": clicks, "registrations": registrations, "ftd_count": "2", "ftd_amount": "40.55", "qftd_count": "1",
            "deposit_count": "3", "deposit_amount": "90.25", "withdrawal_amount": "12.10", "ngr": "-20.10", "turnover": "1410.75",
            "commission_cpa": "76.50", "commission_revshare": None, "commission_total": "76.50",
        },
        {"brand": "Zefirion", "tracker": afp},
    )  # fmt: skip


SMARTICO = Dialect(
    "smartico",
    smartico,
    (smartico_good("go-1", "50", "6"), smartico_good("", "100", "12")),
    (
        Trap("a wrong key", "feed.auth", "token is not valid", secret="k3y-of-another"),
        Trap("throttled with 291", "feed.throttled", "291"),
        Trap("wrong host", "feed.auth", "wrong host"),
        Trap("a challenge", "feed.auth", "403"),
        Trap("the database is down", "feed.contract", "internal"),
        Trap("no data at all", "feed.contract", "records path"),
        Trap("a single day", days=1, rows=(), delivered=(AFTER,)),
    ),
    delivered=(GOOD_DAY, AFTER),
)


# An operator's own API: minor units, counts as text, days of the operator's zone.


def inhouse(trap: str) -> Starlette:
    async def stats(request):
        if trap == "expired behind 200":
            return JSONResponse({"error": "token_expired"})
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return JSONResponse({"error": "token_expired"}, 401)
        if trap == "under repair":
            return JSONResponse({"error": "maintenance"}, 503, headers={"retry-after": "600"})
        query = request.query_params
        rows = [inhouse_row(day, trap) for day in days(query["start_date"], query["end_date"])]
        return JSONResponse({"data": rows})

    return Starlette(routes=[Route("/api/v1/affiliates/stats", stats)])


def inhouse_row(day, trap):
    row = {
        "date": day.isoformat(), "visits": 1100, "num_users_joined": 77, "num_users_deposited": "15", "amount_deposited": 450_050,
        "amount_wagered": 2_250_001, "ggr_revenue": 390_010, "net_revenue": 260_000, "commission": 117_055,
    }  # fmt: skip
    if trap == "the commission is renamed":
        row["earnings"] = row.pop("commission")
    return row


INHOUSE = Dialect(
    "inhouse",
    inhouse,
    (
        Row(
            {
                "clicks": "1100", "registrations": "77", "ftd_count": "15", "deposit_amount": "4500.50", "turnover": "22500.01",
                "ggr": "3900.10", "ngr": "2600.00", "commission_total": "1170.55",
            },
            currency="USD",
        ),
    ),
    (
        Trap("a wrong token", "feed.auth", "401 token_expired", secret="t0ken-of-another"),
        Trap("expired behind 200", "feed.auth", "token_expired"),
        Trap("under repair", "http.5xx", "503"),
        Trap("the commission is renamed", "feed.contract", "commission"),
        Trap(
            "tomorrow in the operator's zone", options={"timezone": "Asia/Tokyo"}, now=datetime(2026, 11, 17, 15, 30, tzinfo=UTC),
            delivered=(GOOD_DAY, AFTER, AFTER + timedelta(1)),
        ),
    ),
)  # fmt: skip


# NetRefer ASR: a token for a person's name and password, no range across a month, each figure with its adjustment.

PERSON = "client-7:cl1ent-secret:anna@corvane.example:p4ss:word"


def netrefer(trap: str) -> Starlette:
    granted: list[str] = []

    async def token(request):
        form = dict(parse_qsl((await request.body()).decode()))
        wanted = {
            "grant_type": "password", "client_id": "client-7", "client_secret": "cl1ent-secret", "username": "anna@corvane.example",
            "password": "p4ss:word", "scope": "api://client-7/Reports.Read",
        }  # fmt: skip
        if form != wanted:
            return JSONResponse({"error": "invalid_grant", "error_description": "AADSTS50126: wrong credentials"}, 400)
        granted.append(f"eyJ.{len(granted)}.token")
        return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": granted[-1]})

    async def report(request):
        if trap == "not invited":
            return JSONResponse({"message": "Access denied due to missing permission"}, 403)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in granted:
            return JSONResponse({"message": "Unauthorized"}, 401)
        first, last = request.path_params["first"], request.path_params["last"]
        if request.path_params["account"] != ACCOUNT or first[:7] != last[:7]:
            return JSONResponse({"message": "from and to must be within the same month"}, 400)
        if trap == "nothing yet":
            return Response(status_code=204)
        return JSONResponse([netrefer_row(day, trap) for day in days(first, last)])

    return Starlette(
        routes=[
            Route("/token", token, methods=["POST"]),
            Route("/dpm/v1/DAR/{account}/{first}/{last}", report),
        ]
    )


def netrefer_row(day, trap):
    def figure(result, adjustment):
        return {"Result": result} if trap == "adjustments left out" else {"Result": result, "Adjustment": adjustment}

    return {
        "Date": f"{day}T00:00:00", "BrandId": 12, "BrandName": "Torvane Bet", "TrackerId": 901, "TrackerName": "go-1", "Currency": "EUR",
        "Views": 0, "Clicks": 410, "Registrations": figure(33, -1), "Deposits": figure(1250.4, 0), "CPA": figure(900, -75),
        "RevShare": figure(120.25, 10.5),
    }  # fmt: skip


NETREFER_GOOD = {
    "impressions": "0", "clicks": "410", "registrations": "32", "deposit_amount": "1250.40", "commission_cpa": "825.00",
    "commission_revshare": "130.75", "commission_total": "955.75",
}  # fmt: skip
NETREFER_DIMS = {"brand": "Torvane Bet", "tracker": "901"}

NETREFER = Dialect(
    "netrefer",
    netrefer,
    (Row(NETREFER_GOOD, NETREFER_DIMS),),
    (
        Trap("a wrong password", "feed.auth", "token endpoint", secret="client-7:cl1ent-secret:anna@corvane.example:other"),
        Trap("not invited", "feed.auth", "403"),
        Trap("nothing yet", "feed.late", "no report yet"),
        Trap(
            "a pull across the end of a month", now=NEXT_MONTH, rows=(Row(NETREFER_GOOD, NETREFER_DIMS, date(2026, 11, 30)),),
            delivered=(date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1)),
        ),
        Trap(
            "adjustments left out",
            rows=(
                Row(
                    {
                        **NETREFER_GOOD, "registrations": "33", "commission_cpa": "900.00", "commission_revshare": "120.25",
                        "commission_total": "1020.25",
                    },
                    NETREFER_DIMS,
                ),
            ),
        ),
    ),
    secret=PERSON,
    options={"auth_path": "/token"},
)  # fmt: skip

DIALECTS = (AFFILKA, SMARTICO, INHOUSE, NETREFER)
