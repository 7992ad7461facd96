"""Access tokens: asked for with an account's secret, kept in memory only, forgotten when nobody accepts them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from checks.feeds import decode
from checks.feeds.decode import Unreadable
from checks.feeds.fetch import Answer, Problem, fetch
from checks.feeds.preset import seconds
from checks.feeds.report import Reply
from checks.feeds.request import basic, filled, filled_json
from data.model.cause import cause
from data.text import register_secret

if TYPE_CHECKING:
    import httpx

    from checks.feeds.preset import Preset
    from data.config.settings import Feed

TOKEN_KINDS = frozenset({"oauth_cc", "oauth_pw", "session"})
TOKEN_MARGIN = timedelta(seconds=60)
MOST_LIFE = timedelta(days=1)
_UNTIL = ("expires_at", "expiresAt", "expiration", "expires")


@dataclass(slots=True)
class TokenCache:
    """Access tokens by account."""

    _tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)

    def get(self, account: str, now: datetime) -> str | None:
        token, until = self._tokens.get(account, ("", now))
        return token if token and now < until else None

    def put(self, account: str, token: str, until: datetime) -> None:
        self._tokens[account] = (token, until)

    def forget(self, account: str) -> None:
        self._tokens.pop(account, None)


def account_key(feed: Feed, secret: str) -> str:
    """One account at one platform, whoever reads it: what paces and tokens belong to."""
    whose = f"{feed.base_url}\0{feed.account}\0{secret}"
    return hashlib.sha256(whose.encode("utf-8", "replace")).hexdigest()


async def new_token(
    feed: Feed, preset: Preset, secret: str, client: httpx.AsyncClient, now: datetime
) -> tuple[str, datetime] | Problem:
    """A token for the secret and until when it lives.

    `oauth_cc` sends the secret `client:key` as Basic credentials; `oauth_pw` sends the secret `user:password`, or
    `client:client_secret:user:password` where `auth.form` names a {client}, in the form; `session` posts `auth.body`, where
    {user} and {password} are the secret's halves and {secret} all of it.
    """
    auth = preset.auth
    names = _names(feed, preset, secret)
    headers, form, content = {"Accept-Encoding": "gzip"}, None, None
    if auth.kind == "session":
        content = msgspec.json.encode(filled_json(msgspec.json.decode(auth.body), names))
        headers["Content-Type"] = "application/json"
    else:
        form = _form(preset, names)
        headers |= basic(secret) if auth.kind == "oauth_cc" else {}
    whole = auth.path if "://" in auth.path else feed.base_url.rstrip("/") + auth.path
    answer = await fetch(
        client, "POST", filled(whole, {"account": feed.account}), headers=headers, form=form, content=content,
        timeout_s=preset.pace.timeout_s, max_body=65_536,
    )  # fmt: skip
    if isinstance(answer, Problem):
        return answer
    if answer.status == 400:
        return Problem(cause("feed.auth"), "the token endpoint refused the client (400)")
    return Reply(answer, preset).refusal(now) or _grant(answer, preset, now)


def _names(feed: Feed, preset: Preset, secret: str) -> dict[str, str]:
    """What the placeholders of a token request stand for."""
    names = {"secret": secret, "account": feed.account}
    if any("{client}" in value for _, value in preset.auth.form):
        parts = [*secret.split(":", 3), "", "", ""]
        return names | dict(zip(("client", "client_secret", "user", "password"), parts, strict=False))
    user, _, password = secret.partition(":")
    return names | {"user": user, "password": password}


def _form(preset: Preset, names: dict[str, str]) -> dict[str, str]:
    """The form of a token request, RFC 6749 sections 4.3 and 4.4."""
    auth = preset.auth
    form = {"grant_type": "client_credentials"}
    if auth.kind == "oauth_pw":
        form = {"grant_type": "password", "username": names["user"], "password": names["password"]}
    if auth.scope:
        form["scope"] = filled(auth.scope, names)
    return form | {name: filled(value, names) for name, value in auth.form}


def _grant(answer: Answer, preset: Preset, now: datetime) -> tuple[str, datetime] | Problem:
    try:
        grant = decode.json_of(answer.body, answer.content_type)
    except Unreadable:
        grant = None
    token = decode.at_path(grant, preset.auth.token)
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        return Problem(cause("feed.auth"), "the token endpoint gave no token")
    register_secret(token)
    lives = min(_life(grant, preset, now), MOST_LIFE)
    return token, now + max(lives - TOKEN_MARGIN, TOKEN_MARGIN)


def _life(grant: object, preset: Preset, now: datetime) -> timedelta:
    """`expires_in` in seconds, or a moment, else what the preset says."""
    life = decode.at_path(grant, "expires_in")
    if isinstance(life, str) and life.isdigit() and len(life) < 10:
        life = int(life)
    if isinstance(life, int | float) and not isinstance(life, bool) and 0 < life < 1e9:
        return timedelta(seconds=float(life))
    for name in _UNTIL:
        try:
            moment = datetime.fromisoformat(str(decode.at_path(grant, name)))
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return timedelta(seconds=seconds(preset.auth.ttl))
