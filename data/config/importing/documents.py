"""JSON and YAML from strangers: plain values only, bounded in size, depth and growth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from data.config.rows import decode
from data.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

MAX_YAML_BYTES = 16_000_000
_DEEPEST = 40
_MOST_MERGED = 100
_MOST_KEYS = 10_000
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader where PyYAML was built with it
    """Safe tags only. An alias is one object shared, so it costs nothing; a merge (`<<`) copies, so it has bounds."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge" and len(getattr(value, "value", ())) > _MOST_MERGED:
                raise yaml.constructor.ConstructorError(None, None, "merges too much", value.start_mark)
        super().flatten_mapping(node)
        if len(node.value) > _MOST_KEYS:
            raise yaml.constructor.ConstructorError(None, None, "merges too much", node.start_mark)


def read_json(path: Path, raw: bytes) -> Any:
    """Raises `ConfigError` in a sentence."""
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(path, None, f"is no JSON that can be read: {problem}") from None
    except RecursionError:
        raise ConfigError(path, None, "is nested too deeply") from None


def read_yaml(path: Path, raw: bytes) -> Any:
    """Raises `ConfigError` in a sentence."""
    if len(raw) > MAX_YAML_BYTES:
        raise ConfigError(path, None, "is too large", allowed=f"up to {MAX_YAML_BYTES:,} bytes of YAML")
    text = decode(path, raw)
    try:
        _refuse_depth(path, text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # _Loader is a safe one
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else None
        raise ConfigError(path, line, f"is no YAML that can be read: {problem.problem}") from None
    except yaml.YAMLError as problem:
        raise ConfigError(path, None, f"is no YAML that can be read: {str(problem).partition(chr(10))[0]}") from None
    except (RecursionError, ValueError, OverflowError):
        raise ConfigError(path, None, "is nested too deeply or holds a value that is none") from None


def _refuse_depth(path: Path, text: str) -> None:
    """The C loader composes recursively and ends the process on a deep document; its events come one by one."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise ConfigError(path, None, "is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def text_of(value: object) -> str:
    """A plain value as text; empty for anything else, so that no structure is ever spelled out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def tables(value: object) -> list[dict[str, Any]]:
    """The tables of a list; whatever else is in it is left out."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
