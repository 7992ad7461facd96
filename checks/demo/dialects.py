"""Platforms whose reports are of one shape each: Cellxpert, NetRefer, Alanbase, Everflow, ReferOn."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from checks.demo.http import Request, Response

if TYPE_CHECKING:
    from checks.demo.figures import DayFigure, HourFigure

JSON = "application/json"
CSV = "text/csv; charset=utf-8"
LOGIN = (
    b"<!doctype html><html><head><title>Affiliate login</title></head><body><form action='/login' method='post'>"
    b"<input name='username'><input name='password' type='password'><button>Log in</button></form></body></html>"
)
EVERFLOW_ZONES = {67: "UTC", 80: "America/New_York"}
NETREFER_TOKEN = "/oauth2/v2.0/token"  # noqa: S105 - a path
NETREFER_REPORT = "/dpm/v1/DAR/"
REFERON_COLUMNS = (
    "Date", "Brand", "Media item", "Click Count", "Unique Click Count", "Reg. Count", "FTD Count", "FTD Amount", "NDC",
    "Count of deposits", "Deposits", "Bonuses", "Turnover", "NGR", "CPA count", "CPA", "Revenue Share", "Commission Reward",
)  # fmt: skip


def day_of(text: str) -> date:
    """ValueError for anything but YYYY-MM-DD."""
    return date.fromisoformat(text)


def json_answer(body: object, status: int = 200) -> Response:
    return Response(status, json.dumps(body, separators=(",", ":")).encode(), JSON)


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def cellxpert_days(request: Request) -> tuple[date, date] | Response:
    """The days asked for; its refusals are words with status 200."""
    if request.param("command") != "mediareport" or request.param("Day") != "1":
        return Response(200, b"At least one breakdown is required", "text/plain")
    first, last = day_of(request.param("fromdate")), day_of(request.param("todate"))
    if (last - first).days > 31:
        return Response(200, b"Date range is not valid", "text/plain")
    return first, last


def cellxpert(brand: str, figures: Iterable[DayFigure]) -> Response:
    rows = "".join(_xml_row(_media_row(brand, each)) for each in figures)
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return Response(200, f"<ResultSet {schema}>{rows}</ResultSet>".encode(), "text/xml; charset=utf-8")


def _media_row(brand: str, each: DayFigure) -> Mapping[str, object]:
    return {
        "Day": f"{each.day:%Y/%m/%d}", "Tracking_Code": each.tracker, "Brand": brand, "Impressions": 0, "Visitors": each.clicks,
        "Unique_Visitors": int(each.clicks * 0.94), "Leads": each.regs, "Registrations": each.regs, "FTD": each.ftd,
        "QFTD": each.ftd, "Deposits": f"{each.deposits:.2f}", "Volume": f"{each.deposits * 7.3:.2f}",
        "PL": f"{each.net_revenue:.2f}", "Commission": f"{each.commission:.2f}",
    }  # fmt: skip


def _xml_row(cells: Mapping[str, object]) -> str:
    return "<row>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in cells.items()) + "</row>"


def netrefer_token(request: Request, secret: str) -> Response:
    """A token for a person's name and password; `secret` is `client_id:client_secret:user:password`."""
    client, client_secret, user, password = secret.split(":")
    wanted = {
        "grant_type": "password", "client_id": client, "client_secret": client_secret, "username": user, "password": password,
        "scope": f"api://{client}/Reports.Read",
    }  # fmt: skip
    if request.method != "POST" or dict(parse_qsl(request.body.decode("latin-1"))) != wanted:
        return json_answer({"error": "invalid_grant", "error_description": "AADSTS50126: wrong credentials"}, 400)
    return json_answer({"token_type": "Bearer", "expires_in": 3599, "access_token": token_of(secret)})


def token_of(secret: str) -> str:
    return hashlib.sha256(f"token of {secret}".encode()).hexdigest()[:40]


def netrefer_days(request: Request) -> tuple[date, date] | Response:
    """The days in the path, which must be of one month."""
    _, first, last = request.path.removeprefix(NETREFER_REPORT).split("/")
    if first[:7] != last[:7]:
        return json_answer({"message": "from and to must be within the same month"}, 400)
    return day_of(first), day_of(last)


def netrefer(brand: str, figures: Iterable[DayFigure]) -> Response:
    """Each figure as first reported, with what was adjusted since beside it."""
    return json_answer([_daily_activity(brand, each) for each in figures])


