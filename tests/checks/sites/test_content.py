"""Pages that answer 200 and earn nothing, and pages that only look like them."""

from __future__ import annotations

import time

import pytest

from checks.sites.content import judge_content
from checks.sites.page import decode_text, read_page
from data.model.state import State
from data.model.target import TargetKind

LONG = "A long and honest text about the games of this house. " * 60

WORTHLESS = [
    ("content.soft404", "<title>404 Not Found</title><h1>Oops</h1><p>Go home</p>"),
    (
        "content.soft404",
        "<title>Shop</title><h1>Page not found</h1><p>The page you are looking for does not exist.</p>",
    ),
    ("content.soft404", "<title>Seite nicht gefunden</title><p>Leider.</p>"),
    ("content.soft404", "<title>Página no encontrada</title>"),
    ("content.soft404", "<title>Strona nie istnieje</title><p>Wróć</p>"),
    ("content.soft404", "<title>Sivua ei löydy</title><p>Takaisin</p>"),
    ("content.parked", "<title>shop.example</title><p>This domain is for sale. Buy this domain.</p>"),
    ("content.parked", "<title>x</title><script src='https://img.sedoparking.com/p.js'></script>"),
    ("content.parked", "<title>x</title><p>Diese Domain steht zum Verkauf</p>"),
    ("content.default_page", "<title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>"),
    ("content.default_page", "<title>Apache2 Debian Default Page: It works</title><p>It works!</p>"),
    ("content.default_page", "<title>Index of /</title><h1>Index of /</h1>"),
    ("content.default_page", "<h1>This Account has been suspended.</h1>"),
    (
        "content.app_error",
        "<b>Fatal error</b>: Uncaught Error: Call to undefined function in /var/www/x.php on line 12",
    ),
    ("content.app_error", "<h1>Error establishing a database connection</h1>"),
    ("content.app_error", f"<p>{LONG}</p><p>Parse error: syntax error, unexpected end of file in /a.php on line 3</p>"),
    ("content.app_error", "<pre>Traceback (most recent call last):\n File x</pre>"),
    ("content.maintenance", "<title>Maintenance</title><h1>We'll be right back</h1>"),
    ("content.maintenance", "<h1>Wartungsarbeiten</h1><p>Bitte später</p>"),
    ("content.empty", ""),
    ("content.empty", "<html><head><title>x</title></head><body>  <div></div></body></html>"),
]
INACTIVE = [
    "<p>This offer is no longer available.</p>",
    "<h1>Oops</h1><p>The campaign has been paused</p>",
    "<p>This link is inactive</p>",
    "<p>Tracking link disabled: affiliate account suspended</p>",
    "<p>Diese Aktion ist abgelaufen</p>",
    "<p>La oferta ha caducado</p>",
    "<p>Tarjous on päättynyt</p>",
    "<p>Oferta wygasła</p>",
    "<p>Join the waiting list</p>",
    "<p>Daily cap reached</p>",
]
FINE = [
    f"<title>404 ways to win</title><p>{LONG * 4}</p>",
    f"<title>Casino</title><p>{LONG}</p><p>This offer is no longer available to players under 18. Under maintenance.</p>",
    f"<title>Is this domain for sale? A guide</title><p>{LONG * 3}</p>",
    f"<title>How to fix a fatal error</title><p>{LONG}</p>",
    "<div id=root></div><script src='/app.js'></script>",
    f"<title>Error-free betting</title><p>{LONG}</p>",
    f"<title>Bonus</title><h1>Bonus expired? Here are new ones</h1><p>{LONG}</p>",
]


def page_of(html):
    return read_page(html.encode(), "text/html; charset=utf-8")


@pytest.mark.parametrize(("cause", "html"), WORTHLESS)
@pytest.mark.parametrize("kind", [TargetKind.SITE, TargetKind.LINK])
def test_a_worthless_page_is_told_with_its_evidence(cause, html, kind):
    found = judge_content(page_of(html), kind, 200)
    assert found is not None
    assert found.cause == cause
    assert found.matched


@pytest.mark.parametrize("html", INACTIVE)
def test_an_inactive_offer_is_told_on_links(html):
    found = judge_content(page_of(html), TargetKind.LINK, 200)
    assert found is not None
    assert found.cause == "link.inactive"


@pytest.mark.parametrize("html", FINE)
@pytest.mark.parametrize("kind", [TargetKind.SITE, TargetKind.LINK])
def test_a_page_that_only_looks_like_one_is_fine(html, kind):
    assert judge_content(page_of(html), kind, 200) is None


def test_an_inactive_offer_on_a_real_server_fails_the_link_with_what_was_matched(link, serve, http):
    found = link(serve(http("<title>Offer</title><p>Sorry, this offer has expired.</p>")).url())
    assert (found.state, found.cause) == (State.FAILING, "link.inactive")
    assert "offer has expired" in found.evidence["matched"]


def test_a_page_whose_text_comes_after_half_a_megabyte_of_style_is_not_empty():
    html = f"<html><head><style>{'.a{}' * 150_000}</style></head><body><p>{LONG}</p></body></html>"
    assert judge_content(page_of(html), TargetKind.SITE, 200) is None


