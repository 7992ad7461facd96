from __future__ import annotations

import base64
import csv
import io
import json

import pytest

from checks.demo.figures import Desk
from checks.demo.partners import BY_ID

AFFILKA = (
    "/api/customer/v1/partner/report?async=false&from=2026-11-15&to=2026-11-17&group_by[]=day&group_by[]=campaign_id"
)
SMARTICO = "/api/af2_media_report_af?aggregation_period=DAY&group_by=afp&date_from=2026-11-15&date_to=2026-11-18"
INHOUSE = "/api/v1/affiliates/stats?start_date=2026-11-15&end_date=2026-11-17&by=day"
MY = "/statistics.php?d1=2026-11-15&d2=2026-11-17&sd=1&mode=csv&sbm=1&dnl=1"
INCOME = (
    "/api/affreporting.asp?key={key}&reportname=Member%20Report%20-%20Detailed&reportformat=csv&reportmerchantid=0"
    "&reportstartdate=2026/11/14&reportenddate=2026/11/17&reportdisplayby=Date"
)


def day_totals(demo, partner, day):
    """(clicks, regs, ftd) of the company's own books for a UTC day."""
    ledger = demo.company.ledger
    leaves = [n for n, leaf in enumerate(ledger.world.leaves) if leaf.partner == partner]
    first = ledger.counts.shape[1] * 0 + 35 * 24 - 6 + (day - 17) * 24
    return ledger.counts[:, first : first + 24][:, :, leaves].sum(axis=(1, 2))


async def ask(demo, partner, path, *headers, **more):
    return await demo.get(BY_ID[partner].api_host, path, headers=headers, **more)


async def test_affilka_pivots_cells_and_agrees_with_our_own_clicks(open_demo):
    open_demo.at(9)
    token = open_demo.company.tokens["P01"]
    columns = "&columns[]=visits_count&columns[]=first_deposits_count&columns[]=partner_income&columns[]=player_country"
    answer = await ask(open_demo, "P01", AFFILKA + columns, f"Authorization: {token}")
    report = json.loads(answer.body)
    rows = [{cell["name"]: cell["value"] for cell in row} for row in report["rows"]["data"]]
    assert {row["date"] for row in rows} == {"2026-11-15", "2026-11-16", "2026-11-17"}
    assert len({(row["date"], row["campaign_id"]) for row in rows}) == len(rows)
    yesterday = [row for row in rows if row["date"] == "2026-11-16"]
    own = day_totals(open_demo, "P01", 16)
    assert sum(row["visits_count"] for row in yesterday) == pytest.approx(own[0] * 0.9, rel=0.05)
    assert sum(row["first_deposits_count"] for row in yesterday) == own[2]
    assert sum(float(row["partner_income"]["amount"]) for row in yesterday) == pytest.approx(own[3], abs=0.2)
    assert all(
        row["partner_income"]["amount_cents"] == round(float(row["partner_income"]["amount"]) * 100) for row in rows
    )
    total = {cell["name"]: cell["value"] for cell in report["totals"]["data"][0]}
    assert total["visits_count"] == sum(row["visits_count"] for row in rows)


async def test_affilka_refuses_a_wrong_token_and_an_unknown_column(open_demo):
    assert (await ask(open_demo, "P01", AFFILKA, "Authorization: wrong")).status == 401
    token = open_demo.company.tokens["P01"]
    assert (await ask(open_demo, "P01", AFFILKA + "&columns[]=magic", f"Authorization: {token}")).status == 400
    assert (
        await ask(open_demo, "P01", "/api/customer/v1/partner/report?from=x", f"Authorization: {token}")
    ).status == 400


async def my_token(demo, partner, secret):
    basic = base64.b64encode(secret.encode()).decode()
    body = b"grant_type=client_credentials&scope=r_user_stats"
    return await ask(demo, partner, "/oauth/access_token", f"Authorization: Basic {basic}", method="POST", body=body)


async def test_myaffiliates_gives_a_token_and_sections_by_customer_group(open_demo):
    open_demo.at(11)
    granted = json.loads((await my_token(open_demo, "P02", open_demo.company.tokens["P02"])).body)
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)
    text = (await ask(open_demo, "P02", MY, f"Authorization: Bearer {granted['access_token']}")).body.decode()
    assert text.count("Date,Channel,Pay period") == text.count("Customer group: ") == len(BY_ID["P02"].geos)
    section = text.split("Customer group: ")[1].partition("\r\n")[2]
    row = next(csv.DictReader(io.StringIO(section)))
    assert row["Date"] == "2026-11-15"
    assert float(row["Income"]) == float(row["Income CPA"]) == int(row["NDC"]) * 140


