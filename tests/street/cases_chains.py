"""Redirects, landings and tracked parameters."""

from __future__ import annotations

from tests.street.case import Case, link
from tests.street.cases_wire import SOON, hangs
from tests.street.wire import GOOD_PAGE, go, http, page

GOOD = http(GOOD_PAGE)
APPS = (
    "javascript:alert(1)", "intent://casino#Intent;scheme=app;end", "market://details?id=casino", "itms-apps://apps.apple.com/id1",
    "tel:+431234", "data:text/html,hello", "mailto:a@b.example", "casinoapp://open", "about:blank", "file:///etc/passwd",
)  # fmt: skip
BROKEN = (
    "http://",
    "http:///path",
    "http://[::1",
    "http://shop.example:99999/",
    "http://-bad-.example/",
    "http://a b.example/",
    "https://shop..example/",
)


def _from(status, location, verdict="ok", note=""):
    return Case(f"redirect: {status}{note}", verdict, {"/": go(location, status), "/next": GOOD})


def _meta(target, delay=0):
    return http(page("", head=f'<meta http-equiv="refresh" content="{delay};url={target}">'))


def counting(limit):
    """`/0` leads to `/1` and so on until the page at `limit`."""

    def behave(visit):
        step = int(visit.request().strip("/") or 0)
        visit.send(GOOD if step >= limit else go(f"/{step + 1}"))

    return behave


def gate(visit):
    """Sets a cookie and comes back; lets in who brings it."""
    visit.request()
    visit.send(GOOD if "pass=1" in visit.headers.get("cookie", "") else go("/", 302, set_cookie="pass=1; path=/"))


def turnstile(visit):
    """Sets a new cookie each time and never lets in."""
    visit.request()
    seen = visit.headers.get("cookie", "").count("x")
    visit.send(go("/", 302, set_cookie=f"turn={'x' * (seen + 1)}; path=/"))


def forgetful(visit):
    """Sets the same cookie each time and never lets in."""
    visit.request()
    visit.send(go("/", 302, set_cookie="turn=1; path=/"))


REDIRECTS = (
    *(_from(status, "/next") for status in (301, 302, 303, 307, 308)),
    _from(300, "/next", note=" with Location"),
    *(_from(status, None, "failing redirect.no_location", " without Location") for status in (301, 302, 303, 307, 308)),
    _from(302, "", "failing redirect.no_location", " with an empty Location"),
    _from(302, "   ", "failing redirect.no_location", " with a blank Location"),
    _from(302, "next", note=" relative"),
    _from(302, "//127.0.0.1:{port}/next", note=" protocol-relative"),
    _from(302, "?page=2", "failing redirect.loop", " to its own query for ever"),
    _from(302, "#top", "failing redirect.loop", " to its own fragment"),
    _from(302, "HTTP://127.0.0.1:{port}/next", note=" with a scheme in capitals"),
    _from(302, "/n%65xt", "failing http.4xx", " with an escaped letter"),
    *(_from(302, target, "failing redirect.bad_location", f" to {target}") for target in BROKEN),
    *(_from(302, target, "failing redirect.non_http", f" to {target.partition(':')[0]}:") for target in APPS),
    Case("redirect: to itself", "failing redirect.loop", go("/")),
    Case("redirect: ping-pong", "failing redirect.loop", {"/": go("/a"), "/a": go("/b"), "/b": go("/a")}),
    Case("redirect: between two hosts for ever", "failing redirect.loop", {"/": go("http://a.example:{port}/a"), "/a": go("http://b.example:{port}/b"), "/b": go("http://a.example:{port}/a")}),
    Case("redirect: a gate that sets a cookie", "ok", gate),
    Case("redirect: a cookie that does not help", "failing redirect.loop", forgetful),
    Case("redirect: a new cookie each time", "failing redirect.too_many", turnstile),
    Case("redirect: ten hops", "ok", counting(10)),
    Case("redirect: eleven hops", "failing redirect.too_many", counting(11)),
    Case("redirect: without end", "failing redirect.too_many", counting(10_000)),
    Case("redirect: to an error", "failing http.5xx", {"/": go("/next"), "/next": http("x", "500 Oops")}),
    Case("redirect: to a page that hangs", "failing slow.ttfb", lambda visit: visit.send(go("/next")) if visit.request() == "/" else visit.hang(), SOON),
    Case("redirect: with a body of its own", "ok", {"/": http(GOOD_PAGE * 50, "302 Found", location="/next"), "/next": GOOD}),
    Case("redirect: one that is wanted", "ok", go("/next"), ("--status", "302")),
    Case("refresh: meta", "degraded redirect.client_side", {"/": _meta("/next"), "/next": GOOD}),
    Case("refresh: a chain of three", "degraded redirect.client_side", {"/": _meta("/a"), "/a": _meta("/b"), "/b": _meta("/next"), "/next": GOOD}),
    Case("refresh: ping-pong", "failing redirect.loop", {"/": _meta("/a"), "/a": _meta("/")}),
    Case("refresh: to an error", "failing http.4xx", {"/": _meta("/nowhere")}),
    Case("refresh: a page that reloads itself", "ok", http(page(GOOD_PAGE, head='<meta http-equiv="refresh" content="300">'))),
    Case("refresh: the next article after five minutes", "ok", http(page(GOOD_PAGE, head='<meta http-equiv="refresh" content="300;url=/next">'))),
    Case("refresh: by script", "degraded redirect.client_side", {"/": http(page('<script>window.location.href = "/next"</script>')), "/next": GOOD}),
    Case("refresh: by script's replace", "degraded redirect.client_side", {"/": http(page('<script>location.replace("/next");</script>')), "/next": GOOD}),
    Case("refresh: a script on a full page", "ok", http(page(f'{GOOD_PAGE}<script>function go() {{ location.href = "/next" }}</script>'))),
    Case("refresh: by header", "degraded redirect.client_side", {"/": http(page("<p>One moment</p>"), refresh="0;url=/next"), "/next": GOOD}),
)  # fmt: skip

