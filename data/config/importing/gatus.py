"""Gatus: `endpoints` of its YAML, with their conditions where those are expectations of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data.config.importing.documents import read_yaml, tables, text_of
from data.config.units import format_duration, parse_duration
from data.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from data.config.importing.imported import Collector

_ENV = re.compile(r"(?<!\$)(?:\$\$)*\$(\{\w+\}|\w+)")
_STATUS = re.compile(r"\[STATUS\]\s*(==|<=|>=|<|>)\s*(?:any\(([\d,\s]+)\)|(\d{3}))", re.ASCII)
_BODY = re.compile(r"\[BODY\]\s*(==|!=)\s*pat\(\*([^*?]+)\*\)")
_SLOW = re.compile(r"\[RESPONSE_TIME\]\s*<=?\s*(\d{1,7})(?:ms)?", re.ASCII)
_CERTIFICATE = re.compile(r"\[(?:CERTIFICATE|DOMAIN)_EXPIRATION\]\s*>.*")
_CONNECTED = re.compile(r"\[CONNECTED\]\s*==\s*true")
_ANY_2XX = {(">=", "200"), (">", "199"), ("<", "300"), ("<=", "299")}
_WEB = re.compile(r"https?://", re.IGNORECASE)


def collect(path: Path, raw: bytes, into: Collector) -> None:
    """Every endpoint that is a web page; the others are told. Raises `ConfigError`."""
    document = read_yaml(path, raw)
    endpoints = document.get("endpoints", document.get("services")) if isinstance(document, dict) else None
    if not isinstance(endpoints, list):
        raise ConfigError(path, None, "is no configuration of Gatus", allowed="a YAML with 'endpoints'")
    for endpoint in tables(endpoints):
        _endpoint(endpoint, into)
    for key in ("external-endpoints", "suites"):
        for entry in tables(document.get(key)):
            into.skip(text_of(entry.get("name")) or key, f"stands under {key}, which losswatch has no like of")
    for key in ("alerting", "security", "maintenance"):
        if document.get(key):
            into.note(f"{key} is not carried over", "the file")


def _endpoint(endpoint: dict[str, Any], into: Collector) -> None:
    url, name, group = (text_of(endpoint.get(key)) for key in ("url", "name", "group"))
    if _ENV.search(url):
        into.skip(name or url, "takes its URL from the environment; write the value in its place")
        return
    url = url.replace("$$", "$")
    if not _WEB.match(url):
        into.skip(name or url, "is no web page")
        return
    if (method := text_of(endpoint.get("method")) or "GET").upper() not in {"GET", "HEAD"} or endpoint.get("graphql"):
        into.skip(name or url, f"sends {method}; losswatch only reads pages")
        return
    lost: list[str] = []
    cells = {"team": group.replace("$$", "$")} | _cells(endpoint, lost)
    if taken := into.add(url, name.replace("$$", "$"), cells):
        for words in lost:
            into.note(words, taken)


def _cells(endpoint: dict[str, Any], lost: list[str]) -> dict[str, str]:
    cells: dict[str, str] = {}
    labels = endpoint.get("extra-labels")
    if isinstance(labels, dict):
        cells |= {text_of(key): text_of(value).replace("$$", "$") for key, value in labels.items()}
    cells["interval"] = _duration(endpoint.get("interval"), "60s")
    if endpoint.get("enabled") is False:
        cells["paused"] = "yes"
    expected = _Expected()
    for condition in endpoint.get("conditions") or ():
        words = text_of(condition).strip()
        if not expected.take(words):
            lost.append(f"condition {words[:60]!r} is not carried over")
    cells |= expected.cells()
    client = endpoint.get("client")
    if isinstance(client, dict):
        lost += [f"client.{key} is not carried over" for key in client if text_of(key) != "timeout"]
    if endpoint.get("headers") or endpoint.get("body"):
        lost.append("headers and bodies of requests are not sent by losswatch; a key belongs in the keyring")
    return {key: value for key, value in cells.items() if value}


class _Expected:
    """Conditions as columns of the inventory."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.bounds: set[tuple[str, str]] = set()
        self.texts: dict[str, list[str]] = {"==": [], "!=": []}
        self.slow_ms = ""

    def take(self, condition: str) -> bool:
        """Whether the condition is one of ours."""
        if found := _STATUS.fullmatch(condition):
            return self._status(found[1], found[2], found[3])
        if found := _BODY.fullmatch(condition):
            text = found[2].replace("$$", "$").strip()
            if ";" in text or not text or _ENV.search(found[2]):
                return False
            self.texts[found[1]].append(text)
            return True
        if found := _SLOW.fullmatch(condition):
            self.slow_ms = found[1]
            return True
        return bool(_CERTIFICATE.fullmatch(condition) or _CONNECTED.fullmatch(condition))

    def _status(self, operator: str, several: str | None, one: str | None) -> bool:
        if operator == "==":
            self.statuses += [code.strip() for code in (several or one or "").split(",") if code.strip()]
            return True
        self.bounds.add((operator, one or ""))
        return (operator, one) in _ANY_2XX

    def cells(self) -> dict[str, str]:
        return {
            "status": ";".join(self.statuses),
            "expect": ";".join(self.texts["=="]),
            "forbid": ";".join(self.texts["!="]),
            "slow": format_duration(int(self.slow_ms) / 1000) if self.slow_ms else "",
        }


def _duration(value: object, default: str) -> str:
    """Gatus writes Go's durations; ours are the same but for units below a millisecond."""
    text = text_of(value).replace("$$", "$") or default
    try:
        return format_duration(max(parse_duration(text), 1.0))
    except ValueError:
        return text
