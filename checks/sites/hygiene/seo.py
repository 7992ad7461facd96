"""What a page told search engines before and what it tells now. Pure: (kept, seen) and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from checks.sites.hygiene import pagefacts as key
from checks.sites.hygiene.robots import ALLOWED, FORBIDDEN
from checks.sites.hygiene.tags import SELF
from data.model.cause import cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.model.ids import CauseId

INDEX = "index"


class Page(NamedTuple):
    """What one page says; a tuple, because nearly always all that matters is that nothing changed."""

    indexing: str
    """`index`, or `noindex by ...`."""
    canonical: str = ""
    hreflang: str = ""
    lang: str = ""
    robots: str = ""
    """`allowed`, `forbidden`, `unreachable`; empty while unknown."""


@dataclass(frozen=True, slots=True)
class Change:
    """One way in which a page got worse."""

    cause: CauseId
    detail: str
    was: str
    now: str


def page_of(evidence: Mapping[str, str]) -> Page | None:
    """The page of an observation; `None` when it did not look at one."""
    index = evidence.get(key.SEO)
    if not index:
        return None
    told = evidence.get
    return Page(index, told(key.CANONICAL, ""), told(key.HREFLANG, ""), told(key.LANG, ""), told(key.ROBOTS, ""))


def compare(kept: Page, seen: Page) -> Change | None:
    """The worst change for the worse; `None` when there is none. A page that always forbade indexing may go on."""
    if seen.indexing != INDEX and kept.indexing == INDEX:
        return Change(
            cause("seo.noindex"), f"the page forbids indexing now: {seen.indexing}", kept.indexing, seen.indexing
        )
    if seen.robots == FORBIDDEN and kept.robots not in {FORBIDDEN, ""}:
        return Change(cause("seo.robots"), "robots.txt forbids the page to Googlebot now", kept.robots, seen.robots)
    if seen.canonical != kept.canonical and _canonical_matters(kept.canonical, seen.canonical):
        was, now = _canonical_words(kept.canonical), _canonical_words(seen.canonical)
        return Change(cause("seo.canonical"), f"the canonical was {was}, is {now}", was, now)
    if seen.hreflang != kept.hreflang and (words := _hreflang_words(kept.hreflang, seen.hreflang)):
        return Change(cause("seo.hreflang"), words, kept.hreflang, seen.hreflang)
    if kept.lang and seen.lang and _base(kept.lang) != _base(seen.lang):
        words = f"the page says that it is in {seen.lang}, it was in {kept.lang}"
        return Change(cause("seo.hreflang"), words, kept.lang, seen.lang)
    return None


def settle(kept: Page, seen: Page) -> Page:
    """What to keep of a page that did not get worse: all that it says now, and what its host could not say."""
    return seen if seen.robots in {ALLOWED, FORBIDDEN} else seen._replace(robots=kept.robots)


def _canonical_matters(was: str, now: str) -> bool:
    """A page without one is its own canonical in practice: the first that names the page itself changes nothing."""
    return not (was in {"", SELF} and now == SELF) and not (was == "" and now == "")


def _canonical_words(text: str) -> str:
    return {"": "none", SELF: "the page itself"}.get(text, text)


def _hreflang_words(was: str, now: str) -> str:
    """Empty when languages only came to be; else which went, which lead elsewhere."""
    if not was:
        return ""
    if not now:
        return "the page names no other languages any more"
    before, after = _languages(was), _languages(now)
    if not before or not after:
        return f"hreflang was {was}, is {now}"
    gone = sorted(before.keys() - after.keys())
    moved = sorted(lang for lang in before.keys() & after.keys() if before[lang] != after[lang])
    said = [f"hreflang {', '.join(gone)} is gone"] if gone else []
    said += [f"hreflang {', '.join(moved)} leads elsewhere"] if moved else []
    return "; ".join(said)


def _languages(text: str) -> dict[str, str]:
    """By language; empty for a page of so many that only their digest is kept."""
    if " languages, " in text:
        return {}
    return {lang: digest for lang, _, digest in (word.rpartition(":") for word in text.split(" ")) if lang}


def _base(lang: str) -> str:
    return lang.partition("-")[0]
