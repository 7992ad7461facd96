"""Payload files of a one-shot comparison: JSON, NDJSON, CSV or XML, gzip accepted, read as a stream where they can be."""

from __future__ import annotations

import io
import re
import resource
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from checks.feeds import decode, decode_csv, decode_json, decode_xml, source
from checks.feeds.charset import LAST, charset_of, marked, text_of
from checks.feeds.payload import Flaws, Found, Reading, Unreadable
from checks.feeds.report import reply_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from checks.feeds.preset import Preset

SMALL = 16 * 1024 * 1024
"""Documents up to this size are read as a pull reads them: no pull is larger."""
LARGE = 512 * 1024 * 1024
"""A JSON document is held as bytes, all of it."""
ROOM = 3 * 1024 * 1024 * 1024
"""Bytes of memory that one comparison may take."""
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)


@contextmanager
def reading(path: Path, records: str | None, preset: Preset | None) -> Iterator[Reading]:
    """A payload file on its way in; raises `Unreadable` naming the file, also while its records are gone through."""
    try:
        with ExitStack() as open_files:
            yield _Payload(path, open_files).reading(records, preset)
    except Unreadable as problem:
        raise Unreadable(f"{path}: {problem}") from None
    except MemoryError:
        raise Unreadable(f"{path}: takes more memory than a comparison may") from None


@contextmanager
def room(most: int = ROOM) -> Iterator[None]:
    """Within it the process may take `most` bytes more and no others: what would take all memory is `MemoryError`."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + most
    resource.setrlimit(resource.RLIMIT_AS, (limit if soft == resource.RLIM_INFINITY else min(limit, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _Payload:
    """One file, and how its format is told: by the preset, by the name, by the first bytes."""

    def __init__(self, path: Path, open_files: ExitStack) -> None:
        self.path, self.open_files = path, open_files
        self.flaws = Flaws()

    def reading(self, records: str | None, preset: Preset | None) -> Reading:
        head = source.head(self.path)
        if _HTML.match(text_of(head)):
            raise Unreadable("an HTML page, not a report")
        if preset and records is None and (preset.rows.pivot or self._size(SMALL) <= SMALL):
            reply = reply_of(source.whole(self.path, LARGE), "", preset)
            return _held(reply.found(), reply.flaws)
        path = preset.rows.path if preset and records is None else records
        form = preset.rows.format if preset and records is None else self._format(head)
        if records is not None and form in {"csv", "ndjson"}:
            raise Unreadable("a table has no records path" if form == "csv" else "JSON lines have no records path")
        if form == "ndjson":
            return decode_json.lines(self._open(), charset_of(self._open()), self.flaws)
        if form == "xml":
            return decode_xml.elements(lambda: decode_xml.blocks(self._open()), path or "", self.flaws)
        if form == "csv":
            return self._table(preset.rows.section if preset else "")
        return self._document(path)

    def _open(self) -> BinaryIO:
        return self.open_files.enter_context(source.opened(self.path))

    def _size(self, most: int) -> int:
        """Bytes after decompression, counted to just above `most`."""
        return len(self._open().read(most + 1))

    def _format(self, head: bytes) -> str:
        name = self.path.name.removesuffix(".gz").lower()
        start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\x00", b"")
        if name.endswith((".ndjson", ".jsonl")):
            return "ndjson"
        if name.endswith(".xml") or start.startswith(b"<"):
            return "xml"
        if name.endswith(".csv") or not start.startswith((b"{", b"[")):
            return "csv"
        return "ndjson" if start.startswith(b"{") and self._lines() else "json"

    def _lines(self) -> bool:
        """Whether the first line is an object of its own and there is another one."""
        stream = self._open()
        first = stream.readline(decode_json.LINE).strip()
        if not first.endswith(b"}") or not stream.readline(decode_json.LINE).strip():
            return False
        try:
            decode.json_of(first, flaws=Flaws())
        except Unreadable:
            return False
        return True

    def _table(self, section: str) -> Reading:
        charset = charset_of(self._open())
        if charset == LAST:
            self.flaws.note(decode_json.CHARSET, "", "not UTF-8")
        text = io.TextIOWrapper(self._open(), encoding=charset, errors="replace", newline="")
        return decode_csv.table(decode_csv.lines_of(text), section=section, flaws=self.flaws)

    def _document(self, path: str | None) -> Reading:
        body = source.whole(self.path, LARGE)
        if len(body) <= SMALL:
            return _held(decode.find(decode.json_of(body, flaws=self.flaws), path, self.flaws), self.flaws)
        if marked(body[:4]) not in {None, "utf-8-sig"} or charset_of(io.BytesIO(body)) == LAST:
            self.flaws.note(decode_json.CHARSET, "", "not UTF-8")
            body = text_of(body).encode("utf-8", "replace")
        return decode_json.parts(body, path, self.flaws)


def _held(found: Found, flaws: Flaws) -> Reading:
    return Reading(iter(found.records), found.envelope, flaws)


def headers(path: Path) -> dict[str, str]:
    """Response headers of a `curl -D` dump or of a JSON object; raises `Unreadable`.

    Of the answers in a dump, redirects and proxies first, only the last one counts.
    """
    try:
        body = source.whole(path, 1024 * 1024)
        if body.lstrip().startswith(b"{"):
            document = decode.json_of(body)
            return {str(name): str(value) for name, value in document.items()} if isinstance(document, dict) else {}
    except Unreadable as problem:
        raise Unreadable(f"{path}: {problem}") from None
    found: dict[str, str] = {}
    for line in text_of(body).splitlines():
        if line.startswith("HTTP/"):
            found = {}
        elif ":" in line:
            name, _, value = line.partition(":")
            found[name.strip()] = value.strip()
    return found
