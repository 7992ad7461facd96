"""A search engine on loopback whose results a test decides, and proxies that say which country they stand in."""

from __future__ import annotations

import asyncio
import threading
from urllib.parse import parse_qs, urlsplit

SPEC = """
[parser]
name = "serp"
items = "div.result"
[parser.fields.title]
css = "h3"
[parser.fields.url]
css = "a"
attr = "href"
type = "url"
[parser.fields.position]
css = "span.place"
type = "position"
"""
OLD = (
    '<div class="result"><span class="place">{n}</span><a class="link" href="{url}"><h3 class="name">{title}</h3></a>'
    '<p class="text">Some words on {query} no {n}, and where to read more.</p></div>'
)
NEW = (
    '<section class="card"><a class="go" href="{url}"><strong class="caption">{title}</strong></a><em>{n}</em>'
    '<div class="more"><i>Some words on {query} no {n}, and where to read more.</i></div></section>'
)
PAGE = (
    '<!doctype html><html><head><title>{query}</title><meta charset="utf-8"></head><body class="page"><header class="top">'
    '<form class="ask" action="/search"><input name="q"></form><nav class="tabs"><a href="/images">Images</a></nav></header>'
    '<main class="list">{blocks}</main><footer class="end"><a class="foot" href="/privacy">Privacy</a></footer></body></html>'
)


class Server:
    """A loopback server in a thread; `answer(request line, head, writer)` of a subclass writes what it says."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(5)

    def _run(self, ready):
        async def start():
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(start())
        self._loop.run_forever()

    async def _connected(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await self.answer(head.split(" ")[1], head, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


class Engine(Server):
    """Own sites stand at 2, 4, 6, ... of twelve results. Change `layout`, `gone`, `empty` and `counts` at any time."""

    def __init__(self, sites):
        self.sites = sites
        """Addresses by name."""
        self.layout, self.gone, self.empty = OLD, set(), set()
        self.asked = []
        """(query, gl, country of the proxy) of every request."""
        super().__init__()

    async def answer(self, path, head, writer):
        given = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
        query, country = given.get("q", ""), given.get("gl", "")
        through = head.lower().partition("x-from: ")[2].partition("\r\n")[0].upper()
        self.asked.append((query, country, through))
        body = self._page(query).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n%b" % (len(body), body))

    def _page(self, query):
        own = [url for name, url in self.sites.items() if name not in self.gone]
        rivals = [f"https://rival{n}.example/{query.replace(' ', '-')}" for n in range(12 - len(own))]
        urls = []
        while rivals:
            urls += [rivals.pop(0), *([own.pop(0)] if own else [])]
        blocks = "".join(
            self.layout.format(n=n, url=url, query=query, title=f"Result about {query} by the house of {url[8:24]}")
            for n, url in enumerate(urls, 1)
        )
        return PAGE.format(query=query, blocks="" if query in self.empty else blocks)


class Proxy(Server):
    """Passes plain HTTP on and says in a header where it stands."""

    def __init__(self, country):
        self.country = country
        super().__init__()

    async def answer(self, path, _head, writer):
        parts = urlsplit(path)
        reader, upstream = await asyncio.open_connection(parts.hostname, parts.port)
        target = f"{parts.path}?{parts.query}"
        upstream.write(
            f"GET {target} HTTP/1.1\r\nhost: {parts.netloc}\r\nx-from: {self.country}\r\nconnection: close\r\n\r\n".encode()
        )
        writer.write(await reader.read())
        upstream.close()
