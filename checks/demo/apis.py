"""The partners' statistics APIs, each in its platform's dialect and with its manners of refusing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from checks.demo import dialects
from checks.demo.dialects import CSV, LOGIN, csv_text, day_of, json_answer, token_of
from checks.demo.figures import DayFigure, Desk
from checks.demo.http import Request, Response

if TYPE_CHECKING:
    from checks.demo.script import Script
    from checks.demo.told import Told

Now = Callable[[], datetime]


class PartnerApi:
    """One partner's API host: `answer` speaks the dialect of its preset. `secret` is what the company was given."""

    def __init__(self, desk: Desk, secret: str, now: Now, script: Script, told: Told) -> None:
        self.desk, self.secret, self._now, self._script, self._told = desk, secret, now, script, told
        self._expiring = secret
        """The token that ends with F7."""
        self._dialects = {
            "affilka": self._affilka,
            "myaffiliates": self._myaffiliates,
            "smartico": self._smartico,
            "inhouse": self._inhouse,
            "incomeaccess": self._incomeaccess,
            "cellxpert": self._cellxpert,
            "netrefer": self._netrefer,
            "alanbase": self._alanbase,
            "everflow": self._everflow,
            "referon": self._referon,
        }

    def answer(self, request: Request) -> Response:
        try:
            return self._dialects[self.desk.partner.preset](request)
        except ValueError:
            return json_answer({"error": "bad_request"}, 400)

    def _days(self, first: date, last: date) -> list[DayFigure]:
        now = self._now()
        figures = list(self.desk.days(first, last, now))
        self._told.note(self.desk.partner.id, now, figures)
        return figures

    def _affilka(self, request: Request) -> Response:
        if request.path != "/api/customer/v1/partner/report":
            return json_answer({"error": "not_found"}, 404)
        if request.headers.get("authorization") != self.secret:
            return json_answer({"error": "unauthorized"}, 401)
        groups = [value for key, value in request.query if key == "group_by[]"]
        wanted = [value for key, value in request.query if key == "columns[]"] or list(_AFFILKA)
        unknown = [name for name in wanted if name not in _AFFILKA]
        if unknown:
            return json_answer({"error": f"unknown column {unknown[0]}"}, 400)
        figures = self._days(day_of(request.param("from")), day_of(request.param("to")))
        rows = [_affilka_keys(each, groups) + [_AFFILKA[name](each) for name in wanted] for each in figures]
        whole = _total(figures)
        totals = [_AFFILKA[name](whole) for name in wanted if name != "player_country"]
        return json_answer({"report_type": "partner_report", "rows": {"data": rows}, "totals": {"data": [totals]}})

    def _myaffiliates(self, request: Request) -> Response:
        token = token_of(self.secret)
        if request.path == "/oauth/access_token":
            return self._token(request, token)
        if request.path != "/statistics.php":
            return Response(404, b"not found", "text/plain")
        if request.headers.get("authorization") != f"Bearer {token}":
            return Response(200, LOGIN)
        figures = self._days(day_of(request.param("d1")), day_of(request.param("d2")))
        return Response(200, _sections(figures).encode(), CSV)

    def _token(self, request: Request, token: str) -> Response:
        form = dict(parse_qsl(request.body.decode("latin-1")))
        basic = "Basic " + base64.b64encode(self.secret.encode()).decode()
        if request.method != "POST":
            return json_answer({"error": "invalid_request"}, 405)
        if form.get("grant_type") != "client_credentials":
            return json_answer({"error": "unsupported_grant_type"}, 400)
        if request.headers.get("authorization") != basic:
            return json_answer({"error": "invalid_client"}, 401)
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _smartico(self, request: Request) -> Response:
        if request.path != "/api/af2_media_report_af":
            return json_answer({"error": "not found"}, 404)
        if request.headers.get("authorization") != self.secret:
            return json_answer({"error": "label not allowed"}, 401)
        first, last = day_of(request.param("date_from")), day_of(request.param("date_to")) - timedelta(days=1)
        # From F4 on, for good, the money columns are in minor units; counts stay as they are.
        unit = 100 if self._script.begun("F4", self._now()) else 1
        rows = [self._smartico_row(each, unit) for each in self._days(first, last) if each.clicks or each.ftd]
        return json_answer({"meta": {"total": len(rows), "period": "DAY"}, "data": rows})

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
            return json_answer({"error": "not_found"}, 404)
        if self._script.begun("F7", self._now()) and request.headers.get("authorization") == f"Bearer {self._expiring}":
            return json_answer({"error": "token_expired"}, 401)
        if request.headers.get("authorization") != f"Bearer {self.secret}":
            return json_answer({"error": "invalid_token"}, 401)
        figures = self._days(day_of(request.param("start_date")), day_of(request.param("end_date")))
        days = sorted({each.day for each in figures})
        rows = [_inhouse_row(_total([each for each in figures if each.day == day])) for day in days]
        return json_answer({"data": rows})

    def _incomeaccess(self, request: Request) -> Response:
        if request.path != "/api/affreporting.asp":
            return Response(404, b"not found", "text/plain")
        if request.param("key") != self.secret:
            return Response(200, b"ERROR: Invalid key. Access denied.\r\n", CSV)
        first, last = (day_of(request.param(name).replace("/", "-")) for name in ("reportstartdate", "reportenddate"))
        figures = self._days(first, last)
        days = sorted({each.day for each in figures})
        totals = (_total([each for each in figures if each.day == day]) for day in days)
        return Response(200, csv_text(_INCOME_COLUMNS, (self._income_row(each) for each in totals)).encode(), CSV)

    def _income_row(self, each: DayFigure) -> tuple[object, ...]:
        counts = (each.clicks * 6, each.clicks, each.regs, each.ftd, each.ftd)
        money = (each.deposits, _ggr(each), each.net_revenue, 0, each.commission)
        where = (f"{each.day:%m/%d/%Y}", self.desk.partner.name, COMPANY_SITE)
        return (1, "EUR", *where, *counts, *money, each.ftd, each.commission)

    def _cellxpert(self, request: Request) -> Response:
        if request.path != "/api/":
            return Response(404, b"not found", "text/plain")
        if (request.header("affiliateid"), request.header("x-api-key")) != (ACCOUNT, self.secret):
            return Response(200, b"Bad Authentication", "text/plain")
        asked = dialects.cellxpert_days(request)
        return asked if isinstance(asked, Response) else dialects.cellxpert(self.desk.partner.name, self._days(*asked))

    def _netrefer(self, request: Request) -> Response:
        if request.path == dialects.NETREFER_TOKEN:
            return dialects.netrefer_token(request, self.secret)
        if not request.path.startswith(f"{dialects.NETREFER_REPORT}{ACCOUNT}/"):
            return json_answer({"message": "Resource not found"}, 404)
        if request.header("authorization") != f"Bearer {token_of(self.secret)}":
            return json_answer({"message": "Unauthorized"}, 401)
        asked = dialects.netrefer_days(request)
        return asked if isinstance(asked, Response) else dialects.netrefer(self.desk.partner.name, self._days(*asked))

    def _alanbase(self, request: Request) -> Response:
        if request.path != "/v1/partner/statistic/common":
            return json_answer({"message": "Not Found"}, 404)
        if request.header("api-key") != self.secret:
            return json_answer({"message": "Unauthenticated."}, 401)
        asked = dialects.alanbase_days(request, self.desk.partner.timezone)
        return (
            asked if isinstance(asked, Response) else dialects.alanbase(request, self.desk.hours(*asked, self._now()))
        )

    def _everflow(self, request: Request) -> Response:
        if request.path != "/v1/affiliates/reporting/entity/table":
            return json_answer({"Error": "not found"}, 404)
        if request.header("x-eflow-api-key") != self.secret:
            return json_answer({"Error": "Unauthorized"}, 401)
        asked = dialects.everflow_days(request)
        return asked if isinstance(asked, Response) else dialects.everflow(self.desk.partner.name, self._days(*asked))

    def _referon(self, request: Request) -> Response:
        if request.path != REFERON_REPORT:
            return Response(404, b"not found", "text/plain")
        if request.param("token") != self.secret:
            return Response(200, LOGIN)
        first, last = day_of(request.param("from")), day_of(request.param("to"))
        return dialects.referon(self.desk.partner.name, self._days(first, last))


ACCOUNT = "4711"
"""Number of the company's account, everywhere."""
REFERON_REPORT = "/statistics/preset"
COMPANY_SITE = "Corvane Media"


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
        keys.append(_cell("campaign_id", str(dialects.number_of(each.tracker)), "string"))
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
             f"{each.first_deposits:.2f}", f"{each.deposits:.2f}", each.ftd, f"{each.net_revenue + each.correction.net_revenue:.2f}", "0.00",
             f"{each.commission:.2f}", "0.00", f"{each.commission:.2f}")
            for each in figures if each.geo == geo
        )  # fmt: skip
        parts.append(f"Customer group: {geo}\r\n{csv_text(_MY_COLUMNS, rows)}")
    return "\r\n".join(parts) or csv_text(_MY_COLUMNS, ())


def _total(figures: list[DayFigure]) -> DayFigure:
    day = figures[0].day if figures else date.min
    counts = [sum(getattr(each, name) for each in figures) for name in ("clicks", "regs", "ftd")]
    return DayFigure(day, "", "", counts[0], counts[1], counts[2], round(sum(each.commission for each in figures), 2))