def test_an_empty_json_answer_is_judged_by_its_bytes_only(site, serve, http):
    assert site(serve(http("{}", content_type="application/json")).url()).state is State.OK


@pytest.mark.parametrize(
    ("expectation", "cause"),
    [
        ({"text": ("honest review",)}, ""),
        ({"text": ("HONEST   Review",)}, ""),
        ({"text": ("honest lie",)}, "content.missing_keyword"),
        ({"forbid": ("honest review",)}, "content.forbidden_text"),
        ({"forbid": ("lie",)}, ""),
        ({"status": (404,)}, "content.missing_keyword"),
        ({"status": (200, 404)}, ""),
        ({"text": ("review",), "forbid": ("games",)}, "content.forbidden_text"),
    ],
)
def test_expectations_of_text_and_status(site, serve, http, page, expectation, cause):
    assert site(serve(http(page)).url(), **expectation).cause == cause


@pytest.mark.parametrize(
    ("status", "headers", "body", "state", "cause"),
    [
        ("404 Not Found", {}, "x", State.FAILING, "http.4xx"),
        ("410 Gone", {}, "x", State.FAILING, "http.gone"),
        ("401 Unauthorized", {}, "x", State.FAILING, "http.auth"),
        ("403 Forbidden", {}, "x", State.FAILING, "http.4xx"),
        ("403 Forbidden", {}, "Not available in your country", State.FAILING, "http.legal_block"),
        ("451 Unavailable For Legal Reasons", {}, "x", State.FAILING, "http.legal_block"),
        ("429 Too Many Requests", {"retry_after": "60"}, "x", State.UNKNOWN, "http.rate_limited"),
        ("500 Internal Server Error", {}, "x", State.FAILING, "http.5xx"),
        ("503 Service Unavailable", {}, "x", State.FAILING, "http.5xx"),
        ("503 Service Unavailable", {"retry_after": "60"}, "x", State.FAILING, "http.maintenance"),
        ("503 Service Unavailable", {}, "Scheduled maintenance", State.FAILING, "http.maintenance"),
        ("304 Not Modified", {}, "", State.FAILING, "proto.malformed"),
    ],
)
def test_each_status_has_its_cause(site, serve, http, status, headers, body, state, cause):
    found = site(serve(http(body, status=status, **headers)).url())
    assert (found.state, found.cause, found.hops[0].status) == (state, cause, int(status[:3]))


def test_an_expected_404_is_ok(site, serve, http):
    assert site(serve(http("gone", status="404 Not Found")).url(), status=(404,)).state is State.OK


def test_slowness_degrades_and_names_the_phase(site, serve, http, page):
    def late(connection, _request):
        time.sleep(0.3)
        connection.sendall(http(page))

    found = site(serve(late).url(), slow_ms=200)
    assert (found.state, found.cause) == (State.DEGRADED, "slow.ttfb")
    assert site(serve(late).url(), slow_ms=4_000).state is State.OK


@pytest.mark.parametrize(
    "title",
    [
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b[2J\x1b[31mred",
        "safe\u202egnp.exe",
        "a\x9b31mb",
        "[red]markup[/]",
        "\ud83d" * 3,
        "x" * 4000,
    ],
)
def test_no_escape_code_or_bidi_control_of_a_title_leaves_the_check(site, serve, http, page, title):
    body = page.replace("Quillspin casino review", title).encode("utf-8", "surrogatepass")
    location = b"/\x1b[31m"
    found = site(serve(http(body, x_evil="\x1b[2J")).url())
    shown = "".join([found.detail, *found.evidence.values(), *(hop.url + hop.location for hop in found.hops)])
    assert location
    assert not [char for char in shown if ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066"]
    assert all(len(text) <= 300 for text in found.evidence.values())


def test_secrets_in_urls_and_redirects_are_masked(link, serve, http, page):
    def behave(connection, request):
        to = b"HTTP/1.1 302 Found\r\nlocation: /land?token=s3cr3t-2\r\ncontent-length: 0\r\n\r\n"
        connection.sendall(to if request.path.startswith("/go") else http(page, status="500 Oops"))

    found = link(serve(behave).url("/go?api_key=s3cr3t-1"))
    assert found.cause == "http.5xx"
    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize(
    ("raw", "content_type", "text"),
    [
        ("Größe".encode("latin-1"), "text/html", "Größe"),
        ("Größe".encode(), "text/html", "Größe"),
        ("казино".encode("cp1251"), "text/html; charset=windows-1251", "казино"),
        (b"<meta charset=gbk>" + "赌场".encode("gbk"), "text/html", "赌场"),
        ("\ufeffx".encode("utf-16-le"), "text/html", "x"),
        (b"abc", "text/html; charset=rot13", "abc"),
        (b"abc", "text/html; charset=no-such", "abc"),
    ],
)
def test_text_is_decoded_as_browsers_do(raw, content_type, text):
    assert decode_text(raw, content_type).endswith(text)
