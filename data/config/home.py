from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Where one losswatch lives. With `--home DIR` everything is inside DIR, else in the XDG folders."""

    config: Path
    state: Path
    runtime: Path

    @classmethod
    def find(cls, given: str | None) -> Home:
        """`given` (or `$LOSSWATCH_HOME`) wins; otherwise XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_RUNTIME_DIR."""
        given = given or os.environ.get("LOSSWATCH_HOME") or None
        if given:
            root = Path(given).expanduser().absolute()
            return cls(root, root, root)
        user = Path.home()
        state = Path(os.environ.get("XDG_STATE_HOME") or user / ".local/state") / "losswatch"
        runtime_root = os.environ.get("XDG_RUNTIME_DIR")
        runtime = Path(runtime_root) / "losswatch" if runtime_root else state
        return cls(Path(os.environ.get("XDG_CONFIG_HOME") or user / ".config") / "losswatch", state, runtime)

    @property
    def toml(self) -> Path:
        return self.config / "losswatch.toml"

    @property
    def inventory(self) -> Path:
        return self.config / "inventory"

    @property
    def database(self) -> Path:
        return self.state / "losswatch.duckdb"

    @property
    def spool(self) -> Path:
        """Folder watched for facts pushed as files: `*.ndjson` or `*.parquet`, removed once they are stored."""
        return self.state / "spool"

    @property
    def vault(self) -> Path:
        return self.state / "vault.json"

    @property
    def log(self) -> Path:
        return self.state / "hub.log"

    @property
    def socket(self) -> Path:
        return self.runtime / "hub.sock"

    @property
    def lock(self) -> Path:
        return self.runtime / "hub.lock"
