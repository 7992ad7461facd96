"""Whether a chain that works leads to the page that was meant: whose, where, with which parameters, in which language. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.sites.declared import contradicts
from checks.sites.manner import MOBILE, split_host
from checks.sites.outcome import verdict
from checks.sites.params import follow_params
from checks.sites.url import on_host
from data.model.cause import cause
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.sites.exchange import Walk
    from checks.sites.outcome import Verdict
    from checks.sites.params import Param
    from checks.sites.reading import Reading
    from checks.sites.url import Url
    from data.config.settings import Brand
    from data.model.target import Check, Expect

STORES = ("apps.apple.com", "itunes.apple.com", "play.google.com", "appgallery.huawei.com", "galaxystore.samsung.com")
_HOME = re.compile(
    r"\A(?:/[a-z]{2}(?:[-_][a-z]{2})?)?/?(?:(?:home|index|default|start|welcome)(?:\.[a-z]{2,5})?/?)?\Z", re.IGNORECASE
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*\Z", re.IGNORECASE)
_SENDS_ON = re.compile(
    r"aff(iliate)?|away|click|get|go|jump|link|out|play|re(dir|direct|f|fer)|track|trk|visit|[a-z]", re.IGNORECASE
)
"""First path segments of redirectors: where they send visitors is their own business."""


def wrong_page(walk: Walk, page: Reading | None, check: Check, brands: Iterable[Brand] = ()) -> Verdict | None:
    """The first of these that is wrong: licence, host, another partner's brand, path, parameters, brand text, locale.

    A phone that ends in an app store is where it should be: host, path and locale are then not asked for.
    """
    target = walk.ahead or walk.last.url
    in_store = check.device == MOBILE and is_store(target)
    shown = _brands_of(target, brands) if check.kind is TargetKind.LINK else ()
    found = _unlicensed(walk, target, check, shown)
    if found is None and not in_store:
        found = _wrong_host(walk, target, check, shown) or _wrong_path(walk, target, check)
    found = found or _lost(walk, check)
    if found or page is None or page.declared is None or walk.ahead:
        return found
    return _wrong_brand(walk, page, check.expect) or (None if in_store else _wrong_locale(walk, page, check.expect))


def arrived_params(walk: Walk, check: Check) -> tuple[Param, ...]:
    """What became of the parameters that must survive; empty where the chain broke before its end.

    An app store's link need not carry them: what counts is that they reached the page that led there.
    """
    if walk.end or walk.last.fault or not check.expect.keep:
        return ()
    found = follow_params(walk, check.expect.keep)
    if not (is_store(walk.last.url) and len(walk.exchanges) > 1):
        return found
    before = follow_params(replace(walk, exchanges=walk.exchanges[:-1]), check.expect.keep)
    return tuple(one if one.survives else other for one, other in zip(found, before, strict=True))


def gone_from_store(walk: Walk, check: Check) -> Verdict | None:
    last = walk.last
    if walk.end or last.fault or last.status not in {404, 410} or last.status in check.expect.status:
        return None
    if check.kind is not TargetKind.LINK or not is_store(last.url):
        return None
    detail = f"{last.url.netloc} answers {last.status}: the app is not in the store"
    return verdict(cause("link.inactive"), detail, len(walk.exchanges) - 1, store=last.url.host)


def is_store(url: Url) -> bool:
    return any(on_host(url.host, host) for host in STORES)


def _unlicensed(walk: Walk, target: Url, check: Check, shown: tuple[Brand, ...]) -> Verdict | None:
    country = _country(check.geo)
    if (
        not shown
        or not country
        or any(not brand.licensed or country in map(_country, brand.licensed) for brand in shown)
    ):
        return None
    words = f"{shown[0].name} is not licensed in {check.geo.upper()}"
    return _wrong_target(walk, f"lands on {target.netloc}: {words}", compliance=words, brand=shown[0].name)


def _wrong_host(walk: Walk, target: Url, check: Check, shown: tuple[Brand, ...]) -> Verdict | None:
    theirs = any(brand.partner == check.partner for brand in shown)
    name = shown[0].name if shown else ""
    verb = "leads to" if walk.ahead else "lands on"
    wanted = check.expect.final_host
    if wanted:
        if is_host(target, wanted) or (walk.ahead and theirs):
            return None
        whose = f" ({name})" if name else ""
        return _wrong_target(walk, f"{verb} {target.netloc}{whose} instead of {wanted}", brand=name)
    if not shown or theirs or not check.partner:
        return None
    whose = f"{name} of {shown[0].partner}, not of {check.partner}"
    return _wrong_target(walk, f"{verb} {target.netloc}: {whose}", brand=name)


def _wrong_path(walk: Walk, target: Url, check: Check) -> Verdict | None:
    expect = check.expect
    if expect.final_path:
        if target.path.startswith(expect.final_path) or (walk.ahead and not is_host(target, expect.final_host)):
            return None
        detail = f"lands on {target.netloc}{target.path} instead of {expect.final_path}"
        return _to_home(walk, detail) if is_home(target.path) else _wrong_target(walk, detail)
    first = walk.exchanges[0].url
    if check.kind is not TargetKind.LINK or walk.ahead:
        return None
    if is_home(target.path) and _same_site(first, target) and _is_deep(first.path):
        return _to_home(walk, f"{first.netloc}{first.path} lands on the home page {target.path}")
    return None


def is_home(path: str) -> bool:
    """`/`, `/de-at/`, `/index.html`, `/en/home`."""
    return _HOME.match(path) is not None


def _is_deep(path: str) -> bool:
    """Beyond doubt the address of a page, such as `/en/slots/star-river`: two words or more, and no redirector's."""
    parts = [part for part in path.split("/") if part]
    if parts and re.fullmatch(r"[a-z]{2}(?:[-_][a-z]{2})?", parts[0], re.IGNORECASE):
        parts = parts[1:]
    return len(parts) > 1 and not _SENDS_ON.fullmatch(parts[0]) and all(_WORD.match(part) for part in parts)


