"""A real hub over real pages: what got worse of a site that still answers 200."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from street import lines, losswatch, make_home, until


class Pages:
    """Pages whose headers and links a test changes by name."""

    def __init__(self):
        pages = self
        self.noindex, self.stripped, self.hits = set(), set(), []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.strip("/")
                pages.hits.append(name)
                links = [url.partition("?")[0] if name in pages.stripped else url for url in pages.links]
                anchors = "".join(f'<a href="{url}">play now</a> ' for url in links)
                body = f"<html><title>Shop</title><body>{'welcome to the shop ' * 20}{anchors}</body></html>".encode()
                self.send_response(404 if name == "robots.txt" else 200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                if name in pages.noindex:
                    self.send_header("X-Robots-Tag", "noindex")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.links = [self.url(f"c?btag=ours-{number}") for number in (1, 2)]
        Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server.server_address[1]}/{name}"


@pytest.fixture
def pages():
    pages = Pages()
    yield pages
    pages.server.shutdown()


def causes(home):
    return {row["name"]: row["cause"] for row in lines(losswatch(home, "sites", "--json"))}


def test_a_noindex_and_a_lost_tag_are_found_outlive_a_restart_and_end_when_a_person_says_so(tmp_path, pages, started):
    home = make_home(tmp_path / "home", pages, ["alpha", "beta", "gamma"], interval="1s")
    rows = "".join(f"l{n},{url},aurora,beta,1h\n" for n, url in enumerate(pages.links))
    (home / "inventory" / "links.csv").write_text("link,url,team,site,interval\n" + rows)
    started(home)
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: min(map(pages.hits.count, ("alpha", "beta", "gamma"))) >= 2)
    pages.noindex.add("alpha")
    pages.stripped.add("beta")
    wanted = {"alpha": "seo.noindex", "beta": "link.param_lost", "gamma": ""}
    assert until(lambda: causes(home) == wanted), causes(home)
    losswatch(home, "hub", "stop")
    assert losswatch(home, "hub", "start").returncode == 0
    hits = len(pages.hits)
    assert until(lambda: len(pages.hits) > hits + 9)
    assert until(lambda: causes(home) == wanted), causes(home)
    number = next(one["id"] for one in lines(losswatch(home, "incidents", "--json")) if one["cause"] == "seo.noindex")
    assert losswatch(home, "incidents", "close", str(number)).returncode == 0
    assert until(lambda: causes(home)["alpha"] == "")
    assert causes(home)["beta"] == "link.param_lost"
