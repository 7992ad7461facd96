"""A parser breaks, is repaired from the pages that the hub kept, and the repair is taken back."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from street import PATIENCE_S, lines, losswatch, until

from tui.app import LosswatchApp
from tui.screens.parser import ParserScreen
from tui.service import HubService

SPEC = '[parser]\nitems = "div.offer"\n[parser.fields.name]\ncss = "h2"\n[parser.fields.price]\ncss = "span.price"  # per month\ntype = "number"\n'
OFFER = "<div class=offer><h2>Casino {n}</h2><span class=price>{n}9 EUR</span><p class=terms>18+ and more of the terms of {n}</p></div>"
REDESIGNED = (
    "<article class=card-x81><header><h3 class=card-title>Casino {n}</h3></header>"
    "<div class=cost><strong>{n}9 EUR</strong></div><small>18+ and more of the terms of {n}</small></article>"
)


@pytest.fixture
def shop():
    """A page of offers whose markup a test decides."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            offers = "".join(server.offer.format(n=n) for n in range(1, 13))
            body = f"<html><title>Offers</title><body><nav>Menu</nav><main>{offers}</main></body></html>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.offer = OFFER
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path, shop, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(
        '[company]\nname = "Street"\n[hub]\nprobes = 1\nmin_free = "1MB"\n[[teams]]\nid = "aurora"\nname = "Aurora"\n'
    )
    (root / "offers.toml").write_text(SPEC)
    (root / "inventory" / "parsers.csv").write_text(
        f"parser,url,team,spec,interval\noffers,http://127.0.0.1:{shop.server_port}/,aurora,offers.toml,1s\n"
    )
    started(root)
    return root


def parser(home):
    return next(iter(lines(losswatch(home, "parsers", "--json"))), {"state": "", "last_at": ""})


def watched(home):
    """The hub runs, and has seen enough good pages to know what is usual."""
    assert losswatch(home, "hub", "start").returncode == 0
    seen = set()
    assert until(lambda: seen.add(parser(home)["last_at"]) or len(seen) > 6)
    assert parser(home)["state"] == "ok"


def test_a_dead_field_is_repaired_from_kept_pages_and_the_repair_taken_back(home, shop):
    watched(home)
    shop.offer = OFFER.replace("class=price", "class=amount")
    assert until(lambda: parser(home)["state"] == "failing")
    cause = parser(home)["cause"]
    found = until(
        lambda: [json.loads(line) for line in losswatch(home, "repair", "offers", "--json").stdout.splitlines()]
    )
    assert (found[0]["field"], found[0]["selector"], found[0]["verified"]) == ("price", "span.amount", True)
    assert (found[0]["matches"], found[0]["same"]) == (12, 12)
    shown = losswatch(home, "repair", "offers")
    assert shown.returncode == 2
    assert "- " in shown.stdout
    assert "span.amount" in shown.stdout
    assert losswatch(home, "repair", "offers", "--apply", "1").returncode == 0
    assert (home / "offers.toml").read_text() == SPEC.replace("span.price", "span.amount")
    assert until(lambda: parser(home)["state"] == "ok")
    assert losswatch(home, "repair", "offers", "--undo").returncode == 0
    assert (home / "offers.toml").read_text() == SPEC
    assert until(lambda: parser(home)["state"] == "failing")
    assert parser(home)["cause"] == cause == "parser.field_dead"


async def eventually(pilot, holds):
    """Poll the running dashboard until it shows what is awaited."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not (found := holds()):
        assert asyncio.get_running_loop().time() < deadline
        await pilot.pause(0.1)
    return found


def text_of(app):
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


def one_line_of(app):
    return " ".join(text_of(app).split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_redesign_is_repaired_and_taken_back_on_the_parsers_screen(home, shop, size):
    spec = home / "offers.toml"
    watched(home)
    shop.offer = REDESIGNED
    assert until(lambda: parser(home)["state"] == "failing")
    app = LosswatchApp(HubService(home / "hub.sock"))
    async with app.run_test(size=size) as pilot:
        await eventually(pilot, lambda: app.hello)
        app.open_target("parser:offers")
        await eventually(pilot, lambda: isinstance(app.screen, ParserScreen) and app.screen.detail)
        await eventually(pilot, lambda: app.screen.candidate)
        await pilot.press("2")
        await eventually(pilot, lambda: "+" in text_of(app) and "article" in text_of(app))
        cause = app.screen.detail.row.cause
        assert cause == "parser.selector_dead"
        one = app.screen.candidate
        assert (one.field, one.verified) == ("items", True)
        await pilot.press("A")
        await eventually(pilot, lambda: "and 2 fields in it into offers.toml? type yes" in one_line_of(app))
        await pilot.press(*"yes", "enter")
        await eventually(pilot, lambda: spec.read_text() != SPEC)
        assert (home / "offers.toml.1").read_text() == SPEC
        assert "# per month" in spec.read_text()
        await eventually(pilot, lambda: app.screen.detail.row.state.value == "ok")
        await eventually(pilot, lambda: app.screen.detail.runs[-1].items == 12)
        await pilot.press("U")
        await eventually(pilot, lambda: "type yes" in text_of(app))
        await pilot.press(*"yes", "enter")
        await eventually(pilot, lambda: spec.read_text() == SPEC)
        await eventually(pilot, lambda: app.screen.detail.row.state.value == "failing")
        assert app.screen.detail.row.cause == cause
