from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from data.config.importing.cells import COLUMNS
from data.errors import ConfigError
from data.model.target import TargetKind
from data.text import clean_text

if TYPE_CHECKING:
    from pathlib import Path

    from data.config.importing.imported import Collector

URL_COLUMNS = ("url", "loc", "link", "address", "domain", "website", "site_url")
_NAME_COLUMNS = ("site", "name", "id")


def collect(path: Path, text: str, into: Collector) -> None:
    """A CSV when its first line has a column of URLs, else one URL a line; raises `ConfigError`."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise ConfigError(path, None, "holds no URL", allowed="a sitemap, a CSV with a column 'url' or one URL a line")
    mark, header = _header(lines[0])
    url_column = next((name for name in URL_COLUMNS if name in header), "")
    if not url_column:
        for line in lines:
            into.add(line.split(mark)[0].strip().strip('"'))
        return
    names = ("link", "name", "id") if into.kind is TargetKind.LINK else _NAME_COLUMNS
    name_column = next((name for name in names if name in header and name != url_column), "")
    unknown = [name for name in header if name not in {*COLUMNS[into.kind], url_column, name_column}]
    if unknown:
        into.note(f"column(s) of the file that no {into.kind.value} has; left out", ", ".join(unknown))
    try:
        for cells in csv.DictReader(io.StringIO("\n".join(lines[1:])), header, delimiter=mark, restval=""):
            kept = {key: value for key, value in cells.items() if key in COLUMNS[into.kind] and value}
            into.add(cells[url_column] or "", cells[name_column] or "" if name_column else "", kept)
    except csv.Error as error:
        raise ConfigError(path, None, f"is no CSV that can be read: {error}") from None


def holds_links(text: str) -> bool:
    """Whether the first line is the header of a links.csv: a name under `link` and its address under `url`."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return {"link", "url"} <= set(_header(first)[1])


def _header(line: str) -> tuple[str, list[str]]:
    mark = max(",;\t", key=line.count)
    cells = [clean_text(cell).lower() for cell in line.split(mark)]
    return mark, [cell.strip('"').strip() for cell in cells]
