"""Dialects of tables, first half: MyAffiliates and Income Access."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.street.partners import GOOD_DAY, LOGIN, SECRET, Dialect, Row, Trap, days

BEFORE = GOOD_DAY - timedelta(1)


def csv(text, **more):
    return PlainTextResponse(text, media_type="text/csv", **more)


# MyAffiliates: a section a customer group, each with a header of its own and a line of totals; a login page for a bad token.

HYBRID = (
    "Date,Channel,Pay period,Customer group,Campaign,Impressions,Clicks,NRC,NDC,First Deposit,Total Deposits,Qualified NDCs,"
    "Admin fee Total,Net revenue Total,Income Revshare,Income CPA,Income CPL,Income"
)
SHARE = (
    "Date,Channel,Pay period,Customer group,Campaign,Impressions,Clicks,NRC,NDC,First Deposit,Total Deposits,Admin fee Total,"
    "Net revenue Total,Income"
)
OTHER = (
    "Date,Channel,Campaign,Customer Group,Impressions,Hits,Signups,FTD Count,NDC,Qualified NDCs,Net Deposits,Total NGR,Income Revshare,"
    "Income CPA,Income CPL"
)
"""What another operator on the same platform calls its columns."""
MY_ANSWERS = {
    "a login page": HTMLResponse(LOGIN),
    "sent to the login": RedirectResponse("/login.php?next=statistics"),
    "no data": csv("No data found for your selection\r\n"),
    "an empty body": csv(""),
    "cut short": csv(f"{HYBRID}\r\n2026-11-16,SEO"),
}


def my_sections(asked, trap):
    if trap == "another operator's names":
        return "\r\n".join(
            [OTHER, *(f"{day},SEO,lj-1,Casino,1000,120,9,2,3,1,250.50,88.10,0.00,140.00," for day in asked)]
        )
    lines = ["\ufeff" + HYBRID]
    lines += [
        f'{day},SEO,Nov 2026,"Casino, hybrid",lj-1,1000,120,9,3,90.00,450.75,2,11.10,88.10,12.05,140.00,,152.05'
        for day in asked
    ]
    lines += ["Totals:,,,,,3000,360,27,9,270.00,1352.25,6,33.30,264.30,36.15,420.00,,456.15", "", SHARE]
    lines += [f"{day},SEO,Nov 2026,Sports,lj-2,0,77,5,1,20.00,60.00,1.50,-40.00,-10.00" for day in asked]
    return "\r\n".join([*lines, "Totals:,,,,,0,231,15,3,60.00,180.00,4.50,-120.00,-30.00", ""])


def statistics(trap, allowed):
    async def answer(request):
        if not allowed(request):
            return HTMLResponse(LOGIN)
        if trap in MY_ANSWERS:
            return MY_ANSWERS[trap]
        query = request.query_params
        if (query["mode"], query["sd"], query["sbm"], query["dnl"]) != ("csv", "1", "1", "1"):
            return HTMLResponse("<html><title>Detailed activity</title></html>")
        return csv(my_sections(days(query["d1"], query["d2"]), trap))

    return Route("/statistics.php", answer)


def myaffiliates(trap: str) -> Starlette:
    granted: list[str] = []

    async def grant(request):
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("grant_type"), form.get("scope")) != ("client_credentials", "r_user_stats"):
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != ("client", "s3cret:with:colons"):
            return JSONResponse({"error": "invalid_client"}, 401)
        granted.append(f"token-{len(granted)}-of-an-hour")
        if trap == "a grant without a token":
            return JSONResponse({"status": "ok"})
        return JSONResponse({"access_token": granted[-1], "token_type": "Bearer", "expires_in": 3600})

    def allowed(request):
        return request.headers.get("authorization", "").removeprefix("Bearer ") in granted

    return Starlette(routes=[Route("/oauth/access_token", grant, methods=["POST"]), statistics(trap, allowed)])


def myaffiliates_basic(trap: str) -> Starlette:
    expected = "Basic " + base64.b64encode(b"anna:p4ss:word").decode()

    def allowed(request):
        return request.headers.get("authorization") == expected and request.query_params.get("auth") == "basic"

    return Starlette(routes=[statistics(trap, allowed)])


MY_GOOD = (
    Row(
        {
            "impressions": "1000", "clicks": "120", "registrations": "9", "ftd_count": "3", "ftd_amount": "90.00", "deposit_amount": "450.75",
            "qftd_count": "2", "fees": "11.10", "ngr": "88.10", "commission_revshare": "12.05", "commission_cpa": "140.00",
            "commission_cpl": None, "commission_total": "152.05",
        },
        {"channel": "SEO", "group": "Casino, hybrid", "tracker": "lj-1"},
    ),
    Row(
        {
            "impressions": "0", "clicks": "77", "registrations": "5", "ftd_count": "1", "ftd_amount": "20.00", "deposit_amount": "60.00",
            "fees": "1.50", "ngr": "-40.00", "commission_total": "-10.00",
        },
        {"channel": "SEO", "group": "Sports", "tracker": "lj-2"},
    ),
)  # fmt: skip
MY_OTHER = Row(
    {
        "impressions": "1000", "clicks": "120", "registrations": "9", "ftd_count": "2", "ndc": "3", "qftd_count": "1",
        "net_deposit_amount": "250.50", "ngr": "88.10", "commission_revshare": "0", "commission_cpa": "140.00", "commission_cpl": None,
        "commission_total": "140.00",
    },
    {"channel": "SEO", "group": "Casino", "tracker": "lj-1"},
)  # fmt: skip
OTHER_NAMES = {
    "dim.group": "Customer Group", "field.clicks": "Hits", "field.registrations": "Signups", "field.ftd_count": "FTD Count",
    "field.ndc": "NDC", "field.net_deposit_amount": "Net Deposits:money", "field.ngr": "Total NGR:money",
    "field.commission_total": "Income Revshare + Income CPA + Income CPL:money",
}  # fmt: skip
MY_TRAPS = (
    Trap("a login page", "feed.auth", "login page"),
    Trap("sent to the login", "feed.auth", "login page"),
    Trap("no data", rows=(), delivered=()),
    Trap("an empty body", "feed.contract", "empty"),
    Trap("cut short", "feed.contract"),
    Trap("another operator's names", rows=(MY_OTHER,), options=OTHER_NAMES),
)

MYAFFILIATES = Dialect(
    "myaffiliates",
    myaffiliates,
    MY_GOOD,
    (
        *MY_TRAPS,
        Trap("a wrong client secret", "feed.auth", "401", secret="client:of-another"),
        Trap("a grant without a token", "feed.auth", "no token"),
    ),
    secret="client:s3cret:with:colons",
)
MYAFFILIATES_BASIC = Dialect(
    "myaffiliates_basic",
    myaffiliates_basic,
    MY_GOOD,
    (*MY_TRAPS, Trap("a wrong password", "feed.auth", "login page", secret="anna:other")),
    secret="anna:p4ss:word",
)


# Income Access: US dates, a title above the header, a row of totals, faults with status 200, addresses that must be known.

MEMBER = (
    "rowid", "currencysymbol", "totalrecords", "period", "merchantname", "memberid", "username", "country", "siteid", "sitename",
    "impressions", "clicks", "installs", "clickthroughratio", "downloads", "newdepositingacc", "firstdepositcount", "purchases",
    "chargebacks", "grossrevenue", "netrevenue", "revsharecommission", "totalcpacommission", "cpacommissioncount", "totalcommission",
)  # fmt: skip
IA_ANSWERS = {
    "an address that is not known": PlainTextResponse("Access denied: IP 203.0.113.9 is not authorized"),
    "a fault": Response(
        "<reportresponse><Fault>Server was unable to process request</Fault></reportresponse>", media_type="text/xml"
    ),
    "an inactive report": PlainTextResponse("This is an inactive report"),
    "an error page": HTMLResponse("<html><body>500 - Internal server error</body></html>"),
}


def income_answer(query, trap, report):
    if query.get("key") != SECRET:
        return PlainTextResponse("ERROR: Invalid key. Access denied.")
    if trap in IA_ANSWERS:
        return IA_ANSWERS[trap]
    if query["reportname"] != report or query["reportmerchantid"] != "0":
        return IA_ANSWERS["an inactive report"]
    first, last = (query[name].replace("/", "-") for name in ("reportstartdate", "reportenddate"))
    # A day appears after the merchant's run in the morning.
    until = BEFORE if trap == "yesterday is not there yet" else GOOD_DAY
    return [day for day in days(first, last) if day <= until]


def incomeaccess(trap: str) -> Starlette:
    async def report(request):
        if trap == "no records":
            return csv("No Records Found")
        asked = income_answer(request.query_params, trap, "Member Report - Detailed")
        if isinstance(asked, Response):
            return asked
        lines = ["Member Report - Detailed", "", quoted(MEMBER), *(quoted(income_row(day, trap)) for day in asked)]
        total = (
            "2",
            "EUR",
            "2",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "0",
            "2600",
            *[""] * 7,
            "10",
            "1800",
            "0",
            "3800",
            "40",
            "3800",
        )
        return csv("\r\n".join([*lines, quoted(total), ""]))

    return Starlette(routes=[Route("/api/affreporting.asp", report)])


def quoted(cells):
    return ",".join(f'"{cell}"' for cell in cells)


def income_row(day, trap):
    day = day.strftime("%d/%m/%Y" if trap == "day before month" else "%m/%d/%Y")
    return (
        "1", "GBP", "2", day, "Saltwick", "4711", "corvane", "GB", "88", "lister.example", "0", "1300", "0", "0", "91", "23", "24",
        "5000.55", "10.00", "1200.10", "900.05", "45.00", "1900.00", "20", "1945.00",
    )  # fmt: skip


INCOME_DIMS = {"brand": "Saltwick", "tracker": "lister.example"}
INCOME_TRAPS = (
    Trap("a wrong key", "feed.auth", "key is refused", secret="k3y-of-another"),
    Trap("an address that is not known", "feed.auth", "refused"),
    Trap("a fault", "feed.contract", "fault"),
    Trap("an inactive report", "feed.contract", "fault"),
    Trap("an error page", "feed.auth", "HTML"),
)
INCOMEACCESS = Dialect(
    "incomeaccess",
    incomeaccess,
    (
        Row(
            {
                "impressions": "0", "clicks": "1300", "registrations": "91", "ndc": "23", "ftd_count": "24", "deposit_amount": "5000.55",
                "chargeback_amount": "10.00", "ggr": "1200.10", "ngr": "900.05", "commission_revshare": "45.00",
                "commission_cpa": "1900.00", "qftd_count": "20", "commission_total": "1945.00",
            },
            {**INCOME_DIMS, "geo": "GB"},
            currency="GBP",
        ),
    ),
    (
        *INCOME_TRAPS,
        Trap("no records", rows=(), delivered=()),
        Trap("yesterday is not there yet", rows=(), delivered=(BEFORE,)),
        Trap("day before month", "feed.contract", "day"),
    ),
    delivered=(BEFORE, GOOD_DAY),
)  # fmt: skip


def incomeaccess_xml(trap: str) -> Starlette:
    async def report(request):
        if trap == "no records":
            return Response("<reportresponse></reportresponse>", media_type="text/xml")
        asked = income_answer(request.query_params, trap, "ACIDReport")
        if isinstance(asked, Response):
            return asked
        rows = "".join(income_element(day) for day in asked)
        total = "<row><siteid></siteid><clicks>2600</clicks><totalcommission>3890.00</totalcommission></row>"
        return Response(f"<reportresponse>{rows}{total}</reportresponse>", media_type="text/xml")

    return Starlette(routes=[Route("/api/affreporting.asp", report)])


def income_element(day):
    cells = {
        "currencysymbol": "GBP", "period": f"{day:%m/%d/%Y}", "merchantname": "Saltwick", "siteid": "88", "sitename": "lister.example",
        "acid": "go-1", "clicks": "1300", "downloads": "91", "stake": "9000.00", "Deposits": "5000.55", "Netrevenue": "900.05",
        "cpacommissioncount": "20", "CPACommission": "1900.00", "Commission": "45.00", "totalcommission": "1945.00",
    }  # fmt: skip
    return "<row>" + "".join(f"<{name}>{value}</{name}>" for name, value in cells.items()) + "</row>"


INCOMEACCESS_XML = Dialect(
    "incomeaccess_xml",
    incomeaccess_xml,
    (
        Row(
            {
                "clicks": "1300", "registrations": "91", "turnover": "9000.00", "deposit_amount": "5000.55", "ngr": "900.05",
                "qftd_count": "20", "commission_cpa": "1900.00", "commission_revshare": "45.00", "commission_total": "1945.00",
            },
            {**INCOME_DIMS, "subid": "go-1"},
            currency="GBP",
        ),
    ),
    (*INCOME_TRAPS, Trap("no records", rows=(), delivered=())),
    delivered=(BEFORE, GOOD_DAY),
)  # fmt: skip

DIALECTS = (MYAFFILIATES, MYAFFILIATES_BASIC, INCOMEACCESS, INCOMEACCESS_XML)
