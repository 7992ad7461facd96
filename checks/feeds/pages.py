"""How a report that comes in pages is walked through: where the next page begins, and when there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from checks.feeds.preset import Paging


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: how much was read before it."""

    pages: int = 0
    rows: int = 0
    cursor: str = ""
    link: str = ""
    """The whole address of the page, where the answer before it gave one."""


START = Place()


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer says of itself."""

    rows: int
    """Records in it, as delivered."""
    total: int | None = None
    """Rows over all pages."""
    pages: int | None = None
    """Pages there are."""
    cursor: str = ""
    """Whatever leads to the next page."""


def asked(paging: Paging, place: Place) -> tuple[tuple[str, int | str], ...]:
    """Parameters of the call for the page that begins at `place`."""
    if paging.kind == "none" or place.link:
        return ()
    found: list[tuple[str, int | str]] = []
    if paging.kind == "page":
        found.append((paging.param, paging.first + place.pages))
    elif paging.kind == "offset":
        found.append((paging.param, place.rows))
    elif paging.kind == "row":
        found.append((paging.param, paging.first + place.rows))
    elif place.cursor and paging.param:
        found.append((paging.param, place.cursor))
    if paging.size_param:
        found.append((paging.size_param, paging.size))
    return tuple(found)


def following(paging: Paging, place: Place, page: Page, address: str) -> Place | None:
    """Where the page after `page` begins; `None` when it was the last.

    1. An empty page is the last. 2. Where the answer counts rows or pages, they decide: a server may give shorter pages
    than it was asked for. 3. Where it does not, a page shorter than the size is the last. `offset` and `row` go on from
    what was delivered, never from what was asked for. A cursor without a parameter is the address of the next page, and
    only its path and query are followed, at the host of `address`: credentials go nowhere else.
    """
    if paging.kind == "none":
        return None
    if paging.kind == "cursor":
        return _by_cursor(paging, place, page, address)
    after = Place(place.pages + 1, place.rows + page.rows)
    if not page.rows:
        return None
    if page.pages is not None:
        return after if after.pages < page.pages else None
    if page.total is not None:
        return after if after.rows < page.total else None
    return None if page.rows < paging.size else after


def _by_cursor(paging: Paging, place: Place, page: Page, address: str) -> Place | None:
    if not page.cursor:
        return None
    pages, rows = place.pages + 1, place.rows + page.rows
    if paging.param:
        return Place(pages, rows, page.cursor)
    host = urlsplit(address)
    there = urlsplit(urljoin(address, page.cursor))
    return Place(pages, rows, page.cursor, there._replace(scheme=host.scheme, netloc=host.netloc, fragment="").geturl())