async def test_myaffiliates_shows_a_login_page_to_a_wrong_token(open_demo):
    assert (await my_token(open_demo, "P02", "no:body")).status == 401
    answer = await ask(open_demo, "P02", MY, "Authorization: Bearer nonsense")
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")


async def test_smartico_multiplies_money_by_a_hundred_while_counts_stay(open_demo):
    token = open_demo.company.tokens["P06"]

    async def rows(hour, minute):
        open_demo.at(hour, minute)
        answer = await ask(open_demo, "P06", SMARTICO, f"authorization: {token}")
        data = json.loads(answer.body)["data"]
        return {(row["dt"], row["afp"]): row for row in data if row["dt"] < "2026-11-17"}

    before, after = await rows(9, 14), await rows(9, 15)
    assert before.keys() == after.keys()
    assert any(row["commissions_total"] for row in before.values())
    for key, row in before.items():
        assert after[key]["ftd_count"] == row["ftd_count"]
        assert after[key]["commissions_total"] == round(row["commissions_total"] * 100)
    assert (await rows(20, 0))[next(iter(before))] == after[next(iter(before))], "nobody takes it back"


async def test_smartico_leaves_date_to_out(open_demo):
    open_demo.at(12)
    path = SMARTICO.replace("date_to=2026-11-18", "date_to=2026-11-17")
    answer = await ask(open_demo, "P06", path, f"authorization: {open_demo.company.tokens['P06']}")
    assert max(row["dt"] for row in json.loads(answer.body)["data"]).startswith("2026-11-16")


async def test_the_inhouse_api_counts_cents_and_forgets_its_token(open_demo):
    header = f"Authorization: Bearer {open_demo.company.tokens['P10']}"
    open_demo.at(13, 9)
    rows = json.loads((await ask(open_demo, "P10", INHOUSE, header)).body)["data"]
    assert [row["date"] for row in rows] == ["2026-11-15", "2026-11-16", "2026-11-17"]
    assert all(isinstance(row["num_users_deposited"], str) and isinstance(row["commission"], int) for row in rows)
    open_demo.at(13, 10)
    refused = await ask(open_demo, "P10", INHOUSE, header)
    assert (refused.status, json.loads(refused.body)) == (401, {"error": "token_expired"})
    open_demo.at(15, 10)
    assert (await ask(open_demo, "P10", INHOUSE, header)).status == 401
    open_demo.company.town.apis["P10"].secret = "renewed"
    assert (await ask(open_demo, "P10", INHOUSE, "Authorization: Bearer renewed")).status == 200
    assert (await ask(open_demo, "P10", INHOUSE, "Authorization: Bearer x")).status == 401


async def test_incomeaccess_brings_yesterday_five_hours_late(open_demo):
    async def days(hour, minute=0, days=0):
        open_demo.at(hour, minute, days)
        answer = await ask(open_demo, "P04", INCOME.format(key=open_demo.company.tokens["P04"]))
        return [row["period"] for row in csv.DictReader(io.StringIO(answer.body.decode()))]

    assert await days(6, 30) == ["11/14/2026", "11/15/2026"]
    assert await days(10, 59) == ["11/14/2026", "11/15/2026"]
    assert await days(11) == ["11/14/2026", "11/15/2026", "11/16/2026"]


async def test_incomeaccess_hides_its_refusal_in_the_body(open_demo):
    answer = await ask(open_demo, "P04", INCOME.format(key="wrong"))
    assert (answer.status, b"Invalid key" in answer.body) == (200, True)


def test_a_partners_day_is_its_own_calendars_day(ledger):
    from datetime import UTC, date, datetime

    now = datetime(2026, 11, 17, 12, tzinfo=UTC)
    ledger.history(now)
    tokyo = Desk(BY_ID["P10"], ledger)
    leaves = [n for n, leaf in enumerate(ledger.world.leaves) if leaf.partner == "P10"]
    first = 35 * 24 - 6 - 24 - 9
    own = ledger.counts[1, first : first + 24][:, leaves].sum()
    assert sum(each.regs for each in tokyo.days(date(2026, 11, 16), date(2026, 11, 16), now)) == own
