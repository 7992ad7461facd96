from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app import LosswatchApp

WAIT_S = 2.0


def copy(app: LosswatchApp, found: tuple[str, str] | None) -> None:
    """Copy a (text, what it is) and say so."""
    if found is None:
        app.say("Nothing here that could be copied")
        return
    text, what = found
    app.copy_to_clipboard(text)
    way = " and into tmux" if os.environ.get("TMUX") and into_tmux(text) else ""
    app.say(f"Copied the {what}{way}: {text.splitlines()[0]}")


def into_tmux(text: str) -> bool:
    """Put `text` into tmux's buffer and the terminal's clipboard; inside tmux OSC 52 alone is swallowed by default."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603  # a fixed command; the text goes by stdin
            [tmux, "load-buffer", "-w", "-"], input=text.encode(), timeout=WAIT_S, check=False, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
