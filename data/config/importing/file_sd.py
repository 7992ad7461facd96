"""Prometheus' `file_sd`: groups of targets with labels, as JSON or YAML; what blackbox_exporter is fed with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data.config.importing.documents import read_json, read_yaml, tables, text_of
from data.config.importing.kuma import COLUMNS_OF_TAGS
from data.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from data.config.importing.imported import Collector

_NAMES = ("name", "instance", "__param_name")
_COLUMN_OF = {"__scrape_interval__": "interval", "country": "geo", "enabled": "", "job": ""}
_MODULES = ("module", "__param_module")
_NO_WEB = re.compile(r"(?:icmp|ping|dns|tcp|ssh|smtp|imap|pop3|irc|grpc|udp)", re.IGNORECASE)


def collect(path: Path, raw: bytes, into: Collector) -> None:
    """Every target with an address; labels named like columns of the inventory become those. Raises `ConfigError`."""
    document = read_json(path, raw) if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[{") else _either(path, raw)
    if not isinstance(document, list) or not all(isinstance(one, dict) and "targets" in one for one in document):
        raise ConfigError(path, None, "is no file_sd", allowed="a list of {targets: [..], labels: {..}}")
    for group in tables(document):
        labels = group.get("labels")
        _group(group["targets"], labels if isinstance(labels, dict) else {}, into)


def _either(path: Path, raw: bytes) -> Any:
    return read_json(path, raw) if path.suffix == ".json" else read_yaml(path, raw)


def _group(targets: object, labels: dict[Any, Any], into: Collector) -> None:
    plain = {text_of(key): text_of(value) for key, value in labels.items()}
    module = next((plain[key] for key in _MODULES if plain.get(key)), "")
    scheme = plain.get("__scheme__", "")
    name = next((plain[key] for key in _NAMES if plain.get(key)), "")
    cells = {_COLUMN_OF.get(key, key): value for key, value in plain.items()}
    foreign = [key for key in plain if _COLUMN_OF.get(key, key) not in COLUMNS_OF_TAGS and key not in _KNOWN]
    listed = targets if isinstance(targets, list) else []
    for target in listed:
        address = plain.get("__param_target") or text_of(target)
        if module and _NO_WEB.match(module):
            into.skip(address, f"is probed by module {module}, which is no web page")
            continue
        url = address if "://" in address or not scheme else f"{scheme}://{address}"
        taken = into.add(url, name if len(listed) == 1 else "", cells)
        if taken and foreign:
            into.note(f"label(s) {', '.join(sorted(foreign))} are not carried over", taken)
        if taken and module and module not in {"http_2xx", "https_2xx"}:
            into.note(f"what module {module} expects is not in the file; set expect and status yourself", taken)


_KNOWN = frozenset((*_NAMES, *_MODULES, "__param_target", "__scheme__", "__address__", "__scrape_timeout__", "job"))
