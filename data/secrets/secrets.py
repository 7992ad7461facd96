from __future__ import annotations

import difflib
import hashlib
import hmac
import secrets as random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from keyring.errors import KeyringError, PasswordDeleteError

from data.errors import SecretMissing, UsageError, VaultError
from data.secrets.files import locked
from data.secrets.vault import VaultKeyring
from data.text import redact, register_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from keyring.backend import KeyringBackend

SERVICE = "losswatch"
_OWN = "losswatch:"
"""Prefix of entries that are not a person's to see or change."""
_INDEX = _OWN + "index"
_STORE_KEY = _OWN + "store"
_PEOPLE_KEY = _OWN + "people"


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """What may be shown of a secret."""

    name: str
    fingerprint: str
    """Eight hex digits, keyed per home: equal for equal values, of no use elsewhere."""
    set_at: datetime
    tested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Index:
    """Kept as an entry of its own, because keyrings cannot list what they hold."""

    salt: str = field(default_factory=lambda: random.token_hex(16))
    known: dict[str, SecretInfo] = field(default_factory=dict)


class Secrets:
    """Names to values. Every value that passes through here is known to `redact()` from then on."""

    def __init__(self, backend: KeyringBackend, lock: Path) -> None:
        self._backend, self._lock = backend, lock

    def get(self, name: str) -> str:
        """Raises `SecretMissing`, which says how to store it, or `VaultError`."""
        value = self._read(name)
        if value is None:
            near = difflib.get_close_matches(name, self._index().known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SecretMissing(f"No secret named {name!r}.{hint} Store it: losswatch secrets set {name}")
        return value

    def set(self, name: str, value: str) -> None:
        """Store `value`, replacing an older one at once; see `rotate` for the careful way."""
        self._set(name, value, tested_at=None)

    def delete(self, name: str) -> None:
        """Forget a value; one that is not there is forgotten already."""
        _check(name)
        with self._alone():
            try:
                self._backend.delete_password(SERVICE, name)
            except PasswordDeleteError:
                pass
            except KeyringError as problem:
                raise _unusable(problem) from None
            index = self._index()
            index.known.pop(name, None)
            self._write(_INDEX, msgspec.json.encode(index).decode())

    def list(self) -> list[SecretInfo]:
        return [info for _, info in sorted(self._index().known.items())]

    def rotate(self, name: str, new: str, test: Callable[[str], object]) -> None:
        """Replace `name` by `new` once `test(new)` neither raises nor returns `False`; until then the old one stays.

        Raises:
            SecretMissing: there is nothing to replace.
            VaultError: the test returned `False`.
        """
        self.get(name)
        register_secret(new)
        if test(new) is False:
            raise VaultError(f"The new value of {name!r} does not work; the old one is kept")
        self._set(name, new, tested_at=datetime.now(UTC))

    def mark_tested(self, name: str, at: datetime) -> None:
        """Note that the present value was accepted by its partner."""
        with self._alone():
            index = self._index()
            if name in index.known:
                index.known[name] = replace(index.known[name], tested_at=at)
                self._write(_INDEX, msgspec.json.encode(index).decode())

    def rotate_master(self) -> None:
        """A new master key for the vault; raises `VaultError` when the keyring in use has none of ours."""
        if not isinstance(self._backend, VaultKeyring):
            raise VaultError(
                f"{type(self._backend).__module__} keeps its own master key; only losswatch's vault has one"
            )
        self._backend.rotate_master()

    def _set(self, name: str, value: str, *, tested_at: datetime | None) -> None:
        _check(name)
        if not value:
            raise UsageError(f"The value of {name!r} is empty; nothing was stored")
        register_secret(value)
        with self._alone():
            index = self._index()
            mark = hmac.new(index.salt.encode(), value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
            index.known[name] = SecretInfo(name, mark, datetime.now(UTC), tested_at)
            self._write(name, value)
            self._write(_INDEX, msgspec.json.encode(index).decode())

    def _own(self, name: str, make: Callable[[], str]) -> str:
        """An entry of losswatch itself, made on first use."""
        with self._alone():
            value = self._read(name)
            if value is None:
                value = make()
                self._write(name, value)
                register_secret(value)
            return value

    def _index(self) -> _Index:
        raw = self._backend_get(_INDEX)
        return _Index() if raw is None else msgspec.json.decode(raw, type=_Index)

    def _read(self, name: str) -> str | None:
        value = self._backend_get(name)
        if value is not None:
            register_secret(value)
        return value

    def _backend_get(self, name: str) -> str | None:
        try:
            return self._backend.get_password(SERVICE, name)
        except KeyringError as problem:
            raise _unusable(problem) from None

    def _write(self, name: str, value: str) -> None:
        try:
            self._backend.set_password(SERVICE, name, value)
        except KeyringError as problem:
            raise _unusable(problem) from None

    def _alone(self) -> AbstractContextManager[None]:
        self._lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return locked(self._lock)


def store_key(secrets: Secrets) -> str:
    """The database's key; made the first time it is asked for."""
    return secrets._own(_STORE_KEY, lambda: random.token_urlsafe(32))  # noqa: SLF001  # same room, other noun


def people_key(secrets: Secrets) -> bytes:
    """What ids of people are hashed with before they are stored; made the first time it is asked for."""
    return secrets._own(_PEOPLE_KEY, lambda: random.token_urlsafe(32)).encode()  # noqa: SLF001  # same room, other noun


def _check(name: str) -> None:
    if not name or name.startswith(_OWN):
        raise UsageError(f"{name!r} is not a name for a secret of yours")


def _unusable(problem: KeyringError) -> VaultError:
    return VaultError(f"The keyring refused: {redact(str(problem)) or type(problem).__name__}")
