"""Files that are replaced as a whole: whoever reads one sees the old content or the new, whatever ends in between."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write beside and rename; on return the content is on the disk. `mode` is what the umask leaves of it.

    Raises:
        OSError: it cannot be written; what stood there stands.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def replace_text(path: Path, text: str) -> None:
    """As `replace_file`; what stood there is kept as `.bak`. A link stays one, and a mode as it was.

    What is no file, as /dev/stdout may be, is written to.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, "utf-8")
        return
    path = path.resolve()
    if not path.exists():
        replace_file(path, text.encode())
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    for place, content in ((path.with_name(f"{path.name}.bak"), path.read_bytes()), (path, text.encode())):
        replace_file(place, content, mode)
        place.chmod(mode)  # of which the umask may have taken something
