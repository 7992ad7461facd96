"""Exchange rates from a file: whose, of which day, and how old they may be."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from data.config.rates import read_rates
from data.errors import ConfigError
from data.model.fact import Exchange

DAY = date(2026, 11, 17)
ECB = "Date,USD,BRL,XYZ,\n2026-11-16,1.25,6.25,N/A,\n2026-11-13,1.20,6.00,N/A,\n"


@pytest.fixture
def rates(tmp_path):
    def read(text, currency="EUR"):
        path = tmp_path / "rates.csv"
        path.write_text(text)
        return read_rates(path, currency)

    return read


def test_a_rate_is_the_last_quoted_on_or_before_the_day(rates):
    found = rates("day,currency,rate\n2026-11-16,BRL,0.16\n2026-11-18,BRL,0.17\n2026-11-14,brl,0.15\n")
    assert found.at("BRL", DAY) == Exchange(Decimal("0.16"), date(2026, 11, 16))
    assert found.at("BRL", date(2026, 11, 15)) == Exchange(Decimal("0.15"), date(2026, 11, 14))
    assert found.at("BRL", date(2026, 11, 13)) is None
    assert found.at("USD", DAY) is None


def test_a_rate_that_is_too_old_is_none(rates):
    found = rates("day,currency,rate\n2026-11-01,BRL,0.16\n")
    assert found.at("BRL", date(2026, 11, 11)) is not None
    assert found.at("BRL", date(2026, 11, 12)) is None


def test_our_own_currency_is_worth_itself_without_any_file(rates):
    assert rates("day,currency,rate\n").at("EUR", DAY) == Exchange(Decimal(1), DAY)


def test_the_central_banks_table_is_turned_round_and_into_the_companys_currency(rates):
    assert rates(ECB).at("USD", DAY) == Exchange(Decimal("0.80000000"), date(2026, 11, 16))
    assert rates(ECB, "USD").at("BRL", DAY) == Exchange(Decimal("0.20000000"), date(2026, 11, 16))
    assert rates(ECB, "USD").at("EUR", DAY) == Exchange(Decimal("1.25000000"), date(2026, 11, 16))
    assert rates(ECB).at("XYZ", DAY) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no table of rates"),
        ("a,b,c\n", "day,currency,rate"),
        ("day,currency,rate\n17.11.2026,BRL,0.16\n", "2: is no day"),
        ("day,currency,rate\n2026-11-17,BRL,0\n", "2: is no rate"),
        ("day,currency,rate\n2026-11-17,BRL,NaN\n", "2: is no rate"),
        ("day,currency,rate\n2026-11-17,BRL,1e99\n", "2: is no rate"),
        ('day,currency,rate\n2026-11-17,BRL,"0,16"\n', "2: is no rate"),
        ("day,currency,rate\n2026-11-17,BRL\n", "2: is no rate"),
    ],
)
def test_a_file_that_is_no_table_of_rates_names_line_and_value(rates, text, words):
    with pytest.raises(ConfigError) as raised:
        rates(text)
    assert words in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rates(tmp_path / "rates.csv", "EUR")
