from __future__ import annotations

import asyncio
import gzip
import json
import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from checks.feeds import preset as presets
from checks.feeds.fetch import retry_at
from checks.feeds.pull import TokenCache

from .conftest import CALM, NOW, feed, pulled, raw_server, serving
from .dialects import LOGIN, MyAffiliates, affilka, incomeaccess, inhouse, smartico

SECRET = "s3cret-token"


def always(response):
    async def answer(request):
        return response

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


async def test_affilka_cells_become_day_figures_of_each_campaign():
    async with serving(affilka()) as url:
        got = await pulled(feed(url), presets.load("affilka"))
    assert got.problem is None
    assert len(got.rows) == 3 * 4
    row = got.rows[-1]
    assert (row.day, row.dims, row.currency) == (date(2026, 11, 17), {"tracker": "3"}, "EUR")
    assert row.measures["commission_total"] == Decimal("662.22")
    assert row.measures["clicks"] == 103
    assert json.loads(zstandard.decompress(got.payloads[0].body))["report_type"] == "common"


async def test_myaffiliates_sections_are_read_with_their_groups_and_the_parts_of_income():
    server = MyAffiliates()
    async with serving(server.app) as url:
        got = await pulled(feed(url, "myaffiliates"), presets.load("myaffiliates"), "client:s3cret:with:colons")
    assert got.problem is None
    assert {row.dims["group"] for row in got.rows} == {"Casino", "Sports"}
    assert len(got.rows) == 6
    assert got.rows[0].measures["commission_total"] == 140
    assert got.rows[0].measures["commission_cpl"] is None


async def test_a_token_is_used_again_until_it_is_refused_and_then_renewed_once():
    server, tokens = MyAffiliates(), TokenCache()
    async with serving(server.app) as url:
        for at in (NOW, NOW + timedelta(minutes=15)):
            got = await pulled(feed(url), presets.load("myaffiliates"), "client:s3cret:with:colons", at, tokens)
            assert got.problem is None
        assert server.grants == 1
        server.revoke()
        got = await pulled(feed(url), presets.load("myaffiliates"), "client:s3cret:with:colons", NOW, tokens)
        assert got.problem is None
        assert server.grants == 2
        await pulled(
            feed(url), presets.load("myaffiliates"), "client:s3cret:with:colons", NOW + timedelta(hours=2), tokens
        )
        assert server.grants == 3


async def test_wrong_client_credentials_are_an_access_problem():
    async with serving(MyAffiliates().app) as url:
        got = await pulled(feed(url), presets.load("myaffiliates"), "client:n0t-the-secret")
    assert got.problem.cause == "feed.auth"


async def test_smartico_is_asked_one_day_further_and_idle_days_may_be_missing():
    async with serving(smartico(idle="2026-11-16")) as url:
        got = await pulled(feed(url), presets.load("smartico"))
    assert got.problem is None
    assert {row.day.day for row in got.rows} == {15, 17}
    assert {row.dims["tracker"] for row in got.rows} == {"go-1", ""}
    assert got.rows[0].measures["commission_revshare"] is None


async def test_minor_units_and_counts_in_strings_become_major_decimals():
    async with serving(inhouse()) as url:
        got = await pulled(feed(url), presets.load("inhouse"))
    assert got.rows[0].measures["commission_total"] == Decimal("1170.55")
    assert got.rows[0].measures["ftd_count"] == 15


async def test_a_unit_override_of_one_account_divides_its_money_only():
    async with serving(smartico()) as url:
        got = await pulled(feed(url, options={"unit": "minor"}), presets.load("smartico"))
    assert got.rows[0].measures["commission_total"] == Decimal("0.765")
    assert got.rows[0].measures["clicks"] == 50


async def test_income_access_shows_yesterday_only_after_its_daily_run():
    async with serving(incomeaccess(until="2026-11-15")) as url:
        got = await pulled(feed(url), presets.load("incomeaccess"))
    assert [row.day.day for row in got.rows] == [15]
    assert got.rows[0].dims == {"brand": "Saltwick", "tracker": "lister.example", "geo": "GB"}


@pytest.mark.parametrize(
    ("name", "app"),
    [("affilka", affilka()), ("smartico", smartico()), ("inhouse", inhouse()), ("incomeaccess", incomeaccess())],
)
async def test_a_refused_key_is_an_access_problem_on_every_platform_whatever_the_status(name, app):
    async with serving(app) as url:
        got = await pulled(feed(url), presets.load(name), "wrong")
    assert got.problem.cause == "feed.auth"
    assert not got.rows


@pytest.mark.parametrize(
    ("response", "cause", "words"),
    [
        (Response(status_code=291, headers={"retry-after": "120"}), "feed.throttled", "291"),
        (Response(status_code=429), "feed.throttled", "429"),
        (PlainTextResponse(LOGIN), "feed.auth", "HTML page"),
        (RedirectResponse("/login?next=/report"), "feed.auth", "login page"),
        (RedirectResponse("https://elsewhere.example/v2"), "feed.contract", "moved"),
        (JSONResponse({"error": "token_expired"}, 401), "feed.auth", "401 token_expired"),
        (JSONResponse({"error": f"secret {SECRET} is bad"}, 403), "feed.auth", "403"),
        (Response(status_code=404), "http.4xx", "404"),
        (Response(status_code=410), "http.gone", "410"),
        (Response(status_code=503, headers={"retry-after": "30"}), "http.5xx", "503"),
        (PlainTextResponse("not json"), "feed.contract", "not valid JSON"),
        (PlainTextResponse(b"\xff\xfe\x00"), "feed.contract", "not valid JSON"),
        (PlainTextResponse("[" * 100_000), "feed.contract", "nested without end"),
        (PlainTextResponse('{"data": [{"dt": NaN}]}'), "feed.contract", "not valid JSON"),
        (PlainTextResponse('{"data": [{"dt": ' + "9" * 10_000_000 + "}]}"), "feed.contract", "not valid JSON"),
        (JSONResponse({"rows": []}), "feed.contract", "records path"),
        (JSONResponse([1, 2]), "feed.contract", "records path"),
    ],
)
async def test_whatever_is_no_report_has_a_cause_and_words(response, cause, words):
    async with serving(always(response)) as url:
        got = await pulled(feed(url), presets.load("smartico"))
    assert got.problem.cause == cause
    assert words in got.problem.words
    assert SECRET not in got.problem.words
    assert not got.rows


