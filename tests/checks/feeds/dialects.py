"""Partner APIs as they really answer, traps included: small Starlette applications for the tests."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route

LOGIN = "<!DOCTYPE html><html><head><title>Login</title></head><body><form action='/login'></form></body></html>"


def days(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(n) for n in range((end - start).days + 1)]


def affilka(token: str = "s3cret-token", *, scale: int = 1, campaigns: int = 4, factor=lambda day, campaign: 1.0):
    def cell(name, value, kind="integer"):
        return {"name": name, "value": value, "type": kind}

    def money(name, amount):
        value = {"amount": f"{amount:.2f}", "amount_cents": round(amount * 100), "currency": "EUR"}
        return cell(name, value, "money")

    def row(day, campaign):
        ftd = 3 + campaign
        return [
            cell("date", day.isoformat(), "date"), cell("campaign_id", str(campaign), "string"),
            cell("visits_count", 100 + campaign), cell("registrations_count", 10), cell("first_deposits_count", ftd),
            money("deposits_sum", 57.25 * ftd), money("ngr", 31.10 * ftd),
            money("partner_income", 110.37 * ftd * scale * factor(day, campaign)),
        ]  # fmt: skip

    async def report(request):
        query = request.query_params
        if request.headers.get("authorization") != token:
            return JSONResponse({"error": "unauthorized"}, 401)
        assert "conversion_currency" not in query, "converted history moves with the rate of the day"
        assert "partner_income" in query.getlist("columns[]")
        rows = [row(day, n) for day in days(query["from"], query["to"]) for n in range(campaigns)]
        return JSONResponse({"report_type": "common", "rows": {"data": rows}, "totals": {"data": [total(rows)]}})

    def total(rows):
        """One row as the others, with the sums of its figures."""
        made = []
        for cells in zip(*rows, strict=True):
            figures = [one["value"]["amount"] if isinstance(one["value"], dict) else one["value"] for one in cells]
            if cells[0]["type"] == "money":
                made.append(money(cells[0]["name"], sum(float(figure) for figure in figures)))
            elif cells[0]["type"] == "integer":
                made.append(cell(cells[0]["name"], sum(figures)))
        return made

    return Starlette(routes=[Route("/api/customer/v1/partner/report", report)])


class MyAffiliates:
    """Tokens die when `revoke()` is called; a dead one gives the login page with status 200."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.grants = 0
        routes = [
            Route("/oauth/access_token", self.grant, methods=["POST"]),
            Route("/statistics.php", self.statistics),
        ]
        self.app = Starlette(routes=routes)

    def revoke(self) -> None:
        self.tokens.clear()

    async def grant(self, request):
        form = dict(parse_qsl((await request.body()).decode()))
        basic = "Basic " + base64.b64encode(b"client:s3cret:with:colons").decode()
        if request.headers.get("authorization") != basic or form["scope"] != "r_user_stats":
            return JSONResponse({"error": "invalid_client"}, 401)
        self.grants += 1
        self.tokens.append(f"token-{self.grants}")
        return JSONResponse({"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 3600})

    async def statistics(self, request):
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return HTMLResponse(LOGIN)
        columns = (
            "Date,Channel,Pay period,Customer group,Campaign,Impressions,Clicks,NRC,NDC,First Deposit,Total Deposits,"
            "Qualified NDCs,Net revenue Total,Income Revshare,Income CPA,Income CPL,Income"
        )
        lines = []
        for group in ("Casino", "Sports"):
            lines += [f"Customer group: {group}", columns]
            for day in days(request.query_params["d1"], request.query_params["d2"]):
                lines.append(f"{day},SEO,Nov 2026,{group},lj-1,1000,120,9,2,40.00,250.50,1,88.10,0.00,140.00,,140.00")
        return PlainTextResponse("\r\n".join(lines), media_type="text/csv")


def smartico(key: str = "s3cret-token", *, idle: str = ""):
    async def report(request):
        query = request.query_params
        if request.headers.get("authorization") != key:
            return JSONResponse({"error": "label not allowed"}, 200)
        assert query["date_from"] != query["date_to"], "an end equal to the start is a 500 on the real platform"
        last = date.fromisoformat(query["date_to"]) - timedelta(1)
        rows = [
            {
                "dt": f"{day}T00:00:00Z", "brand_name": "Zefirion", "afp": afp, "visit_count": 50, "registration_count": 6,
                "ftd_count": 2, "ftd_total": 40.5, "qftd_count": 1, "deposit_count": 3, "deposit_total": 90.25,
                "net_pl": 20.1, "commissions_cpa": 76.5, "commissions_rev_share": None, "commissions_total": 76.5,
            }
            for day in days(query["date_from"], last.isoformat()) if day.isoformat() != idle
            for afp in ("go-1", "")
        ]  # fmt: skip
        return JSONResponse({"meta": {"aggregation_period": "DAY"}, "data": rows})

    return Starlette(routes=[Route("/api/af2_media_report_af", report)])


def inhouse(token: str = "s3cret-token"):
    async def stats(request):
        if request.headers.get("authorization") != f"Bearer {token}":
            return JSONResponse({"error": "token_expired"}, 401)
        query = request.query_params
        rows = [
            {
                "date": day.isoformat(), "num_users_joined": 77, "num_users_deposited": "15", "visits": 1100,
                "amount_deposited": 450_050, "ggr_revenue": 390_010, "net_revenue": 260_000, "commission": 117_055,
            }
            for day in days(query["start_date"], query["end_date"])
        ]  # fmt: skip
        return JSONResponse({"data": rows})

    return Starlette(routes=[Route("/api/v1/affiliates/stats", stats)])


def incomeaccess(key: str = "s3cret-token", *, until: str = "9999-12-31"):
    async def report(request):
        query = request.query_params
        if query.get("key") != key:
            return PlainTextResponse("<fault>Invalid key or access denied</fault>", media_type="text/xml")
        header = (
            "rowid,currencysymbol,period,merchantname,sitename,country,impressions,clicks,downloads,firstdepositcount,purchases,"
            "netrevenue,revsharecommission,cpacommissioncount,totalcpacommission,totalcommission"
        )
        first, last = (query[name].replace("/", "-") for name in ("reportstartdate", "reportenddate"))
        figures = "Saltwick,lister.example,GB,0,1300,91,24,5000.00,900.00,0.00,20,1900.00,1900.00"
        shown = [day for day in days(first, last) if day.isoformat() <= until]
        lines = [header, *(f"1,GBP,{day:%m/%d/%Y},{figures}" for day in shown)]
        return PlainTextResponse("\n".join(lines), media_type="text/csv")

    return Starlette(routes=[Route("/api/affreporting.asp", report)])
