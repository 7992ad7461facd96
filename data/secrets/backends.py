"""Which keyring: the configured one, else our vault, else the desktop's; never one that keeps plain text."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import keyring
from keyring.backend import KeyringBackend

from data.errors import VaultError
from data.secrets.secrets import Secrets
from data.secrets.vault import (
    CREDENTIAL,
    KEY_FILE,
    KEY_FILE_VARIABLE,
    MasterKey,
    VaultKeyring,
    credential,
    make_master_key,
)

if TYPE_CHECKING:
    from data.config.home import Home

VARIABLE = "LOSSWATCH_KEYRING"
_REFUSED = ("plaintext", "null", "fail", "uncrypted")


def open_secrets(home: Home, *, create: bool = False) -> Secrets:
    """The secrets of `home`; with `create` a vault and its master key are made when there is none.

    Order: `$LOSSWATCH_KEYRING`, our vault when a master key is found, a new vault, the desktop's keyring.

    Raises:
        VaultError: none is usable; lists what was tried and the next command.
    """
    backend = _configured() or _vault(home, create=create) or _desktop()
    if backend is None:
        raise VaultError(_tried(home))
    keyring.set_keyring(backend)
    return Secrets(backend, home.state / "secrets.lock")


def _configured() -> KeyringBackend | None:
    name = os.environ.get(VARIABLE, "")
    if not name:
        return None
    if any(word in name.lower() for word in _REFUSED):
        raise VaultError(
            f"{VARIABLE}={name} keeps secrets in plain text or not at all. Unset it to use losswatch's vault"
        )
    module, _, kind = name.rpartition(".")
    try:
        backend = getattr(importlib.import_module(module), kind)()
    except (ImportError, AttributeError, ValueError, TypeError, RuntimeError) as problem:
        raise VaultError(f"{VARIABLE}={name} cannot be used: {problem}. Expected: package.module.Class") from None
    if not isinstance(backend, KeyringBackend):
        raise VaultError(f"{VARIABLE}={name} is no keyring backend")
    return backend


def _vault(home: Home, *, create: bool) -> VaultKeyring | None:
    master = _master_key(home)
    if master is None and create:
        if home.vault.exists():
            raise VaultError(f"{home.vault} is there but its master key is not. Put back {home.state / KEY_FILE}")
        master = make_master_key(home.state / KEY_FILE)
    return VaultKeyring(home.vault, master) if master else None


def _master_key(home: Home) -> MasterKey | None:
    """The credential that systemd hands us, the file the environment names, or our own; a named file must exist."""
    if (path := credential()) and os.path.lexists(path):
        return MasterKey(Path(path), ours=False)
    if named := os.environ.get(KEY_FILE_VARIABLE, ""):
        return MasterKey(Path(named), ours=False)
    own = home.state / KEY_FILE
    return MasterKey(own, ours=True) if os.path.lexists(own) else None


def _desktop() -> KeyringBackend | None:
    """The desktop's keyring, if D-Bus answers and a person is there to unlock it."""
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS") or not sys.stdin.isatty():
        return None
    from keyring.backends import SecretService

    usable = SecretService.Keyring.viable
    return SecretService.Keyring() if usable else None  # type: ignore[no-untyped-call]  # keyring is not annotated


def _tried(home: Home) -> str:
    places = [
        f"${VARIABLE} (not set)",
        f"systemd credential {CREDENTIAL} (not there)",
        f"${KEY_FILE_VARIABLE} (not set)",
        f"{home.state / KEY_FILE} (not there)",
        "the desktop's keyring (no D-Bus, or nobody at a terminal)",
    ]
    return f"No keyring is usable. Tried: {'; '.join(places)}. Next: losswatch init, or losswatch secrets set NAME"
