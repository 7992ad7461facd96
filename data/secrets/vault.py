"""A keyring backend for machines without a desktop: a file of Fernet tokens under one master key."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from data.errors import VaultError
from data.secrets.files import locked, read_private, write_private

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cryptography.fernet import MultiFernet

CREDENTIAL = "losswatch-master"
KEY_FILE_VARIABLE = "LOSSWATCH_MASTER_KEY_FILE"
KEY_FILE = "vault.key"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One or more Fernet keys, a line each: the first encrypts, all decrypt."""

    path: Path
    ours: bool
    """Made by losswatch, so losswatch may replace it."""

    def lines(self) -> list[str]:
        """Raises `VaultError` when the file is not ours alone, `OSError` when it cannot be read."""
        text = read_private(self.path, shared_ok=not self.ours and self.path.name == CREDENTIAL)
        return text.split()

    def fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        try:
            return MultiFernet([Fernet(line) for line in self.lines()])
        except ValueError:
            raise VaultError(f"{self.path} holds no master key: one Fernet key a line is expected") from None
        except OSError as problem:
            raise VaultError(f"{self.path} cannot be read: {problem.strerror}") from None


def new_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def make_master_key(path: Path) -> MasterKey:
    """Write a fresh key to `path`, unless somebody else was faster."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(path.with_name(path.name + ".lock")):
        if not path.exists():
            write_private(path, new_key() + "\n")
    return MasterKey(path, ours=True)


class VaultKeyring(KeyringBackend):
    """Entries are tokens over {service, name, value}: a token moved under another name does not open there."""

    priority = 0.1  # keyring's own way; never chosen by priority here

    def __init__(self, path: Path, master: MasterKey) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring is not annotated
        self.path, self.master = path, master
        self._fernet = master.fernet()

    def get_password(self, service: str, username: str) -> str | None:
        token = self._read().get(_entry(service, username))
        if token is None:
            return None
        opened = self._open(token)
        if (opened["service"], opened["name"]) != (service, username):
            raise VaultError(f"{self.path.name}: the entry {username!r} was moved there from another name")
        return str(opened["value"])

    def set_password(self, service: str, username: str, password: str) -> None:
        plain = json.dumps({"service": service, "name": username, "value": password})
        with self._alone():
            entries = self._read()
            self._check_key(entries)
            entries[_entry(service, username)] = self._fernet.encrypt(plain.encode()).decode()
            self._write(entries)

    def delete_password(self, service: str, username: str) -> None:
        with self._alone():
            entries = self._read()
            if entries.pop(_entry(service, username), None) is None:
                raise PasswordDeleteError(username)
            self._write(entries)

    def rotate_master(self) -> None:
        """Encrypt every entry with a new master key.

        1. The key file holds the new key and the old. 2. Every token is encrypted anew. 3. The key file holds the new
        key alone. Interrupted anywhere, everything still opens. A key that is not ours to write must hold both already.

        Raises:
            VaultError: somebody else provides the key and it is one key only.
        """
        with self._alone():
            keys = self.master.lines()
            if self.master.ours:
                keys = [new_key(), *keys]
                write_private(self.master.path, "\n".join(keys) + "\n")
            elif len(keys) == 1:
                raise VaultError(
                    f"{self.master.path} is not losswatch's to write. Put a new key on a line above the old one, then "
                    "run again: losswatch secrets rotate-master, then remove the old line"
                )
            self._fernet = self.master.fernet()
            entries = self._read()
            self._check_key(entries)
            self._write({name: self._fernet.rotate(token.encode()).decode() for name, token in entries.items()})
            if self.master.ours:
                write_private(self.master.path, keys[0] + "\n")
                self._fernet = self.master.fernet()

    def _check_key(self, entries: dict[str, str]) -> None:
        """Refuse to add to, or turn, a vault that this key does not open: the rest would be lost to everybody."""
        for token in entries.values():
            self._open(token)

    def _open(self, token: str) -> dict[str, Any]:
        from cryptography.fernet import InvalidToken

        for _ in range(2):
            try:
                opened: dict[str, Any] = json.loads(self._fernet.decrypt(token.encode()))
            except InvalidToken:
                self._fernet = self.master.fernet()  # another process may have turned the key since we read it
            else:
                return opened
        raise VaultError(
            f"The master key in {self.master.path} does not open {self.path}. Put back the key it was made with"
        )

    def _alone(self) -> AbstractContextManager[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return locked(self.path.with_name(self.path.name + ".lock"))

    def _read(self) -> dict[str, str]:
        try:
            entries = json.loads(read_private(self.path))["entries"]
            return {str(name): str(token) for name, token in entries.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise VaultError(f"{self.path} is not a vault any more. Put back a copy of it") from None
        except OSError as problem:
            raise VaultError(f"{self.path} cannot be read: {problem.strerror}") from None

    def _write(self, entries: dict[str, str]) -> None:
        try:
            write_private(self.path, json.dumps({"version": 1, "entries": entries}, indent=1) + "\n")
        except OSError as problem:
            raise VaultError(f"{self.path} cannot be written: {problem.strerror}") from None


def _entry(service: str, username: str) -> str:
    return f"{service}/{username}"


def credential() -> str:
    """Path of the credential that systemd hands us, as it would be; empty without one."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return os.path.join(folder, CREDENTIAL) if folder else ""  # noqa: PTH118  # the empty folder must stay empty
