"""Messages out of the house: through Apprise, or to a webhook. One call is one attempt, bounded in time."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from checks.incidents.notify.delivery import DeliveryFailed
from data.model.incident import Severity
from data.text import register_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    import apprise

    from checks.incidents.notify.words import Message

ROOM = 3_500
"""Characters of a body at most, whatever a service would take: nobody reads more on a telephone."""
_READ = 65_536
_BROKE = "Socket Exception"
_NOT_EVEN_BEGUN = ("NewConnectionError", "ConnectTimeout", "NameResolution", "refused", "SSLError", "ProxyError")
"""Of a connection that broke in any of these ways nothing was sent; of others nobody knows."""
_NEVER = frozenset({400, 413, 422})
"""Answers after which the same message will be refused again."""


@dataclass(slots=True)
class _Heard(logging.Handler):
    """What Apprise says of an attempt, kept by the thread that made it: it tells nobody else why it failed."""

    said: dict[int, str] = field(default_factory=dict)
    """The first complaint."""
    broke: dict[int, str] = field(default_factory=dict)
    """How the connection broke, where it did."""

    def __post_init__(self) -> None:
        """It hears everything and remembers little: what is sent is told at the lowest level, too."""
        logging.Handler.__init__(self, logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread is None:
            return
        if record.levelno >= logging.WARNING:
            self.said.setdefault(record.thread, record.getMessage())
        elif str(record.msg).startswith(_BROKE):
            self.broke.setdefault(record.thread, record.getMessage())

    def take(self, thread: int) -> tuple[str, str]:
        return self.said.pop(thread, ""), self.broke.pop(thread, "")

    __hash__ = logging.Handler.__hash__


_heard = _Heard()


def plugin(url: str) -> apprise.NotifyBase:
    """The Apprise service behind a URL; raises `DeliveryFailed` for one that it does not know."""
    register_secret(url)
    import apprise

    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    if _heard not in logger.handlers:
        logger.addHandler(_heard)
    asset = apprise.AppriseAsset(app_id="losswatch", app_desc="losswatch", app_url="", async_mode=False)
    asset.image_url_mask = asset.image_url_logo = asset.image_path_mask = ""  # no pictures from elsewhere
    made = apprise.Apprise.instantiate(url, asset=asset)
    if not isinstance(made, apprise.NotifyBase):
        raise DeliveryFailed("the secret is no Apprise URL")
    return made


def keeps_incidents(url: str) -> bool:
    """Whether the service has incidents of its own, which an end must find: its messages are never put together."""
    return hasattr(plugin(url), "dedup")


def room_of(service: apprise.NotifyBase) -> int:
    """Characters that a body may have; services without titles get theirs on top of the body."""
    above = 0 if service.title_maxlen > 0 else 202
    return max(min(ROOM, service.body_maxlen - above), 60)


def by_apprise(url: str, make: Callable[[int], Message], key: str, timeout_s: float) -> None:
    """Make the message for the room there is and send it; blocks. Raises `DeliveryFailed`.

    `key` ties what is over to what began, for services that keep incidents of their own.
    """
    service = plugin(url)
    service.socket_connect_timeout = min(timeout_s, 5.0)
    service.socket_read_timeout = timeout_s
    if hasattr(service, "dedup") and not service.dedup:
        service.dedup = key
        service.action = "map"  # type: ignore[attr-defined]  # of the services that keep incidents of their own
    message = make(room_of(service))
    thread = threading.get_ident()
    _heard.take(thread)
    went = _hand_over(service, message)
    said, broke = _heard.take(thread)
    if not went:
        uncertain = bool(broke) and not any(word in broke for word in _NOT_EVEN_BEGUN)
        raise DeliveryFailed(said or "the service did not take it", uncertain=uncertain)


def _hand_over(service: apprise.NotifyBase, message: Message) -> bool:
    """As Apprise's own container does it, but in this thread: its pool is small, shared, and waited for at the end."""
    from apprise import NotifyFormat
    from apprise.conversion import convert_between

    plain = NotifyFormat.TEXT
    target = service.resolve_format(plain)
    convert: Callable[[str, str, str], str] = convert_between
    title = message.title if service.title_maxlen > 0 else convert(plain, target, message.title)
    body = convert(plain, target, message.body)
    return bool(service.notify(body=body, title=title, notify_type=_type_of(message), body_format=target))


def _type_of(message: Message) -> apprise.NotifyType:
    import apprise

    if message.is_over:
        return apprise.NotifyType.SUCCESS
    urgent = {Severity.SEV1: apprise.NotifyType.FAILURE, Severity.SEV2: apprise.NotifyType.WARNING}
    return urgent.get(message.severity, apprise.NotifyType.INFO)


async def in_a_thread(work: Callable[[], None], timeout_s: float) -> None:
    """Run blocking `work` in a thread of its own that nobody waits for longer than `timeout_s`, not even at the end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(problem: BaseException | None) -> None:
        if done.done():
            return
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)

    def run() -> None:
        problem: BaseException | None = None
        try:
            work()
        except DeliveryFailed as known:
            problem = known
        except Exception as unknown:  # noqa: BLE001  # a service's code is not ours: whatever it raises is its failure
            problem = DeliveryFailed(f"{type(unknown).__name__}: {unknown}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, problem)

    threading.Thread(target=run, name="notice", daemon=True).start()
    try:
        await asyncio.wait_for(done, timeout_s)
    except TimeoutError:
        raise DeliveryFailed(f"no answer within {timeout_s:g} s", uncertain=True) from None


async def by_webhook(client: httpx.AsyncClient, url: str, token: str, body: bytes, timeout_s: float) -> None:
    """POST JSON; raises `DeliveryFailed`, with what `Retry-After` asks for. No redirect is followed."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        async with asyncio.timeout(timeout_s):
            async with client.stream("POST", url, content=body, headers=headers) as answer:
                read = 0
                async for chunk in answer.aiter_raw():
                    read += len(chunk)
                    if read > _READ:
                        break
    except TimeoutError:
        raise DeliveryFailed(f"no answer within {timeout_s:g} s", uncertain=True) from None
    except httpx.ConnectError as problem:
        raise DeliveryFailed(f"cannot connect: {problem}") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
        raise DeliveryFailed(f"{type(problem).__name__}: {problem}", uncertain=True) from None
    if not answer.is_success:
        words = f"answered {answer.status_code} {answer.reason_phrase}"
        wait = _seconds(answer.headers.get("retry-after", ""))
        raise DeliveryFailed(words, retry_after_s=wait, final=answer.status_code in _NEVER)


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
