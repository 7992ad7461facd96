"""Changes of losswatch.toml that people order from a screen: comments, order and spacing stay as they wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomlkit
from tomlkit.exceptions import TOMLKitError

from data.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_feed_options(text: str, feed: str, options: Mapping[str, str]) -> str:
    """The file's text with `options` of one feed set; an option without a value is removed.

    Raises `UsageError` when the file has no such feed, `ConfigError` when it is no TOML.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as problem:
        raise ConfigError("losswatch.toml", None, f"not valid TOML: {problem}") from None
    tables = [table for table in document.get("feeds", []) if table.get("name") == feed]
    if not tables:
        raise UsageError(f"losswatch.toml has no feed {feed!r}")
    had = tables[0].setdefault("options", tomlkit.table())
    for name, value in options.items():
        if value:
            had[name] = value
        else:
            had.pop(name, None)
    return tomlkit.dumps(document)
