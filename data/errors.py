"""What can go wrong for a person at the keyboard, as one tree.

    LosswatchError             exit 3   anything below; the message is one sentence with the next step
    ├── UsageError             exit 64  the command line asks for something that does not exist
    ├── ConfigError            exit 64  losswatch.toml, inventory or a SPEC is wrong: file, line, value, allowed, nearest
    ├── SecretMissing          exit 3   a keyring entry that is referred to does not exist
    ├── VaultError             exit 3   no usable keyring backend, or the vault's master key is wrong
    ├── StoreError             exit 3   the database cannot be used
    │   ├── StoreLocked        exit 3   another process holds it; says which
    │   ├── StoreDown          exit 3   it cannot be written just now; what was acknowledged is safe
    │   │   └── StoreFull      exit 3   because no space is left
    │   └── StoreDamaged       exit 3   acknowledged data are missing; says where the damaged part was put
    ├── NotAllowed             exit 3   the principal may not do this; says who can
    └── HubUnreachable         exit 3   no hub answers on the socket; says how to start one

Failures of what is *watched* are not errors: they are observations with a state and a cause.
"""

from __future__ import annotations

from pathlib import Path


class LosswatchError(Exception):
    """Anything a person should read as one sentence instead of a traceback."""

    exit_code = 3


class UsageError(LosswatchError):
    exit_code = 64


class ConfigError(LosswatchError):
    """A problem in a configuration file.

    `str()` gives `FILE:LINE: message (got VALUE; allowed ...; did you mean NEAREST?)` with the parts that are known.
    """

    exit_code = 64

    def __init__(
        self, file: Path | str, line: int | None, message: str, *, value: str = "", allowed: str = "", nearest: str = ""
    ) -> None:
        self.file, self.line, self.message = Path(file), line, message
        self.value, self.allowed, self.nearest = value, allowed, nearest
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        hints = [f"got {self.value!r}" if self.value else "", f"allowed: {self.allowed}" if self.allowed else ""]
        hints.append(f"did you mean {self.nearest!r}?" if self.nearest else "")
        tail = "; ".join(hint for hint in hints if hint)
        return f"{place}: {self.message}" + (f" ({tail})" if tail else "")


class SecretMissing(LosswatchError):
    pass


class VaultError(LosswatchError):
    pass


class StoreError(LosswatchError):
    pass


class StoreLocked(StoreError):
    pass


class StoreDown(StoreError):
    pass


class StoreFull(StoreDown):
    pass


class StoreDamaged(StoreError):
    pass


class NotAllowed(LosswatchError):
    pass


class HubUnreachable(LosswatchError):
    pass
