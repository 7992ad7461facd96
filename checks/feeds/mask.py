"""Our own key in somebody else's answer: blotted out before anything is read, kept or shown."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from data.text import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_KEY = 8
"""Characters; a shorter key would blot out innocent figures."""


def masked(body: bytes, secrets: Iterable[str]) -> bytes:
    """`body` without any of the secrets, nor what follows the colon of one, as they are, URL-encoded, in JSON or base64."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        body = body.replace(form, MASK.encode())
    return body


def _forms(secret: str) -> set[bytes]:
    found = set[bytes]()
    for key in (secret, *(secret.split(":", n)[-1] for n in (1, 2, 3)), secret.rpartition(":")[2]):
        if len(key) < LEAST_KEY:
            continue
        raw = key.encode("utf-8", "surrogatepass")
        texts = {quote(raw), quote(raw, safe=""), quote_plus(raw), json.dumps(key)[1:-1]}
        found |= {raw, base64.b64encode(raw).rstrip(b"="), *(text.encode() for text in texts)}
    return found
