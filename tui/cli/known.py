from __future__ import annotations


def presets() -> tuple[str, ...]:
    """Names of the feed presets there are."""
    from checks.feeds.preset import names

    return tuple(names())
