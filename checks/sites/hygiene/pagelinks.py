"""Which registered links stand on a page, which lost a parameter, and which carry an id that is not registered. Pure."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from checks.sites.hygiene.registry import ids_of, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.sites.url import Url

ANCHORS = 5_000
MOST_IDS = 4


@dataclass(frozen=True, slots=True)
class PageLinks:
    """One look at a page. Bit `i` of a mask is the i-th link registered for the site."""

    n: int
    present: int = 0
    stripped: int = 0
    """Stands there, without a parameter that it must carry."""
    dropped: tuple[str, ...] = ()
    """The parameters that stripped links lack."""
    ids: tuple[str, ...] = ()
    """`HOST NAME=VALUE` of other links to hosts of the registry, at most `MOST_IDS`."""


@dataclass(slots=True)
class _Tally:
    present: int = 0
    stripped: int = 0
    dropped: set[str] = field(default_factory=set)
    ids: dict[str, None] = field(default_factory=dict)


def read_links(url: Url, source: str, wanted: tuple[str, ...], tracked: Mapping[str, tuple[str, ...]]) -> PageLinks:
    """Compare the links of the page with `wanted`, those registered for it; `tracked` as in `Registry`.

    1. A link to a registered host and path with the same values of the host's tracked parameters is that link.
    2. One that lacks a tracked parameter is it stripped, if it does not also stand there whole. 3. One with other values
    is reported by them: whether they are ours is known only where the whole inventory is.
    """
    by_place: dict[tuple[str, str], list[tuple[int, dict[str, str]]]] = {}
    for number, link in enumerate(wanted):
        host, path, query = place(link)
        by_place.setdefault((host, path), []).append((number, ids_of(query, tracked.get(host, ()))))
    tally, lacking = _Tally(), list[tuple[tuple[str, str], dict[str, str]]]()
    here = {host for host, _ in by_place}
    for host, path, query in _anchors(url, source):
        if host not in here and host not in tracked:
            continue
        names = tracked.get(host, ())
        found = ids_of(query, names)
        known = by_place.get((host, path), [])
        exact = [number for number, ids in known if ids == found]
        for number in exact:
            tally.present |= 1 << number
        if exact:
            continue
        if any(ids.items() >= found.items() for _, ids in known):
            lacking.append(((host, path), found))
        elif found and len(tally.ids) < MOST_IDS:
            tally.ids.update(dict.fromkeys(f"{host} {name}={value}"[:90] for name, value in found.items()))
    _strip(tally, lacking, by_place)
    return PageLinks(
        len(wanted), tally.present, tally.stripped, tuple(sorted(tally.dropped)), tuple(tally.ids)[:MOST_IDS]
    )


def _strip(
    tally: _Tally,
    lacking: list[tuple[tuple[str, str], dict[str, str]]],
    by_place: dict[tuple[str, str], list[tuple[int, dict[str, str]]]],
) -> None:
    """Each link that lacks something stands for one registered link of its place that is not there whole."""
    for key, found in lacking:
        for number, ids in by_place[key]:
            bit = 1 << number
            if not (tally.present | tally.stripped) & bit and ids.items() >= found.items():
                tally.stripped |= bit
                tally.dropped |= ids.keys() - found.keys()
                break


def _anchors(url: Url, source: str) -> Iterator[tuple[str, str, str]]:
    own = url.netloc.lower().removeprefix("www.")
    for node in LexborHTMLParser(source).css("a[href], area[href]")[:ANCHORS]:
        href = html.unescape((node.attributes.get("href") or "").strip())
        if href.startswith("//"):
            href = f"{url.scheme}:{href}"
        elif href.startswith("/"):
            href = f"{url.scheme}://{own}{href}"
        elif not href[:8].lower().startswith(("http://", "https://")):
            continue
        yield place(href)