async def test_a_throttled_account_says_when_it_may_be_asked_again():
    async with serving(always(Response(status_code=291, headers={"retry-after": "120"}))) as url:
        got = await pulled(feed(url), presets.load("smartico"))
    assert got.problem.retry_at == NOW + timedelta(seconds=120)


@CALM
@given(st.text(max_size=40))
def test_any_retry_after_is_nothing_or_within_a_day(header):
    found = retry_at(header, NOW)
    assert found is None or NOW <= found <= NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", NOW + timedelta(seconds=120)),
        ("Tue, 17 Nov 2026 09:20:00 GMT", NOW + timedelta(minutes=5)),
        ("Mon, 01 Jan 2001 00:00:00 GMT", NOW),
        ("999999999", NOW + timedelta(days=1)),
        ("-5", None),
        ("soon", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header, expected):
    assert retry_at(header, NOW) == expected


async def test_a_dripping_server_ends_at_the_deadline():
    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(drip) as url:
        slow = feed(url, options={"timeout_s": "0.3"})
        got = await asyncio.wait_for(pulled(slow, presets.load("smartico")), 10)
    assert got.problem.cause == "tcp.timeout"


async def test_a_compression_bomb_stops_at_the_cap():
    bomb = gzip.compress(b" " * 200_000_000, 9, mtime=0)
    response = Response(bomb, media_type="application/json", headers={"content-encoding": "gzip"})
    async with serving(always(response)) as url:
        got = await pulled(feed(url), presets.load("smartico"))
    assert got.problem.cause == "proto.oversize"


@pytest.mark.parametrize(
    ("body", "encoding", "cause"),
    [
        (gzip.compress(b'{"data": []}', mtime=0)[:-6], "gzip", "proto.truncated"),
        (b"plain", "gzip", "proto.decode"),
        (b"plain", "br", "proto.decode"),
    ],
)
async def test_a_broken_encoding_is_named(body, encoding, cause):
    async with serving(always(Response(body, headers={"content-encoding": encoding}))) as url:
        got = await pulled(feed(url), presets.load("smartico"))
    assert got.problem.cause == cause


async def test_an_answer_cut_short_is_truncated():
    async def cut(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
        await writer.drain()

    async with raw_server(cut) as url:
        got = await pulled(feed(url), presets.load("smartico"))
    assert got.problem.cause == "proto.truncated"


async def test_nobody_listening_is_refused_and_a_name_that_is_none_does_not_resolve():
    assert (await pulled(feed("http://127.0.0.1:9"), presets.load("affilka"))).problem.cause == "tcp.refused"
    got = await pulled(feed("http://name.invalid."), presets.load("affilka"))
    assert got.problem.cause.startswith("dns.")


@pytest.mark.parametrize("secret", ["line\nbreak", "käse", "nul\x00", ""])
async def test_a_secret_that_fits_no_header_is_a_problem_without_the_secret(secret):
    async with serving(affilka()) as url:
        got = await pulled(feed(url), presets.load("affilka"), secret)
    assert got.problem is not None
    assert not secret or secret not in got.problem.words


async def test_no_secret_reaches_a_log_or_a_repr(caplog):
    caplog.set_level(logging.DEBUG)
    async with serving(always(Response(status_code=500))) as url:
        given_feed, token = feed(url), "hunter2-very-secret"
        got = await pulled(given_feed, presets.load("smartico"), token)
    assert token not in repr(got)
    assert not [
        record for record in caplog.records if record.name.startswith("checks") and token in record.getMessage()
    ]


async def test_pages_are_read_until_one_is_short_and_a_repeated_page_is_a_problem():
    async def paged(request):
        page = int(request.query_params["page"])
        rows = [{"date": "2026-11-17", "clicks": n, "commission_total": page} for n in range(10 if page < 3 else 4)]
        return JSONResponse({"rows": rows, "page": page})

    async def stuck(request):
        return JSONResponse({"rows": [{"date": "2026-11-17", "clicks": n, "commission_total": 1} for n in range(10)]})

    options = {"path": "/r", "rows": "rows", "page_param": "page", "page_size": "10", "min_gap_s": "0", "auth": "none"}
    async with serving(Starlette(routes=[Route("/r", paged)])) as url:
        got = await pulled(feed(url, options=options), presets.load("json"))
        assert (len(got.rows), len(got.payloads)) == (24, 3)
    async with serving(Starlette(routes=[Route("/r", stuck)])) as url:
        got = await pulled(feed(url, options=options), presets.load("json"))
        assert got.problem.cause == "feed.paging"


async def test_today_is_today_in_the_partners_time_zone():
    midnight = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    async with serving(inhouse()) as url:
        given_feed = feed(url, options={"timezone": "Asia/Tokyo"})
        got = await pulled(given_feed, presets.load("inhouse"), now=midnight)
    assert (got.first, got.last) == (date(2026, 11, 16), date(2026, 11, 18))
