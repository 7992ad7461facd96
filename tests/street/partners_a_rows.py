"""Dialects of first half: Cellxpert, and whatever has no preset of its own in JSON, NDJSON, CSV and XML."""

from __future__ import annotations

import json
from datetime import timedelta

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.street.partners import ACCOUNT, GOOD_DAY, LOGIN, SECRET, Dialect, Row, Trap, days

BEFORE, AFTER = GOOD_DAY - timedelta(1), GOOD_DAY + timedelta(1)


# Cellxpert: two headers, errors as plain text or as nothing at all, 31 days, no day that is still to come.

CX_ANSWERS = {
    "an address that is not known": PlainTextResponse("IP Not Authorized"),
    "an empty body": PlainTextResponse(""),
    "a bomb": Response(
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><ResultSet><row><Day>&b;</Day></row></ResultSet>', media_type="text/xml"
    ),
    "cut short": Response("<ResultSet><row><Day>2026/11/16</Day><Vis", media_type="text/xml"),
    "a login page": HTMLResponse(LOGIN),
    "no rows": Response("<ResultSet></ResultSet>", media_type="text/xml"),
    "no registrations": JSONResponse({"registrations": []}),
}  # fmt: skip


def cellxpert(trap: str) -> Starlette:
    async def api(request):
        query, headers = request.query_params, request.headers
        if (headers.get("affiliateid"), headers.get("x-api-key")) != (ACCOUNT, SECRET):
            return PlainTextResponse("Bad Authentication")
        if trap in CX_ANSWERS:
            return CX_ANSWERS[trap]
        asked = days(query["fromdate"], query["todate"])
        if len(asked) > 31 or asked[-1] > AFTER:
            return PlainTextResponse("Date range is not valid")
        return CX_COMMANDS[query["command"]](query, asked)

    return Starlette(routes=[Route("/api/", api)])


def media_report(query, asked):
    if query.get("Day") != "1":
        return PlainTextResponse("At least one breakdown is required")
    rows = "".join(media_row(day, code) for day in asked for code in ("go-1", "Default"))
    return Response(
        f'<ResultSet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{rows}</ResultSet>', media_type="text/xml"
    )


def media_row(day, code):
    cells = {
        "Day": f"{day:%Y/%m/%d}", "Tracking_Code": code, "Brand": "Korrigan", "Impressions": 0, "Visitors": 2480, "Unique_Visitors": 2472,
        "Leads": 994, "Unique_Leads": 994, "Registrations": 990, "FTD": 219, "QFTD": 201, "Deposits": 3280, "Volume": "0",
        "PL": "-15.5", "Commission": "18371.6054", "Demo": 0,
    }  # fmt: skip
    return "<row>" + "".join(f"<{name}>{value}</{name}>" for name, value in cells.items()) + "</row>"


def registrations(query, asked):
    if query.get("json") != "1":
        return Response("<ResultSet></ResultSet>", media_type="text/xml")
    return JSONResponse({"registrations": [player for day in asked for player in (depositor(day), visitor(day))]})


def depositor(day):
    return {
        "User_ID": f"korrigan-{day:%d}1", "Registration_Date": f"{day}T22:20:11.500", "Tracking_Code": "Default",
        "afp": "|afp1:go-1|afp10:seo", "Status": "New", "Country": "PL", "Position_Count": 0, "PL": 0, "Net_PL": 4.5, "Volume": 31.25,
        "First_Deposit": 20.0, "Deposits": 45.0, "Withdrawals": 5.0, "Net_Deposits": 40.0, "Deposit_Count": 2, "Commission": 96.48,
        "Qualification_Date": f"{day}T23:24:41.070",
    }  # fmt: skip


def visitor(day):
    return {
        **depositor(day), "User_ID": f"korrigan-{day:%d}2", "Net_PL": 0, "Volume": 0, "First_Deposit": None, "Deposits": 0, "Withdrawals": 0,
        "Net_Deposits": 0, "Deposit_Count": 0, "Commission": 0, "Qualification_Date": None,
    }  # fmt: skip


