"""A key goes to the partner and nowhere else: not into a log, a word, a record or what is kept of an answer."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import replace
from urllib.parse import parse_qsl, quote

import httpx
import pytest
import zstandard
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from checks.feeds.judge import judge
from checks.feeds.mask import masked
from checks.feeds.preset import parse
from checks.feeds.pull import Accounts, pull
from data.model.codec import to_json

from .conftest import NOW, feed, serving

USER, PASSWORD = "anna@corvane.example", "hunter2/very+secret=="
SECRET = f"{USER}:{PASSWORD}"
TOKEN = "tok-3n-0f-7he-5e5510n"
TOML = """
platform = "Keyed"
required = ["clicks"]
[auth]
{auth}
[request]
path = "/rows"
params = [["from", "{{from}}"]]
[pace]
min_gap_s = 0.0
[rows]
format = "json"
path = "rows"
[fields]
clicks = {{ from = "clicks" }}
commission_total = {{ from = "money", type = "money" }}
"""
WAYS = {
    "header": 'kind = "header"\nname = "X-Api-Key"',
    "query": 'kind = "query"\nname = "api_key"',
    "basic": 'kind = "basic"',
    "client credentials": 'kind = "oauth_cc"\npath = "/token"',
    "password grant": 'kind = "oauth_pw"\npath = "/token"\nform = [["client_id", "app-{account}"]]\nscope = "stats"',
    "session": 'kind = "session"\npath = "/token"\nname = "cwauth-token"\nbody = \'{"id": "{user}", "key": "{password}"}\'\ntoken = "data.token"',
}  # fmt: skip


class Echo:
    """Answers with everything it was sent, as debugging servers do."""

    def __init__(self, status=200):
        self.status, self.granted, self.asked = status, [], []
        routes = [Route("/token", self.token, methods=["POST"]), Route("/rows", self.rows)]
        self.app = Starlette(routes=routes)

    async def token(self, request):
        body = (await request.body()).decode()
        self.granted.append(json.loads(body) if body.startswith("{") else dict(parse_qsl(body)))
        return JSONResponse({"access_token": TOKEN, "data": {"token": TOKEN}, "expires_in": 3600})

    async def rows(self, request):
        self.asked.append(dict(request.headers))
        row = {
            "date": "2026-11-17", "clicks": 4, "money": 2.5, "url": str(request.url), "headers": dict(request.headers), "key": PASSWORD,
            "encoded": quote(PASSWORD, safe=""), "all": SECRET, "token": TOKEN if self.granted else "",
        }  # fmt: skip
        note = {"error": f"bad key {SECRET} {TOKEN if self.granted else ''}"} if self.status != 200 else {}
        return JSONResponse({"rows": [row], **note}, self.status, headers={"warning": f'299 - "api_key={SECRET}"'})


def spellings():
    raw = (SECRET, PASSWORD, TOKEN)
    return [
        *raw, *(quote(one, safe="") for one in raw), *(base64.b64encode(one.encode()).decode().rstrip("=") for one in raw),
    ]  # fmt: skip


def found_in(text):
    return [one for one in spellings() if one in text]


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("way", WAYS)
async def test_a_key_that_a_server_repeats_is_nowhere_in_what_is_kept_said_or_logged(way, status, caplog):
    caplog.set_level(logging.DEBUG)
    preset, server = parse(TOML.format(auth=WAYS[way]), "keyed"), Echo(status)
    async with serving(server.app) as url, httpx.AsyncClient(trust_env=False) as client:
        account = feed(url, "keyed", options={})
        got = await pull(account, preset, SECRET, client, NOW, accounts=Accounts())
    assert server.asked, "the report was asked for"
    outcome = judge(account, preset, got, None, (), NOW)
    bodies = "".join(zstandard.decompress(one.body).decode() for one in got.payloads)
    kept = to_json([replace(one, body=b"") for one in outcome.payloads]).decode()
    said = to_json([outcome.observation, outcome.stats, outcome.changes]).decode()
    logged = "".join(one.getMessage() for one in caplog.records if one.name.startswith(("checks", "data", "tui")))
    for text in (bodies, kept, said, logged, repr(got), zstandard.decompress(outcome.baseline).decode()):
        assert not found_in(text)
    assert (got.problem is None) == (status == 200)
    if status == 200:
        assert got.rows[0].measures["clicks"] == 4


async def test_a_password_grant_sends_the_user_the_password_and_what_the_preset_adds():
    preset, server = parse(TOML.format(auth=WAYS["password grant"]), "keyed"), Echo()
    async with serving(server.app) as url, httpx.AsyncClient(trust_env=False) as client:
        await pull(feed(url, "keyed", options={}), preset, SECRET, client, NOW, accounts=Accounts())
    assert server.granted == [
        {"grant_type": "password", "username": USER, "password": PASSWORD, "scope": "stats", "client_id": "app-4711"}
    ]
    assert server.asked[0]["authorization"] == f"Bearer {TOKEN}"


async def test_a_session_posts_its_key_once_and_sends_the_token_in_its_own_header():
    preset, server, accounts = parse(TOML.format(auth=WAYS["session"]), "keyed"), Echo(), Accounts()
    async with serving(server.app) as url, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(2):
            got = await pull(feed(url, "keyed", options={}), preset, SECRET, client, NOW, accounts=accounts)
            assert got.problem is None
    assert server.granted == [{"id": USER, "key": PASSWORD}]
    assert server.asked[1]["cwauth-token"] == TOKEN


@pytest.mark.parametrize(
    "answer", [Response("no"), JSONResponse({}), JSONResponse({"access_token": ""}), JSONResponse({"access_token": "a\nb"}), JSONResponse([])]
)  # fmt: skip
async def test_a_token_endpoint_that_gives_no_token_is_an_access_problem(answer):
    async def token(request):
        return answer

    preset = parse(TOML.format(auth=WAYS["client credentials"]), "keyed")
    app = Starlette(routes=[Route("/token", token, methods=["POST"])])
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as client:
        got = await pull(feed(url, "keyed", options={}), preset, SECRET, client, NOW, accounts=Accounts())
    assert (got.problem.cause, got.problem.words) == ("feed.auth", "the token endpoint gave no token")


def test_figures_are_not_blotted_out_by_a_short_key():
    assert masked(b'{"clicks": 1234, "n": "7:1234"}', ("7:1234",)) == b'{"clicks": 1234, "n": "7:1234"}'