_HERE = "http://shop.example:{port}"
KEEP = ("--keep", "btag")


def _lands(name, verdict, location, *words, **options):
    routes = {"/go": go(location), "/offer": GOOD, "/": GOOD, "/other": GOOD}
    return link(f"link: {name}", verdict, routes, *words, **options)


LINKS = (
    _lands("reaches its host", "ok", f"{_HERE}/offer", "--final-host", "shop.example"),
    _lands("reaches a host below it", "ok", "http://de.shop.example:{port}/offer", "--final-host", "shop.example"),
    _lands("reaches www of its host", "ok", "http://www.shop.example:{port}/offer", "--final-host", "shop.example"),
    _lands("another host", "failing link.wrong_target", "http://rival.example:{port}/offer", "--final-host", "shop.example"),
    _lands("a host that only ends alike", "failing link.wrong_target", "http://notshop.example:{port}/offer", "--final-host", "shop.example"),
    _lands("its path", "ok", f"{_HERE}/offer", "--final-path", "/offer"),
    _lands("another path", "failing link.wrong_target", f"{_HERE}/other", "--final-path", "/offer"),
    _lands("home", "failing link.to_home", f"{_HERE}/", "--final-path", "/offer"),
    _lands("home without a slash", "failing link.to_home", _HERE, "--final-path", "/offer"),
    _lands("the parameter is kept", "ok", f"{_HERE}/offer?btag=a1", *KEEP),
    _lands("the parameter is kept among others", "ok", f"{_HERE}/offer?x=1&btag=a1&utm_source=q", *KEEP),
    _lands("the parameter is lost at the first hop", "failing link.param_lost", f"{_HERE}/offer", *KEEP),
    link("link: the parameter is lost at the second hop", "failing link.param_lost", {"/go": go("http://track.example:{port}/t?btag=a1"), "/t": go(f"{_HERE}/offer"), "/offer": GOOD}, *KEEP),
    link("link: the parameter comes back", "ok", {"/go": go("http://track.example:{port}/t"), "/t": go(f"{_HERE}/offer?btag=a1"), "/offer": GOOD}, *KEEP),
    _lands("one of two parameters is lost", "failing link.param_lost", f"{_HERE}/offer?btag=a1", *KEEP, "--keep", "sub", path="/go?btag=a1&sub=7"),
    _lands("both parameters are kept", "ok", f"{_HERE}/offer?sub=7&btag=a1", *KEEP, "--keep", "sub", path="/go?btag=a1&sub=7"),
    _lands("the parameter is changed", "failing link.param_lost", f"{_HERE}/offer?btag=zz", *KEEP),
    _lands("the parameter is truncated", "failing link.param_lost", f"{_HERE}/offer?btag=Ab3-Cl", *KEEP, path="/go?btag=Ab3-Click"),
    _lands("the parameter is put in lower case", "failing link.param_lost", f"{_HERE}/offer?btag=ab3-click", *KEEP, path="/go?btag=Ab3-Click"),
    _lands("the parameter is URL-decoded", "failing link.param_lost", f"{_HERE}/offer?btag=a&b", *KEEP, path="/go?btag=a%26b"),
    _lands("the parameter is URL-encoded twice", "failing link.param_lost", f"{_HERE}/offer?btag=a%2520b", *KEEP, path="/go?btag=a%20b"),
    _lands("the parameter is an unreplaced macro", "failing link.param_lost", f"{_HERE}/offer?btag={{clickid}}", *KEEP),
    link("link: the parameter moves into the path", "ok", {"/go": go(f"{_HERE}/offer/Ab3-Click"), "/offer/Ab3-Click": GOOD}, *KEEP, path="/go?btag=Ab3-Click"),
    link("link: the parameter is handed over by cookie", "ok", {"/go": go("http://www.shop.example:{port}/t?btag=Ab3-Click"), "/t": go(f"{_HERE}/offer", set_cookie="aff=Ab3-Click; Domain=shop.example"), "/offer": GOOD}, *KEEP, path="/go?btag=Ab3-Click"),
    link("link: a cookie of the tracker hands nothing to the landing", "failing link.param_lost", {"/go": go("http://track.example:{port}/t?btag=Ab3-Click"), "/t": go(f"{_HERE}/offer", set_cookie="aff=Ab3-Click"), "/offer": GOOD}, *KEEP, path="/go?btag=Ab3-Click"),
    link("link: a page for another language", "failing link.wrong_target", {"/go": go("/offer"), "/offer": http(GOOD_PAGE.replace("<html>", '<html lang="fr">'))}, "--locale", "de-AT"),
    link("link: a page of another brand", "failing link.wrong_target", {"/go": go("/offer"), "/offer": GOOD}, "--brand", "Nobody's Casino"),
    link("link: only to the partner's door", "ok", {"/go": go("http://rival.example:{port}/absent")}, "--depth", "1"),
    link("link: a phone that is sent into an app", "failing redirect.non_http", {"/go": go("casinoapp://open")}, "--device", "mobile"),
    _lands("a parameter that the link has not", "unknown config.url", f"{_HERE}/offer", "--keep", "clickid"),
    _lands("wrong host and lost parameter: the host is told", "failing link.wrong_target", "http://rival.example:{port}/offer", "--final-host", "shop.example", *KEEP),
    _lands("a dead hop", "failing tcp.refused", "http://shop.example:9/", *KEEP),
    _lands("a landing that is gone", "failing http.4xx", f"{_HERE}/absent", *KEEP),
    link("link: the page is missing its words", "failing content.missing_keyword", GOOD, "--expect", "Welcome bonus"),
    link("link: the tracker hangs", "failing slow.ttfb", hangs, *SOON),
    Case("config: no URL", "unknown config.url", GOOD, url="shop.example"),
    Case("config: another scheme", "unknown config.url", GOOD, url="ftp://shop.example/"),
    Case("config: a port beyond all", "unknown config.url", GOOD, url="http://shop.example:99999/"),
    Case("config: spaces", "unknown config.url", GOOD, url="http://shop.example/a b"),
    Case("config: a password", "unknown config.url", GOOD, url="http://me:secret@shop.example/"),
)  # fmt: skip

CASES = REDIRECTS + LINKS
