"""The partners' statistics APIs, each in its platform's dialect and with its manners of refusing."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from checks.demo.figures import DayFigure, Desk
from checks.demo.http import Request, Response

if TYPE_CHECKING:
    from checks.demo.script import Script

Now = Callable[[], datetime]
JSON = "application/json"
CSV = "text/csv; charset=utf-8"


class PartnerApi:
    """One partner's API host: `answer` speaks the dialect of its preset. `secret` is what the company was given."""

    def __init__(self, desk: Desk, secret: str, now: Now, script: Script) -> None:
        self.desk, self.secret, self._now, self._script = desk, secret, now, script
        self._dialects = {
            "affilka": self._affilka,
            "myaffiliates": self._myaffiliates,
            "smartico": self._smartico,
            "inhouse": self._inhouse,
            "incomeaccess": self._incomeaccess,
        }

    def answer(self, request: Request) -> Response:
        try:
            return self._dialects[self.desk.partner.preset](request)
        except ValueError:
            return _json({"error": "bad_request"}, 400)

    def _days(self, first: date, last: date) -> list[DayFigure]:
        return list(self.desk.days(first, last, self._now()))

    def _affilka(self, request: Request) -> Response:
        if request.path != "/api/customer/v1/partner/report":
            return _json({"error": "not_found"}, 404)
        if request.headers.get("authorization") != self.secret:
            return _json({"error": "unauthorized"}, 401)
        groups = [value for key, value in request.query if key == "group_by[]"]
        wanted = [value for key, value in request.query if key == "columns[]"] or list(_AFFILKA)
        unknown = [name for name in wanted if name not in _AFFILKA]
        if unknown:
            return _json({"error": f"unknown column {unknown[0]}"}, 400)
        figures = self._days(_day(request.param("from")), _day(request.param("to")))
        rows = [_affilka_keys(each, groups) + [_AFFILKA[name](each) for name in wanted] for each in figures]
        whole = _total(figures)
        totals = [_AFFILKA[name](whole) for name in wanted if name != "player_country"]
        return _json({"report_type": "partner_report", "rows": {"data": rows}, "totals": {"data": [totals]}})

    def _myaffiliates(self, request: Request) -> Response:
        token = hashlib.sha256(f"token of {self.secret}".encode()).hexdigest()[:40]
        if request.path == "/oauth/access_token":
            return self._token(request, token)
        if request.path != "/statistics.php":
            return Response(404, b"not found", "text/plain")
        if request.headers.get("authorization") != f"Bearer {token}":
            return Response(200, _LOGIN)
        figures = self._days(_day(request.param("d1")), _day(request.param("d2")))
        return Response(200, _sections(figures).encode(), CSV)

    def _token(self, request: Request, token: str) -> Response:
        form = dict(parse_qsl(request.body.decode("latin-1")))
        basic = "Basic " + base64.b64encode(self.secret.encode()).decode()
        if request.method != "POST":
            return _json({"error": "invalid_request"}, 405)
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        if request.headers.get("authorization") != basic:
            return _json({"error": "invalid_client"}, 401)
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _smartico(self, request: Request) -> Response:
        if request.path != "/api/af2_media_report_af":
            return _json({"error": "not found"}, 404)
        if request.headers.get("authorization") != self.secret:
            return _json({"error": "label not allowed"}, 401)
        first, last = _day(request.param("date_from")), _day(request.param("date_to")) - timedelta(days=1)
        # From F4 on the money columns are in minor units; counts stay as they are.
        unit = 100 if self._script.active("F4", self._now()) else 1
        rows = [self._smartico_row(each, unit) for each in self._days(first, last) if each.clicks or each.ftd]
        return _json({"meta": {"total": len(rows), "period": "DAY"}, "data": rows})

    def _smartico_row(self, each: DayFigure, unit: int) -> dict[str, object]:
        def money(amount: float) -> float | int:
            return round(amount * 100) if unit == 100 else round(amount, 2)

        return {
            "dt": f"{each.day}T00:00:00Z",
            "brand_name": self.desk.partner.name,
            "afp": each.tracker,
            "visit_count": each.clicks,
            "registration_count": each.regs,
            "ftd_count": each.ftd,
            "ftd_total": money(each.first_deposits),
            "qftd_count": each.ftd,
            "deposit_count": each.ftd * 2,
            "deposit_total": money(each.deposits),
            "withdrawal_total": money(each.withdrawals),
            "volume": money(each.deposits * 7.3),
            "net_pl": money(each.net_revenue),
            "commissions_cpa": money(each.commission),
            "commissions_rev_share": 0,
            "commissions_total": money(each.commission),
        }

    def _inhouse(self, request: Request) -> Response:
        if request.path != "/api/v1/affiliates/stats":
            return _json({"error": "not_found"}, 404)
        if self._script.active("F7", self._now()):
            return _json({"error": "token_expired"}, 401)
        if request.headers.get("authorization") != f"Bearer {self.secret}":
            return _json({"error": "invalid_token"}, 401)
        figures = self._days(_day(request.param("start_date")), _day(request.param("end_date")))
        days = sorted({each.day for each in figures})
        rows = [_inhouse_row(_total([each for each in figures if each.day == day])) for day in days]
        return _json({"data": rows})

    def _incomeaccess(self, request: Request) -> Response:
        if request.path != "/api/affreporting.asp":
            return Response(404, b"not found", "text/plain")
        if request.param("key") != self.secret:
            return Response(200, b"ERROR: Invalid key. Access denied.\r\n", CSV)
        first, last = (_day(request.param(name).replace("/", "-")) for name in ("reportstartdate", "reportenddate"))
        figures = self._days(first, last)
        days = sorted({each.day for each in figures})
        totals = (_total([each for each in figures if each.day == day]) for day in days)
        return Response(200, _csv(_INCOME_COLUMNS, (self._income_row(each) for each in totals)).encode(), CSV)

    def _income_row(self, each: DayFigure) -> tuple[object, ...]:
        counts = (each.clicks * 6, each.clicks, each.regs, each.ftd, each.ftd)
        money = (each.deposits, _ggr(each), each.net_revenue, 0, each.commission)
        where = (f"{each.day:%m/%d/%Y}", self.desk.partner.name, COMPANY_SITE)
        return (1, "EUR", *where, *counts, *money, each.ftd, each.commission)


