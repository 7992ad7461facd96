from __future__ import annotations


def presets() -> tuple[str, ...]:
    """Names of the feed presets there are."""
    from checks.feeds import preset

    return tuple(preset.names())
