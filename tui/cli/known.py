from __future__ import annotations


def presets() -> dict[str, str]:
    """The feed presets there are, and where each reads from."""
    from checks.feeds.preset import sources

    return sources()
