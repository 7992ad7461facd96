"""`python -m checks.hub`: from nothing to a serving hub, and out again without loss."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from checks.hub.configuration import read
from data.config.watch import stamps
from data.errors import LosswatchError
from data.garbage import uncollected
from data.text import RedactingFilter

if TYPE_CHECKING:
    from data.config.home import Home

log = logging.getLogger(__name__)


def run(home: Home, *, to_stderr: bool = True) -> int:
    """Run a hub in the foreground until it is told to stop; returns the exit code.

    Raises:
        ConfigError: the configuration is wrong.
        StoreLocked: another hub runs for this home.
        StoreError, VaultError: the database or the keyring cannot be used.
    """
    _log_to(home, to_stderr=to_stderr)
    stamp = stamps(home)
    settings = read(home)
    stamp |= stamps(home, settings)

    from checks.hub.hub import Hub
    from checks.hub.listen import listen
    from data.secrets import open_secrets, store_key
    from data.store.store import Store

    home.state.mkdir(mode=0o750, parents=True, exist_ok=True)
    home.spool.mkdir(mode=0o750, exist_ok=True)
    listener = listen(home, settings.hub.group)
    try:
        secrets = open_secrets(home, create=True)
        store = Store.open(home.database, store_key(secrets) if settings.hub.encrypt else None)
        store.min_free_bytes = settings.hub.min_free_bytes
        for warning in store.warnings:
            log.error("store: %s", warning)
        try:

            async def serve() -> None:
                with uncollected(keep=True):
                    hub = Hub(home, settings, stamp, store, secrets)
                loop = asyncio.get_running_loop()
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(number, hub.stopping.set)
                await hub.run(listener)

            asyncio.run(serve())
        finally:
            store.close()
    finally:
        listener.close()
    return 0


def _log_to(home: Home, *, to_stderr: bool) -> None:
    """Log to the home's file, redacted; never more than a few megabytes."""
    home.state.mkdir(mode=0o750, parents=True, exist_ok=True)
    os.umask(0o027)
    handlers: list[logging.Handler] = [RotatingFileHandler(home.log, maxBytes=2_000_000, backupCount=2)]
    if to_stderr:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=logging.INFO, handlers=handlers, force=True, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for handler in handlers:
        handler.addFilter(RedactingFilter())
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # a run that is skipped because the last one still goes on is fine


def main() -> int:
    """Entry of the background hub: the home is the only argument; errors are one sentence in the log."""
    from data.config.home import Home

    home = Home.find(sys.argv[1] if len(sys.argv) > 1 else None)
    try:
        return run(home, to_stderr=False)
    except LosswatchError as problem:
        log.error("the hub did not start: %s", problem)  # noqa: TRY400 - the sentence says it all
        print(problem, file=sys.stderr)  # noqa: T201 - whoever started us reads it
        return problem.exit_code
    except OSError as problem:
        log.exception("the hub did not start")
        print(f"{problem.filename or 'the hub'}: {problem.strerror or problem}", file=sys.stderr)  # noqa: T201 - as above
        return LosswatchError.exit_code
