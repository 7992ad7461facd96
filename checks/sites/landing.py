"""Whether a chain that works leads to the page that was meant: host, path, parameters, texts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.sites.chain import lost_parameters
from checks.sites.outcome import verdict
from data.model.cause import cause

if TYPE_CHECKING:
    from checks.sites.exchange import Walk
    from checks.sites.outcome import Verdict
    from checks.sites.reading import Reading
    from data.model.target import Expect


def wrong_page(walk: Walk, expect: Expect) -> Verdict | None:
    last, at = walk.last, len(walk.exchanges) - 1
    via = walk.exchanges[-2].url.host if at else ""
    if expect.final_host and not _same_host(last.url.host, last.url.port, expect.final_host):
        detail = f"lands on {last.url.netloc} instead of {expect.final_host}"
        return verdict(cause("link.wrong_target"), detail, at, via=via)
    if expect.final_path and not last.url.path.startswith(expect.final_path):
        home = last.url.path in {"", "/"}
        name = "link.to_home" if home else "link.wrong_target"
        detail = f"lands on {last.url.netloc}{last.url.path} instead of {expect.final_path}"
        return verdict(cause(name), detail, at, via=via)
    lost = lost_parameters(walk.exchanges, expect.keep)
    if lost:
        names = ", ".join(name for name, _ in lost)
        where = lost[0][1]
        detail = f"{walk.exchanges[where].url.netloc} drops the parameter {names}"
        return verdict(cause("link.param_lost"), detail, where, parameter=names)
    return None


def _same_host(host: str, port: int, wanted: str) -> bool:
    """`wanted` may carry a port; a host below it counts as it, `www.` on either side does too."""
    name, colon, number = wanted.lower().rpartition(":")
    if colon and number.isdigit() and not (name.count(":") and not name.endswith("]")):
        if int(number) != port:
            return False
        wanted = name
    name = wanted.lower().strip("[]").removeprefix("www.").removesuffix(".")
    return host == name or host.endswith(f".{name}")


def wrong_text(walk: Walk, page: Reading | None) -> Verdict | None:
    if page is None:
        return None
    host, at = walk.last.url.netloc, len(walk.exchanges) - 1
    if page.forbidden is not None:
        detail = f"{host} shows “{page.forbidden}”"
        return verdict(cause("content.forbidden_text"), detail, at, matched=page.forbidden)
    if page.missing is not None:
        detail = f"{host} does not show “{page.missing}”"
        return verdict(cause("content.missing_keyword"), detail, at, missing=page.missing)
    return None