CX_COMMANDS = {"mediareport": media_report, "registrations": registrations}
CX_TRAPS = (
    Trap("a wrong key", "feed.auth", "bad authentication", secret="k3y-of-another"),
    Trap("an address that is not known", "feed.auth", "IP not authorized"),
    Trap("an empty body", "feed.contract", "empty"),
    Trap("a login page", "feed.auth", "HTML"),
)


def media_good(code):
    return Row(
        {
            "impressions": "0", "clicks": "2480", "clicks_unique": "2472", "leads": "994", "registrations": "990", "ftd_count": "219",
            "qftd_count": "201", "deposit_amount": "3280.00", "turnover": "0", "ngr": "-15.50", "commission_total": "18371.6054",
        },
        {"tracker": code, "brand": "Korrigan"},
    )  # fmt: skip


CELLXPERT = Dialect(
    "cellxpert",
    cellxpert,
    (media_good("go-1"), media_good("Default")),
    (
        *CX_TRAPS,
        Trap("a bomb", "feed.contract", "refused"),
        Trap("cut short", "feed.contract", "XML"),
        Trap("no rows", rows=(), delivered=()),
        Trap("two months", days=60, rows=(media_good("go-1"), media_good("Default"))),
    ),
)


def player(qualified, deposits, first, withdrawn, net, count, volume, pl, commission):
    return Row(
        {
            "registrations": "1", "qftd_count": qualified, "deposit_amount": deposits, "ftd_amount": first, "withdrawal_amount": withdrawn, "net_deposit_amount": net,
            "deposit_count": count, "turnover": volume, "ngr": pl, "commission_total": commission,
        },
        {"tracker": "Default", "subid": "|afp1:go-1|afp10:seo", "geo": "PL", "status": "New"},
    )  # fmt: skip


CELLXPERT_REGISTRATIONS = Dialect(
    "cellxpert_registrations",
    cellxpert,
    (
        player("1", "45.00", "20.00", "5.00", "40.00", "2", "31.25", "4.50", "96.48"),
        player(None, "0", None, "0", "0", "0", "0", "0", "0"),
    ),
    (*CX_TRAPS, Trap("no registrations", rows=(), delivered=())),
)


# Whatever has no preset of its own: the account says where its report is and what is in it.

GENERIC_GOOD = (
    Row({"clicks": "1840", "registrations": "33", "ftd_count": "7", "commission_total": "1204.50"}, {"geo": "PL"}),
    Row({"clicks": "12", "registrations": None, "ftd_count": "0", "commission_total": "0"}, {"geo": "CZ"}),
)
RECORDS = (
    {"date": "", "clicks": 1840, "registrations": 33, "ftd_count": 7, "commission_total": 1204.5, "country": "PL"},
    {"date": "", "clicks": 12, "registrations": None, "ftd_count": 0, "commission_total": 0, "country": "CZ"},
)


def served(answer):
    """An application for a report at `/stats` behind a bearer token; `answer(days, trap)` gives the good body."""

    def serve(trap: str) -> Starlette:
        async def stats(request):
            if request.headers.get("authorization") != f"Bearer {SECRET}":
                return JSONResponse({"error": "no such token"}, 401)
            if trap in GENERIC_ANSWERS:
                return GENERIC_ANSWERS[trap]
            query = request.query_params
            return answer(days(query["from"], query["to"]), trap)

        return Starlette(routes=[Route("/stats", stats)])

    return serve


GENERIC_ANSWERS = {
    "a login page": HTMLResponse(LOGIN),
    "an empty body": PlainTextResponse(""),
    "something else": PlainTextResponse("\x00\x01 no report"),
    "throttled": Response(status_code=429),
}
GENERIC_TRAPS = (
    Trap("a wrong token", "feed.auth", "401", secret="t0ken-of-another"),
    Trap("a login page", "feed.auth", "HTML"),
    Trap("an empty body", "feed.contract", "empty"),
    Trap("something else", "feed.contract"),
    Trap("throttled", "feed.throttled", "429"),
)
OPTIONS = {"path": "/stats", "dim.geo": "country"}


