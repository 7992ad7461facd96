from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.street.pki import Tls
from tests.street.server import Visit


@dataclass(frozen=True)
class Made:
    """An answer that is dear to make: made when its server opens, since everybody imports the table."""

    make: Callable[[], bytes]


Behaviour = bytes | Mapping[str, bytes] | Callable[[Visit], None] | Made
"""One answer to every request, or one by path (anything else is 404), or what is done with a connection. `{port}` in
an answer becomes the server's port."""
SECURE = "https://shop.example:{port}/"
GOOD = Tls()


@dataclass(frozen=True)
class Case:
    """One way of being wrong, or of only looking so: a server, a command line, and what must be said of it."""

    name: str
    verdict: str
    """`STATE CAUSE`, or `ok`."""
    server: Behaviour | None
    """`None`: nobody listens on the port."""
    words: tuple[str, ...] = ()
    """Further arguments of the command."""
    url: str = "http://127.0.0.1:{port}/"
    kind: str = "site"
    tls: Tls | None = None

    @property
    def state(self) -> str:
        return self.verdict.partition(" ")[0]

    @property
    def cause(self) -> str:
        return self.verdict.partition(" ")[2]

    @property
    def timeout_s(self) -> float:
        return float(self.words[self.words.index("--timeout") + 1]) if "--timeout" in self.words else 10.0


def link(name, verdict, server, *words, path="/go?btag=a1", host="click.example", **options):
    return Case(name, verdict, server, words, f"http://{host}:{{port}}{path}", "link", **options)


def secured(name, verdict, server, *words, host="shop.example", tls=GOOD):
    return Case(name, verdict, server, words, f"https://{host}:{{port}}/", tls=tls)
