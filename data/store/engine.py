"""The DuckDB instance: opened, encrypted, brought to the current schema, reopened after a failure."""

from __future__ import annotations

import importlib.util
import logging
import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from data.errors import StoreDamaged, StoreError, StoreLocked
from data.text import redact, register_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

Cursor = duckdb.DuckDBPyConnection
READERS_END_S = 30.0
_SCHEMA = Path(__file__).parent / "schema"
_MEMORY = "384MB"


class Engine:
    """One attached database file. Cursors are short-lived; reopening waits for those that are out."""

    def __init__(self, path: Path, key: str | None) -> None:
        if key is not None:
            register_secret(key)
        self._path, self._key = path, key
        self._gate = threading.Condition()
        self._readers = 0
        self._root: Cursor | None = None
        self.open()

    def open(self) -> None:
        """Attach the file and bring its schema up to date.

        Raises:
            StoreLocked: another process has it.
            StoreDamaged: its journal or header cannot be read; `journal` in the message's place says which.
            StoreError: wrong key, newer schema, no extension, no space.
        """
        root = duckdb.connect(":memory:", config=_config(self._path))
        try:
            _attach(root, self._path, self._key)
            root.execute("USE store")
            _migrate(root)
        except BaseException:
            root.close()
            raise
        self._path.chmod(0o600)
        with self._gate:
            self._root = root

    def close(self) -> None:
        """Wait for readers and let the file go; committed rows are checkpointed by the last one out."""
        with self._gate:
            root, self._root = self._root, None
            self._gate.wait_for(lambda: not self._readers, READERS_END_S)
        if root is not None:
            root.close()

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor of its own for one call in one thread; raises `StoreError` while the database is not open."""
        with self._gate:
            if self._root is None:
                raise StoreError(f"{self._path.name} is not open. Look at: losswatch doctor")
            cursor = self._root.cursor()
            self._readers += 1
        try:
            cursor.execute("USE store")
            yield cursor
        finally:
            cursor.close()
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()


def _config(path: Path) -> dict[str, str | bool | int | float | list[str]]:
    """Spill files lie beside the database, encrypted; nothing is ever fetched."""
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "memory_limit": _MEMORY,
        "temp_directory": f"{path}.tmp",
        "temp_file_encryption": "true",
    }


def _attach(root: Cursor, path: Path, key: str | None) -> None:
    try:
        if key is not None:
            root.execute(f"LOAD {_quoted(str(_extension()))}")
        option = "" if key is None else f" (ENCRYPTION_KEY {_quoted(key)})"
        root.execute(f"ATTACH {_quoted(str(path))} AS store{option}")
    except duckdb.Error as problem:
        raise _explained(path, redact(str(problem))) from None


def _extension() -> Path:
    spec = importlib.util.find_spec("duckdb_extension_httpfs")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    file = folder / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    if not file.is_file():
        raise StoreError(
            f"Encryption needs duckdb-extension-httpfs {duckdb.__version__}. "
            f"Next: pip install duckdb-extension-httpfs=={duckdb.__version__}, or set encrypt = false under [hub]"
        )
    return file


def _explained(path: Path, words: str) -> StoreError:
    """What DuckDB says, as one of ours. The order matters: a broken journal also talks of keys."""
    if holder := re.search(r"Conflicting lock is held.*?PID (\d+)", words, re.DOTALL):
        return StoreLocked(f"{path.name} is in use by process {holder[1]}. Stop it with: losswatch hub stop")
    if "already attached" in words:
        return StoreLocked(f"{path.name} is already open in this process")
    if "replaying WAL" in words:
        return StoreDamaged(f"journal of {path.name}: {words}")
    if "Wrong encryption key" in words or "without a key" in words or "is not encrypted" in words:
        return StoreError(f"{path.name} does not open with this key ({words}). Look at: losswatch secrets list")
    if "not a valid DuckDB database" in words or "corrupt" in words.lower() or "checksum" in words.lower():
        return StoreDamaged(f"file {path.name}: {words}")
    return StoreError(f"{path.name} cannot be opened: {words}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def versions() -> dict[int, Path]:
    """The schema's steps by number."""
    return {int(file.name[:3]): file for file in sorted(_SCHEMA.glob("[0-9][0-9][0-9]_*.sql"))}


def _migrate(root: Cursor) -> None:
    """Apply the steps that are missing, statement by statement; a step that was broken off is applied again.

    A transaction a step would be simpler, but DuckDB 1.5 refuses to commit some pairs of changes of one table, such as
    two new BOOLEAN columns with a default. So a statement must do nothing where it has been done (`IF NOT EXISTS`).
    """
    root.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    (present,) = root.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchall()[0]
    steps = versions()
    if present > max(steps):
        raise StoreError(
            f"The database has schema {present}, this losswatch knows {max(steps)}. Next: install the newer version again"
        )
    for number in range(present + 1, max(steps) + 1):
        log.info("database schema: step %s", steps[number].stem)
        for statement in duckdb.extract_statements(steps[number].read_text("utf-8")):
            root.execute(statement)
        root.execute("INSERT INTO schema_version VALUES (?)", [number])