def records_of(asked):
    return [{**record, "date": day.isoformat()} for day in asked for record in RECORDS]


def json_answer(asked, trap):
    if trap == "a number that is none":
        return Response('{"data": [{"date": "2026-11-16", "clicks": NaN}]}', media_type="application/json")
    if trap == "not all records":
        return JSONResponse({"data": [*records_of(asked), "and 340 more"]})
    if trap == "no list":
        return JSONResponse({"message": "done"})
    return JSONResponse({"status": "ok", "data": records_of(asked)})


JSON = Dialect(
    "json",
    served(json_answer),
    GENERIC_GOOD,
    (
        *GENERIC_TRAPS,
        Trap("a number that is none", "feed.contract", "not valid JSON"),
        Trap("not all records", "feed.contract", "no object"),
        Trap("no list", "feed.contract", "records path"),
    ),
    options={**OPTIONS, "rows": "data"},
)


def ndjson_answer(asked, trap):
    if trap == "a line that is no record":
        return PlainTextResponse('{"date": "2026-11-16", "clicks": 1}\n[1, 2]\n')
    return Response("\n".join(map(json.dumps, records_of(asked))) + "\n", media_type="application/x-ndjson")


NDJSON = Dialect(
    "ndjson",
    served(ndjson_answer),
    GENERIC_GOOD,
    (*GENERIC_TRAPS, Trap("a line that is no record", "feed.contract")),
    options=OPTIONS,
)


def csv_answer(asked, trap):
    if trap == "columns renamed":
        return PlainTextResponse("Tag;Besuche;Betrag\n16.11.2026;1840;3,50\n", media_type="text/csv")
    lines = ["Tag;Land;Klicks;Anmeldungen;FTD;Provision"]
    for day in asked:
        lines += [f"{day:%d.%m.%Y};PL;1.840;33;7;1.204,50", f"{day:%d.%m.%Y};CZ;12;;0;0,00"]
    return Response("\r\n".join(lines).encode("cp1252"), media_type="text/csv; charset=windows-1252")


CSV = Dialect(
    "csv",
    served(csv_answer),
    GENERIC_GOOD,
    (*GENERIC_TRAPS, Trap("columns renamed", "feed.contract", "Provision")),
    options={
        "path": "/stats", "decimal": ",", "day": "Tag", "day_format": "%d.%m.%Y", "dim.geo": "Land", "field.clicks": "Klicks",
        "field.registrations": "Anmeldungen", "field.ftd_count": "FTD", "field.commission_total": "Provision:money",
    },
    name="csv with decimal commas",
)  # fmt: skip


def xml_answer(asked, trap):
    if trap == "attributes renamed":
        return Response('<stats><day d="2026-11-16" visits="3"/></stats>', media_type="text/xml")
    rows = "".join(
        f'<traffic date="{record["date"]}" country="{record["country"]}" clicks="{record["clicks"]}" '
        f'registrations="{"" if record["registrations"] is None else record["registrations"]}" '
        f'ftd_count="{record["ftd_count"]}" commission_total="{record["commission_total"]}"/>'
        for record in records_of(asked)
    )
    return Response(f'<?xml version="1.0"?><stats account="4711">{rows}</stats>', media_type="application/xml")


XML = Dialect(
    "xml",
    served(xml_answer),
    GENERIC_GOOD,
    (*GENERIC_TRAPS, Trap("attributes renamed", "feed.contract", "records path")),
    options={**OPTIONS, "rows": "traffic"},
)

DIALECTS = (CELLXPERT, CELLXPERT_REGISTRATIONS, JSON, NDJSON, CSV, XML)
