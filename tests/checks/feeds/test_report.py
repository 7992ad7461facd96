from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from checks.feeds.adapt import adapt
from checks.feeds.fetch import Answer
from checks.feeds.preset import load, parse
from checks.feeds.pull import Accounts, pull
from checks.feeds.report import Reply
from checks.feeds.request import call, newest_day
from data.errors import ConfigError

from .conftest import NOW, feed, serving

BASE = """
platform = "X"
{top}
[rows]
format = "{form}"
path = "{path}"
{rows}
[fields]
clicks = {{ from = "clicks" }}
{more}
"""


def preset(more="", top="", rows="", form="json", path="rows"):
    return parse(BASE.format(more=more, top=top, rows=rows, form=form, path=path), "x")


REJECTS = """
[[reject]]
json = "status"
match = "^-1$"
cause = "feed.contract"
words = "the status in the body says that it failed"
[[reject]]
json = "errors"
match = "key|token"
cause = "feed.auth"
[[reject]]
match = "too many requests"
cause = "feed.throttled"
words = "throttled in words"
[[reject]]
json = "error"
cause = "feed.contract"
[[reject]]
empty = true
cause = "feed.auth"
words = "an empty body, as for a wrong key"
"""


@pytest.mark.parametrize(
    ("status", "body", "cause", "words"),
    [
        (200, b'{"status": 1, "errors": [], "error": null, "rows": []}', None, ""),
        (200, b'{"status": 1, "error": "", "errors": {}}', None, ""),
        (200, b'{"status": -1}', "feed.contract", "the status in the body says that it failed"),
        (200, b'{"errors": [{"publicMessage": "API key is not valid"}]}', "feed.auth", "error in the body: "),
        (400, b'{"errors": ["bad token"]}', "feed.auth", "error in the body"),
        (400, b'{"error": "bad date"}', "http.4xx", "the API answered 400"),
        (404, b"<html>not here</html>", "http.4xx", "the API answered 404"),
        (410, b"", "http.gone", "410"),
        (200, b"Too Many Requests, slow down", "feed.throttled", "throttled in words"),
        (403, b'{"error": "ip_not_allowed"}', "feed.auth", "403 ip_not_allowed"),
        (401, b'{"error": {"code": "expired"}}', "feed.auth", "401 expired"),
        (502, b"<html>bad key gateway token</html>", "http.5xx", "502"),
        (302, b"", "feed.contract", "moved (302)"),
        (200, b" \n", "feed.auth", "an empty body"),
        (200, b"<!doctype html><title>Sign in</title>", "feed.auth", "an HTML page"),
        (429, b"", "feed.throttled", "throttled (429)"),
    ],
)
def test_an_answer_is_a_report_or_says_why_it_is_none(status, body, cause, words):
    found = Reply(Answer(status, {"content-type": ""}, body), preset(REJECTS)).refusal(NOW)
    assert (found.cause if found else None) == cause
    assert words in (found.words if found else "")
    if cause == "feed.throttled":
        assert found.retry_at == NOW + timedelta(seconds=60)


def served(body, content_type="application/json"):
    async def answer(request):
        return Response(body, media_type=content_type)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


async def read(body, wanted, **changed):
    async with serving(served(body)) as url, httpx.AsyncClient(trust_env=False) as client:
        return await pull(feed(url, "x", **changed), wanted, "", client, NOW, accounts=Accounts())


async def test_one_object_a_line_and_elements_by_their_name_are_records_too():
    lines = b'{"date": "2026-11-17", "clicks": 4}\n\n{"date": "2026-11-16", "clicks": 5}\n'
    got = await read(lines, preset(form="ndjson", path=""))
    assert [row.measures["clicks"] for row in got.rows] == [4, 5]
    xml = b"<r><meta><x>1</x><y>2</y></meta><meta><x>1</x><y>2</y></meta><d><row><date>2026/11/17</date><clicks>6</clicks></row></d></r>"
    got = await read(xml, preset(form="xml", path="row"))
    assert [(row.day, row.measures["clicks"]) for row in got.rows] == [(date(2026, 11, 17), 6)]


@pytest.mark.parametrize(
    ("top", "body", "words"),
    [
        ("", b'{"rows": [{"date": "2026-11-17"}]}', ""),
        ("", b'{"data": []}', "nothing at the records path 'rows'"),
    ],
)
async def test_a_report_is_where_its_preset_says_or_is_none(top, body, words):
    got = await read(body, preset(top=top))
    assert (got.problem.words if got.problem else "") == words
    if words:
        assert (got.problem.cause, got.rows, len(got.payloads)) == ("feed.contract", (), 1)


async def test_the_reports_own_totals_are_read_beside_its_rows():
    body = b'{"rows": [{"date": "2026-11-17", "clicks": 4}], "sum": {"clicks": "4"}}'
    got = await read(body, preset(rows='totals = "sum"'))
    assert got.totals == {"clicks": 4}
    cells = b'{"rows": [[{"name": "date", "value": "2026-11-17"}, {"name": "clicks", "value": 4}]], "sum": [[{"name": "clicks", "value": 9}]]}'
    got = await read(cells, preset(rows='totals = "sum"\npivot = "cells"'))
    assert (got.rows[0].measures, got.totals) == ({"clicks": 4}, {"clicks": 9})


async def test_more_bytes_over_all_pages_than_fit_in_memory_are_a_problem_not_a_flood():
    row = {"date": "2026-11-17", "clicks": 1, "note": "x" * 700}
    count = iter(range(1000))

    async def answer(request):
        return JSONResponse({"rows": [{**row, "n": next(count)}]})

    paged = preset('[paging]\nkind = "page"\nparam = "p"\nsize = 1\n[pace]\nmax_body = 1024\nmin_gap_s = 0.0')
    app = Starlette(routes=[Route("/", answer)])
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as client:
        got = await pull(feed(url, "x", days=1), paged, "", client, NOW, accounts=Accounts())
    assert (got.problem.cause, got.rows) == ("proto.oversize", ())
    assert len(got.payloads) == 6