def _same_site(one: Url, other: Url) -> bool:
    return one.host.removeprefix("www.") == other.host.removeprefix("www.")


def _lost(walk: Walk, check: Check) -> Verdict | None:
    lost = [param for param in arrived_params(walk, check) if not param.survives]
    if not lost:
        return None
    at = min(param.at for param in lost)
    hop = walk.exchanges[at].url.netloc
    dropped = [param.name for param in lost if param.at == at and param.fate == "missing"]
    told = [f"{param.hop} {param.words}" for param in lost if not (param.at == at and param.fate == "missing")]
    if dropped:
        told.insert(0, f"{hop} drops the parameter {', '.join(dropped)}")
    return verdict(cause("link.param_lost"), "; ".join(told), at, parameter=", ".join(param.name for param in lost))


def _wrong_brand(walk: Walk, page: Reading, expect: Expect) -> Verdict | None:
    if not expect.brand or page.declared is None or page.declared.brand is not None:
        return None
    return _wrong_target(
        walk, f"{walk.last.url.netloc} shows none of {', '.join(expect.brand)}", missing=", ".join(expect.brand)
    )


def _wrong_locale(walk: Walk, page: Reading, expect: Expect) -> Verdict | None:
    told = contradicts(page.declared, expect.locale) if expect.locale and page.declared else ""
    if not told:
        return None
    return _wrong_target(walk, f"{walk.last.url.netloc} is not for {expect.locale}: {told}", locale=told)


def _wrong_target(walk: Walk, detail: str, **evidence: str) -> Verdict:
    return verdict(cause("link.wrong_target"), detail, len(walk.exchanges) - 1, via=_via(walk), **evidence)


def _to_home(walk: Walk, detail: str) -> Verdict:
    return verdict(cause("link.to_home"), detail, len(walk.exchanges) - 1, via=_via(walk))


def _via(walk: Walk) -> str:
    return walk.exchanges[-2].url.host if len(walk.exchanges) > 1 else ""


def _brands_of(url: Url, brands: Iterable[Brand]) -> tuple[Brand, ...]:
    return tuple(brand for brand in brands if any(on_host(url.host, host) for host in brand.hosts))


def _country(code: str) -> str:
    return "GB" if code.upper() == "UK" else code.upper()


def is_host(url: Url, wanted: str) -> bool:
    """`wanted` may carry a port; a host below it counts as it, `www.` on either side does too."""
    name, port = split_host(wanted)
    return on_host(url.host, name) and port in {None, url.port}


def wrong_text(walk: Walk, page: Reading | None) -> Verdict | None:
    if page is None or walk.ahead:
        return None
    host, at = walk.last.url.netloc, len(walk.exchanges) - 1
    if page.forbidden is not None:
        detail = f"{host} shows “{page.forbidden}”"
        return verdict(cause("content.forbidden_text"), detail, at, matched=page.forbidden)
    if page.missing is not None:
        detail = f"{host} does not show “{page.missing}”"
        return verdict(cause("content.missing_keyword"), detail, at, missing=page.missing)
    return None
