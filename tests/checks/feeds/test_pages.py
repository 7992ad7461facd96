from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from checks.feeds.pages import START, Page, Place, asked, following
from checks.feeds.preset import Paging, parse
from checks.feeds.pull import Accounts, pull

from .conftest import CALM, NOW, feed, serving

HOST = "https://api.example/v1/rows?key=k"


@CALM
@given(
    st.sampled_from(["page", "offset", "row"]), st.integers(0, 60), st.integers(1, 12), st.integers(1, 12),
    st.sampled_from(["", "total", "pages"]),
)  # fmt: skip
def test_every_row_is_read_once_whatever_a_server_counts_and_however_short_its_pages_are(kind, rows, size, cap, counts):
    """A server that gives at most `cap` rows where `size` were asked for must at least count them."""
    given_size = min(size, cap)
    if given_size < size and not counts:
        return
    paging = Paging(kind=kind, param="p", size=size, first=1)
    place, got, calls = START, [], 0
    while place is not None:
        ((_, value),) = asked(paging, place)
        begin = {"page": (value - 1) * given_size, "offset": value, "row": value - 1}[kind]
        page = list(range(rows))[begin : begin + given_size]
        got += page
        total = rows if counts == "total" else None
        pages = -(-rows // given_size) if counts == "pages" else None
        place = following(paging, place, Page(len(page), total, pages), HOST)
        calls += 1
        assert calls <= rows + 2
    assert got == list(range(rows))


@pytest.mark.parametrize(
    ("page", "after"),
    [
        (Page(10, cursor="abc"), Place(1, 10, "abc")),
        (Page(0, cursor="abc"), Place(1, 0, "abc")),  # filtered pages may be empty in the middle
        (Page(10), None),
    ],
)
def test_a_cursor_leads_on_until_there_is_none(page, after):
    paging = Paging(kind="cursor", param="after", cursor="next", size=10)
    assert following(paging, START, page, HOST) == after
    assert asked(paging, START) == ()
    if after:
        assert asked(paging, after) == (("after", "abc"),)


@pytest.mark.parametrize(
    "cursor", ["/v1/rows?page=2", "https://api.example/v1/rows?page=2", "//evil.example/v1/rows?page=2", "http://evil.example:81/v1/rows?page=2"]
)  # fmt: skip
def test_an_address_of_the_next_page_is_followed_at_our_host_only(cursor):
    paging = Paging(kind="cursor", cursor="next")
    after = following(paging, START, Page(10, cursor=cursor), HOST)
    assert after.link == "https://api.example/v1/rows?page=2"


TOML = """
platform = "Paged"
required = ["clicks"]
[request]
path = "/rows"
{request}
[window]
max_days = {days}
[pace]
min_gap_s = 0.0
[paging]
{paging}
[rows]
format = "json"
path = "rows"
[fields]
clicks = {{ from = "clicks" }}
"""


class Server:
    """`rows` rows a window, in pages; `answer(n)` may give the n-th call another answer."""

    def __init__(self, rows=25, size=10, answer=lambda n: None, extra=lambda begin, rows, request: {}):
        self.rows, self.size, self.answer, self.extra, self.calls = rows, size, answer, extra, []

    async def handle(self, request):
        asked = dict(request.query_params) | (await request.json() if request.method == "POST" else {})
        self.calls.append(asked)
        if (other := self.answer(len(self.calls))) is not None:
            return other
        begin = int(asked.get("offset", (int(asked.get("page", 1)) - 1) * self.size))
        rows = [{"date": asked["from"], "clicks": n} for n in range(self.rows)][begin : begin + self.size]
        return JSONResponse(
            {"rows": rows, **self.extra(begin, rows, request)}, headers={"X-Total-Count": str(self.rows)}
        )

    @property
    def app(self):
        return Starlette(routes=[Route("/rows", self.handle, methods=["GET", "POST"])])


QUERY = 'params = [["from", "{from}"], ["to", "{to}"]]'


def preset(paging, request=QUERY, days=31):
    return parse(TOML.format(request=request, paging=paging, days=days), "paged")


async def read(server, wanted, accounts=None, times=1, now=NOW, **changed):
    got = None
    async with serving(server.app) as url, httpx.AsyncClient(trust_env=False) as client:
        for n in range(times):
            got = await pull(
                feed(url, "paged", options={}, **changed), wanted, "k3y-k3y-k3y", client, now[n] if isinstance(now, list) else now,
                accounts=accounts or Accounts(),
            )  # fmt: skip
    return got


PAGE = 'kind = "page"\nparam = "page"\nsize = 10\nsize_param = "n"\n'


async def test_a_total_in_a_header_ends_the_pages_without_another_call():
    server = Server(rows=20)
    got = await read(server, preset(PAGE + 'total = "header:X-Total-Count"'), days=1)
    assert (got.problem, len(got.rows), got.pages, got.total) == (None, 20, (10, 10), 20)
    assert [call["page"] for call in server.calls] == ["1", "2"]


async def test_pages_go_into_the_body_of_a_post_beside_what_the_preset_says():
    server = Server(rows=25)
    body = """method = "POST"\nbody = '{"from": "{from}", "zone": "{timezone}", "who": ["{account}"], "deep": {"n": 1}}' """
    got = await read(server, preset('kind = "offset"\nparam = "offset"\nwhere = "body"\nsize = 10', body), days=1)
    assert (got.problem, len(got.rows)) == (None, 25)
    assert server.calls[1] == {"from": "2026-11-17", "zone": "UTC", "who": ["4711"], "deep": {"n": 1}, "offset": 10}


async def test_a_cursor_that_leads_to_itself_is_a_problem_and_no_endless_walk():
    server = Server(rows=0, extra=lambda begin, rows, request: {"next": "same"})
    got = await read(server, preset('kind = "cursor"\nparam = "after"\ncursor = "next"'), days=1)
    assert got.problem.cause == "feed.paging"
    assert len(server.calls) == 2


async def test_more_pages_than_allowed_are_never_a_report_of_the_first_ones():
    got = await read(Server(rows=100), preset(PAGE + "max_pages = 3"), days=1)
    assert (got.problem.cause, got.rows, len(got.payloads)) == ("feed.paging", (), 3)
    assert got.problem.words == "more than 3 pages"


async def test_a_page_that_says_the_same_rows_in_another_envelope_is_a_repetition():
    count = iter(range(99))
    server = Server(
        extra=lambda begin, rows, request: {
            "generated": next(count),
            "rows": [{"date": "2026-11-17", "clicks": 1}] * 10,
        }
    )
    got = await read(server, preset(PAGE), days=1)
    assert (got.problem.cause, got.problem.words) == ("feed.paging", "page 2 repeats an earlier page")


async def test_claims_of_several_windows_are_added():
    got = await read(Server(rows=25), preset(PAGE + 'total = "header:X-Total-Count"', days=1), days=3)
    assert (got.problem, len(got.rows), got.total) == (None, 75, 75)


async def test_a_pull_that_broke_off_has_no_rows_and_keeps_the_bodies_it_had():
    server = Server(rows=25, answer=lambda n: JSONResponse({}, 503) if n == 3 else None)
    accounts = Accounts()
    broken = await read(server, preset(PAGE), accounts, days=1)
    assert (broken.problem.cause, broken.rows, len(broken.payloads)) == ("http.5xx", (), 2)


async def test_the_next_try_asks_for_the_page_that_failed_and_has_all_rows_in_the_end():
    server = Server(rows=25, answer=lambda n: JSONResponse({}, 503) if n == 3 else None)
    got = await read(server, preset(PAGE), Accounts(), times=2, days=1)
    assert (got.problem, len(got.rows), len(got.payloads), got.pages) == (None, 25, 3, (10, 10, 5))
    assert [call["page"] for call in server.calls] == ["1", "2", "3", "3"]


async def test_what_broke_off_long_ago_or_for_a_broken_contract_begins_anew():
    server = Server(rows=25, answer=lambda n: JSONResponse({}, 503) if n == 3 else None)
    got = await read(server, preset(PAGE), Accounts(), times=2, days=1, now=[NOW, NOW + timedelta(minutes=31)])
    assert [call["page"] for call in server.calls] == ["1", "2", "3", "1", "2", "3"]
    assert len(got.rows) == 25
    server = Server(rows=25, answer=lambda n: JSONResponse({"oops": 1}) if n == 2 else None)
    await read(server, preset(PAGE), Accounts(), times=2, days=1)
    assert [call["page"] for call in server.calls] == ["1", "2", "1", "2", "3"]