# ── the dialect of a call ────────────────────────────────────────────────────────────────────────────────────────


def made(text, first=date(2026, 11, 30), last=date(2026, 12, 1), secret="k3y", **changed):
    return call(
        feed("https://api.example/", "x", **changed),
        adapt(preset(text), changed.get("options", {})),
        secret,
        first,
        last,
    )


def test_a_path_a_header_and_a_query_are_filled_and_what_is_no_placeholder_stays():
    text = """
    timezone = ""
    [request]
    path = "/v1/{account}/{from}/{to}"
    headers = { "X-Account" = "{account}" }
    params = [["zone", "{timezone}"], ["money", "{currency}"], ["json", '{"a":1}'], ["f[]", "a"], ["f[]", "b"]]
    """.replace('timezone = ""', "")
    one = made(text, account="a/b c")
    assert urlsplit(one.url).path == "/v1/a%2Fb%20c/2026-11-30/2026-12-01"
    assert one.headers["X-Account"] == "a/b c"
    assert one.params == (("zone", "UTC"), ("money", "EUR"), ("json", '{"a":1}'), ("f[]", "a"), ("f[]", "b"))
    assert "k3y" not in repr(made('[auth]\nkind = "query"\nname = "key"'))


@pytest.mark.parametrize(
    ("window", "begin", "end"),
    [
        ('format = "%Y-%m-%d %H:%M"\nend_format = "%Y-%m-%d 23:59"', "2026-11-30 00:00", "2026-12-01 23:59"),
        ('end = "exclusive"', "2026-11-30", "2026-12-02"),
        ('format = "%m/%d/%Y"\nend = "exclusive"', "11/30/2026", "12/02/2026"),
        ('format = "unix"\nend = "exclusive"', str(int(datetime(2026, 11, 30, tzinfo=UTC).timestamp())), str(int(datetime(2026, 12, 2, tzinfo=UTC).timestamp()))),
    ],
)  # fmt: skip
def test_a_window_is_written_as_the_platform_reads_it(window, begin, end):
    one = made(f'[request]\nparams = [["a", "{{from}}"], ["b", "{{to}}"]]\n[window]\n{window}')
    assert dict(one.params) == {"a": begin, "b": end}


def test_a_post_has_a_json_body_with_its_placeholders_filled_at_any_depth():
    one = made(
        """[request]\nmethod = "POST"\nbody = '{"range": {"from": "{from}"}, "cols": [{"c": "{currency}"}], "n": 5}' """
    )
    assert (one.method, one.headers["Content-Type"]) == ("POST", "application/json")
    assert msgspec.json.decode(one.content) == {"range": {"from": "2026-11-30"}, "cols": [{"c": "EUR"}], "n": 5}
    assert made("").content is None


def test_the_running_day_is_left_out_where_it_may_not_be_asked_for():
    assert newest_day(preset("[window]\ntoday = false"), NOW) == date(2026, 11, 16)
    assert newest_day(preset(), NOW) == date(2026, 11, 17)


async def test_a_query_in_the_base_url_stays_for_a_report_is_also_copied_as_an_address():
    asked = []

    async def answer(request):
        asked.append(dict(parse_qsl(str(request.url.query))))
        return JSONResponse({"rows": []})

    app = Starlette(routes=[Route("/{path:path}", answer)])
    wanted = preset(
        '[auth]\nkind = "query"\nname = "token"\n[request]\npath = "/r?preset=7"\nparams = [["from", "{from}"]]'
    )
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as client:
        got = await pull(feed(url, "x", days=1), wanted, "k3y-k3y-k3y", client, NOW, accounts=Accounts())
    assert got.problem is None
    assert asked == [{"preset": "7", "token": "k3y-k3y-k3y", "from": "2026-11-17"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[request]\npath = "/{acount}"', "did you mean 'account'"),
        ('[request]\nparams = [["a", "{form}"]]', "did you mean 'from'"),
        ('[request]\nmethod = "POST"\nbody = "{"', "request.body is not valid JSON"),
        ('[auth]\nkind = "session"\nbody = "key"', "auth.body is not valid JSON"),
        ('[paging]\nkind = "page"', "needs `param`"),
        ('[paging]\nkind = "cursor"', "needs `cursor`"),
        ('[request]\nmethod = "PUT"', "allowed: GET, POST"),
    ],
)
def test_a_preset_that_no_call_can_be_made_from_says_so(text, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        preset(text)


@pytest.mark.parametrize("name", ["everflow", "voluum", "netrefer", "keitaro"])
def test_presets_that_post_or_log_in_make_calls_without_braces_left(name):
    one = call(
        feed("https://api.example", name), load(name), "a:b:c:d", date(2026, 11, 16), date(2026, 11, 17), token="t"
    )
    sent = f"{one.url} {one.params} {one.headers} {(one.content or b'').decode()}"
    assert not re.search(r"\{[a-z_]+\}", sent)


@pytest.mark.parametrize(
    ("body", "lacking"),
    [
        (b'{"rows": [{"date": "2026-11-17", "visits": 1}]}', {"clicks": ["clicks"]}),
        (b'{"rows": [{"date": "2026-11-17", "visits": 1}, {"clicks": null}]}', {}),
        (b'{"rows": []}', {}),
    ],
)
async def test_what_a_preset_requires_and_no_row_has_is_named(body, lacking):
    got = await read(body, preset(top='required = ["clicks"]'))
    assert got.problem is None
    assert got.lacking == lacking
