"""What the first half's presets do beyond one pull: tokens that die, windows, accounts with other columns, players in sums."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import httpx
import pytest

from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.judge import judge
from checks.feeds.pull import TokenCache, pull
from checks.feeds.request import call, windows
from tests.street.partners import GOOD_DAY, NOW, dialects

from .conftest import feed, serving

DIALECTS = {dialect.title: dialect for dialect in dialects()}


def account(name, **changed):
    dialect = DIALECTS[name]
    options = {"min_gap_s": "0", **dialect.options, **changed.pop("options", {})}
    return feed(preset=dialect.preset, account=dialect.account, options=options, **changed)


async def read(name, *, times=1, **changed):
    """The same account read some times in a row with the same tokens; the last answer and the token requests made."""
    dialect, tokens, asked = DIALECTS[name], TokenCache(), []

    async def counted(request):
        if request.method == "POST":
            asked.append(dict(parse_qsl(request.content.decode())))

    async with (
        serving(dialect.serve("")) as url,
        httpx.AsyncClient(trust_env=False, event_hooks={"request": [counted]}) as client,
    ):
        given = account(name, base_url=url, **changed)
        for n in range(times):
            got = await pull(
                given,
                presets.load(dialect.preset),
                dialect.secret,
                client,
                NOW + timedelta(minutes=15 * n),
                tokens=tokens,
            )
    return got, asked


@pytest.mark.parametrize("name", ["myaffiliates", "netrefer"])
async def test_a_token_serves_several_reports_and_a_new_one_is_asked_for_when_it_has_lived(name):
    got, asked = await read(name, times=3)
    assert got.problem is None
    assert len(asked) == 1
    got, asked = await read(name, times=5)
    assert got.problem is None
    assert len(asked) == 2


async def test_netrefer_gets_a_persons_name_and_password_and_the_clients_own():
    _, asked = await read("netrefer")
    assert asked == [
        {
            "grant_type": "password", "client_id": "client-7", "client_secret": "cl1ent-secret", "username": "anna@corvane.example",
            "password": "p4ss:word", "scope": "api://client-7/Reports.Read",
        }
    ]  # fmt: skip


async def test_no_part_of_a_secret_of_four_parts_is_in_what_is_kept_or_said():
    got, _ = await read("netrefer")
    for part in ("cl1ent-secret", "p4ss:word"):
        assert part not in repr(got)


def test_netrefer_is_never_asked_across_the_end_of_a_month():
    preset = presets.load("netrefer")
    spans = windows(date(2026, 10, 30), date(2026, 12, 2), preset.window)
    asked = [call(account("netrefer"), preset, "", first, last).url.partition("/DAR/")[2] for first, last in spans]
    assert asked == ["4711/2026-10-30/2026-10-31", "4711/2026-11-01/2026-11-30", "4711/2026-12-01/2026-12-02"]


def test_smartico_and_income_access_are_asked_for_days_as_each_writes_them():
    day = date(2026, 2, 28)
    smartico = dict(call(account("smartico"), presets.load("smartico"), "k", day, day).params)
    assert (smartico["date_from"], smartico["date_to"]) == ("2026-02-28", "2026-03-01")
    income = dict(call(account("incomeaccess"), presets.load("incomeaccess"), "k", day, day).params)
    assert (income["reportstartdate"], income["reportenddate"], income["key"]) == ("2026/02/28", "2026/02/28", "k")


def test_an_income_access_programme_with_an_api_password_takes_it_under_that_name():
    preset = adapt(presets.load("incomeaccess"), {"auth": "query:apipassword"})
    assert dict(call(account("incomeaccess"), preset, "k", GOOD_DAY, GOOD_DAY).params)["apipassword"] == "k"


def test_affilka_is_not_asked_to_convert_what_it_would_convert_anew_every_day():
    names = [name for name, _ in call(account("affilka"), presets.load("affilka"), "t", GOOD_DAY, GOOD_DAY).params]
    assert not {"conversion_currency", "exchange_rates_date"} & set(names)


def test_an_affilka_programme_with_fewer_columns_is_asked_for_those_only():
    columns = "&".join(f"columns[]={name}" for name in ("visits_count", "registrations_count", "partner_income"))
    params = f"async=false&from={{from}}&to={{to}}&{columns}&group_by[]=day"
    given = account("affilka", options={"params": params})
    made = call(given, adapt(presets.load("affilka"), given.options), "t", GOOD_DAY, GOOD_DAY)
    assert [value for name, value in made.params if name == "columns[]"] == [
        "visits_count", "registrations_count", "partner_income",
    ]  # fmt: skip


async def test_players_are_added_up_and_none_of_them_is_named_or_taken_for_a_repeated_row():
    got, _ = await read("cellxpert_registrations")
    told = judge(account("cellxpert_registrations"), presets.load("cellxpert_registrations"), got, None, (), NOW)
    assert told.observation.cause == ""
    day = [stat for stat in told.stats if stat.day == GOOD_DAY]
    assert [
        (stat.measures["registrations"], stat.measures["qftd_count"], stat.measures["commission_total"]) for stat in day
    ] == [(2, 1, Decimal("96.48"))]
    assert not any("korrigan" in value for stat in told.stats for value in stat.dims.values())


def test_columns_that_an_account_adds_up_are_all_read_in_the_same_unit():
    preset = adapt(presets.load("csv"), {"field.commission_total": "CPA + Share + Bonus:money:minor"})
    field = preset.fields["commission_total"]
    assert (field.source, field.plus, field.type, field.unit) == ("CPA", ("Share", "Bonus"), "money", "minor")


def test_a_field_that_an_account_does_not_deliver_is_not_required_of_it():
    preset = adapt(presets.load("smartico"), {"field.commission_total": "-"})
    assert "commission_total" not in preset.fields
    assert preset.required == ("clicks", "registrations")
