"""A call to somebody's API, and one that takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from checks.incidents.plans.way import PlanRefused, PlanStuck, Sight
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_WORDS = 200
_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request to apply, one to take back; 2xx is done, everything else is not.

    The secret is read from the keyring at the moment of the call and goes into one header: `Authorization: Bearer ...`, or
    the one that `header` names.
    """

    client: httpx.AsyncClient
    options: Mapping[str, str]
    secret: Callable[[str], Awaitable[str]]

    async def look(self) -> Sight:
        options = self.options
        there = f"{options.get('method', 'POST')} {shown(options['url'])}"
        back = f"undo {options.get('revert_method', 'POST')} {shown(options['revert_url'])}"
        return Sight((), (f"{there} {_brief(options.get('body', ''))}".strip(), back), {"called": there})

    async def apply(self, sight: Sight) -> str:
        options = self.options
        status = await self._ask(options.get("method", "POST"), options["url"], options.get("body", ""))
        return f"{sight.undo['called']}: {status}"

    async def revert(self, undo: Mapping[str, str]) -> str:
        options = self.options
        try:
            status = await self._ask(
                options.get("revert_method", "POST"), options["revert_url"], options.get("revert_body", "")
            )
        except PlanRefused as problem:
            raise PlanStuck(f"{undo.get('called', 'it')} was done and cannot be taken back: {problem}") from problem
        return f"{options.get('revert_method', 'POST')} {shown(options['revert_url'])}: {status}"

    async def _ask(self, method: str, url: str, body: str) -> int:
        headers = {"content-type": "application/json"} if body else {}
        if name := self.options.get("secret", ""):
            key = await self.secret(name)
            header = self.options.get("header", "")
            headers |= {header: key} if header else {"authorization": f"Bearer {key}"}
        return (await request(self.client, method, url, content=body.encode(), headers=headers)).status_code


async def request(
    client: httpx.AsyncClient, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """The answer, if it is 2xx.

    Raises:
        PlanRefused: it never arrived, was refused (4xx), or only asked: nothing was changed.
        PlanStuck: it was sent and the answer was lost, or is a 5xx: nobody knows.
    """
    unsure = PlanRefused if method == "GET" else PlanStuck
    where = f"{method} {shown(url)}"
    try:
        answer = await client.request(method, url, content=content, headers=headers, timeout=_TIMEOUT_S)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL) as problem:
        raise PlanRefused(f"{where}: {_told(problem)}") from problem
    except httpx.HTTPError as problem:
        raise unsure(f"{where} was sent, and no answer came: {_told(problem)}") from problem
    if answer.is_success:
        return answer
    words = f"{where}: {answer.status_code} {clean_text(redact(answer.text[:2_000]), _WORDS)}".strip()
    raise unsure(words) if answer.is_server_error else PlanRefused(words)


def shown(url: str) -> str:
    """Host and path; keys stand in queries."""
    parts = urlsplit(url)
    return clean_text(redact(f"{parts.hostname or ''}{parts.path}"), _WORDS)


def _brief(body: str) -> str:
    return clean_text(redact(body), 120)


def _told(problem: Exception) -> str:
    return clean_text(redact(str(problem))) or type(problem).__name__