def _daily_activity(brand: str, each: DayFigure) -> Mapping[str, object]:
    def figure(result: float, adjustment: float = 0) -> Mapping[str, float]:
        return {"Result": result, "Adjustment": adjustment}

    added = each.correction
    return {
        "Date": f"{each.day}T00:00:00", "BrandId": 12, "BrandName": brand, "TrackerId": number_of(each.tracker),
        "TrackerName": each.tracker, "Currency": "EUR", "Views": each.clicks * 4, "Clicks": each.clicks,
        "Registrations": figure(each.regs), "FirstDeposits": figure(each.ftd, added.ftd), "Deposits": figure(each.deposits),
        "NetRevenue": figure(each.net_revenue, added.net_revenue), "CPA": figure(0),
        "RevShare": figure(each.commission, added.commission),
    }  # fmt: skip


def number_of(tracker: str) -> int:
    return int(hashlib.sha256(tracker.encode()).hexdigest()[:6], 16) % 90_000 + 10_000


def alanbase_days(request: Request, timezone: str) -> tuple[date, date] | Response:
    """The days asked for; a parameter that lacks is an error, and this network knows one zone."""
    wanted = ("group_by", "timezone", "date_from", "date_to", "currency_code", "page", "per_page")
    if lacks := next((name for name in wanted if not request.param(name)), ""):
        return json_answer({"message": f"The {lacks} field is required.", "errors": {}}, 422)
    if request.param("timezone") != timezone:
        return json_answer({"message": "The timezone is invalid.", "errors": {}}, 422)
    return day_of(request.param("date_from")[:10]), day_of(request.param("date_to")[:10])


def alanbase(request: Request, hours: Iterable[HourFigure]) -> Response:
    rows = [_common(each) for each in hours]
    size, page = int(request.param("per_page")), int(request.param("page"))
    meta = {"page": page, "per_page": size, "total_count": len(rows)}
    return json_answer({"data": rows[size * (page - 1) : size * page], "meta": meta})


def _common(each: HourFigure) -> Mapping[str, object]:
    paid, none = {"count": each.ftd, "payout": f"{each.commission:.2f}"}, {"count": 0, "payout": "0.00"}
    return {
        "group_fields": [{"key": "hour", "label": f"{each.hour:%Y-%m-%d %H:%M}"}], "click_count": each.clicks,
        "click_unique_count": int(each.clicks * 0.94),
        "conversions": {"total": paid, "confirmed": paid, "pending": none, "rejected": none},
    }  # fmt: skip


def everflow_days(request: Request) -> tuple[date, date] | Response:
    asked = json.loads(request.body or b"{}")
    wanted = ("from", "to", "timezone_id", "currency_id", "columns")
    if lacks := next((name for name in wanted if name not in asked), ""):
        return json_answer({"Error": f"{lacks} is required"}, 400)
    if asked["timezone_id"] not in EVERFLOW_ZONES:
        return json_answer({"Error": "invalid timezone_id"}, 400)
    return day_of(asked["from"]), day_of(asked["to"])


def everflow(brand: str, figures: Iterable[DayFigure]) -> Response:
    return json_answer({"table": [_entity(brand, each) for each in figures], "incomplete_results": False})


def _entity(brand: str, each: DayFigure) -> Mapping[str, object]:
    midnight = int(datetime.combine(each.day, time(), UTC).timestamp())
    columns = [
        {"column_type": "date", "id": str(midnight)}, {"column_type": "offer", "id": "81", "label": brand},
        {"column_type": "sub1", "id": each.tracker, "label": each.tracker},
    ]  # fmt: skip
    reporting = {
        "imp": 0, "total_click": each.clicks, "unique_click": int(each.clicks * 0.94), "invalid_click": 0,
        "duplicate_click": each.clicks - int(each.clicks * 0.94), "cv": each.ftd, "event": each.regs,
        "revenue": each.commission, "on_hold_conversion_count": 0, "on_hold_potential_revenue": 0,
    }  # fmt: skip
    return {"columns": columns, "reporting": reporting}


def referon(brand: str, figures: Iterable[DayFigure]) -> Response:
    """The columns are those of the saved report."""
    rows = (
        (each.day, brand, each.tracker, each.clicks, int(each.clicks * 0.94), each.regs, each.ftd, f"{each.first_deposits:.2f}",
         each.ftd, each.ftd * 2, f"{each.deposits:.2f}", "0.00", f"{each.deposits * 7.3:.2f}", f"{each.net_revenue:.2f}", each.ftd,
         f"{each.commission:.2f}", "0.00", f"{each.commission:.2f}")
        for each in figures
    )  # fmt: skip
    return Response(200, csv_text(REFERON_COLUMNS, rows).encode(), CSV)
