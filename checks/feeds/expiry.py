"""When a token or key ends: said by the token itself or by the configuration."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, datetime, timedelta

import msgspec

from checks.feeds.change import Change
from checks.feeds.kinds import BREAKING, HARMLESS, RISKY

NOTICE, WARNING, LAST = timedelta(days=21), timedelta(days=7), timedelta(days=2)
"""Before the end: a quiet note, a warning, and the days in which only haste helps."""
LATEST = 4_102_444_800.0
"""2100 in seconds; what is later was counted in milliseconds."""
_JWT = re.compile(r"[A-Za-z0-9_-]{4,}\.([A-Za-z0-9_-]{4,8000})\.[A-Za-z0-9_-]*")


def token_end(secret: str) -> datetime | None:
    """The `exp` of a JSON Web Token (RFC 7519, 4.1.4), read and not verified; `None` for every other secret."""
    found = _JWT.fullmatch(secret.strip().removeprefix("Bearer ").strip())
    if not found:
        return None
    body = found.group(1)
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return moment(claims.get("exp")) if isinstance(claims, dict) else None


def moment(value: object) -> datetime | None:
    """Seconds or milliseconds since 1970, as number or text, or an ISO date; a date without a zone is UTC."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{9,13}", value.strip()):
        value = int(value)
    try:
        if isinstance(value, int | float):
            seconds = float(value)
            if not math.isfinite(seconds) or seconds < 0:
                return None
            return datetime.fromtimestamp(seconds / 1000 if seconds > LATEST else seconds, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def expiring(name: str, ends: datetime | None, now: datetime) -> Change | None:
    """A change of kind `credential-expires` from 21 days before the end on; breaking from two days before.

    `name` is the keyring entry, never its value. Tokens that are renewed by themselves are not asked about.
    """
    if ends is None or ends - now > NOTICE:
        return None
    left = ends - now
    severity = BREAKING if left <= LAST else RISKY if left <= WARNING else HARMLESS
    return Change(
        "credential-expires", name, severity, "valid", f"{_countdown(left)} ({ends:%Y-%m-%d %H:%M} UTC)", 0, 1
    )


def _countdown(left: timedelta) -> str:
    hours = abs(left) / timedelta(hours=1)
    words = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h"
    return f"ended {words} ago" if left <= timedelta(0) else f"ends in {words}"