COMPANY_SITE = "Corvane Media"
_LOGIN = (
    b"<!doctype html><html><head><title>Affiliate login</title></head><body><form action='/login' method='post'>"
    b"<input name='username'><input name='password' type='password'><button>Log in</button></form></body></html>"
)


def _cell(name: str, value: object, kind: str) -> dict[str, object]:
    return {"name": name, "value": value, "type": kind}


def _money(name: str, amount: float) -> dict[str, object]:
    cents = round(amount * 100)
    return _cell(name, {"amount": f"{cents / 100:.2f}", "amount_cents": cents, "currency": "EUR"}, "money")


_AFFILKA: dict[str, Callable[[DayFigure], dict[str, object]]] = {
    "visits_count": lambda each: _cell("visits_count", each.clicks, "integer"),
    "registrations_count": lambda each: _cell("registrations_count", each.regs, "integer"),
    "first_deposits_count": lambda each: _cell("first_deposits_count", each.ftd, "integer"),
    "first_deposits_sum": lambda each: _money("first_deposits_sum", each.first_deposits),
    "deposits_count": lambda each: _cell("deposits_count", each.ftd * 2, "integer"),
    "deposits_sum": lambda each: _money("deposits_sum", each.deposits),
    "cashouts_sum": lambda each: _money("cashouts_sum", each.withdrawals),
    "ggr": lambda each: _money("ggr", _ggr(each)),
    "qualified_players_count": lambda each: _cell("qualified_players_count", each.ftd, "integer"),
    "ngr": lambda each: _money("ngr", each.net_revenue),
    "partner_income": lambda each: _money("partner_income", each.commission),
    "player_country": lambda each: _cell("player_country", each.geo, "string"),
}


def _ggr(each: DayFigure) -> float:
    return round(each.net_revenue * 1.3, 2)


def _affilka_keys(each: DayFigure, groups: list[str]) -> list[dict[str, object]]:
    keys = [_cell("date", each.day.isoformat(), "date")] if "day" in groups else []
    if "campaign_id" in groups:
        number = int(hashlib.sha256(each.tracker.encode()).hexdigest()[:6], 16) % 90_000 + 10_000
        keys.append(_cell("campaign_id", str(number), "string"))
    return keys


def _inhouse_row(each: DayFigure) -> dict[str, object]:
    def cents(amount: float) -> int:
        return round(amount * 100)

    return {
        "date": each.day.isoformat(),
        "visits": each.clicks,
        "num_users_joined": each.regs,
        "num_users_deposited": str(each.ftd),
        "amount_deposited": cents(each.deposits),
        "amount_wagered": cents(each.deposits * 7.3),
        "ggr_revenue": cents(_ggr(each)),
        "net_revenue": cents(each.net_revenue),
        "commission": cents(each.commission),
    }


_INCOME_COLUMNS = (
    "rowid", "currencysymbol", "period", "merchantname", "sitename", "impressions", "clicks", "downloads", "newdepositingacc",
    "firstdepositcount", "purchases", "grossrevenue", "netrevenue", "revsharecommission", "totalcpacommission", "cpacommissioncount",
    "totalcommission",
)  # fmt: skip
_MY_COLUMNS = (
    "Date", "Channel", "Pay period", "Customer group", "Campaign", "Impressions", "Clicks", "NRC", "NDC", "First Deposit",
    "Total Deposits", "Qualified NDCs", "Net revenue Total", "Income Revshare", "Income CPA", "Income CPL", "Income",
)  # fmt: skip


def _sections(figures: list[DayFigure]) -> str:
    """MyAffiliates' CSV: a section a customer group, each with its own header."""
    parts = []
    for geo in sorted({each.geo for each in figures}):
        rows = (
            (each.day, "Web", f"{each.day:%b %Y}", geo, each.tracker, each.clicks * 5, each.clicks, each.regs, each.ftd,
             f"{each.first_deposits:.2f}", f"{each.deposits:.2f}", each.ftd, f"{each.net_revenue:.2f}", "0.00",
             f"{each.commission:.2f}", "0.00", f"{each.commission:.2f}")
            for each in figures if each.geo == geo
        )  # fmt: skip
        parts.append(f"Customer group: {geo}\r\n{_csv(_MY_COLUMNS, rows)}")
    return "\r\n".join(parts) or _csv(_MY_COLUMNS, ())


def _csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _total(figures: list[DayFigure]) -> DayFigure:
    day = figures[0].day if figures else date.min
    counts = [sum(getattr(each, name) for each in figures) for name in ("clicks", "regs", "ftd")]
    return DayFigure(day, "", "", counts[0], counts[1], counts[2], round(sum(each.commission for each in figures), 2))


def _day(text: str) -> date:
    """ValueError for anything but YYYY-MM-DD."""
    return date.fromisoformat(text)


def _json(body: object, status: int = 200) -> Response:
    return Response(status, json.dumps(body, separators=(",", ":")).encode(), JSON)
